/**
 * Routing as far as the node's network is known: which addresses are its own, by which interface a packet leaves, and
 * which source address the kernel picks. Measured on Linux; what nothing given determines is undefined.
 */
import {
  type Address,
  type Family,
  familyOf,
  hostBits,
  inNetwork,
  prefixLength,
} from "../../grammar/address.js";
import type { Interface, InterfaceAddress, Network, Route } from "../state/network.js";

/** The type that xt_addrtype sees. */
export type AddressType = "LOCAL" | "BROADCAST" | "MULTICAST" | "UNICAST";

/** The type of an address; undefined when only the node's addresses could tell and they are not known. */
export function addressType(address: Address, network: Network | undefined): AddressType | undefined {
  if (isLoopback(address)) return "LOCAL";
  if (typeof address === "number") {
    if (address >>> 28 === 14) return "MULTICAST";
    if (address === 0xffffffff || address === 0) return "BROADCAST";
  } else if (address >> 120n === 0xffn) return "MULTICAST";
  const interfaces = network?.interfaces;
  if (interfaces === undefined) return undefined;
  for (const { addresses } of interfaces) {
    for (const own of addresses) {
      if (own.address === address) return "LOCAL";
      if (isBroadcastOf(address, own)) return "BROADCAST";
    }
  }
  const local = network?.routes?.some((route) => route.type === "local" && inNetwork(address, route.to));
  return local ? "LOCAL" : "UNICAST";
}

export function isLoopback(address: Address): boolean {
  return typeof address === "number" ? address >>> 24 === 127 : address === 1n;
}

/** Whether an address belongs to the named interface (`--limit-iface-in`). */
export function isOnInterface(
  address: Address,
  name: string,
  network: Network | undefined,
): boolean | undefined {
  if (network?.interfaces === undefined) return undefined;
  const holds = (one: Interface | undefined) =>
    one?.addresses.some((own) => own.address === address) ?? false;
  // Addresses that are known without their interface stand on one without a name.
  const nameless = network.interfaces.find((one) => one.name === "");
  return holds(nameless) ? undefined : holds(interfaceNamed(name, network));
}

/** How a packet to `destination` leaves. */
export type Way =
  | { readonly kind: "unknown" }
  | { readonly kind: "local" }
  | {
      readonly kind: "out";
      readonly dev: string;
      readonly via: Address | undefined;
      readonly src: Address | undefined;
    }
  | { readonly kind: "refused"; readonly type: string }
  | { readonly kind: "none" };

/** The way to an address that is not the node's own: connected subnets and routes, longest prefix first. */
export function wayTo(destination: Address, network: Network | undefined): Way {
  if (network?.interfaces === undefined || network.routes === undefined) return { kind: "unknown" };
  let best: { route: Route; length: number } | undefined;
  for (const route of [...connectedRoutes(network.interfaces), ...network.routes]) {
    if (familyOf(route.to.address) !== familyOf(destination) || !inNetwork(destination, route.to)) continue;
    const length = prefixLength(route.to.mask) ?? 0;
    const better =
      best === undefined ||
      length > best.length ||
      (length === best.length && (route.metric ?? 0) < (best.route.metric ?? 0));
    if (better) best = { route, length };
  }
  if (best === undefined) return { kind: "none" };
  const { route } = best;
  if (route.type === "local") return { kind: "local" };
  if (route.type !== "unicast") return { kind: "refused", type: route.type };
  return route.dev === undefined
    ? { kind: "unknown" }
    : { kind: "out", dev: route.dev, via: route.via, src: route.src };
}

/**
 * The address of the outgoing interface that MASQUERADE takes: one in the next hop's subnet, else the interface's first,
 * else one of another interface. The route's `src` is ignored.
 */
export function egressAddress(
  way: Way,
  destination: Address,
  network: Network | undefined,
): Address | undefined {
  const family = familyOf(destination);
  const told = network?.masquerade?.find((address) => familyOf(address) === family);
  if (told !== undefined) return told;
  if (way.kind !== "out" || network?.interfaces === undefined) return undefined;
  const nextHop = way.via !== undefined && familyOf(way.via) === family ? way.via : destination;
  const own = addressesOf(interfaceNamed(way.dev, network), family);
  const near = own.find(({ subnet }) => inNetwork(nextHop, subnet));
  const other = network.interfaces
    .flatMap((one) => addressesOf(one, family))
    .find(({ address }) => !isLoopback(address) && !isLinkLocal(address));
  return (near ?? own.find(({ address }) => !isLinkLocal(address)) ?? own[0] ?? other)?.address;
}

/** The source address that the kernel gives a process of the node which binds none. */
export function sourceFor(destination: Address, network: Network | undefined): Address | undefined {
  if (isLoopback(destination)) return typeof destination === "number" ? 0x7f000001 : 1n;
  if (network?.interfaces === undefined) return undefined;
  for (const { addresses } of network.interfaces) {
    const own = addresses.find(({ address }) => address === destination);
    if (own === undefined) continue;
    // A later address of a subnet is secondary: its primary, the first one, is chosen.
    if (typeof destination === "bigint") return destination;
    return addresses.find(({ subnet }) => sameSubnet(subnet, own.subnet))?.address ?? destination;
  }
  const way = wayTo(destination, network);
  return way.kind === "out" ? (way.src ?? egressAddress(way, destination, network)) : undefined;
}

/** The interface that rules see: of a bridge's port, the bridge. */
export function seenInterface(name: string, network: Network | undefined): string {
  return network?.interfaces?.find(({ ports }) => ports?.some((port) => port.name === name))?.name ?? name;
}

/** The device that a packet leaves by: of a bridge, the port that its host is behind, where that is known. */
export function leavingPort(name: string, destination: Address, network: Network | undefined): string {
  const port = interfaceNamed(name, network)?.ports?.find(({ hosts }) => hosts.includes(destination));
  return port?.name ?? name;
}

/** The first address of an interface, for REDIRECT. */
export function primaryAddress(
  name: string,
  family: Family,
  network: Network | undefined,
): Address | undefined {
  const own = addressesOf(interfaceNamed(name, network), family);
  return (own.find(({ address }) => !isLinkLocal(address)) ?? own[0])?.address;
}

/**
 * A number of `net.ipv4.conf` for one interface: the larger of `all` and its own, as the kernel combines rp_filter and
 * route_localnet. What is not named is 0.
 */
export function interfaceSetting(
  setting: string,
  name: string | null | undefined,
  network: Network | undefined,
): number {
  const value = (scope: string) => Number(sysctl(network, `net.ipv4.conf.${scope}.${setting}`) ?? 0);
  return name ? Math.max(value("all"), value(name)) : value("all");
}

export function sysctl(network: Network | undefined, name: string): string | undefined {
  return network?.sysctls.get(name);
}

function interfaceNamed(name: string, network: Network | undefined): Interface | undefined {
  return network?.interfaces?.find((one) => one.name === name);
}

function addressesOf(one: Interface | undefined, family: Family): readonly InterfaceAddress[] {
  return (one?.addresses ?? []).filter(({ address }) => familyOf(address) === family);
}

function connectedRoutes(interfaces: readonly Interface[]): readonly Route[] {
  return interfaces.flatMap(({ name, addresses }) =>
    addresses
      .filter(({ subnet }) => subnet.mask !== subnet.address && hostBits(subnet.mask) > 0)
      .map(({ subnet }) => ({ type: "unicast", to: subnet, dev: name })),
  );
}

function isBroadcastOf(address: Address, { subnet }: InterfaceAddress): boolean {
  if (typeof address !== "number" || typeof subnet.mask !== "number" || typeof subnet.address !== "number")
    return false;
  const free = hostBits(subnet.mask) as number;
  return free > 1 && address === (subnet.address | free) >>> 0 && !isLoopback(address);
}

function isLinkLocal(address: Address): boolean {
  return typeof address === "bigint" && address >> 118n === 0x3fan;
}

function sameSubnet(left: InterfaceAddress["subnet"], right: InterfaceAddress["subnet"]): boolean {
  return left.address === right.address && left.mask === right.mask;
}
