/**
 * Events one after the other on a table: for each new connection, the real servers that it may get. Where chance decides,
 * the replay goes on in every table that may be, each with its share; equal ones are one.
 */
import type { FirstPacket, IpvsEvent } from "../../state/ipvs-events.js";
import type { Share } from "../outcome.js";
import { ratio } from "../share.js";
import { close, endOf, enter, expire, type Opening, openingOf, tupleOf, type Way, wait } from "./open.js";
import { change, copyOf, type Holder, type IpvsTable, serverName } from "./table.js";

export interface ServerShare {
  /** Address and port of the real server, or `refused`. */
  readonly address: string;
  readonly share: Share;
}

export interface Opened {
  readonly id: string;
  /** The likelier first. */
  readonly servers: readonly ServerShare[];
  readonly assuming: readonly string[];
}

/** Nobody takes it: the client gets an ICMP port unreachable, for TCP too. */
const REFUSED = "refused";

/** A table that may be; its share is `weight` of the sum of all. */
interface World {
  readonly table: IpvsTable;
  readonly weight: bigint;
}

/** So many tables that may be are followed; fewer when there are very many events, and connections to remember. */
const WORLDS_MAX = 1024;
const STEPS_MAX = 5_000_000;
/** Outcomes of one event that are looked at, for each table that is followed: most become equal tables. */
const BRANCHES_EACH = 4;
/** Bits of the common denominator that are kept; beyond, shares are rounded. */
const WEIGHT_BITS = 2048;

const CUT = "the less likely outcomes of earlier draws are left out: there are too many to follow";
const ROUNDED = "shares are rounded";

/**
 * Answers for the `open` events, in their order. `start` itself does not change. A connection with a known id is ended by
 * `close` and `expire`; other ids do nothing.
 */
export function* replay(start: IpvsTable, events: readonly IpvsEvent[]): Generator<Opened> {
  const uses = usesOf(events);
  const steps = events.length * (10 + mostRemembered(uses, events.length));
  const worldsMax = Math.min(WORLDS_MAX, Math.max(1, Math.floor(STEPS_MAX / (steps + 1))));
  const tuples = new Map<string, string>();
  const cuts = new Set<string>();
  let worlds: readonly World[] = [{ table: copyOf(start), weight: 1n }];
  for (const [index, event] of events.entries()) {
    const tables = worlds.map(({ table }) => table);
    const touched = tupleTouched(event, tuples);
    switch (event.kind) {
      case "change":
        for (const table of tables) change(table, event.change);
        break;
      case "wait":
        for (const table of tables) wait(table, event.seconds);
        break;
      case "close":
        if (touched !== undefined) for (const table of tables) close(table, touched);
        break;
      case "expire":
        if (touched !== undefined) for (const table of tables) expire(table, touched);
        break;
      case "open": {
        const { branches, ends, assuming } = open(worlds, event);
        yield { id: event.id, servers: sharesOf(ends), assuming: [...assuming, ...cuts] };
        const branchesMax = worldsMax === 1 ? 1 : worldsMax * BRANCHES_EACH;
        worlds = follow(likeliest(branches, branchesMax, cuts), event.packet);
        break;
      }
    }
    // What no later event speaks of makes no difference between tables, but for the counts.
    if (touched !== undefined && (uses.get(touched)?.last ?? 0) <= index)
      for (const { table } of worlds) table.connections.delete(touched);
    worlds = shortened(likeliest(merged(worlds), worldsMax, cuts), cuts);
  }
}

function tupleTouched(event: IpvsEvent, tuples: Map<string, string>): string | undefined {
  if (event.kind === "open") {
    const tuple = tupleOf(event.packet);
    tuples.set(event.id, tuple);
    return tuple;
  }
  return event.kind === "close" || event.kind === "expire" ? tuples.get(event.id) : undefined;
}

/** The first and the last event at which each connection, by its tuple, matters. */
interface Use {
  readonly first: number;
  readonly last: number;
}

function usesOf(events: readonly IpvsEvent[]): ReadonlyMap<string, Use> {
  const tuples = new Map<string, string>();
  const uses = new Map<string, Use>();
  const lastWait = events.findLastIndex(({ kind }) => kind === "wait");
  for (const [index, event] of events.entries()) {
    const tuple = tupleTouched(event, tuples);
    if (tuple !== undefined)
      uses.set(tuple, { first: uses.get(tuple)?.first ?? index, last: Math.max(index, lastWait) });
  }
  return uses;
}

/** How many connections must be remembered at a time. */
function mostRemembered(uses: ReadonlyMap<string, Use>, count: number): number {
  const changes = new Array<number>(count + 1).fill(0);
  for (const { first, last } of uses.values()) {
    changes[first] = (changes[first] ?? 0) + 1;
    changes[last] = (changes[last] ?? 0) - 1;
  }
  let [now, most] = [0, 0];
  for (const one of changes) {
    now += one;
    most = Math.max(most, now);
  }
  return most;
}

/** What a new connection makes of a table. */
interface Branch {
  readonly table: IpvsTable;
  readonly weight: bigint;
  /** Undefined: no virtual server takes it. */
  readonly opening: Opening | undefined;
  readonly ways: readonly Way[];
}

interface Ends {
  readonly branches: readonly Branch[];
  /** Weights by address. */
  readonly ends: ReadonlyMap<string, bigint>;
  readonly assuming: ReadonlySet<string>;
}

function open(worlds: readonly World[], { packet }: Extract<IpvsEvent, { kind: "open" }>): Ends {
  const openings = worlds.map(({ table }) => openingOf(table, packet));
  const totals = openings.map((opening) => sumOf(opening?.ways ?? []));
  // All weights are made comparable: parts of one whole.
  const whole = totals.reduce((product, total) => leastCommonMultiple(product, total), 1n);
  const branches: Branch[] = [];
  const ends = new Map<string, bigint>();
  const assuming = new Set<string>();
  for (const [index, { table, weight }] of worlds.entries()) {
    const opening = openings[index];
    const total = totals[index] ?? 1n;
    const unit = weight * (whole / total);
    const arrive = (address: string, part: bigint): void => {
      ends.set(address, (ends.get(address) ?? 0n) + part);
    };
    if (opening === undefined) {
      arrive(REFUSED, unit);
      assuming.add("no virtual server takes this packet, and nothing on the node answers it");
      branches.push({ table, weight: unit, opening, ways: [] });
      continue;
    }
    for (const one of opening.assuming) assuming.add(one);
    for (const { server, weight: part } of opening.ways) {
      const end = server === undefined ? undefined : endOf(opening.service, server, packet);
      arrive(end === undefined ? REFUSED : serverName(end), part * unit);
    }
    if (!table.isKnown) branches.push({ table, weight: unit * total, opening, ways: opening.ways });
    else
      for (const way of opening.ways)
        branches.push({ table, weight: unit * way.weight, opening, ways: [way] });
  }
  return { branches, ends, assuming };
}

/** The tables after the connection; all but the last branch of a table have copies of it. */
function follow(branches: readonly Branch[], packet: FirstPacket): readonly World[] {
  const left = new Map<IpvsTable, number>();
  for (const { table } of branches) left.set(table, (left.get(table) ?? 0) + 1);
  return branches.map(({ table, weight, opening, ways }) => {
    const others = (left.get(table) ?? 1) - 1;
    left.set(table, others);
    const own = others === 0 ? table : copyOf(table);
    if (opening !== undefined) enter(own, packet, opening, ways);
    return { table: own, weight };
  });
}

function sumOf(parts: readonly { readonly weight: bigint }[]): bigint {
  return parts.length === 0 ? 1n : parts.reduce((sum, { weight }) => sum + weight, 0n);
}

function sharesOf(ends: ReadonlyMap<string, bigint>): readonly ServerShare[] {
  const total = [...ends.values()].reduce((sum, weight) => sum + weight, 0n);
  return [...ends]
    .filter(([, weight]) => weight > 0n)
    .sort(([left, one], [right, other]) => (one === other ? (left < right ? -1 : 1) : one > other ? -1 : 1))
    .map(([address, weight]) => ({ address, share: ratio(weight, total) }));
}

/** Equal tables as one. */
function merged(worlds: readonly World[]): readonly World[] {
  if (worlds.length === 1) return worlds;
  const byContent = new Map<string, World>();
  for (const world of worlds) {
    const content = contentOf(world.table);
    const weight = world.weight + (byContent.get(content)?.weight ?? 0n);
    byContent.set(content, { table: world.table, weight });
  }
  return [...byContent.values()];
}

function likeliest<T extends World>(all: readonly T[], max: number, cuts: Set<string>): readonly T[] {
  if (all.length <= max) return all;
  cuts.add(CUT);
  const byWeight = [...all].sort(({ weight: one }, { weight: other }) =>
    one === other ? 0 : one > other ? -1 : 1,
  );
  return byWeight.slice(0, max);
}

/** Weights of a bearable length. */
function shortened(worlds: readonly World[], cuts: Set<string>): readonly World[] {
  if (worlds.length === 1) return worlds.map(({ table }) => ({ table, weight: 1n }));
  const bits = sumOf(worlds).toString(16).length * 4;
  if (bits <= WEIGHT_BITS) return worlds;
  cuts.add(ROUNDED);
  const shift = BigInt(bits - WEIGHT_BITS / 2);
  return worlds.flatMap(({ table, weight }) =>
    weight >> shift === 0n ? [] : [{ table, weight: weight >> shift }],
  );
}

/**
 * Equal texts: tables that no event can tell apart. Services and the entries of connections and templates are those of
 * the same events, so that only what chance may have made different is written.
 */
function contentOf({ services, loads, connections, templates }: IpvsTable): string {
  const parts = [...services.values()].map(({ memory }) => JSON.stringify(memory, mapsAsLists));
  for (const [name, { active, inactive, overloaded }] of [...loads].sort(([left], [right]) =>
    left < right ? -1 : 1,
  ))
    parts.push(`${name} ${active} ${inactive} ${overloaded}`);
  const held = (holders: readonly Holder[]): string => holders.map(({ server }) => server).join(" ");
  for (const { holders, active } of connections.values())
    parts.push(active ? held(holders) : `-${held(holders)}`);
  for (const { holders, connections: count } of templates.values()) parts.push(`${held(holders)} ${count}`);
  return parts.join("\n");
}

const mapsAsLists = (_: string, value: unknown): unknown => (value instanceof Map ? [...value] : value);

function leastCommonMultiple(left: bigint, right: bigint): bigint {
  let [big, small] = [left, right];
  while (small !== 0n) [big, small] = [small, big % small];
  return (left / big) * right;
}
