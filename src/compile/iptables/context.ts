/**
 * What one family's proxier works from: the configuration as kube-proxy reads it, the node, its addresses, and the
 * behaviour of the version.
 */
import {
  type Address,
  type Family,
  familyOf,
  inNetwork,
  type Network as Prefix,
  printAddress,
  printNetwork,
  readAddress,
  readNetwork,
} from "../../../grammar/address.js";
import type { Node, ProxyConfiguration } from "../../cluster/model.js";
import type { Network } from "../../state/network.js";
import type { VersionBehaviour } from "../versions.js";

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
  /** nfacct objects can be made on this node. */
  readonly nfacct: boolean;
}

/** Which of the node's addresses serve node ports. */
export interface NodePortAddresses {
  readonly kind: "all" | "some";
  /** For `some`: the addresses as text, in byte order, loopback left out where it may not serve. */
  readonly addresses: readonly string[];
  /** Loopback serves node ports: IPv4, the option is on, and the addresses include it. */
  readonly onLoopback: boolean;
  /** kube-proxy of this version writes no node port rules at all. */
  readonly none: boolean;
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

export function makeContext(input: ContextInput): Context {
  const { family, proxy, behaviour, node, nodeName } = input;
  return {
    family,
    proxy,
    behaviour,
    nodeName,
    zone: node?.meta.labels.get("topology.kubernetes.io/zone") || undefined,
    nodeIP: nodeAddress(input),
    mark: `0x${(2 ** proxy.masqueradeBit).toString(16).padStart(8, "0")}`,
    localTraffic: localTraffic(input),
    nodePorts: nodePortAddresses(input),
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
      const text = behaviour.networksReprinted && parsed !== undefined ? printNetwork(parsed) : cidr;
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

function nodePortAddresses({ family, proxy, behaviour, node, network }: ContextInput): NodePortAddresses {
  const wantsLoopback =
    family === "ipv4" && (proxy.localhostNodePorts || !behaviour.localhostNodePortsOption);
  const all: NodePortAddresses = { kind: "all", addresses: [], onLoopback: wantsLoopback, none: false };
  const listed = proxy.nodePortAddresses;
  if (listed.length === 0) return all;
  const primary = listed.length === 1 && listed[0] === "primary" && behaviour.primaryNodePortAddress;
  const networks = primary
    ? primaryNetworks(node)
    : listed.map(readNetwork).filter((one) => one !== undefined);
  const ofFamily = networks.filter(({ address }) => familyOf(address) === family);
  if (ofFamily.length === 0 || ofFamily.some(({ mask }) => !mask)) return all;
  const loopback: Prefix = { address: 0x7f000000, mask: 0xff000000 };
  const includesLoopback = ofFamily.some(
    (one) => inNetwork(one.address, loopback) || inNetwork(loopback.address, one),
  );
  const onLoopback = wantsLoopback && includesLoopback;
  const addresses = nodeAddresses(network, node)
    .filter((address) => familyOf(address) === family && ofFamily.some((one) => inNetwork(address, one)))
    .filter((address) => (family === "ipv4" ? onLoopback || !inNetwork(address, loopback) : address !== 1n))
    .map(printAddress);
  const texts = [...new Set(addresses)].sort(byBytes);
  return {
    kind: "some",
    addresses: texts,
    onLoopback,
    none: texts.length === 0 && behaviour.noNodeAddressNoNodePorts,
  };
}

function primaryNetworks(node: Node | undefined): readonly Prefix[] {
  const internal = (node?.addresses ?? [])
    .filter(({ type }) => type === "InternalIP")
    .map(({ address }) => address);
  const first = (v6: boolean) => internal.find((address) => address.includes(":") === v6);
  return [first(false), first(true)]
    .map((address) => (address === undefined ? undefined : readNetwork(address)))
    .filter((one) => one !== undefined);
}

function nodeAddresses(network: Network | undefined, node: Node | undefined): readonly Address[] {
  if (network?.interfaces !== undefined) {
    return network.interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address));
  }
  return (node?.addresses ?? [])
    .map(({ address }) => readAddress(address))
    .filter((one) => one !== undefined);
}

/** The order of Go's `<` on strings: by bytes. For names and addresses, UTF-16 units give the same. */
export function byBytes(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
