/**
 * What landfall reads of each kind of object, as schemas: fields that kube-proxy looks at are checked as the API server
 * checks them, all others may be anything. `null` counts as absent, as in the API.
 */
import * as z from "zod/mini";
import { readAddress, readNetwork } from "../../grammar/address.js";

const absent = <T extends z.ZodMiniType>(schema: T) => z.optional(z.nullable(schema));
const text = absent(z.string());
const flag = absent(z.boolean());
const texts = absent(z.array(z.string()));
const words = absent(z.record(z.string(), z.string()));
const port = z.int().check(z.gte(1), z.lte(65535));
const nodePort = absent(z.int().check(z.gte(0), z.lte(65535)));
const protocol = absent(z.enum(["TCP", "UDP", "SCTP"]));
const policy = absent(z.enum(["Cluster", "Local"]));
const address = z.string().check(z.refine((value) => readAddress(value) !== undefined, "is no IP address"));
const clusterAddress = z
  .string()
  .check(
    z.refine(
      (value) => value === "" || value === "None" || readAddress(value) !== undefined,
      "is no IP address and not None",
    ),
  );
const cidr = z
  .string()
  .check(
    z.refine(
      (value) => value.includes("/") && readNetwork(value) !== undefined,
      "is no CIDR such as 10.0.0.0/8",
    ),
  );

const metadata = z.looseObject({ name: z.string(), namespace: text, labels: words, annotations: words });

export const serviceSchema = z.looseObject({
  metadata,
  spec: z.looseObject({
    type: absent(z.enum(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])),
    clusterIP: absent(clusterAddress),
    clusterIPs: absent(z.array(clusterAddress)),
    ipFamilies: absent(z.array(z.enum(["IPv4", "IPv6"]))),
    ports: absent(
      z.array(
        z.looseObject({
          name: text,
          protocol,
          port,
          targetPort: absent(z.union([z.string(), port])),
          nodePort,
        }),
      ),
    ),
    externalIPs: texts,
    loadBalancerSourceRanges: texts,
    sessionAffinity: absent(z.enum(["None", "ClientIP"])),
    sessionAffinityConfig: absent(
      z.looseObject({
        clientIP: absent(z.looseObject({ timeoutSeconds: absent(z.int().check(z.gte(1), z.lte(86400))) })),
      }),
    ),
    externalTrafficPolicy: policy,
    internalTrafficPolicy: policy,
    healthCheckNodePort: nodePort,
    publishNotReadyAddresses: flag,
    trafficDistribution: text,
    selector: words,
  }),
  status: absent(
    z.looseObject({
      loadBalancer: absent(
        z.looseObject({
          ingress: absent(
            z.array(
              z.looseObject({
                ip: absent(address),
                hostname: text,
                ipMode: absent(z.enum(["VIP", "Proxy"])),
              }),
            ),
          ),
        }),
      ),
    }),
  ),
});

const named = z.looseObject({ name: z.string() });

export const endpointSliceSchema = z.looseObject({
  metadata,
  addressType: z.enum(["IPv4", "IPv6", "FQDN"]),
  ports: absent(
    z.array(z.looseObject({ name: text, protocol, port: absent(z.int().check(z.gte(0), z.lte(65535))) })),
  ),
  endpoints: absent(
    z.array(
      z.looseObject({
        addresses: z.array(z.string()),
        conditions: absent(z.looseObject({ ready: flag, serving: flag, terminating: flag })),
        nodeName: text,
        zone: text,
        hints: absent(z.looseObject({ forZones: absent(z.array(named)), forNodes: absent(z.array(named)) })),
      }),
    ),
  ),
});

export const nodeSchema = z.looseObject({
  metadata,
  spec: absent(z.looseObject({ podCIDR: absent(cidr), podCIDRs: absent(z.array(cidr)) })),
  status: absent(
    z.looseObject({ addresses: absent(z.array(z.looseObject({ type: z.string(), address: z.string() }))) }),
  ),
});

export const proxyConfigurationSchema = z.looseObject({
  mode: absent(z.enum(["", "iptables", "ipvs", "nftables"])),
  hostnameOverride: text,
  bindAddress: text,
  clusterCIDR: absent(
    z
      .string()
      .check(
        z.refine(
          (value) => value === "" || value.split(",").every((part) => readNetwork(part.trim()) !== undefined),
          "is no CIDR such as 10.244.0.0/16",
        ),
      ),
  ),
  detectLocalMode: absent(z.enum(["", "ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"])),
  detectLocal: absent(z.looseObject({ bridgeInterface: text, interfaceNamePrefix: text })),
  iptables: absent(
    z.looseObject({
      masqueradeAll: flag,
      masqueradeBit: absent(z.int().check(z.gte(0), z.lte(31))),
      localhostNodePorts: flag,
    }),
  ),
  nodePortAddresses: absent(
    z.array(
      z
        .string()
        .check(
          z.refine(
            (value) => value === "primary" || (value.includes("/") && readNetwork(value) !== undefined),
            "is no CIDR such as 10.0.0.0/8, and not primary",
          ),
        ),
    ),
  ),
  conntrack: absent(z.looseObject({ tcpBeLiberal: flag })),
  featureGates: absent(z.record(z.string(), z.boolean())),
});

const interfaceName = z.string().check(z.minLength(1), z.maxLength(15));
const addressWithLength = z
  .string()
  .check(z.refine((value) => readNetwork(value) !== undefined, "is no address such as 10.0.1.50/24"));
const scalar = z.union([z.string(), z.number(), z.boolean()]);

export const networkSchema = z.looseObject({
  family: absent(z.enum(["ipv4", "ipv6"])),
  interfaces: z.array(
    z.looseObject({
      name: interfaceName,
      kind: text,
      addresses: absent(z.array(addressWithLength)),
      ports: absent(z.array(z.looseObject({ name: interfaceName, hosts: absent(z.array(address)) }))),
    }),
  ),
  routes: absent(
    z.array(
      z.looseObject({
        to: z
          .string()
          .check(
            z.refine(
              (value) => value === "default" || readNetwork(value) !== undefined,
              "is no CIDR and not default",
            ),
          ),
        via: absent(address),
        dev: absent(interfaceName),
        src: absent(address),
        type: text,
        metric: absent(z.int()),
      }),
    ),
  ),
  sysctls: absent(z.record(z.string(), scalar)),
});
