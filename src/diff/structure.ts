/**
 * Two rulesets by their structure: chains and rules that are there on one side only, that moved, or that have another
 * probability. What cannot matter is no difference here: comments, counters, names of chains that hold the same rules, the
 * order of rules that never meet the same packet, and the order of a ladder of probabilities that gives equal shares.
 */
import type { Family } from "../../grammar/address.js";
import { appendAll } from "../problems/append.js";
import { meaningOf } from "../state/meaning.js";
import { printRule } from "../text/save.js";
import { ROUNDING } from "./distributions.js";
import { areDisjoint, exactly, type Facts, factsOf } from "./facts.js";
import { longestAscending, pairsOf } from "./order.js";
import {
  chainsOf,
  isComment,
  type PlainChain,
  type PlainRule,
  type PlainRuleset,
  plainChain,
} from "./plain.js";

/** A rule by its number in its chain, from 1, with its text behind `-A CHAIN `. */
export interface PlacedRule {
  readonly number: number;
  readonly text: string;
}

export type StructureChange =
  | {
      readonly kind: "chain removed" | "chain added";
      readonly table: string;
      readonly chain: string;
      readonly rules: number;
    }
  /** The same rules under another name. */
  | { readonly kind: "chain renamed"; readonly table: string; readonly left: string; readonly right: string }
  | {
      readonly kind: "policy changed";
      readonly table: string;
      readonly chain: string;
      readonly left: string;
      readonly right: string;
    }
  | {
      readonly kind: "rule removed" | "rule added";
      readonly table: string;
      readonly chain: string;
      readonly rule: PlacedRule;
    }
  | {
      readonly kind: "rule moved" | "probability changed";
      readonly table: string;
      /** Its name on the right, where it was renamed. */
      readonly chain: string;
      readonly left: PlacedRule;
      readonly right: PlacedRule;
    };

export interface StructureDifference {
  readonly changes: readonly StructureChange[];
  /** Rules that differ in comments alone. */
  readonly reworded: number;
  /** Rules that stand elsewhere, or draw with another probability, to the same effect. */
  readonly reordered: number;
}

export function compareStructure(left: PlainRuleset, right: PlainRuleset): StructureDifference {
  const names = renamedChains(left, right);
  const changes: StructureChange[] = [];
  const counts = { reworded: 0, reordered: 0 };
  const taken = new Set([...names].map(([key, name]) => keyOf(key.slice(0, key.indexOf(" ")), name)));
  for (const own of chainsOf(left)) {
    const { table, name } = own;
    const renamed = names.get(keyOf(table, name));
    const other = plainChain(right, table, renamed ?? name);
    if (other === undefined) {
      changes.push({ kind: "chain removed", table, chain: name, rules: own.rules.length });
      continue;
    }
    if (renamed !== undefined) changes.push({ kind: "chain renamed", table, left: name, right: renamed });
    if (own.policy !== other.policy) {
      const [before, after] = [own.policy ?? "-", other.policy ?? "-"];
      changes.push({ kind: "policy changed", table, chain: name, left: before, right: after });
    }
    compareChains(own, other, { family: left.family, names, changes, counts });
  }
  for (const { table, name, rules } of chainsOf(right)) {
    if (plainChain(left, table, name) === undefined && !taken.has(keyOf(table, name)))
      changes.push({ kind: "chain added", table, chain: name, rules: rules.length });
  }
  return { changes, ...counts };
}

function keyOf(table: string, chain: string): string {
  return `${table} ${chain}`;
}

/** Right names by `table left-name`, of chains that are on one side only and hold the same rules. */
export function renamedChains(left: PlainRuleset, right: PlainRuleset): ReadonlyMap<string, string> {
  const renamed = new Map<string, string>();
  const digests = new Map<string, number>();
  for (const table of left.tables.keys()) {
    const gone = alone(left, right, table);
    const come = alone(right, left, table);
    if (gone.size === 0 || come.size === 0) continue;
    const left_ = digester(left, table, gone, digests);
    const right_ = digester(right, table, come, digests);
    const waiting = new Map<number, string[]>();
    for (const name of come) {
      const digest = right_(name);
      const same = waiting.get(digest);
      if (same === undefined) waiting.set(digest, [name]);
      else same.push(name);
    }
    for (const name of gone) {
      if (plainChain(left, table, name)?.rules.length === 0) continue;
      const other = waiting.get(left_(name))?.shift();
      if (other !== undefined) renamed.set(keyOf(table, name), other);
    }
  }
  return renamed;
}

/** User chains of a table that the other side has not. */
function alone(own: PlainRuleset, other: PlainRuleset, table: string): ReadonlySet<string> {
  const others = other.tables.get(table)?.chains;
  const names = [...(own.tables.get(table)?.chains.values() ?? [])].flatMap(({ name, policy }) =>
    policy === undefined && !others?.has(name) ? [name] : [],
  );
  return new Set(names);
}

/** Numbers for chains: equal where the rules are, whatever the chains in `names` are called. */
function digester(
  ruleset: PlainRuleset,
  table: string,
  names: ReadonlySet<string>,
  digests: Map<string, number>,
): (name: string) => number {
  const known = new Map<string, number>();
  const digest = (name: string, depth: number): number => {
    const before = known.get(name);
    if (before !== undefined) return before;
    // A chain that leads to itself; iptables refuses such rules.
    known.set(name, -1);
    const word = (one: string): string => {
      if (one === name) return "@";
      return names.has(one) && depth < DEPTH_MAX ? `@${digest(one, depth + 1)}` : one;
    };
    const rules = plainChain(ruleset, table, name)?.rules ?? [];
    // Lists of xt_recent bear the names of chains too.
    const text = rules.map(({ core }) => core.split(" ").map(word).join(" ")).join("\n");
    const number = digests.get(text) ?? digests.size;
    digests.set(text, number);
    known.set(name, number);
    return number;
  };
  return (name) => digest(name, 0);
}

const DEPTH_MAX = 256;

interface Comparison {
  readonly family: Family;
  readonly names: ReadonlyMap<string, string>;
  readonly changes: StructureChange[];
  readonly counts: { reworded: number; reordered: number };
}

function compareChains(
  left: PlainChain,
  right: PlainChain,
  { family, names, changes, counts }: Comparison,
): void {
  const { table, name: chain } = right;
  const word = (one: string) => names.get(keyOf(table, one)) ?? one;
  const translate = (text: string) => (names.size === 0 ? text : text.split(" ").map(word).join(" "));
  const sameCount = left.rules.length === right.rules.length;
  if (sameCount && left.rules.every(({ text }, index) => text === right.rules[index]?.text)) return;
  const cores = {
    left: left.rules.map(({ core }) => translate(core)),
    right: right.rules.map(({ core }) => core),
  };
  const rungs = pairLadders(left, right, translate, family, cores);
  const pairs = pairsOf(cores.left, cores.right);
  for (const [own, other] of pairs)
    if (isReworded(left.rules[own] as PlainRule, right.rules[other] as PlainRule, translate))
      counts.reworded++;
  const redrawn = (own: number, other: number): void => {
    const [before, after] = [placed(left, own), placed(right, other)];
    changes.push({ kind: "probability changed", table, chain, left: before, right: after });
  };
  for (const [own, other] of pairs) {
    const [one, another] = [rungs.left.get(own), rungs.right.get(other)];
    if (one === undefined || another === undefined) continue;
    // The same share may take another probability where other rules stand before.
    if (Math.abs(one.share - another.share) >= ROUNDING) redrawn(own, other);
    else if (own - one.start !== other - another.start) counts.reordered++;
  }
  const moved = movedPairs(pairs, left, rungs, family);
  counts.reordered += moved.harmless;
  for (const [own, other] of moved.harmful) {
    const [before, after] = [placed(left, own), placed(right, other)];
    changes.push({ kind: "rule moved", table, chain, left: before, right: after });
  }
  const paired = {
    left: new Set(pairs.map(([own]) => own)),
    right: new Set(pairs.map(([, other]) => other)),
  };
  const gone = indices(left).filter((index) => !paired.left.has(index));
  const come = indices(right).filter((index) => !paired.right.has(index));
  // What is left over may be the same rules with other probabilities.
  const stripped = (one: PlainChain, index: number) =>
    translate(withoutChance(one.rules[index] as PlainRule, family).text);
  const alike = pairsOf(
    gone.map((index) => stripped(left, index)),
    come.map((index) => stripped(right, index)),
  );
  const drawn = { left: new Set<number>(), right: new Set<number>() };
  for (const [first, second] of alike) {
    const [own, other] = [gone[first] as number, come[second] as number];
    drawn.left.add(own);
    drawn.right.add(other);
    redrawn(own, other);
  }
  const single = (kind: "rule removed" | "rule added", one: PlainChain, index: number): StructureChange => ({
    kind,
    table,
    chain: one.name,
    rule: placed(one, index),
  });
  const lost = gone.filter((index) => !drawn.left.has(index));
  const found = come.filter((index) => !drawn.right.has(index));
  appendAll(
    changes,
    lost.map((index) => single("rule removed", left, index)),
  );
  appendAll(
    changes,
    found.map((index) => single("rule added", right, index)),
  );
}

/** In comments alone. */
function isReworded(left: PlainRule, right: PlainRule, translate: (text: string) => string): boolean {
  return translate(left.core) === right.core && translate(left.text) !== right.text;
}

function placed(chain: PlainChain, index: number): PlacedRule {
  return { number: index + 1, text: chain.rules[index]?.text ?? "" };
}

function indices({ rules }: PlainChain): readonly number[] {
  return rules.map((_rule, index) => index);
}

interface WithoutChance {
  /** The rule without its probability; without its target too. */
  readonly text: string;
  readonly asks: string;
  /** Of 2^31; undefined: the rule draws nothing. */
  readonly threshold: number | undefined;
}

function withoutChance({ rule, core }: PlainRule, family: Family): WithoutChance {
  const { matches } = meaningOf(rule, family);
  // The first meaning is the header's.
  const draws = rule.matches.map((_term, index) => matches[index + 1]?.condition.kind === "chance");
  const { target: _target, ...asking } = rule;
  const rest = rule.matches.filter((term, index) => !draws[index] && !isComment(term));
  const chance = matches.find(({ condition }) => condition.kind === "chance")?.condition;
  const asks = printRule({ ...asking, matches: rest }, "-", family);
  return chance?.kind === "chance"
    ? { text: printRule({ ...rule, matches: rest }, "-", family), asks, threshold: chance.threshold }
    : { text: `-A - ${core}`, asks, threshold: undefined };
}

/** A rule of a ladder that both sides have: where the ladder begins, and the share that the rule takes. */
interface Rung {
  readonly start: number;
  readonly share: number;
}

/** By the index of the rule. */
interface Rungs {
  readonly left: ReadonlyMap<number, Rung>;
  readonly right: ReadonlyMap<number, Rung>;
}

/** Finds the ladders that both sides have, and makes their rules equal in `cores` wherever they stand in it. */
function pairLadders(
  left: PlainChain,
  right: PlainChain,
  translate: (text: string) => string,
  family: Family,
  cores: { readonly left: string[]; readonly right: string[] },
): Rungs {
  const found = { left: new Map<number, Rung>(), right: new Map<number, Rung>() };
  const others = new Map<string, Ladder[]>();
  for (const ladder of laddersOf(right, (text) => text, family)) {
    const same = others.get(ladder.asks);
    if (same === undefined) others.set(ladder.asks, [ladder]);
    else same.push(ladder);
  }
  for (const own of laddersOf(left, translate, family)) {
    const candidates = others.get(own.asks) ?? [];
    const at = candidates.findIndex(
      ({ rungs }) => own.rungs.length + rungs.length > 2 && rungs.some(({ text }) => own.texts.has(text)),
    );
    const [other] = at < 0 ? [] : candidates.splice(at, 1);
    if (other === undefined) continue;
    for (const [side, { start, rungs }] of [
      ["left", own],
      ["right", other],
    ] as const) {
      for (const [index, { text, share }] of rungs.entries()) {
        cores[side][start + index] = `in a ladder: ${text}`;
        found[side].set(start + index, { start, share });
      }
    }
  }
  return found;
}

interface Ladder {
  readonly start: number;
  readonly asks: string;
  /** The rules without probabilities, and what each takes. */
  readonly rungs: readonly { readonly text: string; readonly share: number }[];
  readonly texts: ReadonlySet<string>;
}

/** Rules one after another that ask the same and draw, down to the last, which takes the rest; it may stand alone. */
function laddersOf(chain: PlainChain, translate: (text: string) => string, family: Family): Ladder[] {
  const ladders: Ladder[] = [];
  const rules = chain.rules.map((rule) => withoutChance(rule, family));
  let start = 0;
  while (start < rules.length) {
    const asks = rules[start]?.asks ?? "";
    const rungs: { readonly text: string; readonly share: number }[] = [];
    let rest = 1;
    for (let index = start; rest > 0 && rules[index]?.asks === asks; index++) {
      const { text, threshold = DRAWS } = rules[index] as WithoutChance;
      const share = (rest * threshold) / DRAWS;
      rungs.push({ text: translate(text), share });
      rest = threshold === DRAWS ? 0 : rest - share;
    }
    if (rest === 0)
      ladders.push({ start, asks: translate(asks), rungs, texts: new Set(rungs.map(({ text }) => text)) });
    start += rungs.length;
  }
  return ladders;
}

const DRAWS = 2 ** 31;

interface Moved {
  /** Pairs that stand on another side of a rule that may meet the same packets. */
  readonly harmful: readonly (readonly [left: number, right: number])[];
  /** How many others moved. */
  readonly harmless: number;
}

/** Pairs of rules that are looked at before all that moved is taken for harmful. */
const PAIRS_MAX = 5_000_000;

function movedPairs(
  pairs: readonly (readonly [left: number, right: number])[],
  { rules }: PlainChain,
  rungs: Rungs,
  family: Family,
): Moved {
  const stand = pairs.map((pair) => {
    const [left, right] = pair;
    const facts = factsOf((rules[left] as PlainRule).rule, family);
    return {
      pair,
      facts,
      left: rungs.left.get(left)?.start ?? left,
      right: rungs.right.get(right)?.start ?? right,
    };
  });
  if (stand.every(({ right }, index) => right >= (stand[index - 1]?.right ?? 0)))
    return { harmful: [], harmless: 0 };
  const kept = new Set(longestAscending(pairs.map(([, right]) => right)));
  const inLadder = (index: number) => rungs.left.has(pairs[index]?.[0] ?? -1);
  const all = stand.map((_one, index) => index);
  const moved = all.filter((index) => !kept.has(index) && !inLadder(index));
  const harmful = new Set<number>();
  const crosses = (one: number, other: number): boolean => {
    const [first, second] = [stand[one], stand[other]];
    if (first === undefined || second === undefined) return false;
    const crossed = (first.left - second.left) * (first.right - second.right) < 0;
    return crossed && !areDisjoint(first.facts, second.facts);
  };
  const field = dispatchField(stand.map(({ facts }) => facts));
  const groups = new Map<string, number[]>();
  for (const index of all) {
    const key = String(exactly(stand[index]?.facts[field]));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  }
  // Rules of different exact values never meet; those without one may meet all.
  const wild = groups.get("undefined") ?? [];
  let left = PAIRS_MAX;
  for (const index of moved) {
    const key = String(exactly(stand[index]?.facts[field]));
    const peers = key === "undefined" ? [all] : [groups.get(key) ?? [], wild];
    for (const peer of peers) {
      left -= peer.length;
      if (left < 0 || peer.some((other) => !harmful.has(other) && crosses(index, other))) harmful.add(index);
    }
  }
  return {
    harmful: [...harmful]
      .sort((one, other) => one - other)
      .map((index) => pairs[index] as readonly [number, number]),
    harmless: moved.length - harmful.size,
  };
}

/** The field by which most rules are told apart. */
function dispatchField(facts: readonly Facts[]): "destination" | "destinationPort" {
  const count = (field: "destination" | "destinationPort") =>
    facts.reduce((sum, one) => sum + (exactly(one[field]) === undefined ? 0 : 1), 0);
  return count("destinationPort") > count("destination") ? "destinationPort" : "destination";
}
