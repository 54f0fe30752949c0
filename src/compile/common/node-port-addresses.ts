/** `nodePortAddresses`: at which of the node's addresses node ports answer. */
import {
  type Address,
  type Family,
  familyOf,
  inNetwork,
  type Network as Prefix,
  readAddress,
  readNetwork,
} from "../../../grammar/address.js";
import type { Node, ProxyConfiguration } from "../../cluster/model.js";
import type { Network } from "../../state/network.js";
import type { VersionBehaviour } from "../versions.js";
import { byBytes, goAddress } from "./go-text.js";

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

/** The value of `nodePortAddresses` that stands for the node's own address. */
export const PRIMARY = "primary";

export interface NodePortAddressesInput {
  readonly family: Family;
  readonly proxy: ProxyConfiguration;
  readonly behaviour: VersionBehaviour;
  readonly node: Node | undefined;
  readonly network: Network | undefined;
  /** The node's address of the family; loopback when none is known. */
  readonly nodeIP: Address;
}

export const LOOPBACK: Readonly<Record<Family, Prefix>> = {
  ipv4: { address: 0x7f000000, mask: 0xff000000 },
  ipv6: { address: 1n, mask: (1n << 128n) - 1n },
};

/** Source: NewNodePortAddresses and GetNodeAddresses of kube-proxy's util package. */
export function nodePortAddresses(input: NodePortAddressesInput): NodePortAddresses {
  const { family, proxy, behaviour } = input;
  const wantsLoopback =
    family === "ipv4" && (proxy.localhostNodePorts || !behaviour.localhostNodePortsOption);
  const listed = listedNetworks(input);
  const isAll = ({ text, network }: Listed) =>
    behaviour.zeroByValue ? !network.mask : text === "0.0.0.0/0" || text === "::/0";
  // A list without an entry of the family says nothing about it.
  if (listed.length === 0 || listed.some(isAll))
    return { kind: "all", addresses: [], onLoopback: wantsLoopback, none: false };

  const loopback = LOOPBACK[family];
  const onLoopback =
    wantsLoopback &&
    listed.some(
      ({ network }) => inNetwork(network.address, loopback) || inNetwork(loopback.address, network),
    );
  const within = addressesOf(input).filter((address) =>
    listed.some(({ network }) => inNetwork(address, network)),
  );
  const servesLoopback = onLoopback || !behaviour.localhostNodePortsOption;
  const serving = within.filter((address) => servesLoopback || !inNetwork(address, loopback));
  return {
    kind: "some",
    addresses: [...new Set(serving.map(goAddress))].sort(byBytes),
    onLoopback,
    none: within.length === 0 && behaviour.noNodeAddressNoNodePorts,
  };
}

interface Listed {
  readonly text: string;
  readonly network: Prefix;
}

/** The entries of the family. */
function listedNetworks({ family, proxy, behaviour, nodeIP }: NodePortAddressesInput): readonly Listed[] {
  const own = inNetwork(nodeIP, LOOPBACK[family]) ? [] : [goAddress(nodeIP)];
  return proxy.nodePortAddresses
    .flatMap((text) => (text === PRIMARY && behaviour.primaryNodePortAddress ? own : [text]))
    .flatMap((text) => {
      const network = readNetwork(text);
      return network !== undefined && familyOf(network.address) === family ? [{ text, network }] : [];
    });
}

/** All addresses of the node's interfaces, of the family. */
function addressesOf({ family, network, node }: NodePortAddressesInput): readonly Address[] {
  const all =
    network?.interfaces?.flatMap(({ addresses }) => addresses.map(({ address }) => address)) ??
    (node?.addresses ?? []).map(({ address }) => readAddress(address));
  return all.filter((one) => one !== undefined).filter((one) => familyOf(one) === family);
}
