/** Random clusters in mode ipvs: all that Services can ask for, mixed. */
import fc from "fast-check";
import { configuration, node, service, slice } from "./objects.js";

const four = fc.constantFrom("10.96.0.1", "10.96.0.2", "10.96.7.9", "100.64.0.9");
const six = fc.constantFrom("fd00:96::1", "fd00:96::2", "fd00:96::abcd");
const outside = fc.constantFrom(
  "203.0.113.7",
  "192.0.2.200",
  "192.0.2.1",
  "2001:db8::7",
  "2001:db8:1::1",
  "10.96.0.2",
);
const range = fc.constantFrom(
  "0.0.0.0/0",
  "192.0.2.0/24",
  "198.51.100.9/8",
  "::/0",
  "2001:db8::/32",
  " 10.0.0.0/8",
);
const protocol = fc.constantFrom("TCP", "UDP", "SCTP");
const policy = fc.constantFrom("Cluster", "Local");
const port = fc.constantFrom(53, 80, 443);
const one = fc.record({
  namespace: fc.constantFrom("default", "kube-system"),
  type: fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
  addresses: fc.oneof(
    fc.tuple(four),
    fc.tuple(six),
    fc.tuple(four, six),
    fc.tuple(six, four),
    fc.constant(["None"] as const),
  ),
  ports: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom("a", "b", "c"),
      protocol,
      port,
      nodePort: fc.constantFrom(0, 30053, 30080),
    }),
    { minLength: 1, maxLength: 3, selector: ({ name }) => name },
  ),
  externalIPs: fc.uniqueArray(outside, { maxLength: 2 }),
  ingress: fc.uniqueArray(outside, { maxLength: 2 }),
  ranges: fc.uniqueArray(range, { maxLength: 3 }),
  external: policy,
  internal: policy,
  affinity: fc.option(fc.integer({ min: 1, max: 86400 })),
  healthCheck: fc.constantFrom(0, 32000),
  endpoints: fc.uniqueArray(
    fc.record({
      number: fc.integer({ min: 2, max: 9 }),
      conditions: fc.record({ ready: fc.boolean(), serving: fc.boolean(), terminating: fc.boolean() }),
      nodeName: fc.constantFrom("here", "there"),
    }),
    { maxLength: 4, selector: ({ number }) => number },
  ),
});
const proxy = fc.record({
  mode: fc.constant("ipvs"),
  clusterCIDR: fc.constantFrom("", "10.244.0.0/16", "10.244.0.0/16,fd00:244::/48"),
  iptables: fc.record({ masqueradeAll: fc.boolean(), masqueradeBit: fc.integer({ min: 0, max: 31 }) }),
  nodePortAddresses: fc.constantFrom([], ["192.0.2.0/25"], ["172.31.0.0/16", "::/0"], ["0.0.0.0/0"]),
  ipvs: fc.record({ scheduler: fc.constantFrom("", "rr", "wlc", "sh", "mh"), strictARP: fc.boolean() }),
});
type Settings = typeof one extends fc.Arbitrary<infer T> ? T : never;

const objectsOf = (settings: Settings, index: number) => {
  const name = `web-${index}`;
  const { namespace, addresses, affinity, ports } = settings;
  const metadata = { name, namespace };
  const own = service({
    type: settings.type,
    clusterIP: addresses[0],
    clusterIPs: [...addresses],
    ports,
    externalIPs: settings.externalIPs,
    loadBalancerSourceRanges: settings.ranges,
    externalTrafficPolicy: settings.external,
    internalTrafficPolicy: settings.internal,
    healthCheckNodePort: settings.healthCheck,
    ipFamilies: addresses.map((text) => (text.includes(":") ? "IPv6" : "IPv4")),
    sessionAffinity: affinity === null ? "None" : "ClientIP",
    ...(affinity === null ? {} : { sessionAffinityConfig: { clientIP: { timeoutSeconds: affinity } } }),
  });
  const status = { loadBalancer: { ingress: settings.ingress.map((ip) => ({ ip })) } };
  const slices = (["IPv4", "IPv6"] as const).map((addressType) => ({
    ...slice(
      settings.endpoints.map(({ number, ...endpoint }) => ({
        addresses: [addressType === "IPv4" ? `10.244.0.${number}` : `fd00:244::${number}`],
        ...endpoint,
      })),
      addressType,
    ),
    metadata: {
      name: `${name}-${addressType.toLowerCase()}`,
      namespace,
      labels: { "kubernetes.io/service-name": name },
    },
    ports: ports.map(({ name: portName, protocol: of }) => ({ name: portName, protocol: of, port: 8080 })),
  }));
  return [{ ...own, metadata, status }, ...slices];
};
/** Objects of a cluster: one node, a configuration in mode ipvs, and Services that share addresses and ports at times. */
export const anyCluster = fc
  .tuple(fc.array(one, { maxLength: 8 }), proxy)
  .map(([all, fields]) => [
    node(["192.0.2.1", "2001:db8:1::1"]),
    configuration(fields),
    ...all.flatMap(objectsOf),
  ]);
