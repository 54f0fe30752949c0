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
export function addressType(address: Address | null, network: Network | undefined): AddressType | undefined {
  if (address === null) return undefined;
  if (isLoopback(address)) return "LOCAL";
  if (typeof address === "number") {
    if (address >>> 28 === 14) return "MULTICAST";
    if (address === 0xffffffff || address === 0) return "BROADCAST";
  } else if (address >> 120n === 0xffn) return "MULTICAST";
  const family = familyOf(address);
  const interfaces = knownInterfaces(network, family);
  for (const { addresses } of interfaces ?? []) {
    for (const own of addresses) {
      if (own.address === address && isInUse(own)) return "LOCAL";
      if (isBroadcastOf(address, own)) return "BROADCAST";
    }
  }
  const routes = network?.routes ?? [];
  const listedAs = (type: string) =>
    routes.some((route) => route.type === type && inNetwork(address, route.to));
  if (listedAs("broadcast")) return "BROADCAST";
  if (listedAs("local")) return "LOCAL";
  return interfaces === undefined && !hasLocalTable(routes, family) ? undefined : "UNICAST";
}

/** The interfaces, where they tell all the node's addresses of a family. */
export function knownInterfaces(
  network: Network | undefined,
  family: Family,
): readonly Interface[] | undefined {
  return (network?.addressFamilies?.includes(family) ?? true) ? network?.interfaces : undefined;
}

/** `ip route show table local` names each address of the node. */
function hasLocalTable(routes: readonly Route[], family: Family): boolean {
  return routes.some(
    ({ type, proto, to }) => type === "local" && proto === "kernel" && familyOf(to.address) === family,
  );
}

/** An IPv6 address belongs to the node when nobody else was found to have it. */
function isInUse({ flags }: InterfaceAddress): boolean {
  return !(flags?.includes("dadfailed") || (flags?.includes("tentative") && !flags.includes("optimistic")));
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
  const interfaces = knownInterfaces(network, familyOf(address));
  if (interfaces === undefined) return undefined;
  const holds = (one: Interface | undefined) =>
    one?.addresses.some((own) => own.address === address) ?? false;
  // Addresses that are known without their interface stand on one without a name.
  const nameless = interfaces.find((one) => one.name === "");
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

/**
 * The way to an address that is not the node's own: connected subnets and routes of the main table, longest prefix first.
 * Policy rules are not followed.
 */
export function wayTo(destination: Address | null, network: Network | undefined): Way {
  if (destination === null || network?.routes === undefined) return { kind: "unknown" };
  const family = familyOf(destination);
  if (network.routeFamilies?.includes(family) === false) return { kind: "unknown" };
  const listed = network.routes.filter((route) => familyOf(route.to.address) === family && isAsked(route));
  // A listing of the main table holds the connected routes, and knows better which of them are there.
  const connected = listed.some(({ type, proto }) => type === "unicast" && proto === "kernel")
    ? []
    : knownInterfaces(network, family);
  if (connected === undefined) return { kind: "unknown" };
  let best: { route: Route; length: number } | undefined;
  for (const route of [...connectedRoutes(connected), ...listed]) {
    if (!inNetwork(destination, route.to)) continue;
    const length = prefixLength(route.to.mask) ?? 0;
    const better =
      best === undefined ||
      length > best.length ||
      (length === best.length && (route.metric ?? 0) < (best.route.metric ?? 0));
    if (better) best = { route, length };
  }
  return best === undefined ? { kind: "none" } : wayBy(best.route);
}

function wayBy({ type, dev, via, src, nextHops }: Route): Way {
  if (type === "local") return { kind: "local" };
  if (REFUSING.includes(type)) return { kind: "refused", type };
  const [hop, ...others] = nextHops?.filter(({ flags }) => !flags?.includes("dead")) ?? [{ dev, via }];
  // Of several hops the kernel chooses one for each flow.
  if (hop?.dev === undefined || others.some((other) => other.dev !== hop.dev)) return { kind: "unknown" };
  return { kind: "out", dev: hop.dev, via: hop.via, src };
}

const REFUSING: readonly string[] = ["blackhole", "unreachable", "prohibit", "throw"];

/** Whether a packet without type of service meets the route when no policy rule says otherwise. */
function isAsked({ table, flags, from, attributes }: Route): boolean {
  return (
    (table === undefined || MAIN_TABLES.includes(table)) &&
    !flags?.includes("dead") &&
    from === undefined &&
    !attributes?.some(([name]) => name === "tos" || name === "dsfield")
  );
}

const MAIN_TABLES: readonly string[] = ["local", "255", "main", "254", "default", "253"];

/**
 * The address of the outgoing interface that MASQUERADE takes: one in the next hop's subnet, else the interface's first,
 * else one of another interface. The route's `src` is ignored.
 */
export function egressAddress(
  way: Way,
  destination: Address | null,
  network: Network | undefined,
): Address | undefined {
  if (destination === null) return undefined;
  const family = familyOf(destination);
  const told = network?.masquerade?.find((address) => familyOf(address) === family);
  if (told !== undefined) return told;
  const interfaces = knownInterfaces(network, family);
  if (way.kind !== "out" || interfaces === undefined) return undefined;
  const nextHop = way.via !== undefined && familyOf(way.via) === family ? way.via : destination;
  const own = addressesOf(interfaceNamed(way.dev, network), family).filter(isSource);
  const near = own.find(({ subnet }) => inNetwork(nextHop, subnet));
  const other = interfaces
    .flatMap((one) => addressesOf(one, family).filter(isSource))
    .find(({ address }) => !isLoopback(address) && !isLinkLocal(address));
  return (near ?? own.find(({ address }) => !isLinkLocal(address)) ?? own[0] ?? other)?.address;
}

/** The source address that the kernel gives a process of the node which binds none. */
export function sourceFor(destination: Address | null, network: Network | undefined): Address | undefined {
  if (destination === null) return undefined;
  if (isLoopback(destination)) return typeof destination === "number" ? 0x7f000001 : 1n;
  const interfaces = knownInterfaces(network, familyOf(destination));
  if (interfaces === undefined) return undefined;
  for (const { addresses } of interfaces) {
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
  const master = interfaceNamed(name, network)?.master;
  return (
    master ??
    network?.interfaces?.find(({ ports }) => ports?.some((port) => port.name === name))?.name ??
    name
  );
}

/** The device that a packet leaves by: of a bridge, the port that its host is behind, where that is known. */
export function leavingPort(name: string, destination: Address | null, network: Network | undefined): string {
  if (destination === null) return name;
  const port = interfaceNamed(name, network)?.ports?.find(({ hosts }) => hosts?.includes(destination));
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
  return name ? Math.max(value("all"), value(name.replaceAll(".", "/"))) : value("all");
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
  return interfaces.filter(isUp).flatMap(({ name, addresses }) =>
    addresses
      .filter(({ flags }) => !flags?.includes("noprefixroute"))
      .filter(
        ({ subnet, peer }) =>
          peer !== undefined || (subnet.mask !== subnet.address && hostBits(subnet.mask) > 0),
      )
      .map(({ subnet }) => ({ type: "unicast", to: subnet, dev: name })),
  );
}

/** An interface of which nothing else is said is taken to be switched on. */
function isUp({ flags }: Interface): boolean {
  return flags === undefined || flags.includes("UP");
}

/** Whether the kernel takes the address as a source for what leaves the node: of wide scope, and not given up. */
function isSource(own: InterfaceAddress): boolean {
  const { scope, flags, address } = own;
  const isNarrow = scope === "host" || (scope === "link" && typeof address === "number");
  return isInUse(own) && !isNarrow && !(typeof address === "bigint" && flags?.includes("deprecated"));
}

function isBroadcastOf(address: Address, { subnet, broadcast }: InterfaceAddress): boolean {
  if (broadcast === address) return true;
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
