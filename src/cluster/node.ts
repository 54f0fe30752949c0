/** The node that an answer is about: which one, and what its Node object says of its addresses. */
import { type Address, addressBits, familyOf, prefixMask, readAddress } from "../../grammar/address.js";
import { nearest } from "../problems/nearest.js";
import type { Problem } from "../problems/problem.js";
import type { InterfaceAddress, Network } from "../state/network.js";
import type { ClusterModel, Node } from "./model.js";

export interface NodeChoice {
  /** Absent when there is no Node object of that name. */
  readonly node?: Node;
  readonly name?: string;
  readonly problems: readonly Problem[];
}

/** The node `asked` for, else that of `hostnameOverride`, else the only one; an error that lists them otherwise. */
export function chooseNode(model: ClusterModel, asked?: string): NodeChoice {
  const names = model.nodes.map(({ meta }) => meta.name);
  const wanted = asked ?? (model.proxy?.hostnameOverride || undefined);
  if (wanted === undefined) {
    const [only] = model.nodes;
    if (model.nodes.length === 1 && only !== undefined)
      return { node: only, name: only.meta.name, problems: [] };
    if (model.nodes.length === 0) return { problems: [] };
    return {
      problems: [
        {
          code: "LF5004",
          severity: "error",
          message: `which node is meant? there are ${names.length}: ${names.join(", ")}`,
          help: "name one with --node, or with hostnameOverride in KubeProxyConfiguration",
        },
      ],
    };
  }
  const node = model.nodes.find(({ meta }) => meta.name === wanted);
  if (node !== undefined) return { node, name: wanted, problems: [] };
  if (model.nodes.length === 0) return { name: wanted, problems: [] };
  const near = nearest(wanted, names);
  return {
    name: wanted,
    problems: [
      {
        code: "LF5004",
        severity: asked === undefined ? "warning" : "error",
        message: `there is no Node ${wanted}; the nodes are ${names.join(", ")}`,
        ...(near === undefined ? {} : { help: `did you mean ${near}?` }),
      },
    ],
  };
}

/** The zone that a node's label names; undefined without one. */
export function zoneOf(node: Node | undefined): string | undefined {
  return node?.meta.labels.get("topology.kubernetes.io/zone") || undefined;
}

/** Interface addresses without a subnet of their own, as a Node object or a flag names them. */
export function loneAddresses(addresses: readonly Address[]): readonly InterfaceAddress[] {
  return addresses.map((address) => {
    const family = familyOf(address);
    return { address, subnet: { address, mask: prefixMask(addressBits(family), family) } };
  });
}

/** Loopback as every node has it. */
export const LOOPBACK: readonly InterfaceAddress[] = [
  { address: 0x7f000001, subnet: { address: 0x7f000000, mask: 0xff000000 } },
  { address: 1n, subnet: { address: 1n, mask: prefixMask(128, "ipv6") } },
];

/**
 * What a Node object says of its network: InternalIPs without interfaces, and loopback. Routes are unknown. An ExternalIP
 * is no address of the node as a rule: the cloud translates it on the way.
 */
export function networkOfNode(node: Node): Network {
  const addresses = node.addresses
    .map(({ type, address }) => (type === "InternalIP" ? readAddress(address) : undefined))
    .filter((address): address is Address => address !== undefined);
  return networkOfAddresses(addresses);
}

/** A node of which only addresses are known. */
export function networkOfAddresses(addresses: readonly Address[]): Network {
  return {
    interfaces: [
      { name: "lo", addresses: LOOPBACK },
      { name: "", addresses: loneAddresses(addresses) },
    ],
    sysctls: new Map(),
  };
}
