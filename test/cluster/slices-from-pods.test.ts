import { describe, expect, test } from "vitest";
import { SERVICE_NAME_LABEL } from "../../src/cluster/consistency.js";
import type { ClusterModel, EndpointSlice, Pod, Service } from "../../src/cluster/model.js";
import { endpointSliceObject, readEndpointSlice } from "../../src/cluster/objects/endpointslice.js";
import { withSlicesFromPods } from "../../src/cluster/slices-from-pods.js";
import { printPayload } from "../../src/compile/common/payload.js";
import { compileIptables } from "../../src/compile/iptables/compile.js";
import { readDocuments } from "../../src/documents/read.js";
import { printYaml } from "../../src/documents/yaml.js";
import { FAMILIES, goldenKey, goldens, SCENARIOS, scenario } from "../compile/goldens.js";
import { clusterOf, node, service } from "../compile/objects.js";

type Fields = Readonly<Record<string, unknown>>;

/** Pod default/NAME with label app=web, running and ready. */
function pod(
  name: string,
  ip: string,
  { spec = {}, status = {}, metadata = {} }: Record<string, Fields> = {},
): Fields {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: "web", tier: "front" }, ...metadata },
    spec: { nodeName: "here", ...spec },
    status: {
      phase: "Running",
      conditions: [
        { type: "Initialized", status: "True" },
        { type: "Ready", status: "True" },
      ],
      ...(ip === "" ? {} : { podIPs: ip.split(" ").map((one) => ({ ip: one })) }),
      ...status,
    },
  };
}
const web = (spec: Fields = {}) => service({ selector: { app: "web" }, ...spec });
const NODE = {
  ...node(["10.0.0.5"]),
  metadata: { name: "here", labels: { "topology.kubernetes.io/zone": "a" } },
};

function derived(...objects: readonly Fields[]): readonly EndpointSlice[] {
  return withSlicesFromPods(clusterOf([NODE, ...objects])).model.slices;
}
const endpointsOf = (...objects: readonly Fields[]) =>
  derived(...objects).flatMap(({ endpoints }) => endpoints);

describe("a Pod is an endpoint", () => {
  test.each([
    ["ready", {}, {}, [true, true, false]],
    [
      "not ready",
      { status: { conditions: [{ type: "Ready", status: "False" }] } },
      {},
      [false, false, false],
    ],
    ["without conditions", { status: { conditions: null } }, {}, [false, false, false]],
    [
      "terminating",
      { metadata: { name: "p", labels: { app: "web" }, deletionTimestamp: "2026-01-02T03:04:05Z" } },
      {},
      [false, true, true],
    ],
    [
      "not ready, published",
      { status: { conditions: [] } },
      { publishNotReadyAddresses: true },
      [true, false, false],
    ],
  ] as const)("%s", (_, more, spec, conditions) => {
    const [found] = endpointsOf(web(spec), pod("p", "10.1.0.1", more as Record<string, Fields>));
    expect([found?.ready, found?.serving, found?.terminating]).toEqual(conditions);
    expect(found).toMatchObject({
      addresses: ["10.1.0.1"],
      nodeName: "here",
      zone: "a",
      pod: { namespace: "default", name: "p" },
    });
  });

  test.each([
    ["that has ended", pod("p", "10.1.0.1", { status: { phase: "Succeeded" } })],
    ["that has failed", pod("p", "10.1.0.1", { status: { phase: "Failed" } })],
    ["without an IP", pod("p", "")],
    [
      "of another namespace",
      pod("p", "10.1.0.1", { metadata: { name: "p", namespace: "other", labels: { app: "web" } } }),
    ],
    ["with other labels", pod("p", "10.1.0.1", { metadata: { name: "p", labels: { app: "webb" } } })],
    ["without labels", pod("p", "10.1.0.1", { metadata: { name: "p", labels: {} } })],
  ])("but none %s: one empty slice is left", (_, one) => {
    expect(derived(web(), one)).toMatchObject([{ addressType: "IPv4", ports: [], endpoints: [] }]);
  });

  test("on the host network with the host's address", () => {
    const hosted = { spec: { hostNetwork: true, nodeName: "here" } };
    expect(endpointsOf(web(), pod("p", "", hosted))[0]?.addresses).toEqual(["10.0.0.5"]);
    const told = { ...hosted, status: { hostIP: "10.0.0.6" } };
    expect(endpointsOf(web(), pod("p", "", told))[0]?.addresses).toEqual(["10.0.0.6"]);
  });

  test("under its DNS name only when its subdomain is the Service", () => {
    const named = (subdomain: string) =>
      endpointsOf(web(), pod("p", "10.1.0.1", { spec: { hostname: "p-0", subdomain } }))[0]?.hostname;
    expect(named("web")).toBe("p-0");
    expect(named("other")).toBeUndefined();
  });
});

test("a selector selects by all of its labels; an empty one, and none, select nothing", () => {
  const both = web({ selector: { app: "web", tier: "front" } });
  const more = web({ selector: { app: "web", tier: "back" } });
  expect(endpointsOf(both, pod("p", "10.1.0.1"))).toHaveLength(1);
  expect(endpointsOf(more, pod("p", "10.1.0.1"))).toHaveLength(0);
  expect(derived(web({ selector: {} }), pod("p", "10.1.0.1"))).toEqual([]);
  expect(derived(service({}), pod("p", "10.1.0.1"))).toEqual([]);
  expect(derived(web({ type: "ExternalName", externalName: "a.b" }), pod("p", "10.1.0.1"))).toEqual([]);
});

describe("ports", () => {
  const container = (name: string, containerPort: number, protocol?: string) => ({
    name: "c",
    ports: [{ name, containerPort, ...(protocol === undefined ? {} : { protocol }) }],
  });
  const ports = (list: readonly Fields[], ...pods: readonly Fields[]) =>
    derived(web({ ports: list }), ...pods).map((slice) => [
      slice.ports.map(({ name, protocol, port }) => `${name} ${protocol} ${port}`).join(", "),
      slice.endpoints.length,
    ]);

  test("are numbers, the port itself, or names of each Pod's own container ports", () => {
    const list = [
      { name: "a", port: 80 },
      { name: "b", port: 81, targetPort: 8081 },
      { name: "c", port: 82, targetPort: "http" },
    ];
    expect(
      ports(
        list,
        pod("p", "10.1.0.1", { spec: { containers: [container("http", 8080)] } }),
        pod("q", "10.1.0.2", { spec: { containers: [container("http", 9090)] } }),
        pod("r", "10.1.0.3", { spec: { containers: [container("http", 8080, "UDP")] } }),
      ),
    ).toEqual([
      ["a TCP 80, b TCP 8081, c TCP 8080", 1],
      ["a TCP 80, b TCP 8081, c TCP 9090", 1],
      ["a TCP 80, b TCP 8081", 1],
    ]);
  });

  test("of sidecars count, those of other init containers do not", () => {
    const list = [{ port: 80, targetPort: "http" }];
    const sidecar = { initContainers: [{ ...container("http", 8080), restartPolicy: "Always" }] };
    expect(ports(list, pod("p", "10.1.0.1", { spec: sidecar }))).toEqual([[" TCP 8080", 1]]);
    const init = { initContainers: [container("http", 8080)] };
    expect(ports(list, pod("p", "10.1.0.1", { spec: init }))).toEqual([["", 1]]);
  });
});

test("families: those of the Service, one slice each; of a headless one those of its Pods", () => {
  const both = pod("p", "10.1.0.1 fd00:0::1");
  const types = (spec: Fields, one = both) =>
    derived(web(spec), one).map(({ addressType, endpoints }) => `${addressType} ${endpoints[0]?.addresses}`);
  expect(types({})).toEqual(["IPv4 10.1.0.1"]);
  expect(types({ ipFamilies: ["IPv6", "IPv4"] })).toEqual(["IPv6 fd00::1", "IPv4 10.1.0.1"]);
  expect(types({ clusterIPs: ["10.96.0.1", "fd96::1"] })).toEqual(["IPv4 10.1.0.1", "IPv6 fd00::1"]);
  expect(types({ clusterIP: "None" })).toEqual(["IPv4 10.1.0.1", "IPv6 fd00::1"]);
  expect(types({ clusterIP: "None" }, pod("p", ""))).toEqual(["IPv4 undefined"]);
});

test("a slice holds 100 endpoints at most, and is named after what it holds", () => {
  const pods = Array.from({ length: 201 }, (_, index) =>
    pod(`p${index}`, `10.1.${index >> 7}.${index & 127}`),
  );
  const slices = derived(web(), ...pods);
  expect(slices.map(({ endpoints }) => endpoints.length)).toEqual([100, 100, 1]);
  const names = slices.map(({ meta }) => meta.name);
  expect(new Set(names).size).toBe(3);
  expect(names.every((name) => /^web-[a-z2-7]{5}$/.test(name))).toBe(true);
  expect(derived(web(), ...pods.slice(0, 200)).map(({ meta }) => meta.name)).toEqual(names.slice(0, 2));
});

test("labels are the Service's and the controller's own", () => {
  const labels = (spec: Fields) => {
    const labelled = { ...web(spec), metadata: { name: "web", namespace: "default", labels: { team: "a" } } };
    return Object.fromEntries(derived(labelled, pod("p", "10.1.0.1"))[0]?.meta.labels ?? []);
  };
  const own = {
    team: "a",
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    "kubernetes.io/service-name": "web",
  };
  expect(labels({})).toEqual(own);
  expect(labels({ clusterIP: "None" })).toEqual({ ...own, "service.kubernetes.io/headless": "" });
});

describe("hints", () => {
  const hints = (trafficDistribution: string, more = {}) =>
    endpointsOf(web({ trafficDistribution }), pod("p", "10.1.0.1", more))[0]?.hints;
  test.each([
    ["PreferClose", { zones: ["a"], nodes: [] }],
    ["PreferSameZone", { zones: ["a"], nodes: [] }],
    ["PreferSameNode", { zones: ["a"], nodes: ["here"] }],
    ["Something", undefined],
  ])("of %s", (distribution, expected) => {
    expect(hints(distribution)).toEqual(expected);
  });
  test("are for endpoints that are ready, in a zone that is known", () => {
    expect(hints("PreferClose", { status: { conditions: [] } })).toBeUndefined();
    expect(hints("PreferClose", { spec: { nodeName: "elsewhere" } })).toBeUndefined();
  });
});

describe("what is told", () => {
  const told = (...objects: readonly Fields[]) =>
    withSlicesFromPods(clusterOf([NODE, ...objects])).problems.map(
      ({ severity, message, notes = [] }) =>
        `${severity} ${message}${notes.map((note) => ` (${note})`).join("")}`,
    );
  const DERIVED = "derived from 1 Pod, as the EndpointSlice controller would (-o endpointslices prints them)";
  test("that slices were derived, and which Pods get nothing", () => {
    expect(told(web(), pod("p", "10.1.0.1"))).toEqual([
      `note no EndpointSlices were given: 1 was ${DERIVED}`,
    ]);
    expect(told(web(), pod("p", ""))).toEqual([
      `note no EndpointSlices were given: 1 was ${DERIVED} (Pod default/p is no endpoint: it has no IP (status.podIPs))`,
    ]);
    expect(told(web(), pod("p", "10.1.0.1", { status: { conditions: [] } }))[0]).toContain("p is not ready");
  });
  test("that there was nothing to derive them from", () => {
    expect(told(web())).toEqual([
      "note no EndpointSlices and no Pods were given: Services have no endpoints",
    ]);
    expect(told(service({}))).toEqual([]);
  });
  test("that hints are missing", () => {
    const annotated = {
      ...web(),
      metadata: { name: "web", annotations: { "service.kubernetes.io/topology-mode": "Auto" } },
    };
    expect(told(annotated, pod("p", "10.1.0.1"))[1]).toMatch(/^warning .* the hints .* are not derived/);
    const elsewhere = pod("p", "10.1.0.1", { spec: { nodeName: "elsewhere" } });
    expect(told(web({ trafficDistribution: "PreferClose" }), elsewhere)[1]).toMatch(
      /elsewhere of its Pods' nodes is not/,
    );
  });
  test("nothing when Services with selectors have slices", () => {
    const slice = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "s", labels: { [SERVICE_NAME_LABEL]: "web" } },
      addressType: "IPv4",
    };
    expect(told(web(), slice, pod("p", "10.1.0.1"))).toEqual([]);
    expect(derived(web(), slice, pod("p", "10.1.0.1"))).toHaveLength(1);
    // Slices made by hand for Services without a selector are no reason to derive none.
    const manual = { ...service({}), metadata: { name: "manual", namespace: "default" } };
    const own = { ...slice, metadata: { name: "m", labels: { [SERVICE_NAME_LABEL]: "manual" } } };
    expect(derived(web(), manual, own, pod("p", "10.1.0.1"))).toHaveLength(2);
  });
});

test("a slice that is printed reads back", () => {
  const slices = [
    ...derived(
      web({
        trafficDistribution: "PreferSameNode",
        ports: [
          { name: "a", port: 80 },
          { name: "b", port: 53, protocol: "UDP" },
        ],
      }),
      pod("p", "10.1.0.1", { spec: { hostname: "p-0", subdomain: "web", nodeName: "here" } }),
      pod("q", "10.1.0.2", { status: { conditions: [] } }),
    ),
    ...SCENARIOS.flatMap((name) => scenario(name).model.slices.slice(0, 3)),
  ];
  const { documents } = readDocuments({ name: "s", text: printYaml(slices.map(endpointSliceObject)) });
  const read = documents.map((document) => readEndpointSlice(document, []));
  const plain = (slice: EndpointSlice | undefined) => ({
    ...slice,
    meta: { ...slice?.meta, place: undefined },
  });
  expect(read.map(plain)).toEqual(slices.map(plain));
});

/** The Pods from which the controller would make the slices of a model. */
function podsBehind(model: ClusterModel): readonly Pod[] {
  return model.services.flatMap((owner) =>
    selecting(owner)
      ? slicesOf(owner, model).flatMap((slice) =>
          slice.endpoints.map(
            (endpoint, index): Pod => ({
              meta: {
                ...owner.meta,
                name: `${slice.meta.name}-${index}`,
                labels: owner.selector ?? new Map(),
              },
              nodeName: endpoint.nodeName ?? "",
              hostNetwork: false,
              hostname: "",
              subdomain: "",
              ports: owner.ports.flatMap(({ name, protocol, targetPort }) => {
                const port = slice.ports.find((one) => one.name === name && one.protocol === protocol)?.port;
                return typeof targetPort === "string" && port !== undefined
                  ? [{ name: targetPort, protocol, containerPort: port }]
                  : [];
              }),
              addresses: endpoint.addresses,
              hostAddresses: [],
              phase: "Running",
              ready: endpoint.serving ?? true,
              terminating: endpoint.terminating ?? false,
            }),
          ),
        )
      : [],
  );
}

function selecting({ selector, type }: Service): boolean {
  return selector !== undefined && selector.size > 0 && type !== "ExternalName";
}

function slicesOf({ meta }: Service, model: ClusterModel): readonly EndpointSlice[] {
  return model.slices.filter(
    (slice) =>
      slice.meta.namespace === meta.namespace && slice.meta.labels.get(SERVICE_NAME_LABEL) === meta.name,
  );
}

/** Whether the slices of a model are as the controller would make them: some fixtures have odd ones on purpose. */
function isFromController(model: ClusterModel): boolean {
  const selectors = model.services.filter(selecting);
  const texts = new Set(
    selectors.map(({ meta, selector }) => `${meta.namespace} ${JSON.stringify([...(selector ?? [])])}`),
  );
  return (
    texts.size === selectors.length &&
    selectors.every((owner) =>
      slicesOf(owner, model).every(
        ({ endpoints, ports }) =>
          ports.length === owner.ports.length &&
          endpoints.every(
            ({ ready = true, serving = true, terminating = false, hints, addresses }) =>
              ready === (owner.publishNotReadyAddresses || (serving && !terminating)) &&
              addresses.length === 1 &&
              (hints === undefined) === (owner.trafficDistribution === undefined),
          ),
      ),
    )
  );
}

describe("Pods in place of the slices of the fixtures give kube-proxy's own bytes", () => {
  const expected = goldens("1.30");
  const names = SCENARIOS.filter(
    (name) =>
      isFromController(scenario(name).model) &&
      FAMILIES.some((family) => expected.has(goldenKey(name, "restore", family))),
  );
  test("for most fixtures", () => expect(names.length).toBeGreaterThan(50));

  test.each(names)("%s", (name) => {
    const { model, choice } = scenario(name);
    const manual = model.services.filter((one) => !selecting(one)).flatMap((one) => slicesOf(one, model));
    const podded = withSlicesFromPods({ ...model, slices: manual, pods: podsBehind(model) }).model;
    for (const family of FAMILIES) {
      const golden = expected.get(goldenKey(name, "restore", family));
      if (golden === undefined) continue;
      const { payload } = compileIptables(podded, {
        version: "1.30",
        family,
        node: choice.node,
        nodeName: choice.name,
      });
      expect(printPayload(payload)).toBe(golden);
    }
  });
});
