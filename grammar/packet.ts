/**
 * The packet a question is about, and the language it is asked in: `tcp 10.0.0.9:40000 -> 10.96.0.10:80 in eth0`.
 */
import type { Address, Family } from "./address.js";
import type { Range } from "./meaning.js";

/**
 * The first packet of a connection, unless `state` says otherwise. Parts that are absent are open: the answer has one
 * case for each class that matters.
 */
export interface Packet {
  readonly family: Family;
  /** Protocol number: 6 tcp, 17 udp, 132 sctp, 1 icmp, 58 ipv6-icmp. */
  readonly protocol: number;
  readonly source?: Address;
  /** Where `source` is absent: it lies in one of these. */
  readonly sources?: readonly Range[];
  readonly sourcePort?: number;
  readonly destination: Address;
  /** Undefined for protocols without ports. */
  readonly destinationPort?: number;
  /** Name of the interface (or bridge port) it comes by; `local` means a process of the node. Absent: not said. */
  readonly in?: string;
  /** TCP flags as a number (FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32); default SYN. */
  readonly tcpFlags?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
  /** Default 0. */
  readonly mark?: number;
  /** TTL, of IPv6 the hop limit, as it comes in or is sent; default 64. */
  readonly ttl?: number;
  /** Bytes of the IP packet, headers included. */
  readonly length?: number;
  /** The TOS byte, of IPv6 the traffic class: DSCP in its upper six bits, ECN in the lower two. */
  readonly tos?: number;
  /** The sender's MAC address in the Ethernet frame, `00:11:22:aa:bb:cc`. */
  readonly mac?: string;
  /** By a bridge: whose MAC address the frame is sent to; default: the receiver's, if it is a neighbour of the sender. */
  readonly l2?: "bridge" | "host";
  /** User and group of the process that sends it; only for packets of the node's own. */
  readonly user?: number;
  readonly group?: number;
  /** Default: what connection tracking says of a first packet with these flags. */
  readonly state?: "new" | "established" | "related";
}

/** What a question may say of a packet besides its ends, its interface and its connection. */
export const HEADER_FIELDS = [
  "tcpFlags",
  "icmpType",
  "icmpCode",
  "mark",
  "ttl",
  "length",
  "tos",
  "mac",
  "user",
  "group",
] as const satisfies readonly (keyof Packet)[];

export type HeaderFields = Pick<Packet, (typeof HEADER_FIELDS)[number]>;

/** Those fields of something that has more. */
export function headerFields(from: HeaderFields): HeaderFields {
  return Object.fromEntries(
    HEADER_FIELDS.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])),
  );
}

/** TCP flags as letters, as tcpdump and kernel tests write them; E and C are the two ECN bits. */
const FLAG_LETTERS = "FSRPAUEC";

/** `SA` → 18; undefined for other letters. */
export function readFlagLetters(letters: string): number | undefined {
  let bits = 0;
  for (const letter of letters) {
    const index = FLAG_LETTERS.indexOf(letter);
    if (index < 0) return undefined;
    bits |= 1 << index;
  }
  return bits;
}

export function printFlagLetters(bits: number): string {
  return [...FLAG_LETTERS].filter((_, index) => (bits & (1 << index)) !== 0).join("");
}
