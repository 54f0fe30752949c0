/** Sockets of the node to which rules hand packets. */
import { type Address, printAddress } from "../../grammar/address.js";
import { ALWAYS, type Condition, type Effect, hidden, NEVER } from "../../grammar/meaning.js";
import { protocolName } from "../../grammar/protocols.js";
import type { Listener } from "../state/network.js";
import { primaryAddress } from "./addresses.js";
import type { EvaluationContext } from "./context.js";
import type { LivePacket } from "./world.js";

/**
 * Whether TPROXY finds a socket: one that listens, with IP_TRANSPARENT, on the address and port that the rule names, which
 * are by default the first address of the interface that the packet came by and the packet's own port. Measured on Linux.
 */
export function takesTransparently(
  effect: Extract<Effect, { kind: "tproxy" }>,
  packet: LivePacket,
  { state: { network } }: EvaluationContext,
): Condition {
  const { family, protocol, inInterface, destinationPort } = packet;
  const isNamed = effect.address !== 0 && effect.address !== 0n;
  const first = inInterface ? primaryAddress(inInterface, family, network) : undefined;
  const address = isNamed ? effect.address : first;
  const port = effect.port === 0 ? (destinationPort ?? undefined) : effect.port;
  if (network?.listeners !== undefined && port !== undefined && address !== undefined) {
    return listenerAt(network.listeners, protocol, address, port)?.transparent ? ALWAYS : NEVER;
  }
  const on = `${address === undefined ? "port " : `${printAddress(address)}:`}${port ?? "of the packet"}`;
  const where = `${on} (${protocolName(protocol)})`;
  return hidden(
    `a process listens transparently on ${where}`,
    `no process listens transparently on ${where}`,
  );
}

/** The socket on the very address comes before the one on all. */
function listenerAt(
  listeners: readonly Listener[],
  protocol: number,
  address: Address,
  port: number,
): Listener | undefined {
  const fitting = listeners.filter((one) => one.protocol === protocol && one.port === port);
  return fitting.find((one) => one.address === address) ?? fitting.find((one) => one.address === undefined);
}
