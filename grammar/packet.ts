/**
 * The packet a question is about, and the language it is asked in: `tcp 10.0.0.9:40000 -> 10.96.0.10:80 in eth0`.
 */
import type { Address, Family } from "./address.js";

/**
 * The first packet of a connection, unless `state` says otherwise. Parts that are absent are open: the answer has one
 * case for each class that matters.
 */
export interface Packet {
  readonly family: Family;
  /** Protocol number: 6 tcp, 17 udp, 132 sctp, 1 icmp, 58 ipv6-icmp. */
  readonly protocol: number;
  readonly source?: Address;
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
  /** Default: what connection tracking says of a first packet with these flags. */
  readonly state?: "new" | "established" | "related";
}
