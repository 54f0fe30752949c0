/**
 * Connection tracking: the entries of the kernel's table, as `conntrack -L` and /proc/net/nf_conntrack show them. An
 * entry has two tuples: what the client sent, and what the answer is expected to look like. Where the second is not the
 * first turned round, packets of the connection are translated.
 */
import { type Address, type Family, familyOf } from "../../grammar/address.js";
import type { Place } from "../problems/problem.js";
import type { Counters } from "./rules.js";

export type Direction = "original" | "reply";

/**
 * What the kernel tells packets of one direction by: addresses, and one of ports (tcp, udp, udplite, sctp, dccp), an ICMP
 * message or GRE keys. Other protocols are told by addresses alone.
 */
export interface Tuple {
  readonly source: Address;
  readonly destination: Address;
  readonly ports?: Ends;
  readonly icmp?: { readonly type: number; readonly code: number; readonly id: number };
  /** Keys of PPTP's GRE (16 bits); 0 for other GRE. */
  readonly greKeys?: Ends;
}

export interface Ends {
  readonly source: number;
  readonly destination: number;
}

/** A tuple of an entry. */
export interface TrackedTuple extends Tuple {
  /** `zone-orig=` or `zone-reply=`: the zone of this direction alone. */
  readonly zone?: number;
  /** Packets and bytes so far; absent when net.netfilter.nf_conntrack_acct is 0, and in most events. */
  readonly counters?: Counters;
}

/** The most that is shown of a connection's standing: hardware offload hides offload, and offload hides assurance. */
export type Standing = "ASSURED" | "OFFLOAD" | "HW_OFFLOAD";

export interface Connection {
  readonly family: Family;
  /** The protocol's number; its name as printed, which is `unknown` for protocols that the printer has no tracker for. */
  readonly protocol: number;
  readonly protocolName: string;
  /** Until the entry ends if no packet comes; not shown of offloaded connections. */
  readonly timeoutSeconds?: number;
  /** Of tcp, sctp and dccp; not shown of offloaded connections. The names are those of the printer. */
  readonly state?: string;
  /** GRE in /proc/net/nf_conntrack: the timeouts that hold before and after an answer. */
  readonly greTimeouts?: { readonly timeoutSeconds: number; readonly streamTimeoutSeconds: number };
  readonly original: TrackedTuple;
  readonly reply: TrackedTuple;
  /** No answer was seen yet. */
  readonly unreplied?: true;
  readonly standing?: Standing;
  /** Absent where the kernel was built without connection marks, and in events that leave a mark of 0 as it was. */
  readonly mark?: number;
  readonly secmark?: number;
  readonly secctx?: string;
  /** The zone of both directions. /proc shows 0, conntrack(8) leaves it out. */
  readonly zone?: number;
  /** Age, with net.netfilter.nf_conntrack_timestamp. */
  readonly deltaTimeSeconds?: number;
  /** `[start=…]` and `[stop=…]` of `-o ktimestamp`: as ctime(3) prints them, in the node's own time zone. */
  readonly start?: string;
  readonly stop?: string;
  readonly helper?: string;
  /** References that the kernel holds. */
  readonly use?: number;
  readonly id?: number;
  readonly labels?: readonly string[];
  /** Words that are not known here, each with the part that it stands behind. */
  readonly others?: readonly OtherWord[];
  /** Where it was read; absent for entries that were made. */
  readonly place?: Place;
}

export interface OtherWord {
  readonly text: string;
  readonly behind: Part;
}

/** Parts of a printed entry; those of the end by their keys, in the order in which they print. */
export type Part = "head" | "original" | "unreplied" | "reply" | "standing" | Attribute;

/** In the order of libnetfilter_conntrack 1.0.9; /proc/net/nf_conntrack has some of them, in the same order. */
export const ATTRIBUTES = [
  "mark",
  "secmark",
  "secctx",
  "zone",
  "delta-time",
  "start",
  "stop",
  "helper",
  "use",
  "id",
  "labels",
] as const;
export type Attribute = (typeof ATTRIBUTES)[number];

/** Whether an answer was seen (IPS_SEEN_REPLY). */
export function hasSeenReply(connection: Connection): boolean {
  return connection.unreplied === undefined;
}

/** The zone in which packets of a direction are looked up; 0 is the default zone. */
export function zoneOf(connection: Connection, direction: Direction): number {
  return connection[direction].zone ?? connection.zone ?? 0;
}

/** One end of a packet. `port` is the ICMP id or the GRE key where the protocol has these. */
export interface Endpoint {
  readonly address: Address;
  readonly port?: number;
}

/** What a packet of the original direction has at one end when it comes, and what it has when it leaves. */
export interface Translation {
  readonly from: Endpoint;
  readonly to: Endpoint;
}

/**
 * The destination NAT that an entry shows: the answer comes from another address or port than the client wrote to. `to` is
 * where the packet lands. Undefined: destinations stay.
 */
export function destinationNat({ original, reply }: Connection): Translation | undefined {
  return translation(endpoint(original, "destination"), endpoint(reply, "source"));
}

/**
 * The source NAT (SNAT, masquerading) that an entry shows: the answer goes to another address or port than the client's.
 * `to` is the source that the server sees. Undefined: sources stay.
 */
export function sourceNat({ original, reply }: Connection): Translation | undefined {
  return translation(endpoint(original, "source"), endpoint(reply, "destination"));
}

function endpoint({ ports, greKeys, icmp, ...tuple }: Tuple, end: keyof Ends): Endpoint {
  // An ICMP query has one id for both ends, which NAT of the source may change.
  const port = ports?.[end] ?? greKeys?.[end] ?? icmp?.id;
  return { address: tuple[end], ...(port === undefined ? {} : { port }) };
}

function translation(from: Endpoint, to: Endpoint): Translation | undefined {
  return from.address === to.address && from.port === to.port ? undefined : { from, to };
}

/** A packet as connection tracking sees it. */
export interface TrackedPacket extends Tuple {
  readonly protocol: number;
  /** Default: 0. */
  readonly zone?: number;
}

export interface FoundConnection {
  readonly connection: Connection;
  readonly direction: Direction;
}

/**
 * The entry that a packet belongs to, and the direction it goes in. Of two entries with the same tuple, which a kernel never
 * holds at one time, the later one counts. The first search of a list makes an index; the list must not change afterwards.
 */
export function findConnection(
  connections: readonly Connection[],
  packet: TrackedPacket,
): FoundConnection | undefined {
  const index = indexOf(connections);
  const { protocol, zone = 0, source, destination } = packet;
  // The tracker for protocols that the kernel does not know looks at addresses alone.
  return (
    index.get(tupleKey(protocol, zone, packet)) ??
    index.get(tupleKey(protocol, zone, { source, destination }))
  );
}

/** The same for two entries when they are of one connection: zone, protocol and original tuple. */
export function connectionKey(connection: Connection): string {
  return tupleKey(connection.protocol, zoneOf(connection, "original"), connection.original);
}

const indexes = new WeakMap<readonly Connection[], ReadonlyMap<string, FoundConnection>>();

function indexOf(connections: readonly Connection[]): ReadonlyMap<string, FoundConnection> {
  const known = indexes.get(connections);
  if (known !== undefined) return known;
  const index = new Map<string, FoundConnection>();
  for (const connection of connections) {
    for (const direction of ["reply", "original"] as const) {
      const key = tupleKey(connection.protocol, zoneOf(connection, direction), connection[direction]);
      index.set(key, { connection, direction });
    }
  }
  indexes.set(connections, index);
  return index;
}

function tupleKey(protocol: number, zone: number, { source, destination, ...tuple }: Tuple): string {
  const { ports, icmp, greKeys } = tuple;
  const ends = ports ?? greKeys;
  const rest =
    ends !== undefined
      ? `${ends.source} ${ends.destination}`
      : icmp === undefined
        ? ""
        : `${icmp.type} ${icmp.code} ${icmp.id}`;
  return `${familyOf(source)} ${zone} ${protocol} ${source} ${destination} ${rest}`;
}
