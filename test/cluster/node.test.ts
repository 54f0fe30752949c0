import { describe, expect, test } from "vitest";
import { printAddress, printNetwork } from "../../grammar/address.js";
import type { Node } from "../../src/cluster/model.js";
import { chooseNode, networkOfNode } from "../../src/cluster/node.js";
import { readCluster } from "../../src/cluster/read.js";
import { readDocuments } from "../../src/documents/read.js";

const node = (name: string) =>
  `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}}\nstatus: {addresses: [{type: InternalIP, address: 10.0.0.5}, {type: Hostname, address: ${name}}, {type: ExternalIP, address: "2001:db8::5"}]}\n`;
const proxy = (override: string) =>
  `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nhostnameOverride: ${override}\n`;
const model = (...texts: string[]) =>
  readCluster(readDocuments({ name: "in", text: texts.join("---\n") }).documents).model;

describe("which node", () => {
  test.each([
    ["the only one", [node("a")], undefined, "a", true, []],
    ["the one asked for", [node("a"), node("b")], "b", "b", true, []],
    ["hostnameOverride", [node("a"), node("b"), proxy("B")], undefined, "b", true, []],
    ["what is asked for before hostnameOverride", [node("a"), node("b"), proxy("b")], "a", "a", true, []],
    ["a name without Node objects", [], "x", "x", false, []],
    ["none at all", [], undefined, undefined, false, []],
    [
      "unclear",
      [node("a"), node("b")],
      undefined,
      undefined,
      false,
      [
        "error which node is meant? there are 2: a, b (name one with --node, or with hostnameOverride in KubeProxyConfiguration)",
      ],
    ],
    [
      "one that does not exist",
      [node("node-a"), node("node-b")],
      "nde-b",
      "nde-b",
      false,
      ["error there is no Node nde-b; the nodes are node-a, node-b (did you mean node-b?)"],
    ],
  ])("%s", (_, texts, asked, name, found, said) => {
    const choice = chooseNode(model(...texts), asked);
    expect(choice.name).toBe(name);
    expect(choice.node?.meta.name).toBe(found ? name : undefined);
    expect(choice.problems.map(({ severity, message, help }) => `${severity} ${message} (${help})`)).toEqual(
      said,
    );
  });
});

test("the network of a Node object: its InternalIPs and loopback, no routes", () => {
  const network = networkOfNode(model(node("a")).nodes[0] as Node);
  expect(network.routes).toBeUndefined();
  const shown = network.interfaces?.map(({ name, addresses }) => [
    name,
    addresses.map(({ address, subnet }) => `${printAddress(address)} in ${printNetwork(subnet)}`),
  ]);
  expect(shown).toEqual([
    ["lo", ["127.0.0.1 in 127.0.0.0/8", "::1 in ::1/128"]],
    ["", ["10.0.0.5 in 10.0.0.5/32"]],
  ]);
});
