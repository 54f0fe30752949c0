/** Packets from outside that the kernel drops without a word, after nat PREROUTING. Measured on Linux. */
import { type Address, ALL_ONES } from "../../grammar/address.js";
import type { Route } from "../state/network.js";
import {
  addressesOf,
  addressType,
  interfaceNamed,
  isLinkLocal,
  isLoopback,
  isMulticast,
  isOwnAddress,
  knownInterfaces,
} from "./addresses.js";
import type { EvaluationContext } from "./context.js";
import { certainRoute, hasOwnRules, type Way } from "./route.js";
import { forwards, interfaceSetting, isSettingOpen } from "./sysctls.js";
import { devicesOf, tablesOf } from "./tables.js";
import type { LivePacket } from "./world.js";

const BROADCAST = ALL_ONES.ipv4;

/** Groups that every node has joined: 224.0.0.1 and ff02::1; a router ff02::2 too. Others need a listener. */
const ALL_NODES = [0xe0000001, 0xff020000000000000000000000000001n];
const ALL_ROUTERS = 0xff020000000000000000000000000002n;

/** IPv6 packets that no hook sees: ::1 stays on the node, and groups send nothing. */
export function isNeverReceived({ source, destination, inInterface }: LivePacket): boolean {
  if (inInterface === "lo" || typeof destination !== "bigint") return false;
  const fromNobody = typeof source === "bigint" && (isLoopback(source) || isMulticast(source));
  // Of groups for one interface nothing comes in from outside.
  return fromNobody || isLoopback(destination) || destination >> 112n === 0xff01n;
}

export function isMartian(packet: LivePacket, way: Way, context: EvaluationContext): boolean {
  const { network } = context.state;
  const { family, destination, inInterface } = packet;
  // The answer to a packet whose source the kernel chose: it comes to the node itself.
  if (destination === null) return false;
  if (destination === 0 || (isClassE(destination) && destination !== BROADCAST)) return true;
  const local = way.kind === "local";
  if (family === "ipv4" && isMartianSource(packet, way, context)) return true;
  if (!local) {
    if (!forwards(family, inInterface, network)) return true;
    return family === "ipv6" && packet.source === 0n && way.kind === "out";
  }
  if (typeof destination === "number" && isLoopback(destination)) {
    if (interfaceSetting("route_localnet", inInterface, network) !== 0) return false;
    if (isSettingOpen("route_localnet", inInterface, network) && network !== undefined)
      context.notes.add(
        "net.ipv4.conf.all.route_localnet is taken to be 0: 127.0.0.0/8 is for the node alone",
      );
    return true;
  }
  const isRouter = forwards(family, inInterface, network);
  return (
    isMulticast(destination) && !ALL_NODES.includes(destination) && !(destination === ALL_ROUTERS && isRouter)
  );
}

/** What the kernel asks of a packet's source (fib_validate_source): whether it may be one, and the way back to it. */
function isMartianSource(packet: LivePacket, way: Way, context: EvaluationContext): boolean {
  const { network } = context.state;
  const { source, destination, inInterface } = packet;
  if (typeof source !== "number" || destination === null) return false;
  // Who has no address yet may still talk to all (DHCP).
  if (source === 0) return destination !== BROADCAST;
  if (isMulticast(source) || source === BROADCAST) return true;
  const setting = (name: string) => interfaceSetting(name, inInterface, network);
  if (isLoopback(source) && setting("route_localnet") === 0) return true;
  // Without a way on, nobody asks for the way back.
  if (way.kind === "none" || way.kind === "refused") return false;
  const filter = setting("rp_filter");
  if (filter === 0 && setting("accept_local") !== 0) return false;
  const isFull = filter !== 0 || hasOwnRules(network, "ipv4") || hasOwnLocalRoutes(context);
  if (!isFull && isOwnAddress(source, network)) return true;
  if (isFull && failsReverse(filter, packet, way, context)) return true;
  if (
    filter === 0 &&
    isSettingOpen("rp_filter", inInterface, network) &&
    failsReverse(1, packet, way, context)
  ) {
    context.notes.add(
      `net.ipv4.conf.${inInterface ?? "all"}.rp_filter is taken to be 0: with 1 the packet would be dropped, since the way back to its source is another`,
    );
  }
  return false;
}

/** The lookup of the way back, with `filter` for rp_filter. Where it is not known, nothing is dropped. */
function failsReverse(filter: number, packet: LivePacket, way: Way, context: EvaluationContext): boolean {
  const { network } = context.state;
  const { source, destination, inInterface, mark } = packet;
  if (source === undefined || knownInterfaces(network, packet.family) === undefined) return false;
  const minds = interfaceSetting("src_valid_mark", inInterface, network) !== 0;
  const back = certainRoute(source, network, {
    source: addressType(destination, network) === "BROADCAST" ? null : destination,
    mark: minds ? mark : 0,
    // As if the packet went back by where it is now going to.
    inInterface: way.kind === "out" ? way.dev : null,
  });
  if (back.kind === "unknown") return false;
  if (back.kind !== "route") return filter !== 0;
  const { route } = back;
  const acceptsOwn = interfaceSetting("accept_local", inInterface, network) !== 0;
  if (route.type === "local" ? !acceptsOwn : route.type !== "unicast") return true;
  if (filter === 0 || !inInterface || leadsBy(route, inInterface)) return false;
  const hasAddress = addressesOf(interfaceNamed(inInterface, network), "ipv4").length > 0;
  return filter === 1 || !hasAddress;
}

function leadsBy(route: Route, name: string): boolean {
  return devicesOf(route).includes(name) || (route.type === "local" && name === "lo");
}

/** Prefixes that somebody has made local: then the kernel looks at sources more closely. */
function hasOwnLocalRoutes({ state: { network } }: EvaluationContext): boolean {
  return [...tablesOf(network, "ipv4").named.values()].some((routes) =>
    routes.some(
      (route) => route.type === "local" && network?.routes?.includes(route) && route.proto !== "kernel",
    ),
  );
}

/** A router does not forward what comes from a link-local address: it says so, by the address of the incoming link. */
export function isBeyondScope({ source, inInterface, outInterface }: LivePacket): boolean {
  return typeof source === "bigint" && isLinkLocal(source) && inInterface !== outInterface;
}

function isClassE(address: Address): boolean {
  return typeof address === "number" && address >>> 28 === 15;
}
