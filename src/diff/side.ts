/** One of the two states that are compared, with what is worked out of it once. */
import { type Address, type Family, printAddress } from "../../grammar/address.js";
import { addressesOf, isLinkLocal, isLoopback, knownInterfaces } from "../evaluate/addresses.js";
import type { NodeState } from "../state/nodestate.js";
import { type PlainRuleset, plainRuleset } from "./plain.js";

export interface Side {
  /** What the user calls it: a file, a version. */
  readonly name: string;
  readonly state: NodeState;
  readonly plain: { readonly [F in Family]?: PlainRuleset };
}

export function makeSide(name: string, state: NodeState): Side {
  const { ipv4, ipv6 } = state.rulesets;
  return {
    name,
    state,
    plain: {
      ...(ipv4 === undefined ? {} : { ipv4: plainRuleset(ipv4) }),
      ...(ipv6 === undefined ? {} : { ipv6: plainRuleset(ipv6) }),
    },
  };
}

/** Addresses of the node that others can send packets to, as far as they are known. */
export function ownAddresses({ state: { network } }: Side, family: Family): readonly Address[] {
  return (knownInterfaces(network, family) ?? [])
    .flatMap((one) => addressesOf(one, family))
    .map(({ address }) => address)
    .filter((address) => !isLoopback(address) && !isLinkLocal(address));
}

/** Of documentation (RFC 5737, RFC 3849): stands for an address of a node whose addresses are not known. */
const UNKNOWN_NODE: Readonly<Record<Family, Address>> = {
  ipv4: 0xc0000201,
  ipv6: 0x20010db8_0000_0000_0000_0000_0000_0001n,
};

/** The node's address for packets to its node ports: one that `named` holds, else that of the interface to elsewhere. */
export function nodeAddress(side: Side, family: Family, named: ReadonlySet<Address>): Address {
  const own = ownAddresses(side, family);
  const uplinks = (side.state.network?.routes ?? [])
    .filter(({ via }) => via !== undefined)
    .map(({ dev }) => dev);
  const outward = (knownInterfaces(side.state.network, family) ?? [])
    .filter(({ name }) => uplinks.includes(name))
    .flatMap((one) => addressesOf(one, family))[0]?.address;
  return (
    own.find((address) => named.has(address)) ?? outward ?? own[0] ?? [...named][0] ?? UNKNOWN_NODE[family]
  );
}

/** Everything of a state but its rules, as a text: equal texts are the same surroundings. */
export function surroundings({ network, sets, virtualServers, connections, recentLists }: NodeState): string {
  return JSON.stringify({ network, sets, virtualServers, connections, recentLists }, plainJSON);
}

/** Whether the sides are two nodes: both have addresses that are known, and share none. */
export function areTwoNodes(left: Side, right: Side): boolean {
  const own = (side: Side) => FAMILIES.flatMap((family) => [...ownAddresses(side, family)]);
  const [mine, theirs] = [own(left), new Set(own(right))];
  return mine.length > 0 && theirs.size > 0 && !mine.some((address) => theirs.has(address));
}

export const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

/** Places of lines are no part of what a text says. */
function plainJSON(key: string, value: unknown): unknown {
  if (key === "place") return undefined;
  if (typeof value === "bigint") return printAddress(value);
  return value instanceof Map ? [...(value as Map<unknown, unknown>)] : value;
}
