/** The ipsets of a node, as plain data, and whether a packet is in one. */
import type { Family } from "../../grammar/address.js";
import type {
  CreateOptions,
  Direction,
  ElementPart,
  Extensions,
  Key,
  SetContext,
  SetPacket,
  SetType,
} from "../../grammar/sets/description.js";
import { setTypeNamed } from "../../grammar/sets/types.js";
import type { Place } from "../problems/problem.js";

export interface SetEntry {
  /** One part for each dimension of the set's type. */
  readonly parts: readonly ElementPart[];
  readonly extensions: Extensions;
}

export interface IpSet {
  readonly name: string;
  /** A name of `SET_TYPES`. */
  readonly type: string;
  readonly options: CreateOptions;
  /** In the order in which they were listed. Undefined: not known (`ipset list -t`), which is not empty. */
  readonly entries?: readonly SetEntry[];
  /** How many members a listing counts above those that it shows; absent: it shows all. */
  readonly notListed?: number;
  /** How many rules and lists hold the set, as `ipset list` tells; absent: not told. */
  readonly references?: number;
  readonly place?: Place;
}

/** By name, in the order in which they were made. */
export type IpSets = ReadonlyMap<string, IpSet>;

/** `open`: it hangs on a part of the packet, or of the set, that is not known. */
export type Membership = "yes" | "no" | "open";

/**
 * Whether `-m set --match-set NAME src,dst` holds for a packet, as `ip_set_test` of the kernel answers it. An element
 * that had a timeout is taken to be there still. A set that is not among `sets` is open.
 */
export function membership(
  sets: IpSets,
  name: string,
  directions: readonly Direction[],
  packet: SetPacket,
): Membership {
  const set = sets.get(name);
  if (set === undefined) return "open";
  const type = setTypeNamed(set.type);
  if (type === undefined) return "open";
  if (directions.length < type.dimensions.length) return "no";
  if (type.method !== "list") {
    const found = inSet(set, type, directions, packet);
    // One that is not shown may be the member, or a smaller network that says `nomatch`.
    const mayBeOther = set.notListed !== undefined && (found === "no" || type.name.includes("net"));
    return mayBeOther ? "open" : found;
  }
  if (set.entries === undefined) return "open";
  // Lists hold no lists, so that this ends.
  const answers = set.entries.map(({ parts }) => {
    const member = String(parts[0]);
    return sets.get(member)?.type === set.type ? "no" : membership(sets, member, directions, packet);
  });
  if (answers.includes("yes")) return "yes";
  return answers.includes("open") || set.notListed !== undefined ? "open" : "no";
}

/** The family of a set's addresses; undefined for the types that have none. */
function familyOfSet(set: IpSet): Family | undefined {
  const families = setTypeNamed(set.type)?.families ?? [];
  return families.length === 0 ? undefined : contextOf(set.options).family;
}

/** What the dimensions of a set have to know of it. */
export function contextOf(options: CreateOptions): SetContext {
  return { family: options.family ?? "ipv4", options };
}

/** Elements whose parts have the same ranks, by what a packet's parts are compared with. */
interface Class {
  readonly ranks: readonly number[];
  /** Where in the entries the first stands, and whether it says `nomatch`. */
  readonly hits: Map<Key, Hit>;
}

interface Hit {
  readonly at: number;
  readonly nomatch: boolean;
}

/** Classes of the same rank in the dimensions that have an order; among those the order of the entries decides. */
interface Group {
  /** One rank for each dimension that has an order. */
  readonly order: readonly number[];
  readonly classes: Map<string, Class>;
  /** Of types whose search ends at the first network that is there: the networks. */
  readonly networks: Set<Key>;
}

/** The entry by which a packet is in a set; undefined where that is not known, and for lists of sets. */
export function findEntry(
  sets: IpSets,
  name: string,
  directions: readonly Direction[],
  packet: SetPacket,
): SetEntry | undefined {
  const set = sets.get(name);
  const type = set && setTypeNamed(set.type);
  if (set === undefined || type === undefined || type.method === "list") return undefined;
  const at = directions.length < type.dimensions.length ? "no" : placeInSet(set, type, directions, packet);
  return typeof at === "number" ? set.entries?.[at] : undefined;
}

function inSet(set: IpSet, type: SetType, directions: readonly Direction[], packet: SetPacket): Membership {
  const place = placeInSet(set, type, directions, packet);
  return typeof place === "number" ? "yes" : place;
}

/** Where the entry stands that has the packet. */
function placeInSet(
  set: IpSet,
  type: SetType,
  directions: readonly Direction[],
  packet: SetPacket,
): number | "no" | "open" {
  const family = familyOfSet(set);
  if (family !== undefined && family !== packet.family) return "no";
  const context = contextOf(set.options);
  const asked = type.dimensions.map((one, index) => one.ask(packet, directions[index] as Direction, context));
  if (asked.includes(null)) return "no";
  if (set.entries === undefined) return "open";
  const known = asked.map((part) => part !== undefined);
  const all = !known.includes(false);
  for (const { order, classes, networks } of groupsOf(set, type, known)) {
    let first: Hit | undefined;
    for (const { ranks, hits } of classes.values()) {
      const hit = hits.get(joined(known, (index) => probe(type, asked, ranks, index)));
      if (hit !== undefined && (first === undefined || hit.at < first.at)) first = hit;
    }
    // With a part unknown, an element that fits the others may or may not be the one.
    if (first !== undefined) return first.nomatch ? "no" : all ? first.at : "open";
    if (type.endsAtNetwork && known[0] && networks.has(probe(type, asked, order, 0))) return "no";
  }
  return "no";
}

function probe(type: SetType, asked: readonly unknown[], ranks: readonly number[], index: number): Key {
  const rank = ranks[index] as number;
  return rank === LEFT_OUT ? "" : (type.dimensions[index]?.probe(asked[index] as never, rank) ?? "");
}

/** The rank of a part that an element leaves out: it holds for any. */
const LEFT_OUT = -1;

/** For each set, its elements by what a packet with these parts known is looked up with; made when first asked. */
const indexes = new WeakMap<IpSet, Map<string, readonly Group[]>>();

function groupsOf(set: IpSet, type: SetType, known: readonly boolean[]): readonly Group[] {
  let index = indexes.get(set);
  if (index === undefined) {
    index = new Map();
    indexes.set(set, index);
  }
  const which = known.join();
  let groups = index.get(which);
  if (groups === undefined) {
    groups = makeGroups(set, type, known);
    index.set(which, groups);
  }
  return groups;
}

function makeGroups({ entries = [] }: IpSet, type: SetType, known: readonly boolean[]): readonly Group[] {
  const { dimensions } = type;
  const partial = known.includes(false);
  const groups = new Map<string, Group>();
  for (const [at, { parts, extensions }] of entries.entries()) {
    const nomatch = extensions.nomatch === true;
    const ranks = dimensions.map((one, index) => {
      const part = parts[index];
      return part === undefined ? LEFT_OUT : one.rank(part, extensions.wildcard === true);
    });
    if (!ranks.every((rank) => rank !== undefined)) continue;
    const keyAt = (index: number): Key => {
      const part = parts[index];
      return part === undefined ? "" : (dimensions[index]?.key(part) ?? "");
    };
    const order = ranks.filter((_, index) => dimensions[index]?.ranked);
    const group = made(groups, order.join(), () => ({
      order,
      classes: new Map<string, Class>(),
      networks: new Set<Key>(),
    }));
    if (type.endsAtNetwork) group.networks.add(keyAt(0));
    // With a part unknown, an exception cannot be the answer: what it leaves is open anyway.
    if (partial && nomatch) continue;
    const { hits } = made(group.classes, ranks.join(), () => ({ ranks, hits: new Map<Key, Hit>() }));
    const key = joined(known, keyAt);
    if (!hits.has(key)) hits.set(key, { at, nomatch });
  }
  return [...groups.values()].sort((left, right) => compare(left.order, right.order));
}

function made<V>(map: Map<string, V>, name: string, make: () => V): V {
  let found = map.get(name);
  if (found === undefined) {
    found = make();
    map.set(name, found);
  }
  return found;
}

/** The highest rank first; the first dimension counts most. */
function compare(left: readonly number[], right: readonly number[]): number {
  const at = left.findIndex((rank, index) => rank !== right[index]);
  return at < 0 ? 0 : (right[at] as number) - (left[at] as number);
}

/** The keys of the known parts as one. */
function joined(known: readonly boolean[], keyAt: (index: number) => Key): Key {
  if (known.length === 1) return known[0] ? keyAt(0) : "";
  let key = "";
  for (let index = 0; index < known.length; index++) if (known[index]) key += `${keyAt(index)},`;
  return key;
}
