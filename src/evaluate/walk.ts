/**
 * A walk through the chains of one table: rule by rule, as the kernel does it. Generic over what rules mean; it knows no
 * match, no target and no chain by name.
 */
import type { Flavour } from "../../grammar/description.js";
import { type Effect, type Hook, hidden, type MatchMeaning } from "../../grammar/meaning.js";
import { meaningOf } from "../state/meaning.js";
import { type Chain, chainOf, type Rule, type Ruleset, rulesOf } from "../state/rules.js";
import { listedAddress } from "./ask.js";
import type { Tested } from "./assume.js";
import { nextRule } from "./chain-index.js";
import { changedBy } from "./changes.js";
import { test } from "./conditions.js";
import type { EvaluationContext, RulePlace } from "./context.js";
import { listing } from "./listed.js";
import { seenBy, withSeen } from "./memory.js";
import { mergeWorlds } from "./merge.js";
import { hasNoRedirect, isExhausted, rewriteDestination, rewriteSource } from "./nat.js";
import type { Step } from "./outcome.js";
import { type SharedWalks, shareWalk } from "./shared-walks.js";
import { takesTransparently } from "./sockets.js";
import { withMark } from "./tracking.js";
import { type LivePacket, type World, withPacket } from "./world.js";

/** How a walk ended for one world. */
export type Walked =
  /** The table lets the packet pass: ACCEPT, a translation, or the policy. */
  | { readonly end: "pass"; readonly world: World; readonly translated?: true }
  | { readonly end: "drop"; readonly world: World }
  | { readonly end: "queue"; readonly world: World }
  | { readonly end: "reject"; readonly world: World; readonly with: string }
  /** The end of a user chain: the caller goes on. */
  | { readonly end: "return"; readonly world: World };

/** Walks a built-in chain; no result is `return`. A table or chain that is not there lets everything pass. */
export function walkHook(
  { ruleset, backEnd, table, hook }: Start,
  world: World,
  context: EvaluationContext,
): readonly Walked[] {
  const chain = chainOf(ruleset, table, hook);
  if (chain === undefined) return [{ end: "pass", world }];
  const policy = chain.policy === "DROP" ? "drop" : chain.policy === "QUEUE" ? "queue" : "pass";
  const own = backEnd === undefined ? {} : { backEnd };
  const position: Position = { ruleset, table, hook, ...own, stack: [], shared: new Map() };
  return walkChain(position, hook, world, context).map((walked) => {
    if (walked.end !== "return") return walked;
    const place = { table, chain: hook, number: rulesOf(chain).length + 1, ...own };
    return { end: policy, world: withStep(walked.world, place, "policy", undefined) };
  });
}

/** A table at a hook. */
export interface Start {
  readonly ruleset: Ruleset | undefined;
  /** Whose rules they are, where both back ends hold some. */
  readonly backEnd?: Flavour | undefined;
  readonly table: string;
  readonly hook: Hook;
}

/** Jumps within jumps that are followed; nf_tables allows 16, and no known program writes more. */
const DEPTH_MAX = 256;

/** Ways that one packet may have gone by one rule. */
const WAYS_MAX = 50_000;

/** Bits of an exact share; a thousand draws in a row have 31,000. */
const BITS_MAX = 400_000;

interface Position extends Start {
  /** Chains that are being walked, to find loops. */
  readonly stack: readonly string[];
  readonly shared: SharedWalks<Walked>;
}

function walkChain(
  position: Position,
  name: string,
  start: World,
  context: EvaluationContext,
): readonly Walked[] {
  const { ruleset, table, stack } = position;
  const chain = chainOf(ruleset, table, name);
  if (chain === undefined) {
    context.notes.add(`chain ${name} is not in table ${table} of this dump: taken as empty`);
    return [{ end: "return", world: start }];
  }
  if (stack.includes(name)) {
    context.notes.add(
      `chains of table ${table} call each other in a loop (${[...stack, name].join(" → ")}): iptables refuses such rules`,
    );
    return [{ end: "return", world: start }];
  }
  if (stack.length >= DEPTH_MAX) {
    context.notes.add(
      `chains of table ${table} call each other more than ${DEPTH_MAX} deep: not followed further`,
    );
    return [{ end: "return", world: start }];
  }
  const inside: Position = { ...position, stack: [...stack, name] };
  return shareWalk(position.shared, name, start, context, (from) => walkRules(inside, chain, from, context));
}

/** The rules of a chain, one after another. */
function walkRules(
  inside: Position,
  chain: Chain,
  start: World,
  context: EvaluationContext,
): readonly Walked[] {
  const { table, hook, backEnd } = inside;
  const own = backEnd === undefined ? {} : { backEnd };
  const { name } = chain;
  const ends: Walked[] = [];
  let live: readonly World[] = [start];
  const rules = rulesOf(chain);
  const { family } = start.packet;
  for (
    let at = nextRule(rules, family, live, 0);
    at < rules.length;
    at = nextRule(rules, family, live, at + 1)
  ) {
    const rule = rules[at] as Rule;
    const place = { table, chain: name, number: at + 1, ...own };
    const next: World[] = [];
    for (const world of live) {
      if (--context.budget.steps < 0) return ends;
      visit({ rule, place, position: inside }, world, context, next, ends);
    }
    live = mergeWorlds(next);
    // Counted as work done: so many ways are never an answer to read.
    if (live.length > WAYS_MAX || live.some(({ share }) => share.exponent > BITS_MAX))
      context.budget.steps = -1;
    if (live.length === 0) break;
  }
  for (const world of live) {
    const isBuiltIn = name === hook;
    const ended = isBuiltIn
      ? world
      : withStep(world, { table, chain: name, number: rules.length + 1, ...own }, "return", undefined);
    ends.push({ end: "return", world: ended });
  }
  return mergeEnds(ends);
}

/** Up to so many ends stay in the order in which they were met. */
const ENDS_FEW = 64;

/** The same ends with fewer worlds, if there are many. */
function mergeEnds(ends: readonly Walked[]): readonly Walked[] {
  if (ends.length <= ENDS_FEW) return ends;
  const alike = new Map<string, Walked[]>();
  for (const end of ends) {
    const how = end.end === "reject" ? end.with : end.end === "pass" ? end.translated : "";
    const key = `${end.end} ${how}`;
    const same = alike.get(key);
    if (same === undefined) alike.set(key, [end]);
    else same.push(end);
  }
  return [...alike.values()].flatMap((same) =>
    mergeWorlds(same.map(({ world }) => world)).map((world): Walked => ({ ...(same[0] as Walked), world })),
  );
}

interface Visit {
  readonly rule: Rule;
  readonly place: RulePlace;
  readonly position: Position;
}

/** One rule for one world: what goes on to the next rule is put into `next`, what is over into `ends`. */
function visit(
  { rule, place, position }: Visit,
  world: World,
  context: EvaluationContext,
  next: World[],
  ends: Walked[],
): void {
  const { matches, effect } = meaningOf(rule, world.packet.family);
  let open: readonly World[] = [world];
  for (const match of matches) {
    const passed: World[] = [];
    for (const one of open) {
      for (const tested of test(match.condition, one, place, context)) {
        (tested.holds ? passed : next).push(remember(tested, match));
      }
    }
    open = passed;
    if (open.length === 0) return;
  }
  for (const one of open)
    act(effect, withStep(one, place, "rule", rule), { place, position }, context, next, ends);
}

function act(
  effect: Effect,
  world: World,
  { place, position }: Omit<Visit, "rule">,
  context: EvaluationContext,
  next: World[],
  ends: Walked[],
): void {
  const changed = (packet: Partial<LivePacket>): World => withPacket(world, packet);
  switch (effect.kind) {
    case "verdict":
      if (effect.bypass === undefined)
        ends.push({ end: effect.verdict === "accept" ? "pass" : effect.verdict, world });
      else {
        // Without a listener the packet passes as if accepted.
        const listens = hidden(
          `a process listens to ${effect.bypass}`,
          `no process listens to ${effect.bypass}`,
        );
        for (const { world: one, holds } of test(listens, world, place, context))
          ends.push({ end: holds ? "queue" : "pass", world: one });
      }
      break;
    case "reject":
      ends.push({ end: "reject", world, with: effect.with });
      break;
    case "return":
      ends.push({ end: "return", world });
      break;
    case "jump":
      for (const walked of walkChain(position, effect.chain, world, context)) {
        if (walked.end === "return") next.push(walked.world);
        else ends.push(walked);
      }
      break;
    case "goto":
      // The end of a chain entered by goto is the end of the chain that was left.
      ends.push(...walkChain(position, effect.chain, world, context));
      break;
    case "assign":
    case "copy":
    case "hops":
    case "obscure": {
      const ofConnection =
        effect.kind === "copy" || (effect.kind === "assign" && effect.field === "connmark");
      const stays = ofConnection && hasNoConnection(world.packet);
      const after = stays ? world : changed(changedBy(effect, world.packet));
      if (after.packet.connmarkHidden !== 0 && world.packet.connmarkHidden === 0)
        passOver(`${after.packet.connmarkOrigin} in later packets of the connection`, at(place), context);
      next.push(ofConnection ? withMark(after) : after);
      break;
    }
    case "tproxy": {
      const marked = changedBy({ ...effect, kind: "assign", field: "mark" }, world.packet);
      const takes = takesTransparently(effect, world.packet, context);
      for (const { world: one, holds } of test(takes, world, place, context)) {
        if (holds) ends.push({ end: "pass", world: withPacket(one, { ...marked, hasSocket: true }) });
        else ends.push({ end: "drop", world: one });
      }
      break;
    }
    case "several": {
      let open: readonly World[] = [world];
      for (const one of effect.effects) {
        const after: World[] = [];
        for (const way of open) act(one, way, { place, position }, context, after, ends);
        open = after;
      }
      next.push(...open);
      break;
    }
    case "list": {
      const listed = listing(effect, world, context);
      next.push(listed ?? world);
      if (listed === undefined) passOver(`SET of ${effect.set}`, at(place), context);
      break;
    }
    case "untrack":
      next.push(isDecided(world.packet) ? world : changed({ state: "UNTRACKED" }));
      break;
    case "zone":
      next.push(isDecided(world.packet) ? world : changed({ zone: effect }));
      break;
    case "note":
      next.push(world);
      break;
    case "rewrite":
    case "netmap":
    case "masquerade":
    case "redirect": {
      const source =
        effect.kind === "masquerade" ||
        (effect.kind === "rewrite" && effect.side === "source") ||
        (effect.kind === "netmap" && (position.hook === "POSTROUTING" || position.hook === "INPUT"));
      const { packet, memory } = world;
      const translated = source
        ? rewriteSource(effect, packet, memory, context)
        : rewriteDestination(effect, packet, position.hook, memory, context);
      const after = changed(translated);
      const drops = source
        ? isExhausted(effect, after.packet, memory)
        : hasNoRedirect(effect, packet, position.hook, context);
      ends.push(drops ? { end: "drop", world: after } : { end: "pass", world: after, translated: true });
      break;
    }
    case "unmodelled":
      next.push(world);
      passOver(effect.question, at(place), context);
      break;
  }
}

/** How it is tracked has been said, or it came over lo and has its connection already. */
function isDecided({ flow, state, zone }: LivePacket): boolean {
  return flow !== undefined || zone !== undefined || state === "UNTRACKED";
}

/** Nothing that could bear a mark of the connection, or give one. */
function hasNoConnection({ flow, state }: LivePacket): boolean {
  return flow === undefined && state !== "ESTABLISHED" && state !== "RELATED";
}

function at({ table, chain, number, backEnd }: RulePlace): string {
  return `${table}:${chain}:rule:${number}${backEnd === undefined ? "" : ` of ${backEnd}`}`;
}

function passOver(question: string, place: string, { passedOver }: EvaluationContext): void {
  const places = passedOver.get(question);
  if (places === undefined) passedOver.set(question, new Set([place]));
  else places.add(place);
}

/** The list after the question: `--set` and `--remove` act whatever the answer is, `--update` where it is yes. */
function remember({ world, holds }: Tested, { condition, effect }: MatchMeaning): World {
  if (effect === undefined) return world;
  const address = listedAddress(effect, world.packet);
  if (effect.action === "update") {
    // The opposite of being listed may be true without an entry, and then there is nothing to refresh.
    const isListed = condition.kind !== "not" || seenBy(world.memory, effect.list, address).stamps.length > 0;
    if (!holds || !isListed) return world;
  }
  const action = effect.action === "remove" ? "remove" : "set";
  return { ...world, memory: withSeen(world.memory, effect.list, address, action) };
}

function withStep(world: World, place: RulePlace, kind: Step["kind"], rule: Rule | undefined): World {
  const lastStep: Step = { previous: world.lastStep, ...place, kind, rule, headers: world.packet };
  return { ...world, lastStep };
}
