/**
 * A walk through the chains of one table: rule by rule, as the kernel does it. Generic over what rules mean; it knows no
 * match, no target and no chain by name.
 */
import type { Effect, Hook, Remember } from "../../grammar/meaning.js";
import { meaningOf } from "../state/meaning.js";
import { chainOf, type Rule, rulesOf } from "../state/rules.js";
import { listedAddress } from "./ask.js";
import { test } from "./conditions.js";
import type { EvaluationContext, RulePlace } from "./context.js";
import { withSeen } from "./memory.js";
import { mergeWorlds } from "./merge.js";
import { rewriteDestination, rewriteSource } from "./nat.js";
import type { Step } from "./outcome.js";
import { type LivePacket, type World, withPacket } from "./world.js";

/** How a walk ended for one world. */
export type Walked =
  /** The table lets the packet pass: ACCEPT, a translation, or the policy. */
  | { readonly end: "pass"; readonly world: World }
  | { readonly end: "drop"; readonly world: World }
  | { readonly end: "queue"; readonly world: World }
  | { readonly end: "reject"; readonly world: World; readonly with: string }
  /** The end of a user chain: the caller goes on. */
  | { readonly end: "return"; readonly world: World };

/** Walks a built-in chain; no result is `return`. A table or chain that is not there lets everything pass. */
export function walkHook(
  table: string,
  hook: Hook,
  world: World,
  context: EvaluationContext,
): readonly Walked[] {
  const chain = chainOf(context.ruleset, table, hook);
  if (chain === undefined) return [{ end: "pass", world }];
  const policy = chain.policy === "DROP" ? "drop" : chain.policy === "QUEUE" ? "queue" : "pass";
  return walkChain({ table, hook, stack: [] }, hook, world, context).map((walked) => {
    if (walked.end !== "return") return walked;
    const number = rulesOf(chain).length + 1;
    return {
      end: policy,
      world: withStep(walked.world, { table, chain: hook, number }, "policy", undefined),
    };
  });
}

/** Jumps within jumps that are followed; nf_tables allows 16, and no known program writes more. */
const DEPTH_MAX = 256;

/** Ways that one packet may have gone by one rule. */
const WAYS_MAX = 50_000;

interface Position {
  readonly table: string;
  readonly hook: Hook;
  /** Chains that are being walked, to find loops. */
  readonly stack: readonly string[];
}

function walkChain(
  position: Position,
  name: string,
  start: World,
  context: EvaluationContext,
): readonly Walked[] {
  const { table, stack } = position;
  const chain = chainOf(context.ruleset, table, name);
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
  const ends: Walked[] = [];
  let live: readonly World[] = [start];
  let number = 0;
  for (const rule of rulesOf(chain)) {
    number++;
    const next: World[] = [];
    for (const world of live) {
      if (--context.budget.steps < 0) return ends;
      visit({ rule, place: { table, chain: name, number }, position: inside }, world, context, next, ends);
    }
    live = mergeWorlds(next);
    // Counted as work done: so many ways are never an answer to read.
    if (live.length > WAYS_MAX) context.budget.steps = -1;
    if (live.length === 0) break;
  }
  for (const world of live) {
    const isBuiltIn = name === position.hook;
    const ended = isBuiltIn
      ? world
      : withStep(world, { table, chain: name, number: number + 1 }, "return", undefined);
    ends.push({ end: "return", world: ended });
  }
  return ends;
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
        if (!tested.holds) next.push(tested.world);
        else passed.push(match.effect === undefined ? tested.world : remember(tested.world, match.effect));
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
      ends.push({ end: effect.verdict === "accept" ? "pass" : effect.verdict, world });
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
    case "assign": {
      const value = ((world.packet[effect.field] & ~effect.clear) ^ effect.toggle) >>> 0;
      next.push(changed({ [effect.field]: value }));
      break;
    }
    case "copy": {
      const from = world.packet[effect.from] & effect.fromMask;
      next.push(changed({ [effect.to]: ((world.packet[effect.to] & ~effect.toMask) ^ from) >>> 0 }));
      break;
    }
    case "untrack":
      next.push(changed({ state: "UNTRACKED", flow: undefined }));
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
        : rewriteDestination(effect, packet, position.hook, context);
      ends.push({ end: "pass", world: changed(translated) });
      break;
    }
    case "unmodelled":
      next.push(world);
      passOver(effect.question, `${place.table}:${place.chain}:rule:${place.number}`, context);
      break;
  }
}

function passOver(question: string, place: string, { passedOver }: EvaluationContext): void {
  const places = passedOver.get(question);
  if (places === undefined) passedOver.set(question, new Set([place]));
  else places.add(place);
}

function remember(world: World, effect: Remember): World {
  const address = listedAddress(effect, world.packet);
  const action = effect.action === "remove" ? "remove" : "set";
  return { ...world, memory: withSeen(world.memory, effect.list, address, action) };
}

function withStep(world: World, place: RulePlace, kind: Step["kind"], rule: Rule | undefined): World {
  const lastStep: Step = { previous: world.lastStep, ...place, kind, rule, mark: world.packet.mark };
  return { ...world, lastStep };
}
