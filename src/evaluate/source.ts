/** Source addresses that the kernel chooses: for its processes, and for MASQUERADE. Measured on Linux. */
import { type Address, type Family, familyOf, inNetwork, prefixLength } from "../../grammar/address.js";
import type { InterfaceAddress, Network } from "../state/network.js";
import {
  addressesOf,
  interfaceNamed,
  isLinkLocal,
  isLoopback,
  isMulticast,
  knownInterfaces,
} from "./addresses.js";
import { type Way, wayTo } from "./route.js";
import { isInUse } from "./tables.js";

/** Where a packet leaves: the interface, and the next router if there is one. */
export interface Exit {
  readonly dev: string | null | undefined;
  readonly via: Address | undefined;
}

/**
 * The address that MASQUERADE takes. IPv4: one of the outgoing interface in the next hop's subnet, else its first, else
 * one of another interface. IPv6: the one that is nearest to the destination. The route's `src` is ignored.
 */
export function egressAddress(
  { dev, via }: Exit,
  destination: Address | null,
  network: Network | undefined,
): Address | undefined {
  if (destination === null) return undefined;
  const family = familyOf(destination);
  const told = network?.masquerade?.find((address) => familyOf(address) === family);
  if (told !== undefined) return told;
  if (typeof dev !== "string" || knownInterfaces(network, family) === undefined) return undefined;
  if (typeof destination === "bigint") return nearestSource(destination, dev, network);
  const nextHop = via !== undefined && familyOf(via) === family ? via : destination;
  const own = sourcesOn(dev, family, network);
  const near = own.find(({ subnet }) => inNetwork(nextHop, subnet));
  return (near ?? own[0] ?? otherSource(family, network))?.address;
}

/** The source address that the kernel gives a process of the node which binds none. */
export function sourceFor(destination: Address | null, network: Network | undefined): Address | undefined {
  return destination === null ? undefined : sourceBy(wayTo(destination, network), destination, network);
}

/** The source for a packet that goes this way: the route's, else as MASQUERADE would choose it. */
export function sourceBy(way: Way, destination: Address, network: Network | undefined): Address | undefined {
  const family = familyOf(destination);
  if (isLoopback(destination)) return family === "ipv4" ? 0x7f000001 : 1n;
  // Asked for by a process, no address is the loopback's.
  if (destination === 0 || destination === 0n) return family === "ipv4" ? 0x7f000001 : 1n;
  if (way.kind === "unknown" || knownInterfaces(network, family) === undefined) return undefined;
  // IPv6 chooses one before it is known that a route leads there.
  if (way.kind !== "out" && way.kind !== "local")
    return typeof destination === "bigint" ? nearestSource(destination, undefined, network) : undefined;
  if (way.src !== undefined) return way.src;
  if (way.kind === "local" && typeof destination === "number") return destination;
  const exit: Exit = way.kind === "local" ? { dev: way.dev ?? "lo", via: undefined } : way;
  return egressAddress(exit, destination, network && { ...network, masquerade: [] });
}

function sourcesOn(dev: string, family: Family, network: Network | undefined): readonly InterfaceAddress[] {
  return addressesOf(interfaceNamed(dev, network), family).filter(isSource);
}

function otherSource(family: Family, network: Network | undefined): InterfaceAddress | undefined {
  return network?.interfaces
    ?.flatMap((one) => addressesOf(one, family).filter(isSource))
    .find(({ address }) => !isLoopback(address));
}

/** Whether the kernel takes the address as a source for what leaves the node: of wide scope, and not given up. */
function isSource(own: InterfaceAddress): boolean {
  const { scope, address } = own;
  const isNarrow = isLoopback(address) || scope === "host" || scope === "link";
  return isInUse(own) && !(typeof address === "number" && isNarrow);
}

/**
 * RFC 6724 as far as it can be known: of all the node's addresses the destination itself, one of sufficient scope, not
 * deprecated, of the outgoing interface, of the same kind of network, with the longest prefix in common.
 */
function nearestSource(
  destination: bigint,
  dev: string | undefined,
  network: Network | undefined,
): Address | undefined {
  const narrow = isLinkLocal(destination) || isMulticast(destination);
  let best: { readonly address: bigint; readonly rank: readonly number[] } | undefined;
  for (const one of network?.interfaces ?? []) {
    if (narrow && one.name !== dev) continue;
    for (const own of addressesOf(one, "ipv6")) {
      const { address, flags, subnet } = own;
      if (typeof address !== "bigint" || !isInUse(own)) continue;
      const [scope, wanted] = [scopeOf(address), scopeOf(destination)];
      const rank = [
        address === destination ? 1 : 0,
        scope >= wanted ? -scope : scope - 128,
        flags?.includes("deprecated") ? 0 : 1,
        one.name === dev ? 1 : 0,
        labelOf(address) === labelOf(destination) ? 1 : 0,
        flags?.includes("temporary") ? 1 : 0,
        Math.min(commonLength(address, destination), prefixLength(subnet.mask) ?? 128),
      ];
      if (best === undefined || compare(rank, best.rank) > 0) best = { address, rank };
    }
  }
  return best?.address;
}

function compare(left: readonly number[], right: readonly number[]): number {
  const index = left.findIndex((value, at) => value !== right[at]);
  return index === -1 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}

function scopeOf(address: bigint): number {
  if (isMulticast(address)) return Number((address >> 112n) & 15n);
  return isLinkLocal(address) || address === 1n ? 2 : address >> 118n === 0x3fbn ? 5 : 14;
}

/** RFC 6724's table of labels as Linux has it, the longer prefixes first. */
const LABELS: readonly (readonly [prefix: bigint, length: bigint])[] = [
  [1n, 128n],
  [0xffffn, 96n],
  [0n, 96n],
  [0x20010000n, 32n],
  [0x2001001n, 28n],
  [0x2002n, 16n],
  [0x3ffen, 16n],
  [0x3fbn, 10n],
  [0x7en, 7n],
];

function labelOf(address: bigint): number {
  return LABELS.findIndex(([prefix, length]) => address >> (128n - length) === prefix);
}

function commonLength(left: bigint, right: bigint): number {
  const differing = left ^ right;
  return differing === 0n ? 128 : 128 - differing.toString(2).length;
}
