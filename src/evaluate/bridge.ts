/** Bridges: which port a packet comes by and leaves by, and what is passed on without being routed. Measured on Linux. */
import type { Address, Family } from "../../grammar/address.js";
import type { BridgePort, Interface, Network } from "../state/network.js";
import { addressType, areNeighbours, interfaceNamed } from "./addresses.js";
import { wayTo } from "./route.js";
import { sysctl } from "./sysctls.js";
import type { LivePacket } from "./world.js";

/** The interface that rules see: of a bridge's port, the bridge. */
export function seenInterface(name: string, network: Network | undefined): string {
  return masterOf(name, network)?.name ?? interfaceNamed(name, network)?.master ?? name;
}

function masterOf(name: string, network: Network | undefined): Interface | undefined {
  const master = interfaceNamed(name, network)?.master;
  if (master !== undefined) return interfaceNamed(master, network);
  return network?.interfaces?.find(({ ports }) => ports?.some((port) => port.name === name));
}

const NO_BRIDGES: readonly string[] = ["bond", "team", "vrf"];

/** Whether an interface is a bridge: it is said to be, or others are its ports. */
export function isBridge(one: Interface | undefined, network: Network | undefined): boolean {
  if (one === undefined) return false;
  if (one.kind !== undefined && NO_BRIDGES.includes(one.kind)) return false;
  return (
    one.kind === "bridge" ||
    one.ports !== undefined ||
    (network?.interfaces?.some(({ master }) => master === one.name) ?? false)
  );
}

/** The port that a host is behind, where it is known. */
function portOf(bridge: Interface | undefined, host: Address | null | undefined): BridgePort | undefined {
  if (host === null || host === undefined) return undefined;
  return bridge?.ports?.find(({ hosts }) => hosts?.includes(host));
}

/**
 * The device that a packet leaves by: of a bridge, the port that its receiver, the next hop, is behind, where that is known.
 */
export function leavingPort(name: string, receiver: Address | null, network: Network | undefined): string {
  return portOf(interfaceNamed(name, network), receiver)?.name ?? name;
}

/**
 * The bridge's port that a packet comes by: the one named, else the one that its sender is behind. Null: its interface is
 * no port, undefined: not known.
 */
export function arrivingPort(
  name: string | undefined,
  source: Address | undefined,
  network: Network | undefined,
): string | null | undefined {
  if (network?.interfaces === undefined) return undefined;
  if (name !== undefined && isBridge(masterOf(name, network), network)) return name;
  const back = name === undefined && source !== undefined ? wayTo(source, network) : undefined;
  const one = interfaceNamed(name ?? (back?.kind === "out" ? back.dev : undefined), network);
  if (one === undefined) return undefined;
  return isBridge(one, network) ? portOf(one, source)?.name : null;
}

/** Whether rules of iptables see what a bridge passes on; yes unless `bridge-nf-call-iptables` says no. */
export function callsRules(family: Family, network: Network | undefined): boolean {
  return sysctl(network, callSetting(family)) !== "0";
}

export function callSetting(family: Family): string {
  return `net.bridge.bridge-nf-call-${family === "ipv4" ? "iptables" : "ip6tables"}`;
}

/** The bridge that a packet came by; undefined: it came by another interface, or that is not known. */
export function bridgeOf(
  { inInterface }: Pick<LivePacket, "inInterface">,
  network: Network | undefined,
): Interface | undefined {
  const one = interfaceNamed(inInterface, network);
  return isBridge(one, network) ? one : undefined;
}

/**
 * Whether the bridge passes a frame to a host behind it, without routing. Where the hosts are not known, those in the
 * bridge's subnet are taken to be behind it.
 */
export function isBridged(
  frame: LivePacket,
  network: Network | undefined,
): { readonly hostsAreTaken: boolean } | undefined {
  const { source, destination, frameTo } = frame;
  const bridge = bridgeOf(frame, network);
  if (bridge === undefined || destination === null || frameTo === "bridge") return undefined;
  if (addressType(destination, network) !== "UNICAST") return undefined;
  if (portOf(bridge, destination) !== undefined) return frame.inPort ? { hostsAreTaken: false } : undefined;
  const allKnown = bridge.ports?.every(({ hosts }) => hosts !== undefined) ?? false;
  if (allKnown || source === null || source === undefined) return undefined;
  return areNeighbours(source, destination, bridge) ? { hostsAreTaken: true } : undefined;
}

/**
 * Whether a frame leaves by a port: not by the one that it came by, unless that is in hairpin mode. Undefined where
 * nothing says that it is. `sentBy`: the packet's source when it came.
 */
export function passesPort(
  frame: LivePacket,
  sentBy: Address | null | undefined,
  network: Network | undefined,
): boolean | undefined {
  const { destination, inPort } = frame;
  const bridge = bridgeOf(frame, network);
  const out = portOf(bridge, destination);
  if (out !== undefined && inPort) return out.name !== inPort || (out.hairpin ?? undefined);
  if (destination === null || destination !== sentBy) return true;
  return bridge?.ports?.find(({ name }) => name === inPort)?.hairpin;
}
