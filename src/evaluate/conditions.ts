/**
 * A condition asked of a world: the worlds in which it holds, and those in which it does not. A draw splits the share; a
 * question that nothing answers splits the world in two, each with its assumption.
 */
import type { Condition } from "../../grammar/meaning.js";
import { ask, hiddenQuestion, question, type Simple } from "./ask.js";
import { assume, type Tested } from "./assume.js";
import { type EvaluationContext, type RulePlace, ruleKey } from "./context.js";
import { askCounts, countedByEntry, hasCounts } from "./counting.js";
import { askedSoFar } from "./rule-counters.js";
import { fitsServed } from "./served.js";
import { times } from "./share.js";
import type { World } from "./world.js";

const DRAWS = 2 ** 31;

/** Asks `condition` of `world`. The shares of the answers add up to the world's share, for each set of assumptions. */
export function test(
  condition: Condition,
  world: World,
  place: RulePlace,
  context: EvaluationContext,
): readonly Tested[] {
  switch (condition.kind) {
    case "always":
      return [{ world, holds: true }];
    case "not":
      return test(condition.of, world, place, context).map((one) => ({
        world: one.world,
        holds: !one.holds,
      }));
    case "all":
      return fold(condition.of, true, world, place, context);
    case "any":
      return fold(condition.of, false, world, place, context);
    case "chance":
      return draw(condition.threshold, world);
    case "counted":
      return count(condition, world, place, context);
    case "hidden":
      if (condition.served !== undefined && context.state.virtualServers !== undefined)
        return [
          {
            world,
            holds: fitsServed(condition.served, world.packet.handled, world.packet.flow !== undefined),
          },
        ];
      // Once rules were loaded, their buckets were full.
      if (condition.bucket !== undefined && world.memory.countersFresh)
        return take(condition.bucket, world, place);
      if (hasCounts(condition)) return askCounts(condition, world, place, context);
      return assume(hiddenQuestion(condition, place, context), world, context);
    case "member":
      return answered(condition, world, place, context).map((one) =>
        one.holds ? { ...one, world: countedByEntry(condition, one.world, context) } : one,
      );
    default:
      return answered(condition, world, place, context);
  }
}

function answered(
  condition: Simple,
  world: World,
  place: RulePlace,
  context: EvaluationContext,
): readonly Tested[] {
  const answer = ask(condition, world, place, context);
  if (typeof answer === "boolean") return [{ world, holds: answer }];
  return answer.kind === "not"
    ? assume(answer.of, world, context).map(({ world: one, holds }) => ({ world: one, holds: !holds }))
    : assume(answer, world, context);
}
/** Conditions one after another, until one answers differently from `goOn`. */
function fold(
  conditions: readonly Condition[],
  goOn: boolean,
  world: World,
  place: RulePlace,
  context: EvaluationContext,
): readonly Tested[] {
  let open: readonly World[] = [world];
  const done: Tested[] = [];
  for (const condition of conditions) {
    const next: World[] = [];
    for (const one of open) {
      for (const tested of test(condition, one, place, context)) {
        if (tested.holds === goOn) next.push(tested.world);
        else done.push(tested);
      }
    }
    open = next;
  }
  return [...open.map((one) => ({ world: one, holds: goOn })), ...done];
}

function draw(threshold: number, world: World): readonly Tested[] {
  if (threshold === 0) return [{ world, holds: false }];
  if (threshold === DRAWS) return [{ world, holds: true }];
  return [
    { world: { ...world, share: times(world.share, threshold) }, holds: true },
    { world: { ...world, share: times(world.share, DRAWS - threshold) }, holds: false },
  ];
}

/**
 * One more packet for the rule's own counter. Where it stands rules' counters may tell; if not, each "no" rules a place
 * out, and once it is known every later answer is.
 */
function count(
  condition: Extract<Condition, { kind: "counted" }>,
  world: World,
  place: RulePlace,
  context: EvaluationContext,
): readonly Tested[] {
  const { every, packet } = condition;
  const { memory } = world;
  const rule = ruleKey(place);
  const counted = memory.counters.get(rule) ?? {
    position: memory.countersFresh ? 0 : shownPosition(condition, place, context),
    asked: 0,
  };
  const asked = counted.asked + 1;
  const goOn = (one: World, position: number | undefined): World => ({
    ...one,
    memory: { ...memory, counters: new Map(memory.counters).set(rule, { position, asked }) },
  });
  const position = counted.position ?? (asked === every ? packet : undefined);
  if (position !== undefined)
    return [{ world: goOn(world, (position + 1) % every), holds: position === packet }];
  const words = `this is packet ${packet} of a round of ${every} at this rule (rule ${rule})${context.which}`;
  return assume(question(words), world, context).map(({ world: one, holds }) => ({
    world: goOn(one, holds ? (packet + 1) % every : undefined),
    holds,
  }));
}

/** Where the dump's counters say that the rule's own stands; undefined: they do not. */
function shownPosition(
  condition: Extract<Condition, { kind: "counted" }>,
  place: RulePlace,
  context: EvaluationContext,
): number | undefined {
  const { every, packet } = condition;
  const asked = askedSoFar(condition, place, context, ({ packets }) =>
    packets <= packet ? 0n : (packets - BigInt(packet) - 1n) / BigInt(every) + 1n,
  );
  return asked && Number(asked.packets % BigInt(every));
}

/** Takes a token from the rule's own bucket, if there is one. */
function take(
  { burst, period }: NonNullable<Extract<Condition, { kind: "hidden" }>["bucket"]>,
  world: World,
  place: RulePlace,
): readonly Tested[] {
  const { memory } = world;
  const bucket = `bucket ${ruleKey(place)}`;
  const { position = burst, asked } = memory.counters.get(bucket) ?? { asked: memory.now };
  const tokens = Math.min(burst, position + (memory.now - asked) / period);
  const holds = tokens >= 1;
  const counters = new Map(memory.counters);
  counters.set(bucket, { position: holds ? tokens - 1 : tokens, asked: memory.now });
  return [{ world: { ...world, memory: { ...memory, counters } }, holds }];
}
