// Which Services, ports and endpoints kube-proxy sees at all: odd objects that no golden file holds.
import { describe, expect, test } from "vitest";
import { familiesOf } from "../../src/compile/common/families.js";
import { clusterOf, compileObjects, configuration, node, rulesIn, service, slice } from "./objects.js";

const READY = slice([{ addresses: ["10.244.0.5"] }]);

function dispatched(objects: Parameters<typeof compileObjects>[0]): readonly string[] {
  return rulesIn(compileObjects(objects, { family: "ipv4" }), "nat", "KUBE-SERVICES").slice(0, -1);
}

describe("Services that get rules", () => {
  test("one with a cluster IP and an endpoint", () => {
    expect(dispatched([service({}), READY])).toHaveLength(1);
  });

  test.each([
    ["no cluster IP", { clusterIP: "", clusterIPs: ["10.96.0.1"] }],
    ["headless, whatever its list says", { clusterIP: "None", clusterIPs: ["10.96.0.1"] }],
    ["ExternalName", { type: "ExternalName" }],
    ["another family", { ipFamilies: ["IPv6"] }],
    ["no address at the place of the family", { ipFamilies: ["IPv6", "IPv4"] }],
  ])("none: %s", (_why, spec) => {
    expect(dispatched([service(spec), READY])).toEqual([]);
  });

  test("of two ports with one name and protocol, the last", () => {
    const ports = [
      { name: "", port: 80 },
      { name: "", port: 81 },
      { name: "", port: 82, protocol: "UDP" },
    ];
    const rules = dispatched([service({ ports }), READY]);
    expect(rules.map((rule) => /--dport (\d+)/.exec(rule)?.[1])).toEqual(["81"]);
  });
});

describe("local endpoints", () => {
  const local = service({ internalTrafficPolicy: "Local" });
  const rules = (objects: Parameters<typeof compileObjects>[0]) => dispatched([local, ...objects]).length;

  test.each([
    [
      "of the node's name",
      [node(["10.0.1.50"]), slice([{ addresses: ["10.244.0.5"], nodeName: "here" }])],
      1,
    ],
    ["of another", [node(["10.0.1.50"]), slice([{ addresses: ["10.244.0.5"], nodeName: "there" }])], 0],
    ["of none, where the node's name is unknown", [slice([{ addresses: ["10.244.0.5"], nodeName: "" }])], 0],
    [
      "of the configuration's name, without a Node",
      [
        configuration({ hostnameOverride: " Here " }),
        slice([{ addresses: ["10.244.0.5"], nodeName: "here" }]),
      ],
      1,
    ],
  ])("%s", (_what, objects, count) => {
    expect(rules(objects)).toBe(count);
  });

  test("a local copy of an endpoint counts before one of another slice", () => {
    const other = slice([{ addresses: ["10.244.0.5"], nodeName: "there" }], "IPv4", "web-0");
    const own = slice([{ addresses: ["10.244.0.5"], nodeName: "here" }], "IPv4", "web-1");
    expect(rules([node(["10.0.1.50"]), own, other])).toBe(1);
  });
});

describe("the primary family", () => {
  const dual = node(["fd00:1::50", "10.0.1.50"]);
  test.each([
    ["the node's first address", [dual], ["ipv6", "ipv4"]],
    ["bindAddress", [dual, configuration({ bindAddress: "10.0.1.50" })], ["ipv4", "ipv6"]],
    ["not bindAddress for all", [dual, configuration({ bindAddress: "0.0.0.0" })], ["ipv6", "ipv4"]],
    ["the first cluster CIDR", [configuration({ clusterCIDR: "fd00::/16,10.0.0.0/8" })], ["ipv6", "ipv4"]],
    ["the Services", [service({})], ["ipv4"]],
    ["nothing", [], []],
  ])("%s", (_what, objects, families) => {
    const model = clusterOf(objects);
    expect(familiesOf(model, model.nodes[0])).toEqual(families);
  });
});
