/**
 * What the counters of rules tell of a rule's own state: how many packets, of how many bytes, one of its matches has been
 * asked about. A rule counts what matches it in full; what passed it by is counted by the rules behind it, by those
 * before it, or by the policy. Packets are neither made nor lost between the rules of a table, so that sums tell the rest.
 */
import type { Family } from "../../grammar/address.js";
import { type Condition, type Effect, endsTable, type NumberField, partsOf } from "../../grammar/meaning.js";
import { backEndOf } from "../state/back-end.js";
import { meaningOf } from "../state/meaning.js";
import { type Chain, type Counters, type Rule, type Ruleset, rulesOf, type Table } from "../state/rules.js";
import { type EvaluationContext, type RulePlace, ruleKey, rulesetAt } from "./context.js";
import { intersect } from "./ranges.js";

type Counting = Extract<Condition, { kind: "counted" | "hidden" }>;

/** How many of the packets that a condition was asked about it has held for; undefined: not known. */
export type Held = (asked: Counters) => bigint | undefined;

/**
 * How much the condition has been asked about since the counters began; the answer is noted as taken for granted.
 * Undefined: no counters, or they do not tell, or contradict each other or `held`.
 */
export function askedSoFar(
  condition: Counting,
  place: RulePlace,
  context: EvaluationContext,
  held: Held,
): Counters | undefined {
  const { table: tableName, chain: chainName, number } = place;
  const ruleset = rulesetAt(place, context);
  const table = ruleset?.tables.get(tableName);
  const chain = table?.chains.get(chainName);
  const rule = chain && rulesOf(chain)[number - 1];
  if (ruleset === undefined || table === undefined || rule?.counters === undefined) return undefined;
  let known = answers.get(rule);
  if (known === undefined) {
    known = new Map();
    answers.set(rule, known);
  }
  if (!known.has(condition)) {
    const position = { chain: chainName, at: number - 1 };
    known.set(condition, derive(condition, position, rule, flowOf(table, ruleset), held));
  }
  const asked = known.get(condition);
  if (asked !== undefined) {
    const times = asked.packets === 1n ? "one packet" : `${asked.packets} packets`;
    noteTaken(`by its counters, ${times} had come to what rule ${ruleKey(place)} counts`, context);
  }
  return asked;
}

/** What a rule has matched of which the condition is the last that it asks; undefined: another asks behind it. */
export function matchedSoFar(
  condition: Counting,
  place: RulePlace,
  context: EvaluationContext,
): Counters | undefined {
  const ruleset = rulesetAt(place, context);
  const chain = ruleset?.tables.get(place.table)?.chains.get(place.chain);
  const rule = chain && rulesOf(chain)[place.number - 1];
  const isLast = rule && ruleset && questionsOf(rule, ruleset.family).at(-1) === condition;
  if (!isLast || rule.counters === undefined) return undefined;
  noteTaken(`by its counters, ${rule.counters.bytes} bytes had passed rule ${ruleKey(place)}`, context);
  return rule.counters;
}

function noteTaken(found: string, { notes }: EvaluationContext): void {
  notes.add(
    "rules' counters are taken to have counted since their table was loaded or last changed, nobody to have set them, and the packet to be the next",
  );
  notes.add(found);
}

const answers = new WeakMap<Rule, Map<Condition, Counters | undefined>>();

function derive(
  condition: Counting,
  position: Position,
  rule: Rule,
  flow: Flow,
  held: Held,
): Counters | undefined {
  const questions = questionsOf(rule, flow.family);
  const at = questions.findIndex((one) => one === condition || (one.kind === "not" && one.of === condition));
  // Two of a kind in one rule would have to be told apart.
  if (at < 0 || questions.some((one, index) => index !== at && isAlike(one, condition))) return undefined;
  const known = given(position.chain, flow);
  const before = questions.slice(0, at).filter((one) => !known.has(keyOf(one)));
  if (!before.every(isFixed)) return undefined;
  const own = new Map(before.map((one) => [keyOf(one), one] as const));
  const wanted: Wanted = { all: new Map([...known, ...own]), own };
  const below = countBelow(position, wanted, flow);
  const above = countAbove(position, wanted, flow);
  const asked = below ?? above;
  if (asked === undefined) return undefined;
  if (below !== undefined && above !== undefined && !isEqual(below, above)) return undefined;
  if (at < questions.length - 1) return asked;
  const yes = held(asked);
  const matched = yes === undefined || questions[at] === condition ? yes : asked.packets - yes;
  return matched === undefined || matched === rule.counters?.packets ? asked : undefined;
}

interface Position {
  readonly chain: string;
  /** Index of the rule, from 0. */
  readonly at: number;
}

interface Caller extends Position {
  readonly rule: Rule;
}

/** A table as ways that packets take. */
interface Flow {
  readonly table: Table;
  readonly family: Family;
  /** Policies of the legacy back end count all packets that they decide; those of nft only from some time on. Measured. */
  readonly policiesCount: boolean;
  /** Rules that lead to a chain. */
  readonly callers: ReadonlyMap<string, readonly Caller[]>;
  /** Chains from which some packets may not come back. */
  readonly holding: ReadonlySet<string>;
  /** What was found of chains: what holds in them, and what ended there. */
  readonly given: Map<string, Conditions>;
  readonly ended: Map<string, Counters | undefined>;
  /** Chains that are being looked at, to find loops. */
  readonly open: Set<string>;
}

/** Chains within chains that are looked at. */
const DEPTH_MAX = 256;

const flows = new WeakMap<Table, Flow>();

function flowOf(table: Table, ruleset: Ruleset): Flow {
  let flow = flows.get(table);
  if (flow === undefined) {
    const { family } = ruleset;
    const callers = callersIn(table);
    flow = {
      table,
      family,
      policiesCount: backEndOf(ruleset) === "legacy",
      callers,
      holding: holdingChains(table, family, callers),
      given: new Map(),
      ended: new Map(),
      open: new Set(),
    };
    flows.set(table, flow);
  }
  return flow;
}

function callersIn({ chains }: Table): Flow["callers"] {
  const callers = new Map<string, Caller[]>();
  for (const chain of chains.values()) {
    for (const [at, rule] of rulesOf(chain).entries()) {
      if (rule.target?.kind !== "chain") continue;
      const caller = { chain: chain.name, at, rule };
      const others = callers.get(rule.target.chain);
      if (others === undefined) callers.set(rule.target.chain, [caller]);
      else others.push(caller);
    }
  }
  return callers;
}

function holdingChains({ chains }: Table, family: Family, callers: Flow["callers"]): ReadonlySet<string> {
  const holding = new Set<string>();
  const waiting = [...chains.values()]
    .filter((chain) =>
      rulesOf(chain).some((rule) => ["ends", "unknown"].includes(goingOf(meaningOf(rule, family).effect))),
    )
    .map(({ name }) => name);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (holding.has(name)) continue;
    holding.add(name);
    for (const { chain } of callers.get(name) ?? []) waiting.push(chain);
  }
  return holding;
}

/** What is asked, one after another; without what holds for every packet. */
function questionsOf(rule: Rule, family: Family): readonly Condition[] {
  return meaningOf(rule, family).matches.flatMap(({ condition }) => partsOf(condition));
}

function isAlike(condition: Condition, other: Counting): boolean {
  const one = condition.kind === "not" ? condition.of : condition;
  return one.kind === "hidden" && other.kind === "hidden"
    ? one.counts?.kind === other.counts?.kind
    : one.kind === other.kind;
}

/** Fields that rules of a table can change while a packet walks through it. */
const CHANGING: readonly NumberField[] = ["mark", "connmark", "dscp", "ecn", "ttl", "length"];
/** What the ECN target takes away. */
const ECN_FLAGS = 0xc0;

/** Whether the answer is the same all through the table. */
function isFixed(condition: Condition): boolean {
  switch (condition.kind) {
    case "within":
      return !CHANGING.includes(condition.field) && condition.field !== "tcpFlags";
    case "masked":
      return condition.field === "tcpFlags"
        ? (Number(condition.mask) & ECN_FLAGS) === 0
        : !CHANGING.includes(condition.field);
    case "oneOf":
      return true;
    case "not":
      return isFixed(condition.of);
    case "any":
    case "all":
      return condition.of.every(isFixed);
    default:
      return false;
  }
}

const keys = new WeakMap<Condition, string>();

/** Equal for equal conditions. */
function keyOf(condition: Condition): string {
  let key = keys.get(condition);
  if (key === undefined) {
    key = JSON.stringify(condition, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
    keys.set(condition, key);
  }
  return key;
}

/** By their keys. */
type Conditions = ReadonlyMap<string, Condition>;

/** Packets of which all conditions hold; `own` are those that not every packet of the chain has. */
interface Wanted {
  readonly all: Conditions;
  readonly own: Conditions;
}

/** What all rules that lead to a chain have asked already. */
function given(name: string, flow: Flow): Conditions {
  const known = flow.given.get(name);
  if (known !== undefined) return known;
  const isBuiltIn = flow.table.chains.get(name)?.policy !== undefined;
  const [first, ...others] = isBuiltIn ? [] : (flow.callers.get(name) ?? []);
  const loop = `given ${name}`;
  if (first === undefined || flow.open.has(loop) || flow.open.size > DEPTH_MAX) return new Map();
  flow.open.add(loop);
  const common = new Map(givenBehind(first, flow));
  for (const other of others) {
    if (common.size === 0) break;
    const own = givenBehind(other, flow);
    for (const key of common.keys()) if (!own.has(key)) common.delete(key);
  }
  flow.open.delete(loop);
  flow.given.set(name, common);
  return common;
}

function givenBehind({ chain, rule }: Caller, flow: Flow): Conditions {
  const asked = questionsOf(rule, flow.family).filter(isFixed);
  return new Map([...given(chain, flow), ...asked.map((one) => [keyOf(one), one] as const)]);
}

/**
 * How a rule stands to the packets of which the wanted conditions hold: it takes all of them and no others, all of them
 * and others, only such, none, or some.
 */
type Standing = "exactly" | "all" | "only" | "none" | "some";

function standingOf(rule: Rule, { all, own }: Wanted, { family }: Flow): Standing {
  const asked = questionsOf(rule, family);
  const keysAsked = new Set(asked.map(keyOf));
  for (const one of asked) for (const other of all.values()) if (excludes(one, other)) return "none";
  const takesAll = asked.every((one) => all.has(keyOf(one)));
  const takesOnly = [...own.keys()].every((key) => keysAsked.has(key));
  return takesAll ? (takesOnly ? "exactly" : "all") : takesOnly ? "only" : "some";
}

/** States of which a packet has one. */
const STATES = ["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED"];

/** Whether two conditions never hold of one packet; false where that is not seen. */
function excludes(one: Condition, other: Condition): boolean {
  if (one.kind === "not") return isFixed(one) && keyOf(one.of) === keyOf(other);
  if (other.kind === "not") return excludes(other, one);
  if (!isFixed(one) || !isFixed(other)) return false;
  if (one.kind === "within" && other.kind === "within")
    return one.field === other.field && intersect(one.ranges, other.ranges).length === 0;
  if (one.kind === "oneOf" && other.kind === "oneOf" && one.field === other.field) {
    const words = [...one.words, ...other.words];
    const areSingle =
      one.field === "connectionState"
        ? words.every((word) => STATES.includes(word))
        : (one.field === "inInterface" || one.field === "outInterface") &&
          words.every((word) => !word.endsWith("+"));
    return areSingle && !one.words.some((word) => other.words.includes(word));
  }
  return false;
}

/** Where a packet goes that a rule has matched. */
type Going = "on" | "ends" | "back" | "into" | "unknown";

function goingOf(effect: Effect): Going {
  if (endsTable(effect)) return "ends";
  switch (effect.kind) {
    case "return":
      return "back";
    case "goto":
    case "jump":
      return "into";
    case "unmodelled":
      return effect.mayEnd ? "unknown" : "on";
    default:
      return "on";
  }
}

const NOTHING: Counters = { packets: 0n, bytes: 0n };

/**
 * The wanted packets that come to a rule, counted from there on: by rules that take such packets only, until one takes
 * all that are left or the policy does. The packets of a rule that goes on come by again.
 */
function countBelow({ chain: name, at }: Position, wanted: Wanted, flow: Flow): Counters | undefined {
  const chain = flow.table.chains.get(name);
  if (chain === undefined) return undefined;
  let sum: Counters | undefined = NOTHING;
  for (const rule of rulesOf(chain).slice(at)) {
    const standing = standingOf(rule, wanted, flow);
    if (standing === "none") continue;
    if (standing === "exactly") return plus(sum, rule.counters);
    const stays = stayingOf(rule, flow);
    // Of packets of which only some are wanted, none may stay.
    if (stays === undefined || (standing !== "only" && stays !== "none")) return undefined;
    if (stays !== "none") sum = plus(sum, stays);
    if (sum === undefined) return undefined;
  }
  return wanted.own.size === 0 ? plus(sum, decidedByPolicy(chain, flow)) : undefined;
}

/** The wanted packets that come to a rule, counted before it: by a rule that takes them all and goes on, or by the chain's callers. */
function countAbove({ chain: name, at }: Position, wanted: Wanted, flow: Flow): Counters | undefined {
  const chain = flow.table.chains.get(name);
  if (chain === undefined) return undefined;
  let gone: Counters | undefined = NOTHING;
  for (const rule of rulesOf(chain).slice(0, at).reverse()) {
    const standing = standingOf(rule, wanted, flow);
    if (standing === "none") continue;
    const stays = stayingOf(rule, flow);
    if (stays === undefined) return undefined;
    if (standing === "exactly")
      return minus(stays === "none" ? rule.counters : minus(rule.counters, stays), gone);
    if (standing !== "only" && stays !== "none") return undefined;
    if (stays !== "none") gone = plus(gone, stays);
    if (gone === undefined) return undefined;
  }
  return wanted.own.size === 0 ? minus(comingInto(chain, flow), gone) : undefined;
}

/** The packets that come into a chain of a user. */
function comingInto({ name, policy }: Chain, { callers }: Flow): Counters | undefined {
  if (policy !== undefined) return undefined;
  return (callers.get(name) ?? []).reduce(
    (sum: Counters | undefined, { rule }) => plus(sum, rule.counters),
    NOTHING,
  );
}

/** Of the packets that a rule has matched those that do not come to the next one; "none" without counting. */
function stayingOf(rule: Rule, flow: Flow): Counters | "none" | undefined {
  const { effect } = meaningOf(rule, flow.family);
  switch (goingOf(effect)) {
    case "on":
      return "none";
    case "ends":
    case "back":
      return rule.counters;
    case "into":
      if (effect.kind === "goto") return rule.counters;
      return effect.kind === "jump" ? endingIn(effect.chain, rule, flow) : undefined;
    case "unknown":
      return undefined;
  }
}

/** Of the packets that a rule has sent into a chain those that do not come back. */
function endingIn(name: string, from: Rule, flow: Flow): Counters | "none" | undefined {
  const chain = flow.table.chains.get(name);
  // A chain that is not there is taken as empty.
  if (chain === undefined || !flow.holding.has(name)) return "none";
  if (!flow.ended.has(name)) flow.ended.set(name, endedIn(chain, flow));
  const ended = flow.ended.get(name);
  const entered = comingInto(chain, flow);
  if (ended === undefined || entered === undefined) return undefined;
  if (ended.packets === 0n) return NOTHING;
  if (isEqual(ended, entered)) return from.counters;
  return flow.callers.get(name)?.length === 1 ? ended : undefined;
}

/** The packets that came into a chain and did not leave it again. */
function endedIn(chain: Chain, flow: Flow): Counters | undefined {
  if (flow.open.has(chain.name) || flow.open.size > DEPTH_MAX) return undefined;
  flow.open.add(chain.name);
  let sum: Counters | undefined = NOTHING;
  for (const rule of rulesOf(chain)) {
    const { effect } = meaningOf(rule, flow.family);
    // Where a chain goes over into another, it is not known who comes back.
    const goesOver = effect.kind === "goto" && flow.holding.has(effect.chain);
    const comesBack = effect.kind === "goto" || effect.kind === "return";
    const stays = goesOver ? undefined : comesBack ? "none" : stayingOf(rule, flow);
    if (stays !== "none") sum = plus(sum, stays);
    if (sum === undefined) break;
  }
  flow.open.delete(chain.name);
  return sum;
}

/** Packets that came to the end of a built-in chain: the policy's, without those that a rule has sent there. */
function decidedByPolicy(chain: Chain, flow: Flow): Counters | undefined {
  if (chain.policy === undefined || !flow.policiesCount) return undefined;
  let sent: Counters | undefined = NOTHING;
  for (const rule of rulesOf(chain)) {
    const { effect } = meaningOf(rule, flow.family);
    if (effect.kind === "goto" && rule.counters?.packets !== 0n) return undefined;
    if (effect.kind === "return") sent = plus(sent, rule.counters);
  }
  return minus(chain.counters, sent);
}

function plus(left: Counters | undefined, right: Counters | undefined): Counters | undefined {
  if (left === undefined || right === undefined) return undefined;
  return { packets: left.packets + right.packets, bytes: left.bytes + right.bytes };
}

/** Undefined, too, where less would be left than nothing: counters that were not read at one moment. */
function minus(left: Counters | undefined, right: Counters | undefined): Counters | undefined {
  if (left === undefined || right === undefined) return undefined;
  const [packets, bytes] = [left.packets - right.packets, left.bytes - right.bytes];
  return packets < 0n || bytes < 0n ? undefined : { packets, bytes };
}

function isEqual(left: Counters, right: Counters): boolean {
  return left.packets === right.packets && left.bytes === right.bytes;
}
