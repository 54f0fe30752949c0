/**
 * What one family's proxier works from: the configuration as kube-proxy reads it, the node, its addresses, and the
 * behaviour of the version.
 */
import { type Address, type Family, familyOf, readAddress, readNetwork } from "../../../grammar/address.js";
import type { Node, ProxyConfiguration } from "../../cluster/model.js";
import { zoneOf } from "../../cluster/node.js";
import type { Network } from "../../state/network.js";
import type { VersionBehaviour } from "../versions.js";
import { goNetwork } from "./go-text.js";
import { type NodePortAddresses, nodePortAddresses } from "./node-port-addresses.js";

export interface Context {
  readonly family: Family;
  readonly proxy: ProxyConfiguration;
  readonly behaviour: VersionBehaviour;
  readonly nodeName: string;
  /** Undefined: the node has no zone label. */
  readonly zone: string | undefined;
  /** The node's primary address of the family, which source ranges are held against. */
  readonly nodeIP: Address;
  /** `0x00004000` */
  readonly mark: string;
  /** Words that tell pod traffic; undefined when there is no way to tell. */
  readonly localTraffic: { readonly is: string; readonly isNot: string } | undefined;
  readonly nodePorts: NodePortAddresses;
  /** Connection tracking takes packets that are out of window too, by configuration or by the node's own sysctl. */
  readonly tcpBeLiberal: boolean;
  /** nfacct objects can be made on this node. */
  readonly nfacct: boolean;
}

export interface ContextInput {
  readonly family: Family;
  readonly proxy: ProxyConfiguration;
  readonly behaviour: VersionBehaviour;
  readonly node: Node | undefined;
  readonly nodeName: string;
  readonly network: Network | undefined;
  readonly nfacct: boolean;
}

const TCP_BE_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal";

export function makeContext(input: ContextInput): Context {
  const { family, proxy, behaviour, node, nodeName, network } = input;
  const nodeIP = nodeAddress(input);
  return {
    family,
    proxy,
    behaviour,
    nodeName,
    zone: zoneOf(node),
    nodeIP,
    mark: `0x${(2 ** proxy.masqueradeBit).toString(16).padStart(8, "0")}`,
    localTraffic: localTraffic(input),
    nodePorts: nodePortAddresses({ family, proxy, behaviour, node, network, nodeIP }),
    tcpBeLiberal: proxy.tcpBeLiberal || Number(network?.sysctls.get(TCP_BE_LIBERAL) ?? 0) !== 0,
    nfacct: behaviour.countersByNfacct && input.nfacct,
  };
}

/** The first InternalIP, else ExternalIP, of the family; `bindAddress` goes before it; loopback when there is none. */
function nodeAddress({ family, proxy, node }: ContextInput): Address {
  const bound = readAddress(proxy.bindAddress);
  if (bound && familyOf(bound) === family) return bound;
  for (const wanted of ["InternalIP", "ExternalIP"]) {
    for (const { type, address } of node?.addresses ?? []) {
      const value = type === wanted ? readAddress(address) : undefined;
      if (value !== undefined && familyOf(value) === family) return value;
    }
  }
  return family === "ipv4" ? 0x7f000001 : 1n;
}

function localTraffic({ family, proxy, behaviour, node }: ContextInput): Context["localTraffic"] {
  const ofFamily = (cidrs: readonly string[]): string | undefined =>
    cidrs.find((cidr) => cidr.includes(":") === (family === "ipv6"));
  switch (proxy.detectLocalMode) {
    case "ClusterCIDR":
    case "NodeCIDR": {
      const cidr = ofFamily(
        proxy.detectLocalMode === "NodeCIDR" ? (node?.podCIDRs ?? []) : proxy.clusterCIDRs,
      );
      if (cidr === undefined) return undefined;
      const parsed = readNetwork(cidr);
      const text = behaviour.addressesReprinted && parsed !== undefined ? goNetwork(parsed) : cidr;
      return { is: `-s ${text}`, isNot: `! -s ${text}` };
    }
    case "BridgeInterface":
      return interfaceWords(proxy.bridgeInterface);
    case "InterfaceNamePrefix":
      return interfaceWords(proxy.interfaceNamePrefix === "" ? "" : `${proxy.interfaceNamePrefix}+`);
  }
}

function interfaceWords(pattern: string): Context["localTraffic"] {
  return pattern === "" ? undefined : { is: `-i ${pattern}`, isNot: `! -i ${pattern}` };
}
