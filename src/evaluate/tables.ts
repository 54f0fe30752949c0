/**
 * The node's routing tables: what listings show of them, and what follows from the addresses of its interfaces, as the
 * kernel keeps it in the tables `local` and `main`. Measured on Linux.
 */
import {
  type Address,
  ALL_ONES,
  type Family,
  familyOf,
  hostBits,
  inNetwork,
  maskAddress,
  prefixLength,
} from "../../grammar/address.js";
import type { Interface, InterfaceAddress, Network, Route } from "../state/network.js";
import { sysctl } from "./sysctls.js";

export interface Tables {
  /** By name; the three that the kernel knows by number, too, are `local`, `main` and `default`. */
  readonly named: ReadonlyMap<string, readonly Route[]>;
  readonly local: readonly Route[];
  /** `local` holds all the node's addresses. */
  readonly localKnown: boolean;
  /** `main` holds all its routes. */
  readonly mainKnown: boolean;
}

const known = new WeakMap<Network, Map<Family, Tables>>();
const NOTHING: Tables = { named: new Map(), local: [], localKnown: false, mainKnown: false };

export function tablesOf(network: Network | undefined, family: Family): Tables {
  if (network === undefined) return NOTHING;
  const byFamily = known.get(network) ?? new Map<Family, Tables>();
  known.set(network, byFamily);
  const tables = byFamily.get(family) ?? makeTables(network, family);
  byFamily.set(family, tables);
  return tables;
}

/** The table by its name, for one that may be given as a number. */
export function tableName(table: string): string {
  return KERNEL_TABLES[table] ?? table;
}

const KERNEL_TABLES: Readonly<Record<string, string>> = { "255": "local", "254": "main", "253": "default" };

/** Types of which `ip route` without a table means the local one. */
const LOCAL_TYPES: readonly string[] = ["local", "broadcast", "anycast"];

function makeTables(network: Network, family: Family): Tables {
  const named = new Map<string, Route[]>();
  const add = (table: string, route: Route) => {
    const routes = named.get(table);
    if (routes === undefined) named.set(table, [route]);
    else routes.push(route);
  };
  const interfaces = (network.addressFamilies?.includes(family) ?? true) ? network.interfaces : undefined;
  for (const one of interfaces ?? []) {
    for (const own of one.addresses) {
      if (familyOf(own.address) !== family || !isInUse(own)) continue;
      for (const route of localRoutes(one, own, network)) add("local", route);
    }
  }
  if (family === "ipv4") add("local", LOOPBACK_NETWORK);
  const listed = (network.routes ?? []).filter((route) => familyOf(route.to.address) === family);
  const isListed = (is: (route: Route, table: string) => boolean) =>
    listed.some((route) => is(route, tableOf(route)));
  // A listing of the main table holds the connected routes, and knows better which of them are there.
  const showsConnected = isListed(
    ({ type, proto }, table) => table === "main" && type === "unicast" && proto === "kernel",
  );
  if (!showsConnected) for (const route of connectedRoutes(interfaces ?? [], family)) add("main", route);
  for (const route of listed) if (isUsable(route)) add(tableOf(route), route);
  const routesKnown = network.routes !== undefined && network.routeFamilies?.includes(family) !== false;
  return {
    named,
    local: named.get("local") ?? [],
    // `ip route show table local` names each address of the node.
    localKnown:
      interfaces !== undefined || isListed(({ type, proto }) => type === "local" && proto === "kernel"),
    mainKnown: routesKnown && (showsConnected || interfaces !== undefined),
  };
}

function tableOf({ table, type }: Route): string {
  return tableName(table ?? (LOCAL_TYPES.includes(type) ? "local" : "main"));
}

/** Whether a packet without type of service can meet the route. */
function isUsable({ flags, attributes, nextHops }: Route): boolean {
  return (
    !flags?.includes("dead") &&
    !(nextHops?.every((hop) => hop.flags?.includes("dead")) ?? false) &&
    !attributes?.some(([name]) => name === "tos" || name === "dsfield")
  );
}

export interface RouteWanted {
  readonly destination: Address;
  /** Only routes for packets from there; absent or not known: only those for all. */
  readonly source?: Address | null | undefined;
  /** Only routes by this interface. */
  readonly dev?: string | undefined;
  /** The packet came in by it. */
  readonly inInterface?: string | null | undefined;
}

/**
 * Of the routes to the destination the one with the longest prefix, then the one for the fewest sources, then the cheapest.
 * Of IPv6 routes that are equal in all this, one by the interface that the packet came in by comes first.
 */
export function bestRoute(
  routes: readonly Route[],
  { destination, source, dev, inInterface }: RouteWanted,
): Route | undefined {
  let best: Route | undefined;
  for (const route of routes) {
    if (!inNetwork(destination, route.to)) continue;
    if (dev !== undefined && !devicesOf(route).includes(dev)) continue;
    const { from } = route;
    if (from !== undefined && (source === undefined || source === null || !inNetwork(source, from))) continue;
    const better = best === undefined ? 1 : advantage(route, best) || nearer(route, best, inInterface);
    if (better > 0) best = route;
  }
  return best;
}

function advantage(left: Route, right: Route): number {
  const length = (prefix: Route["from"]) => (prefix === undefined ? 0 : (prefixLength(prefix.mask) ?? 0));
  return (
    length(left.to) - length(right.to) ||
    length(left.from) - length(right.from) ||
    metricOf(right) - metricOf(left)
  );
}

function nearer(left: Route, right: Route, dev: string | null | undefined): number {
  if (typeof left.to.address === "number" || typeof dev !== "string") return 0;
  return Number(devicesOf(left).includes(dev)) - Number(devicesOf(right).includes(dev));
}

/** The metric that the kernel gives a route of which none was said. */
function metricOf({ metric, to, proto }: Route): number {
  return metric ?? (typeof to.address === "number" ? 0 : proto === "kernel" ? 256 : 1024);
}

/** The devices that packets may leave by on a route. */
export function devicesOf({ dev, nextHops }: Route): readonly string[] {
  return nextHops?.flatMap((hop) => hop.dev ?? []) ?? (dev === undefined ? [] : [dev]);
}

const LOOPBACK_NETWORK: Route = {
  type: "local",
  to: { address: 0x7f000000, mask: 0xff000000 },
  dev: "lo",
  src: 0x7f000001,
};

/** What an address puts into the table `local`. */
function localRoutes(one: Interface, own: InterfaceAddress, network: Network): readonly Route[] {
  const { name: dev } = one;
  const { address, subnet, broadcast } = own;
  const alone = (to: Address) => ({ address: to, mask: ALL_ONES[familyOf(to)] });
  if (typeof address === "bigint") {
    const route: Route = { type: "local", to: alone(address), dev, src: address };
    return hasRouterAddress(own, dev, network)
      ? [route, { type: "anycast", to: alone(maskAddress(address, subnet.mask)), dev }]
      : [route];
  }
  // A later address of a subnet is secondary: the source towards it is its primary, the first one.
  const src = one.addresses.find((first) => sameSubnet(first.subnet, subnet))?.address ?? address;
  const routes: Route[] = [{ type: "local", to: alone(address), dev, src }];
  const free = Number(hostBits(subnet.mask));
  const last = (Number(subnet.address) | free) >>> 0;
  const broadcasts = [...(free > 1 && one.name !== "lo" ? [last] : []), ...(broadcast ? [broadcast] : [])];
  for (const to of broadcasts) routes.push({ type: "broadcast", to: alone(to), dev, src });
  return routes;
}

/** A router answers to the subnet's address without host part. */
function hasRouterAddress({ subnet, peer }: InterfaceAddress, dev: string, network: Network): boolean {
  const own = sysctl(network, `net.ipv6.conf.${dev.replaceAll(".", "/")}.forwarding`);
  const isRouter = (own ?? sysctl(network, "net.ipv6.conf.all.forwarding") ?? "1") !== "0";
  return isRouter && dev !== "lo" && peer === undefined && (prefixLength(subnet.mask) ?? 0) < 127;
}

function connectedRoutes(interfaces: readonly Interface[], family: Family): readonly Route[] {
  return interfaces.filter(isUp).flatMap(({ name, addresses }) =>
    addresses
      .filter(({ address }) => familyOf(address) === family)
      .filter(({ flags }) => !flags?.includes("noprefixroute"))
      .filter(
        ({ subnet, peer }) =>
          peer !== undefined || (subnet.mask !== subnet.address && hostBits(subnet.mask) > 0),
      )
      .map(({ subnet }): Route => ({ type: "unicast", to: subnet, dev: name, proto: "kernel" })),
  );
}

/** An interface of which nothing else is said is taken to be switched on. */
function isUp({ flags }: Interface): boolean {
  return flags === undefined || flags.includes("UP");
}

/** An IPv6 address belongs to the node when nobody else was found to have it. */
export function isInUse({ flags }: InterfaceAddress): boolean {
  return !(flags?.includes("dadfailed") || (flags?.includes("tentative") && !flags.includes("optimistic")));
}

function sameSubnet(left: InterfaceAddress["subnet"], right: InterfaceAddress["subnet"]): boolean {
  return left.address === right.address && left.mask === right.mask;
}
