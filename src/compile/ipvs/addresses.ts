/** The node's own addresses, and those of kube-ipvs0, to which kube-proxy binds the addresses of Services. */
import {
  type Address,
  ALL_ONES,
  type Family,
  familyOf,
  inNetwork,
  readAddress,
} from "../../../grammar/address.js";
import { DUMMY_INTERFACE } from "../../cluster/ipvs-names.js";
import type { Interface, Network } from "../../state/network.js";
import type { PrintedAddress, PrintedInterface } from "../../text/ip-addr.js";
import type { Context } from "../common/context.js";
import { byBytes, goAddress } from "../common/go-text.js";
import { LOOPBACK } from "../common/node-port-addresses.js";

/** fe80::/10 */
const LINK_LOCAL = { address: 0xfe80n << 112n, mask: 0xffc0n << 112n };

/** Addresses that are neither loopback nor, with IPv6, link-local. */
function counts(address: Address, family: Family): boolean {
  if (familyOf(address) !== family || inNetwork(address, LOOPBACK[family])) return false;
  return family === "ipv4" || !inNetwork(address, LINK_LOCAL);
}

export interface NodeAddresses {
  /** Of all interfaces but kube-ipvs0. */
  readonly own: ReadonlySet<Address>;
  /** Those at which node ports answer, in the byte order of their text. */
  readonly nodePorts: readonly Address[];
}

/** Source: GetAllLocalAddressesExcept of the ipvs proxier, and its use of NodePortAddresses. */
export function nodeAddresses({ family, nodePorts }: Context, network: Network | undefined): NodeAddresses {
  const addresses = (network?.interfaces ?? [])
    .filter(({ name }) => name !== DUMMY_INTERFACE)
    .flatMap((one) => one.addresses.map(({ address }) => address))
    .filter((address) => counts(address, family))
    .sort((left, right) => byBytes(goAddress(left), goAddress(right)));
  const own = new Set(addresses);
  // A list of CIDRs is held against the addresses of kube-ipvs0 too, and link-local ones; loopback never serves.
  const listed = nodePorts.addresses
    .map(readAddress)
    .filter((one): one is Address => one !== undefined)
    .filter((address) => !inNetwork(address, LOOPBACK[family]));
  return { own, nodePorts: nodePorts.kind === "all" ? [...own] : listed };
}

/** The interfaces after a sync: kube-ipvs0 has the wanted addresses of the family, and no others of it. */
export function withBoundAddresses(
  interfaces: readonly Interface[],
  wanted: ReadonlySet<Address>,
  family: Family,
): readonly Interface[] {
  const there = interfaces.find(({ name }) => name === DUMMY_INTERFACE);
  const before = there?.addresses ?? [];
  const kept = before.filter(({ address }) => !counts(address, family) || wanted.has(address));
  const bound = new Set(before.map(({ address }) => address));
  const added = [...wanted].filter((address) => !bound.has(address)).map(boundAddress);
  const index = Math.max(interfaces.length, ...interfaces.map((one) => one.index ?? 0)) + 1;
  const dummy: Interface = { ...(there ?? newDummy(index)), addresses: [...kept, ...added] };
  return there === undefined
    ? [...interfaces, dummy]
    : interfaces.map((one) => (one === there ? dummy : one));
}

/** It stays switched off: what is sent to its addresses is for the node itself all the same. */
function newDummy(index: number): PrintedInterface {
  return {
    name: DUMMY_INTERFACE,
    addresses: [],
    index,
    flags: ["BROADCAST", "NOARP"],
    mtu: 1500,
    kind: "dummy",
  };
}

function boundAddress(address: Address): PrintedAddress {
  const family = familyOf(address);
  return {
    address,
    subnet: { address, mask: ALL_ONES[family] },
    scope: family === "ipv6" && inNetwork(address, LINK_LOCAL) ? "link" : "global",
    ...(family === "ipv4" ? { label: DUMMY_INTERFACE } : {}),
    lifetimes: { valid: "forever", preferred: "forever" },
  };
}
