/**
 * Ports of bridges, as xt_physdev sees them: that a packet came by, also if it is routed on, and the one that it leaves by
 * if it stays on its bridge. Measured on Linux.
 */
import type { Network } from "../state/network.js";
import { interfaceNamed } from "./addresses.js";
import { bridgeOf, callsRules, isBridge, leavingPort } from "./bridge.js";
import type { LivePacket } from "./world.js";

/** The port that rules are told a packet came by; null: none, undefined: not known. */
export function ingressPort(packet: LivePacket, network: Network | undefined): string | null | undefined {
  return callsRules(packet.family, network) ? packet.inPort : null;
}

/** The port that a packet leaves by which stays on its bridge. */
export function egressPort(packet: LivePacket, network: Network | undefined): string | null | undefined {
  const { bridged, outInterface, destination } = packet;
  if (!bridged || !outInterface) return null;
  const port = leavingPort(outInterface, destination, network);
  return port === outInterface ? undefined : port;
}

/** Whether a packet came by a port of a bridge, known by name or not. */
export function cameByPort(packet: LivePacket, network: Network | undefined): boolean {
  const port = ingressPort(packet, network);
  return port === undefined ? bridgeOf(packet, network) !== undefined : port !== null;
}

/** Whether frames on an interface have Ethernet addresses; undefined: not known. */
export function isEthernet(
  name: string | null | undefined,
  network: Network | undefined,
): boolean | undefined {
  if (name === null || name === "lo") return false;
  const one = interfaceNamed(name, network);
  if (isBridge(one, network)) return true;
  if (one?.flags?.includes("POINTOPOINT")) return false;
  if (one?.linkAddress === undefined) return undefined;
  return /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(one.linkAddress);
}
