/** EndpointSlice objects (discovery.k8s.io/v1): the fields that kube-proxy reads. */

import * as z from "zod/mini";
import { familyOf, readAddress } from "../../../grammar/address.js";
import { shown } from "../../documents/check.js";
import type { Document } from "../../documents/document.js";
import { appendAll } from "../../problems/append.js";
import type { Problem } from "../../problems/problem.js";
import type { EndpointSlice } from "../model.js";
import { absent, flag, portOrNone, present, protocol, text } from "./fields.js";
import { checkedObject, metadata, metaOf, whoIs } from "./metadata.js";

const named = z.looseObject({ name: z.string() });
const targetRef = absent(z.looseObject({ kind: text, namespace: text, name: text }));

const endpointSliceSchema = z.looseObject({
  metadata,
  addressType: z.enum(["IPv4", "IPv6", "FQDN"]),
  ports: absent(z.array(z.looseObject({ name: text, protocol, port: portOrNone }))),
  endpoints: absent(
    z.array(
      z.looseObject({
        addresses: z.array(z.string()).check(z.minLength(1)),
        conditions: absent(z.looseObject({ ready: flag, serving: flag, terminating: flag })),
        nodeName: text,
        zone: text,
        hostname: text,
        targetRef,
        hints: absent(z.looseObject({ forZones: absent(z.array(named)), forNodes: absent(z.array(named)) })),
      }),
    ),
  ),
});

/** The EndpointSlice of a document of that kind; undefined when it has errors. */
export function readEndpointSlice(document: Document, problems: Problem[]): EndpointSlice | undefined {
  const object = checkedObject(document, endpointSliceSchema, problems);
  if (object === undefined) return undefined;
  const slice: EndpointSlice = {
    meta: metaOf(document, object.metadata),
    addressType: object.addressType,
    ports: (object.ports ?? []).map((port) => ({
      ...present("name", port.name),
      protocol: port.protocol ?? "TCP",
      ...present("port", port.port),
    })),
    endpoints: (object.endpoints ?? []).map((endpoint) => ({
      addresses: endpoint.addresses,
      ...present("ready", endpoint.conditions?.ready),
      ...present("serving", endpoint.conditions?.serving),
      ...present("terminating", endpoint.conditions?.terminating),
      ...present("nodeName", endpoint.nodeName),
      ...present("zone", endpoint.zone),
      ...(endpoint.hints
        ? {
            hints: {
              zones: (endpoint.hints.forZones ?? []).map(({ name }) => name),
              nodes: (endpoint.hints.forNodes ?? []).map(({ name }) => name),
            },
          }
        : {}),
      ...present("hostname", endpoint.hostname),
      ...present("pod", podOf(endpoint.targetRef, object.metadata.namespace)),
    })),
  };
  const wrong = wrongAddresses(document, slice);
  appendAll(problems, wrong);
  return wrong.length > 0 ? undefined : slice;
}

/** The Pod that an endpoint's `targetRef` names, if it names one. */
function podOf(
  reference: z.infer<typeof targetRef>,
  own: string | null | undefined,
): { namespace: string; name: string } | undefined {
  if (reference?.kind !== "Pod" || !reference.name) return undefined;
  return { namespace: reference.namespace || own || "default", name: reference.name };
}

/** The object as the API server would give it out, fields that the model does not have left out. */
export function endpointSliceObject({ meta, addressType, endpoints, ports }: EndpointSlice): object {
  const fromMap = (map: ReadonlyMap<string, string>) =>
    map.size === 0 ? undefined : Object.fromEntries(map);
  const named = (names: readonly string[]) =>
    names.length === 0 ? undefined : names.map((name) => ({ name }));
  return withoutUndefined({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: withoutUndefined({
      name: meta.name,
      namespace: meta.namespace,
      labels: fromMap(meta.labels),
      annotations: fromMap(meta.annotations),
    }),
    addressType,
    endpoints: endpoints.map(
      ({ addresses, ready, serving, terminating, hostname, nodeName, zone, hints, pod }) =>
        withoutUndefined({
          addresses: [...addresses],
          conditions: withoutUndefined({ ready, serving, terminating }),
          hostname,
          nodeName,
          zone,
          hints: hints && withoutUndefined({ forZones: named(hints.zones), forNodes: named(hints.nodes) }),
          targetRef: pod && { kind: "Pod", ...pod },
        }),
    ),
    ports: ports.map((port) => ({ ...port })),
  });
}

function withoutUndefined(object: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

/** Each address must be of the slice's type: kube-proxy would put it into a rule of the wrong family as it stands. */
function wrongAddresses(document: Document, slice: EndpointSlice): readonly Problem[] {
  const problems: Problem[] = [];
  if (slice.addressType === "FQDN") return problems;
  const family = slice.addressType === "IPv6" ? "ipv6" : "ipv4";
  for (const [index, { addresses }] of slice.endpoints.entries()) {
    for (const [position, text] of addresses.entries()) {
      const address = readAddress(text);
      if (address !== undefined && familyOf(address) === family) continue;
      const field = `endpoints[${index}].addresses[${position}]`;
      problems.push({
        code: "LF5002",
        severity: "error",
        message: `${whoIs(document)}: ${field} is no ${slice.addressType} address, got ${shown(text)}`,
        place: document.placeOf(["endpoints", index, "addresses", position]),
      });
    }
  }
  return problems;
}
