import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { DEFAULT_PROXY_CONFIGURATION } from "../../src/cluster/model.js";
import { readCluster } from "../../src/cluster/read.js";
import { readDocuments } from "../../src/documents/read.js";
import type { Problem } from "../../src/problems/problem.js";

function read(text: string) {
  const { documents, problems } = readDocuments({ name: "svc.yaml", text });
  expect(problems).toEqual([]);
  return readCluster(documents);
}

/** `line:column severity[CODE] message` and the label or help, if there is one. */
function said({ code, severity, message, place, label, help }: Problem): string {
  const at = place === undefined ? "" : `${place.line}:${place.column} `;
  const more = label ?? help;
  return `${at}${severity}[${code}] ${message}${more === undefined ? "" : ` (${more})`}`;
}
const saidOf = (text: string) => read(text).problems.map(said);

const service = (spec: string, name = "web") =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec:\n  clusterIP: 10.96.0.10\n${spec}`;
const slice = (rest: string) =>
  `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-1, labels: {kubernetes.io/service-name: web}}\n${rest}`;
const proxy = (rest: string) =>
  `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n${rest}`;

describe("Services", () => {
  test("have the API's defaults", () => {
    const [found] = read(service("  ports: [{port: 80}]\n  sessionAffinity: null\n")).model.services;
    expect(found).toMatchObject({
      meta: { namespace: "default", name: "web" },
      type: "ClusterIP",
      clusterIP: "10.96.0.10",
      clusterIPs: ["10.96.0.10"],
      ports: [{ name: "", protocol: "TCP", port: 80, nodePort: 0 }],
      sessionAffinity: "None",
      affinityTimeoutSeconds: 10800,
      externalTrafficPolicy: "Cluster",
      internalTrafficPolicy: "Cluster",
      healthCheckNodePort: 0,
      publishNotReadyAddresses: false,
    });
    expect(found?.selector).toBeUndefined();
    expect(found?.ports[0]?.place).toMatchObject({ line: 6, column: 11 });
  });

  test.each([
    [
      "  ports:\n    - port: '80'\n",
      '7:13 error[LF5002] Service default/web: spec.ports[0].port must be a number, got "80" (remove the quotes)',
    ],
    ["  ports: [{name: a}]\n", "6:11 error[LF5002] Service default/web: spec.ports[0].port is missing"],
    [
      "  ports: [{port: 0}]\n",
      "6:18 error[LF5002] Service default/web: spec.ports[0].port must be at least 1, got 0",
    ],
    [
      "  ports: [{port: 1.5}]\n",
      "6:18 error[LF5002] Service default/web: spec.ports[0].port must be a whole number, got 1.5",
    ],
    [
      "  ports: [{port: 1, nodePort: 65536}]\n",
      "6:31 error[LF5002] Service default/web: spec.ports[0].nodePort must be at most 65535, got 65536",
    ],
    [
      "  ports: [{port: 1, protocol: tcp}]\n",
      '6:31 error[LF5002] Service default/web: spec.ports[0].protocol must be TCP, UDP or SCTP, got "tcp" (did you mean TCP?)',
    ],
    [
      "  type: Loadbalancr\n",
      '6:9 error[LF5002] Service default/web: spec.type must be ClusterIP, NodePort, LoadBalancer or ExternalName, got "Loadbalancr" (did you mean LoadBalancer?)',
    ],
    [
      "  externalTrafficPolicy: local\n",
      '6:26 error[LF5002] Service default/web: spec.externalTrafficPolicy must be Cluster or Local, got "local" (did you mean Local?)',
    ],
    [
      "  clusterIPs: [10.96.0.10, 'fd00::g']\n",
      '6:28 error[LF5002] Service default/web: spec.clusterIPs[1] is no IP address and not None, got "fd00::g"',
    ],
    [
      "  publishNotReadyAddresses: 'true'\n",
      '6:29 error[LF5002] Service default/web: spec.publishNotReadyAddresses must be true or false, got "true" (remove the quotes)',
    ],
    [
      "  selector: {a.b/c: 1}\n",
      '6:21 error[LF5002] Service default/web: spec.selector["a.b/c"] must be a text, got 1 (put it in quotes)',
    ],
    [
      "  sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}\n",
      "6:54 error[LF5002] Service default/web: spec.sessionAffinityConfig.clientIP.timeoutSeconds must be at most 86400, got 86401",
    ],
    [
      "status: {loadBalancer: {ingress: [{ip: 1.2.3}]}}\n",
      '6:40 error[LF5002] Service default/web: status.loadBalancer.ingress[0].ip is no IP address, got "1.2.3"',
    ],
    [
      "  externalIPs: [192.0.2.1, 192.0.2]\n",
      '6:28 warning[LF5005] Service default/web: spec.externalIPs[1] "192.0.2" is no IP address, so kube-proxy skips it',
    ],
    [
      "  loadBalancerSourceRanges: [' 10.0.0.0/8', 10.0.0.1]\n",
      '6:45 warning[LF5005] Service default/web: spec.loadBalancerSourceRanges[1] "10.0.0.1" is no CIDR, so kube-proxy skips it',
    ],
    [
      "  clusterIPs: [10.96.0.10]\n  ipFamilies: [IPv6]\n",
      "6:16 warning[LF5005] Service default/web: spec.clusterIPs[0] 10.96.0.10 is not of family IPv6",
    ],
    [
      "  ports:\n  - {name: a, port: 53, protocol: UDP}\n  - {name: b, port: 53}\n  - {name: c, port: 53}\n",
      "9:5 warning[LF5009] Service default/web: spec.ports[2] is 53/tcp, as spec.ports[1] is",
    ],
  ])("%j", (spec, expected) => {
    expect(saidOf(service(spec))).toEqual([expected]);
  });

  test("a manifest without cluster IP makes no rules", () => {
    expect(
      saidOf("apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\nspec: {ports: []}"),
    ).toEqual([
      "4:1 warning[LF5005] Service b/a: spec.clusterIP is not set, so kube-proxy makes no rules for it",
    ]);
    expect(saidOf("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: ExternalName}")).toEqual(
      [],
    );
  });

  test("a faulty object is left out, the others are read", () => {
    const { model, problems } = read(`${service("  type: X\n", "a")}---\n${service("", "b")}`);
    expect(model.services.map(({ meta }) => meta.name)).toEqual(["b"]);
    expect(problems).toHaveLength(1);
  });
});

describe("EndpointSlices", () => {
  test("keep what is absent apart from what is false", () => {
    const text = `${slice(`addressType: IPv4
ports: [{name: "", port: 80}, {port: null}]
endpoints:
- {addresses: [10.0.0.1], conditions: {ready: false, serving: null}, nodeName: n1, zone: null}
- addresses: [10.0.0.2]
  hints: {forZones: [{name: a}, {name: b}]}
`)}---\n${service("")}`;
    const { model, problems } = read(text);
    expect(problems).toEqual([]);
    expect(model.slices[0]).toMatchObject({ addressType: "IPv4", ports: [{ name: "", port: 80 }, {}] });
    expect(model.slices[0]?.ports[1]).toEqual({ protocol: "TCP" });
    expect(model.slices[0]?.endpoints).toEqual([
      { addresses: ["10.0.0.1"], ready: false, nodeName: "n1" },
      { addresses: ["10.0.0.2"], hints: { zones: ["a", "b"], nodes: [] } },
    ]);
  });

  test.each([
    [
      "addressType: IPv4\nendpoints: [{addresses: [10.0.0.1, 'fd00::1']}]",
      '5:36 error[LF5002] EndpointSlice default/web-1: endpoints[0].addresses[1] is no IPv4 address, got "fd00::1"',
    ],
    [
      "addressType: IPv6\nendpoints: [{addresses: [fd00::1::2]}]",
      '5:26 error[LF5002] EndpointSlice default/web-1: endpoints[0].addresses[0] is no IPv6 address, got "fd00::1::2"',
    ],
    [
      "addressType: IPv4\nendpoints: [{addresses: []}]",
      "5:25 error[LF5002] EndpointSlice default/web-1: endpoints[0].addresses must not be empty",
    ],
    [
      "addressType: ipv4",
      '4:14 error[LF5002] EndpointSlice default/web-1: addressType must be IPv4, IPv6 or FQDN, got "ipv4" (did you mean IPv4?)',
    ],
    ["ports: []", "1:1 error[LF5002] EndpointSlice default/web-1: addressType is missing"],
    [
      "addressType: IPv4",
      "3:18 warning[LF5005] EndpointSlice default/web-1 belongs to Service default/web, which is not here, so kube-proxy makes no rules of it",
    ],
  ])("%j", (rest, expected) => {
    expect(saidOf(slice(rest))).toEqual([expected]);
  });

  test("without the label that names the Service", () => {
    expect(
      saidOf(slice("addressType: IPv4").replace(", labels: {kubernetes.io/service-name: web}", "")),
    ).toEqual([
      "3:18 warning[LF5005] EndpointSlice default/web-1 has no label kubernetes.io/service-name, so kube-proxy makes no rules of it",
    ]);
  });
});

describe("KubeProxyConfiguration", () => {
  test("without fields is kube-proxy's default", () => {
    const { place, ...found } = read(proxy("nodePortAddresses: null\nmode: ''\n")).model.proxy ?? {};
    expect(found).toEqual(DEFAULT_PROXY_CONFIGURATION);
    expect(place).toMatchObject({ line: 1 });
  });

  test("with every field", () => {
    const found = read(
      proxy(`mode: ipvs
hostnameOverride: " Node-A "
bindAddress: 10.0.0.1
clusterCIDR: 10.244.0.0/16, fd00::/48
detectLocalMode: BridgeInterface
detectLocal: {bridgeInterface: cni0, interfaceNamePrefix: veth}
iptables: {masqueradeAll: true, masqueradeBit: 0, localhostNodePorts: false, syncPeriod: 30s}
nodePortAddresses: [10.0.0.0/8, primary]
conntrack: {tcpBeLiberal: true}
featureGates: {LoadBalancerIPMode: false}
`),
    ).model.proxy;
    expect(found).toMatchObject({
      mode: "ipvs",
      hostnameOverride: "node-a",
      bindAddress: "10.0.0.1",
      clusterCIDRs: ["10.244.0.0/16", "fd00::/48"],
      detectLocalMode: "BridgeInterface",
      bridgeInterface: "cni0",
      interfaceNamePrefix: "veth",
      masqueradeAll: true,
      masqueradeBit: 0,
      localhostNodePorts: false,
      nodePortAddresses: ["10.0.0.0/8", "primary"],
      tcpBeLiberal: true,
      featureGates: new Map([["LoadBalancerIPMode", false]]),
    });
  });

  test.each([
    [
      "mode: iptable",
      '3:7 error[LF5002] KubeProxyConfiguration: mode must be iptables, ipvs or nftables, got "iptable" (did you mean iptables?)',
    ],
    [
      "clusterCIDR: 10.244.0.0/33",
      '3:14 error[LF5002] KubeProxyConfiguration: clusterCIDR is no CIDR such as 10.244.0.0/16, got "10.244.0.0/33"',
    ],
    [
      "iptables: {masqueradeBit: 32}",
      "3:27 error[LF5002] KubeProxyConfiguration: iptables.masqueradeBit must be at most 31, got 32",
    ],
    [
      "nodePortAddresses: [10.0.0.1]",
      '3:21 error[LF5002] KubeProxyConfiguration: nodePortAddresses[0] is no CIDR such as 10.0.0.0/8, and not primary, got "10.0.0.1"',
    ],
  ])("%j", (rest, expected) => {
    expect(saidOf(proxy(rest))).toEqual([expected]);
  });

  test("inside the ConfigMap of kubeadm", () => {
    const config = proxy("mode: nftables\nclusterCIDR: 10.0.0.0/8").replaceAll("\n", "\n    ");
    const map = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-proxy}\ndata:\n  config.conf: |-\n    ${config}\n`;
    expect(read(map)).toMatchObject({
      model: { proxy: { mode: "nftables", place: { line: 5 } } },
      problems: [],
    });
    expect(saidOf(map.replace("nftables", "ebpf"))).toEqual([
      '5:16 error[LF5002] KubeProxyConfiguration: mode must be iptables, ipvs or nftables, got "ebpf"',
    ]);
    expect(saidOf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: b}")).toEqual([
      "note[LF5003] 1 object of a kind that landfall does not use was skipped: ConfigMap",
    ]);
  });
});

test("a Node's addresses, zone and pod CIDRs", () => {
  const text = `apiVersion: v1
kind: Node
metadata: {name: n1, labels: {topology.kubernetes.io/zone: z}}
spec: {podCIDR: 10.244.1.0/24}
status: {addresses: [{type: InternalIP, address: 10.0.0.5}, {type: Hostname, address: n1}]}
`;
  expect(read(text).model.nodes).toMatchObject([
    {
      meta: { namespace: "", name: "n1", labels: new Map([["topology.kubernetes.io/zone", "z"]]) },
      addresses: [
        { type: "InternalIP", address: "10.0.0.5" },
        { type: "Hostname", address: "n1" },
      ],
      podCIDRs: ["10.244.1.0/24"],
    },
  ]);
});

describe("kinds", () => {
  test.each([
    [
      "kind: Deployment\n---\nkind: Ingress\n---\nkind: Deployment",
      "note[LF5003] 3 objects of kinds that landfall does not use were skipped: Deployment (2), Ingress",
    ],
    [
      "apiVersion: serving.knative.dev/v1\nkind: Service",
      "note[LF5003] 1 object of a kind that landfall does not use was skipped: Service of serving.knative.dev/v1",
    ],
    [
      "kind: constructor",
      "note[LF5003] 1 object of a kind that landfall does not use was skipped: constructor",
    ],
    [
      "kind: Serivce",
      "1:7 warning[LF5003] kind Serivce is not known, so this object is skipped (did you mean Service?)",
    ],
    [
      "kind: node",
      "1:7 warning[LF5003] kind node is not known, so this object is skipped (did you mean Node?)",
    ],
    ["kind: Endpoints", "note[LF5003] 1 object of a kind that landfall does not use was skipped: Endpoints"],
    [
      "apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice",
      "1:13 error[LF5003] EndpointSlice of apiVersion discovery.k8s.io/v1beta1 is not read (landfall reads discovery.k8s.io/v1)",
    ],
    [
      "apiVersion: apps/v1\nkind: Service",
      "1:13 error[LF5003] Service of apiVersion apps/v1 is not read (landfall reads v1)",
    ],
    [
      "a: 1",
      "1:1 error[LF5003] this document is no Kubernetes object: it has no kind (begin it with apiVersion and kind)",
    ],
    ["- a", "1:1 error[LF5003] this document is no Kubernetes object"],
  ])("%j", (text, expected) => {
    expect(saidOf(text)).toEqual([expected]);
  });
});

test("of two objects of one name the later counts", () => {
  const { model, problems } = read(
    `${service("  ports: [{port: 1}]\n")}---\n${service("", "b")}---\n${service("  ports: [{port: 2}]\n")}`,
  );
  expect(model.services.map(({ meta, ports }) => [meta.name, ports[0]?.port])).toEqual([
    ["b", undefined],
    ["web", 2],
  ]);
  expect(problems.map(said)).toEqual([
    "16:18 warning[LF5009] Service default/web stands here a second time: this one counts",
  ]);
});

test("two Services on one address and port, or on one node port", () => {
  const ports = (protocol: string) => `  ports: [{port: 1, nodePort: 30000, protocol: ${protocol}}]\n`;
  expect(
    saidOf(
      `${service(ports("TCP"), "a")}---\n${service(ports("UDP"), "b")}---\n${service(ports("TCP"), "c")}`,
    ),
  ).toEqual([
    "20:11 warning[LF5009] Service default/c: 10.96.0.10:1/tcp is also that of Service default/a",
    "20:11 warning[LF5009] Service default/c: node port 30000/tcp is also that of Service default/a",
  ]);
  const external = (ip: string) => service(`  ports: [{port: 1}]\n  externalIPs: [${ip}]\n`, `e${ip.length}`);
  const apart = (text: string) => text.replace("10.96.0.10", "10.96.0.11");
  expect(saidOf(`${external("'2001:db8::1'")}---\n${apart(external("2001:db8:0:0::1"))}`)).toEqual([
    "14:11 warning[LF5009] Service default/e15: [2001:db8::1]:1/tcp is also that of Service default/e13",
  ]);
});

describe("names of fields", () => {
  test("that are slips are pointed out, others may be anything", () => {
    const found = saidOf(
      service(
        "  ports: [{port: 1, targetport: 8080, appProtocol: x}]\n  selectr: {}\n  clusterIPS: []\n  ip: a\n",
      ),
    );
    expect(found).toEqual([
      "6:33 warning[LF5002] Service default/web: spec.ports[0].targetport is not one of its fields, so it has no effect (did you mean targetPort?)",
      "7:12 warning[LF5002] Service default/web: spec.selectr is not one of its fields, so it has no effect (did you mean selector?)",
      "8:15 warning[LF5002] Service default/web: spec.clusterIPS is not one of its fields, so it has no effect (did you mean clusterIPs?)",
    ]);
  });

  test("of kube-proxy's configuration are all known", () => {
    expect(
      saidOf(proxy("masqueradeAll: true\nconntrack: {max: 1, min: 2}\nmetricsBindAddress: a\n")),
    ).toEqual([
      "3:16 warning[LF5002] KubeProxyConfiguration: masqueradeAll is not one of its fields, so kube-proxy ignores it (did you mean iptables.masqueradeAll?)",
      "4:18 warning[LF5002] KubeProxyConfiguration: conntrack.max is not one of its fields, so kube-proxy ignores it (did you mean maxPerCore?)",
    ]);
  });
});

describe("laws", () => {
  const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
  const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,6}[a-z0-9])?$/);
  const ip = fc.ipV4();
  const port = fc.record({
    name: maybe(name),
    port: fc.integer({ min: 1, max: 65535 }),
    protocol: fc.constantFrom("TCP", "UDP", "SCTP", null),
    nodePort: maybe(fc.integer({ min: 0, max: 65535 })),
  });
  const object = fc.oneof(
    fc.record({
      apiVersion: fc.constant("v1"),
      kind: fc.constant("Service"),
      metadata: fc.record({ name, namespace: maybe(name), labels: maybe(fc.dictionary(name, name)) }),
      spec: fc.record({
        clusterIP: fc.oneof(ip, fc.constantFrom("None", "")),
        type: maybe(fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")),
        ports: maybe(fc.array(port, { maxLength: 3 })),
        externalIPs: maybe(fc.array(ip, { maxLength: 2 })),
      }),
    }),
    fc.record({
      apiVersion: fc.constant("discovery.k8s.io/v1"),
      kind: fc.constant("EndpointSlice"),
      metadata: fc.record({ name, labels: fc.record({ "kubernetes.io/service-name": name }) }),
      addressType: fc.constant("IPv4"),
      ports: maybe(
        fc.array(
          port.map(({ nodePort: _, ...rest }) => rest),
          { maxLength: 3 },
        ),
      ),
      endpoints: maybe(
        fc.array(
          fc.record({
            addresses: fc.tuple(ip),
            conditions: maybe(fc.record({ ready: maybe(fc.boolean()) })),
          }),
        ),
      ),
    }),
  );
  /** What a model says, without the places, which differ with the spelling. */
  const plain = (text: string): unknown => {
    const { model, problems } = read(text);
    const seen = (_: string, value: unknown) => (value instanceof Map ? [...value] : value);
    const withoutPlaces = (key: string, value: unknown) => (key === "place" ? undefined : seen(key, value));
    return JSON.parse(
      JSON.stringify([model, problems.map(({ code, message }) => [code, message])], withoutPlaces),
    );
  };

  test("JSON and YAML, single objects and Lists, give the same model", () => {
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 4 }), (objects) => {
        const list = { apiVersion: "v1", kind: "List", items: objects };
        const expected = plain(JSON.stringify(list));
        expect(plain(stringify(list))).toEqual(expected);
        expect(plain(objects.map((one) => JSON.stringify(one, null, 2)).join("\n"))).toEqual(expected);
        expect(plain(objects.map((one) => stringify(one)).join("---\n"))).toEqual(expected);
      }),
    );
  });

  test("no value of any field makes the reader throw", () => {
    const paths = [
      ["metadata"],
      ["spec"],
      ["status"],
      ["metadata", "name"],
      ["metadata", "labels"],
      ["spec", "ports"],
      ["spec", "clusterIP"],
      ["spec", "clusterIPs"],
      ["spec", "externalIPs"],
      ["addressType"],
      ["endpoints"],
      ["ports"],
      ["data"],
      ["featureGates"],
      ["nodePortAddresses"],
      ["clusterCIDR"],
      ["iptables"],
      ["status", "addresses"],
    ];
    const kinds = [
      ["v1", "Service"],
      ["v1", "Node"],
      ["discovery.k8s.io/v1", "EndpointSlice"],
      ["v1", "ConfigMap"],
      ["kubeproxy.config.k8s.io/v1alpha1", "KubeProxyConfiguration"],
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.array(fc.tuple(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 3 })), { maxLength: 4 }),
        ([apiVersion, kind], changes) => {
          const made: Record<string, unknown> = { apiVersion, kind, metadata: { name: "x" }, spec: {} };
          for (const [[first, second], value] of changes as [[string, string?], unknown][]) {
            const inner = made[first];
            if (second === undefined) made[first] = value;
            else if (typeof inner === "object" && inner !== null) Object.assign(inner, { [second]: value });
          }
          const { documents } = readDocuments({ name: "x.json", text: JSON.stringify(made) });
          const { problems } = readCluster(documents);
          for (const { code, severity, place } of problems) {
            expect(code).toMatch(/^LF5/);
            if (severity !== "note") expect(place).toBeDefined();
          }
        },
      ),
    );
  });
});
