/**
 * Which rules a packet may meet, told from addresses, protocols and ports alone; and with it, whether two rulesets can
 * treat a packet differently at all. Of ten thousand services that both sides have, only those that changed need an
 * evaluation.
 */
import type { Address, Family } from "../../grammar/address.js";
import type { Effect, Range } from "../../grammar/meaning.js";
import { meaningOf } from "../state/meaning.js";
import { exactly, type Facts, factsOf } from "./facts.js";
import { type PlainChain, type PlainRule, type PlainRuleset, plainChain, targetChain } from "./plain.js";

/** What is known of packets at one point of their way. Absent parts: anything. */
export interface Probe {
  readonly destinations?: ReadonlySet<Address>;
  readonly ports?: ReadonlySet<number>;
  readonly protocol?: number;
}

/** The hooks before a destination is translated, and those behind. */
const BEFORE: readonly (readonly [table: string, hook: string])[] = [
  ["raw", "PREROUTING"],
  ["raw", "OUTPUT"],
  ["mangle", "PREROUTING"],
  ["mangle", "OUTPUT"],
  ["nat", "PREROUTING"],
  ["nat", "OUTPUT"],
];
const BEHIND: readonly (readonly [table: string, hook: string])[] = [
  ["filter", "OUTPUT"],
  ["security", "OUTPUT"],
  ...["mangle", "nat", "filter", "security"].flatMap((table) =>
    ["INPUT", "FORWARD", "POSTROUTING"].map((hook) => [table, hook] as const),
  ),
];
/** Where the answers of REJECT go by. */
const ANSWERS: readonly (readonly [table: string, hook: string])[] = [
  ...["raw", "mangle", "filter", "security"].map((table) => [table, "OUTPUT"] as const),
  ["mangle", "POSTROUTING"],
  ["nat", "POSTROUTING"],
];

export interface Pair {
  readonly left: PlainRuleset;
  readonly right: PlainRuleset;
}

/** Whether rules alone can make a difference for packets to these ends; false: both sides treat them alike. */
export function mayDiffer(pair: Pair, probe: Probe): boolean {
  if (!BEFORE.every(([table, hook]) => isSameFor(pair, table, hook, probe))) return true;
  const open = BEHIND.filter(([table, hook]) => !isSameChain(pair, table, hook));
  if (open.length === 0 && ANSWERS.every(([table, hook]) => isSameChain(pair, table, hook))) return false;
  const behind = translated(pair.left, probe);
  if (!open.every(([table, hook]) => isSameFor(pair, table, hook, behind))) return true;
  const refuses = (table: string, hook: string) =>
    rulesFor(pair.left, table, hook, behind).some(
      ({ rule }) => meaningOf(rule, pair.left.family).effect.kind === "reject",
    );
  // An answer goes back to whoever sent the packet, by rules for quite other packets.
  return (
    BEHIND.some(([table, hook]) => refuses(table, hook)) &&
    !ANSWERS.every(([table, hook]) => isSameFor(pair, table, hook, {}))
  );
}

/** The rules of a chain, and of those it leads to, that such packets may meet. */
export function rulesFor(
  ruleset: PlainRuleset,
  table: string,
  chain: string,
  probe: Probe,
): readonly PlainRule[] {
  const names = new Set([chain]);
  const found: PlainRule[] = [];
  for (const name of names) {
    const own = plainChain(ruleset, table, name);
    for (const rule of own === undefined ? [] : met(own, probe, ruleset.family)) {
      found.push(rule);
      const next = targetChain(rule);
      if (next !== undefined) names.add(next);
    }
  }
  return found;
}

/** What packets may look like behind the translations of their destination. */
function translated(ruleset: PlainRuleset, probe: Probe): Probe {
  const destinations = new Set(probe.destinations);
  const ports = new Set(probe.ports);
  for (const hook of ["PREROUTING", "OUTPUT"]) {
    for (const { rule } of rulesFor(ruleset, "nat", hook, probe)) {
      const { effect } = meaningOf(rule, ruleset.family);
      if (!changesDestination(effect)) continue;
      if (effect.kind !== "rewrite") return {};
      const address = exactly(effect.to.addresses && [effect.to.addresses]);
      const port = exactly(effect.to.ports && [effect.to.ports]);
      if (address === undefined || (effect.to.ports !== undefined && port === undefined)) return {};
      destinations.add(address);
      if (port !== undefined) ports.add(Number(port));
    }
  }
  return {
    ...(probe.destinations === undefined ? {} : { destinations }),
    ...(probe.ports === undefined ? {} : { ports }),
    ...(probe.protocol === undefined ? {} : { protocol: probe.protocol }),
  };
}

function changesDestination({ kind }: Effect): boolean {
  return kind === "rewrite" || kind === "redirect" || kind === "netmap" || kind === "unmodelled";
}

const same = new WeakMap<PlainRuleset, Map<string, boolean>>();

/** Whether a chain and all it leads to are the same on both sides, but for comments. */
function isSameChain(pair: Pair, table: string, name: string, depth = 0): boolean {
  let known = same.get(pair.left);
  if (known === undefined) {
    known = new Map();
    same.set(pair.left, known);
  }
  const key = `${table} ${name}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  // No known program nests so deep; to call them different only costs an evaluation.
  if (depth > DEPTH_MAX) return false;
  // Chains that lead to themselves, which iptables refuses, are called different as well.
  known.set(key, false);
  const [left, right] = [plainChain(pair.left, table, name), plainChain(pair.right, table, name)];
  const equal =
    left?.policy === right?.policy &&
    left?.rules.length === right?.rules.length &&
    (left?.rules ?? []).every((rule, index) => {
      const next = targetChain(rule);
      return (
        rule.core === right?.rules[index]?.core &&
        (next === undefined || isSameChain(pair, table, next, depth + 1))
      );
    });
  known.set(key, equal);
  return equal;
}

/** Whether such packets meet the same rules on both sides, but for comments. */
function isSameFor(pair: Pair, table: string, name: string, probe: Probe, depth = 0): boolean {
  if (isSameChain(pair, table, name)) return true;
  const [left, right] = [plainChain(pair.left, table, name), plainChain(pair.right, table, name)];
  if (depth > DEPTH_MAX || left === undefined || right === undefined || left.policy !== right.policy)
    return false;
  const [own, other] = [met(left, probe, pair.left.family), met(right, probe, pair.left.family)];
  return (
    own.length === other.length &&
    own.every((rule, index) => {
      const next = targetChain(rule);
      return (
        rule.core === other[index]?.core &&
        (next === undefined || isSameFor(pair, table, next, probe, depth + 1))
      );
    })
  );
}

const DEPTH_MAX = 64;

/** The rules of a chain that such packets may meet. */
function met(chain: PlainChain, probe: Probe, family: Family): readonly PlainRule[] {
  const { rules } = chain;
  const meets = ({ rule }: PlainRule) => mayMeet(factsOf(rule, family), probe);
  if (rules.length < LONG) return rules.filter(meets);
  const places = indexOf(chain, family);
  const wanted = [
    ...(probe.destinations === undefined
      ? [...places.byDestination.values()]
      : [...probe.destinations].map((one) => places.byDestination.get(one) ?? [])),
    ...(probe.ports === undefined
      ? [...places.byPort.values()]
      : [...probe.ports].map((one) => places.byPort.get(one) ?? [])),
    places.others,
  ].flat();
  return wanted
    .sort((one, other) => one - other)
    .map((place) => rules[place] as PlainRule)
    .filter(meets);
}

/** From so many rules on a chain is worth an index. */
const LONG = 24;

interface Index {
  readonly byDestination: ReadonlyMap<Address, readonly number[]>;
  /** Of rules for any destination. */
  readonly byPort: ReadonlyMap<Address, readonly number[]>;
  readonly others: readonly number[];
}

const indexes = new WeakMap<PlainChain, Index>();

function indexOf(chain: PlainChain, family: Family): Index {
  let index = indexes.get(chain);
  if (index === undefined) {
    const byDestination = new Map<Address, number[]>();
    const byPort = new Map<Address, number[]>();
    const others: number[] = [];
    const put = (map: Map<Address, number[]>, key: Address, place: number): void => {
      const own = map.get(key);
      if (own === undefined) map.set(key, [place]);
      else own.push(place);
    };
    for (const [place, { rule }] of chain.rules.entries()) {
      const facts = factsOf(rule, family);
      const destination = exactly(facts.destination);
      const port = exactly(facts.destinationPort);
      if (destination !== undefined) put(byDestination, destination, place);
      else if (port !== undefined) put(byPort, port, place);
      else others.push(place);
    }
    index = { byDestination, byPort, others };
    indexes.set(chain, index);
  }
  return index;
}

function mayMeet({ destination, destinationPort, protocol }: Facts, probe: Probe): boolean {
  return (
    mayLieIn(destination, probe.destinations) &&
    mayLieIn(destinationPort, probe.ports) &&
    (protocol === undefined || probe.protocol === undefined || contains(protocol, probe.protocol))
  );
}

function mayLieIn(ranges: readonly Range[] | undefined, values: ReadonlySet<Address> | undefined): boolean {
  if (ranges === undefined || values === undefined) return true;
  const only = exactly(ranges);
  if (only !== undefined) return values.has(only);
  for (const value of values) if (contains(ranges, value)) return true;
  return false;
}

function contains(ranges: readonly Range[], value: Address): boolean {
  return ranges.some(({ from, to }) => from <= value && value <= to);
}
