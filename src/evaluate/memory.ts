/**
 * What the node remembers from packet to packet: connections, xt_recent lists, counters of rules, and the time. Memories
 * are never changed; what a packet leaves behind makes a new one.
 */
import { type Address, type Family, printAddress } from "../../grammar/address.js";
import { PORT_PROTOCOLS, PROTOCOL } from "../../grammar/protocols.js";
import { type Amounts, amountsKey } from "./amounts.js";
import type { IpvsTable } from "./ipvs/table.js";
import type { IpvsTcpState } from "./ipvs/tcp-states.js";
import type { TcpState } from "./tcp-states.js";

/** A part of a tuple that is not known bears a name instead, so that what is equal is seen to be equal. */
export type Unknown = string;

/** What conntrack tells packets by. An ICMP query has its id for a source port and its type for a destination port. */
export interface Tuple {
  readonly source: Address | Unknown;
  readonly sourcePort: number | Unknown | null;
  readonly destination: Address | Unknown;
  readonly destinationPort: number | Unknown | null;
}

/** A packet that an ICMP error tells of. */
export interface Quoted {
  readonly protocol: number;
  readonly tuple: Tuple;
}

export type Direction = "ORIGINAL" | "REPLY";

/** The zones in which packets are looked up, one for each direction of connections; 0 unless a CT target says otherwise. */
export type Zones = Readonly<Record<Direction, number>>;

export const NO_ZONES: Zones = { ORIGINAL: 0, REPLY: 0 };

/** An entry of the connection table. */
export interface Tracked {
  readonly family: Family;
  readonly zones: Zones;
  readonly protocol: number;
  /** As the client sends. */
  readonly original: Tuple;
  /** As the answer is expected. */
  readonly reply: Tuple;
  readonly seenReply: boolean;
  readonly assured: boolean;
  readonly tcp: TcpState | undefined;
  /** The last packet was a SYN in this direction that did not fit: its answer makes the connection known anew. */
  readonly ignoredSyn: Direction | undefined;
  readonly mark: number;
  /** What was sent either way; undefined: not known. */
  readonly amounts?: Amounts | undefined;
  /** The new destination is the work of IPVS, not of nat. */
  readonly served?: true;
  /** The id of an ICMP query was drawn with its new destination (`DNAT --random`), not with a new source. */
  readonly idOfDestination?: true;
  /** Second at which it was answered first, and at which it ends if no packet comes. */
  readonly answeredAt: number | undefined;
  readonly endsAt: number;
}

/** A connection of IPVS. Parts of a tuple that are not known have names. */
export interface Served {
  /** The virtual server as people write it: `10.96.0.10:80/tcp`, `mark 1`. */
  readonly service: string;
  readonly scheduler: string | undefined;
  readonly protocol: number;
  /** As the client sends to the virtual server, before its source is masqueraded. */
  readonly request: Tuple;
  readonly server: { readonly address: Address; readonly port: number };
  /** How its packets are forwarded: with a new destination, or as they are (direct routing, tunnels). */
  readonly method: ServedMethod;
  /** How far IPVS has seen it come. */
  readonly tcp?: IpvsTcpState;
  /** Its name in the table of virtual servers; absent: the table does not hold it, since the client is not known. */
  readonly entry?: string;
  /** Second at which IPVS forgets it if no packet comes. */
  readonly endsAt: number;
}

/** As xt_ipvs names them. */
export type ServedMethod = "MASQ" | "GATE" | "IPIP";

/** One address in an xt_recent list. */
export interface Seen {
  /** When the packets came that are known, oldest first; of stamps in a dump only bounds may be known. */
  readonly stamps: readonly Stamp[];
  /** Whether there may be stamps from before, which nothing given tells. */
  readonly before: boolean;
}

/** Seconds, as `Memory.now`; below 0: before the question. */
export interface Stamp {
  readonly from: number;
  readonly to: number;
}

/** An element that a rule has put into an ipset, or taken out. */
export interface Member {
  /** The last second of it; undefined: it is gone. */
  readonly until: number | undefined;
}

/**
 * The counter of a rule (`statistic --mode nth`): undefined position: not known, after `asked` packets. Of a bucket
 * (`limit`) the tokens that it held at the second `asked`; of a quota the most and the least bytes that may be left; of an
 * entry in an ipset the bytes, if known, and the packets that it has counted in the question.
 */
export interface Counted {
  readonly position: number | undefined;
  readonly asked: number;
}

export interface Memory {
  /** Seconds since the question's first packet. */
  readonly now: number;
  /** Entries by the keys of both of their tuples; those made or changed by packets of the question come before the given. */
  readonly connections: ReadonlyMap<string, Entry>;
  readonly given: ReadonlyMap<string, Entry>;
  /** Connections of IPVS by the keys of their requests and, marked `<`, of their answers. */
  readonly served: ReadonlyMap<string, Served>;
  /** The virtual servers and what they keep of clients, where packets of the question have changed that. Not to be changed. */
  readonly ipvs: IpvsTable | undefined;
  /** By list, then by address; least recently set first. */
  readonly lists: ReadonlyMap<string, ReadonlyMap<string, Seen>>;
  /** Lists that hold nothing but what is in `lists`. */
  readonly knownLists: ReadonlySet<string> | "all";
  /** What rules have changed in ipsets, by set and element. */
  readonly members: ReadonlyMap<string, ReadonlyMap<string, Member>>;
  /** By rule. */
  readonly counters: ReadonlyMap<string, Counted>;
  /** Counters start at their first packet, as they do when rules were just loaded. */
  readonly countersFresh: boolean;
}

/** Where a tuple leads. */
export interface Entry {
  /** Undefined: it was there and is gone. */
  readonly connection: Tracked | undefined;
  readonly direction: Direction;
}

/** `fresh`: all tables are empty, and rules were just loaded. */
export function startMemory(fresh: boolean, given: readonly Tracked[] = []): Memory {
  return {
    now: 0,
    connections: new Map(),
    given: new Map(given.flatMap(entriesOf)),
    served: new Map(),
    ipvs: undefined,
    lists: new Map(),
    knownLists: fresh ? "all" : new Set(),
    members: new Map(),
    counters: new Map(),
    countersFresh: fresh,
  };
}

/** The connection that a tuple belongs to, and its direction; entries whose time is over are gone. */
export function lookUp(
  memory: Memory,
  family: Family,
  protocol: number,
  tuple: Tuple,
  zones = NO_ZONES,
): Found | undefined {
  const key = tupleKey(family, protocol, tuple);
  const inZone = (zone: number): Found | undefined => {
    const own = zoneKey(zone, key);
    const { connection, direction } = memory.connections.get(own) ?? memory.given.get(own) ?? {};
    if (connection === undefined || direction === undefined || connection.endsAt < memory.now)
      return undefined;
    return zones[direction] === zone ? { connection, direction } : undefined;
  };
  return inZone(zones.ORIGINAL) ?? (zones.REPLY === zones.ORIGINAL ? undefined : inZone(zones.REPLY));
}

function zoneKey(zone: number, key: string): string {
  return zone === 0 ? key : `zone ${zone} ${key}`;
}

export interface Found {
  readonly connection: Tracked;
  readonly direction: Direction;
}

/** All connections that live: those made in the question, the newest first, then the given. */
export function living({ now, connections, given }: Memory): readonly Tracked[] {
  const entries = [
    ...[...connections.values()].reverse(),
    ...[...given].flatMap(([key, entry]) => (connections.has(key) ? [] : [entry])),
  ];
  return entries.flatMap(({ connection, direction }) =>
    connection !== undefined && direction === "ORIGINAL" && connection.endsAt >= now ? [connection] : [],
  );
}

/** The entry made, or put in the place of the one with the same original tuple. */
export function withConnection(memory: Memory, connection: Tracked): Memory {
  return { ...memory, connections: new Map([...memory.connections, ...entriesOf(connection)]) };
}

/** The entry is gone. */
export function forget(memory: Memory, connection: Tracked): Memory {
  const gone = entriesOf(connection).map(
    ([key, { direction }]) => [key, { connection: undefined, direction }] as const,
  );
  return { ...memory, connections: new Map([...memory.connections, ...gone]) };
}

/** `conntrack -F`. */
export function withoutConnections(memory: Memory): Memory {
  return { ...memory, connections: new Map(), given: new Map() };
}

/** The connection of IPVS that a packet with this tuple belongs to, as a request or as an answer. */
export function servedBy(
  { served, now }: Memory,
  family: Family,
  protocol: number,
  tuple: Tuple,
  as: "request" | "answer",
): Served | undefined {
  const key = tupleKey(family, protocol, tuple);
  const found = served.get(as === "request" ? key : `<${key}`);
  return found === undefined || found.endsAt < now ? undefined : found;
}

/** The connection of IPVS made, or put in the place of the one with the same request. */
export function withServed(memory: Memory, family: Family, connection: Served): Memory {
  return { ...memory, served: new Map([...memory.served, ...servedEntries(family, connection)]) };
}

/** A connection of IPVS by the keys of both ways. */
export function servedEntries(family: Family, connection: Served): readonly (readonly [string, Served])[] {
  const { protocol, request, server } = connection;
  const answer: Tuple = {
    source: server.address,
    sourcePort: server.port,
    destination: request.source,
    destinationPort: request.sourcePort,
  };
  return [
    [tupleKey(family, protocol, request), connection],
    [`<${tupleKey(family, protocol, answer)}`, connection],
  ];
}

function entriesOf(connection: Tracked): readonly (readonly [string, Entry])[] {
  const { family, protocol, original, reply, zones } = connection;
  return [
    // An answer that is expected like a query of its own does not hide that.
    [zoneKey(zones.REPLY, tupleKey(family, protocol, reply)), { connection, direction: "REPLY" }],
    [zoneKey(zones.ORIGINAL, tupleKey(family, protocol, original)), { connection, direction: "ORIGINAL" }],
  ];
}

export function tupleKey(family: Family, protocol: number, tuple: Tuple): string {
  const { source, sourcePort, destination, destinationPort } = tuple;
  return `${family} ${protocol} ${text(source)} ${sourcePort} ${text(destination)} ${destinationPort}`;
}

function text(part: Address | Unknown): string {
  return typeof part === "string" ? part : printAddress(part);
}

/** ICMP queries and their answers. */
const ICMP_ANSWERS: Readonly<Record<number, Readonly<Record<number, number>>>> = {
  [PROTOCOL.icmp]: { 8: 0, 13: 14, 15: 16, 17: 18 },
  [PROTOCOL.ipv6Icmp]: { 128: 129, 139: 140 },
};

/** The tuple of an answer. */
export function inverse(protocol: number, tuple: Tuple): Tuple {
  const { source, sourcePort, destination, destinationPort } = tuple;
  const turned = { source: destination, destination: source };
  const answers = ICMP_ANSWERS[protocol];
  if (answers === undefined) return { ...turned, sourcePort: destinationPort, destinationPort: sourcePort };
  const type = Number(destinationPort);
  const query = Object.keys(answers).find((one) => answers[Number(one)] === type);
  return {
    ...turned,
    sourcePort,
    destinationPort: answers[type] ?? (query === undefined ? type : Number(query)),
  };
}

/** What an entry's tuples say of nat: the answer comes from elsewhere than the client wrote to, or goes elsewhere. */
export function translations({
  protocol,
  original,
  reply,
  served,
  idOfDestination,
}: Pick<Tracked, "protocol" | "original" | "reply" | "served" | "idOfDestination">): {
  readonly destination: boolean;
  readonly source: boolean;
} {
  const plain = inverse(protocol, original);
  const otherPort = plain.sourcePort !== reply.sourcePort;
  return {
    destination:
      !served &&
      (plain.source !== reply.source || ((hasPorts(protocol) || idOfDestination === true) && otherPort)),
    source:
      plain.destination !== reply.destination ||
      (hasPorts(protocol) ? plain.destinationPort !== reply.destinationPort : !idOfDestination && otherPort),
  };
}

function hasPorts(protocol: number): boolean {
  return PORT_PROTOCOLS.includes(protocol);
}

/** Entries of a list that holds this many push out the one set longest ago (`ip_list_tot`). */
const LIST_MAX = 100;

/** Stamps that are kept of an address (`ip_pkt_list_tot`); more when a rule asks for more hits, which never matters less. */
const STAMPS_MAX = 65536;

/** What is known of an address in a list. */
export function seenBy(memory: Memory, list: string, address: string): Seen {
  return memory.lists.get(list)?.get(address) ?? { stamps: [], before: !isKnown(memory, list) };
}

function isKnown({ knownLists }: Memory, list: string): boolean {
  return knownLists === "all" || knownLists.has(list);
}

/** `--set`, `--update`: one more stamp; `--remove`: none, and none from before. */
export function withSeen(memory: Memory, list: string, address: string, action: "set" | "remove"): Memory {
  const before = memory.lists.get(list) ?? new Map<string, Seen>();
  const known = seenBy(memory, list, address);
  const entries = new Map(before);
  entries.delete(address);
  if (action === "set") {
    if (isKnown(memory, list) && entries.size >= LIST_MAX) {
      const [oldest] = entries.keys();
      if (oldest !== undefined) entries.delete(oldest);
    }
    entries.set(address, {
      ...known,
      stamps: [...known.stamps.slice(-STAMPS_MAX), { from: memory.now, to: memory.now }],
    });
  } else if (!isKnown(memory, list)) entries.set(address, { stamps: [], before: false });
  return { ...memory, lists: new Map(memory.lists).set(list, entries) };
}

/** An element of an ipset is there until a second, or undefined, gone. */
export function withMember(memory: Memory, set: string, element: string, until: number | undefined): Memory {
  const members = new Map(memory.members.get(set)).set(element, { until });
  return { ...memory, members: new Map(memory.members).set(set, members) };
}

const keys = new WeakMap<Memory, string>();
const tables = new WeakMap<object, number>();
let tablesSeen = 0;

/** Equal for memories that give equal answers from now on. */
export function memoryKey(memory: Memory): string {
  let key = keys.get(memory);
  if (key === undefined) {
    let table = tables.get(memory.given);
    if (table === undefined) {
      table = tablesSeen++;
      tables.set(memory.given, table);
    }
    const connections = [...memory.connections].map(
      ([tuple, { connection, direction }]) =>
        `${tuple} ${direction} ${connection && connectionKey(connection)}`,
    );
    const lists = [...memory.lists].flatMap(([list, entries]) =>
      [...entries].map(
        ([address, { stamps, before }]) =>
          `${list} ${address} ${stamps.map(({ from, to }) => `${from}-${to}`)} ${before}`,
      ),
    );
    const counters = [...memory.counters].map(
      ([rule, { position, asked }]) => `${rule} ${position} ${asked}`,
    );
    const members = [...memory.members].flatMap(([set, elements]) =>
      [...elements].map(([element, { until }]) => `${set} ${element} ${until}`),
    );
    const served = [...memory.served].map(
      ([request, { server, service, tcp, endsAt }]) =>
        `${request} ${service} ${text(server.address)} ${server.port} ${tcp} ${endsAt}`,
    );
    const templates = [...(memory.ipvs?.templates ?? [])].map(
      ([name, { holders, deadline, connections: count }]) =>
        `${name} ${holders.map(({ server }) => server)} ${deadline} ${count}`,
    );
    key = [
      memory.now,
      table,
      ...connections,
      ...served,
      ...templates,
      ...lists,
      ...members,
      ...counters,
    ].join("\n");
    keys.set(memory, key);
  }
  return key;
}

function connectionKey({
  family,
  protocol,
  reply,
  seenReply,
  assured,
  tcp,
  ignoredSyn,
  mark,
  answeredAt,
  endsAt,
  idOfDestination,
  zones,
  amounts,
}: Tracked): string {
  return [
    zones.ORIGINAL,
    zones.REPLY,
    tupleKey(family, protocol, reply),
    seenReply,
    assured,
    tcp,
    ignoredSyn,
    mark,
    answeredAt,
    endsAt,
    idOfDestination,
    amountsKey(amounts),
  ].join(" ");
}
