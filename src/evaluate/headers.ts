/** What a packet has besides its ends and flags: what the question says of it, and what is then open. */
import type { Packet } from "../../grammar/packet.js";
import type { LivePacket } from "./world.js";

/** What most systems send with. */
const TTL = 64;

/** Of a packet that a question describes. */
export function headersOf(
  packet: Pick<Packet, "ttl" | "length" | "tos" | "mac" | "user" | "group" | "state">,
  fromNode: boolean,
) {
  // What was said to be a part of a connection has a mark that is not known.
  const isKnown = packet.state === undefined || packet.state === "new";
  return {
    markHidden: 0,
    markOrigin: "",
    connmarkHidden: isKnown ? 0 : 0xffffffff,
    connmarkOrigin: isKnown ? "" : "the connection's mark",
    ttl: packet.ttl ?? TTL,
    ttlTaken: packet.ttl === undefined,
    length: packet.length,
    dscp: packet.tos === undefined ? undefined : packet.tos >> 2,
    ecn: packet.tos === undefined ? undefined : packet.tos & 3,
    sourceMac: fromNode ? null : packet.mac?.toLowerCase(),
    sender: fromNode ? "process" : "none",
    user: packet.user,
    group: packet.group,
  } as const satisfies Partial<LivePacket>;
}

/** Of one that the kernel makes as an answer to another: a reset, which has no socket, or an ICMP error, which has its own. */
export function headersOfAnswer({ family, dscp, ecn }: LivePacket, isReset: boolean) {
  const known = typeof dscp === "number" && typeof ecn === "number" && family === "ipv4";
  // An ICMP error keeps four bits of what it is about, and has the precedence of network control.
  const tos = isReset ? 0 : known ? (((dscp << 2) | ecn) & 0x1e) | 0xc0 : undefined;
  return {
    ...headersOf({ ttl: TTL, ...(tos === undefined ? {} : { tos }) }, true),
    length: null,
    ...(tos === undefined ? { dscp: null, ecn: null } : {}),
    inPort: null,
    sender: isReset ? "none" : "kernel",
  } as const satisfies Partial<LivePacket>;
}
