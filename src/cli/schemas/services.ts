/** landfall/services@1: the Services found in a node's rules. */
import * as z from "zod/mini";
import { about, count, family, fraction, maybe, port, sentences, step, text } from "./parts.js";

const endpoint = {
  address: maybe.check(about("null: the text lacks its chain")),
  port: port.check(about("null: the one that the packet was sent to")),
  chain: maybe.check(about("its KUBE-SEP chain; null for IPVS")),
};

const clients = z.strictObject({
  who: sentences.check(about("what tells these clients from others; empty: all")),
  sets: sentences.check(about("IPVS: the sets by which rules of nat know what they send")),
  outcomes: z
    .array(
      z.strictObject({
        kind: z.enum(["endpoint", "reject", "drop", "passed", "unknown"]),
        share: z.nullable(fraction).check(about("null: nothing given determines it")),
        endpoint: z.nullable(z.strictObject(endpoint)),
        masqueraded: z.boolean(),
        with: maybe.check(about("what a rejection answers with")),
        lacks: maybe.check(about("the chain that the text lacks, of kind unknown")),
      }),
    )
    .check(about("of a new client's connections; shares add up to 1")),
});

export const service = z
  .strictObject({
    name: maybe.check(about("namespace/name:port; null where nothing tells it")),
    nameProven: z.boolean().check(about("the hash in the names of its chains fits the name")),
    family,
    type: text.check(about("LoadBalancer, NodePort or ClusterIP, as far as its addresses tell; else -")),
    protocol: maybe,
    chains: z.array(text),
    entrances: z
      .array(
        z.strictObject({
          kind: z.enum([
            "cluster IP",
            "external IP",
            "load balancer IP",
            "external address",
            "node port",
            "unknown",
            "virtual server",
          ]),
          address: maybe.check(about("null: any address of the node, or unknown")),
          port,
          chain: maybe.check(about("the chain that the rules lead to; null: they refuse")),
          rules: z.array(step),
          clients: z.array(clients).check(about("from outside of the node, which its pods are too")),
          ownClients: z
            .array(clients)
            .check(about("processes of the node; empty where that hangs on addresses that are not known")),
          letIn: z
            .nullable(z.array(z.strictObject({ set: text, sources: z.array(text) })))
            .check(
              about(
                "IPVS: whom the firewall of a load balancer's address lets in; null: it does not look at it",
              ),
            ),
        }),
      )
      .check(about("addresses and ports at which it is reached")),
    endpoints: z.array(
      z.strictObject({
        ...endpoint,
        line: z.nullable(z.int()),
        weight: z.nullable(count).check(about("of IPVS; 0 takes no new connections")),
        selfMasqueraded: z.nullable(z.boolean()).check(about("it can reach itself by the Service")),
      }),
    ),
    affinitySeconds: z.nullable(count).check(about("of ClientIP affinity; null: none")),
    internalPolicy: z.nullable(z.enum(["Cluster", "Local"])),
    externalPolicy: z.nullable(z.enum(["Cluster", "Local"])),
    healthCheckNodePort: port,
    scheduler: maybe.check(about("of IPVS")),
    sharing: z
      .nullable(
        z.strictObject({
          assuming: sentences.check(about("what the shares rest on: they are those of the long run")),
          next: z
            .array(z.strictObject(endpoint))
            .check(about("who gets the next connection, where a listing's counts tell it")),
        }),
      )
      .check(about("of IPVS; null: rules draw")),
    lacks: sentences.check(about("IPVS: what is not here, and what that leaves open")),
    counted: z
      .array(
        z.strictObject({
          chain: text,
          total: text,
          endpoints: z.array(
            z.strictObject({
              ...endpoint,
              connections: text,
              expected: fraction,
              chance: z
                .nullable(z.number())
                .check(about("of a count at least so far off; null with affinity, where it says nothing")),
            }),
          ),
        }),
      )
      .check(about("connections by the counters of the rules; empty without counters")),
    notes: sentences.check(about("what is out of the ordinary")),
  })
  .check(about("a port of a Service, as the rules have it"));

export const servicesSchema = z
  .strictObject({
    schema: z.literal("landfall/services@1"),
    services: z.array(service),
    assumed: sentences.check(about("rules that a fragment lacks and that were taken to be there")),
  })
  .check(about("the Services found in a node's rules"));

export type ServicesDocument = z.infer<typeof servicesSchema>;

export type ServiceDocument = z.infer<typeof service>;
