/** Packets from outside that routing drops without a word, after nat PREROUTING. Measured on Linux. */
import type { Address } from "../../grammar/address.js";
import type { EvaluationContext } from "./context.js";
import { addressType, interfaceSetting, isLoopback, knownInterfaces, sysctl, wayTo } from "./route.js";
import type { LivePacket } from "./world.js";

const BROADCAST = 0xffffffff;

/** Groups that every node has joined: 224.0.0.1 and ff02::1. Others need a listener. */
const ALL_NODES = [0xe0000001, 0xff020000000000000000000000000001n];

/** `local`: routing would give the packet to the node itself. */
export function isMartian(packet: LivePacket, local: boolean, context: EvaluationContext): boolean {
  const { network } = context.state;
  const { destination, inInterface } = packet;
  // The answer to a packet whose source the kernel chose: it comes to the node itself.
  if (destination === null) return false;
  if (destination === 0 || (isClassE(destination) && destination !== BROADCAST)) return true;
  if (isMartianSource(packet, context)) return true;
  if (!local) {
    const forwarding = packet.family === "ipv4" ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding";
    return sysctl(network, forwarding) === "0";
  }
  if (typeof destination === "number" && isLoopback(destination)) {
    return interfaceSetting("route_localnet", inInterface, network) === 0;
  }
  // ::1 is for packets over lo alone, unless a rule has put it there.
  if (destination === 1n) return !packet.destinationTranslated;
  return addressType(destination, network) === "MULTICAST" && !ALL_NODES.includes(destination);
}

function isMartianSource(packet: LivePacket, context: EvaluationContext): boolean {
  const { network } = context.state;
  const { source, destination, inInterface } = packet;
  if (source === undefined || source === null) return false;
  // Who has no address yet may still talk to all (DHCP).
  if (source === 0) return destination !== BROADCAST;
  const type = addressType(source, network);
  if (type === "LOCAL" || type === "MULTICAST" || source === BROADCAST || source === 0n) return true;
  const filter = packet.family === "ipv4" ? interfaceSetting("rp_filter", inInterface, network) : 0;
  if (filter === 0 || knownInterfaces(network, packet.family) === undefined) return false;
  const back = wayTo(source, network);
  if (back.kind === "none" || type === "BROADCAST") return true;
  return filter === 1 && back.kind === "out" && !!inInterface && back.dev !== inInterface;
}

function isClassE(address: Address): boolean {
  return typeof address === "number" && address >>> 28 === 15;
}
