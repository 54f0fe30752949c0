/**
 * Chains that one packet comes to again and again: after some visits a chain is walked once for all, from nothing
 * assumed, and what came of it is told again for each way that gets there. Without it, thirty chains that each jump
 * twice to the next would be a thousand million walks.
 */
import type { EvaluationContext } from "./context.js";
import { assumedAnswer, assuming } from "./facts.js";
import { worldKey } from "./merge.js";
import type { Step } from "./outcome.js";
import { CERTAIN, product } from "./share.js";
import type { Assumed, World } from "./world.js";

/** By chain and packet; of one table at one hook. */
export type SharedWalks<T> = Map<string, { visits: number; ends: readonly T[] | undefined }>;

/** Visits that each know what was assumed before: fewer ways, and nothing to put together. */
const VISITS_PLAIN = 8;

/** Steps of one way that are told again; of longer ones, the last alone. */
const STEPS_TOLD = 500;

/** The ends of `walk` from `start`, which `chain` and the packet decide. */
export function shareWalk<T extends { readonly world: World }>(
  walks: SharedWalks<T>,
  chain: string,
  start: World,
  context: EvaluationContext,
  walk: (from: World) => readonly T[],
): readonly T[] {
  const key = `${chain}\n${worldKey(start)}`;
  const shared = walks.get(key) ?? { visits: 0, ends: undefined };
  walks.set(key, shared);
  if (++shared.visits <= VISITS_PLAIN) return walk(start);
  shared.ends ??= walk({ ...start, share: CERTAIN, assumed: undefined, lastStep: undefined });
  // Ways that have assumed the same go on sharing it, which merging looks for.
  const told = new Map<Assumed, Assumed | "impossible">();
  return shared.ends.flatMap((end) => {
    if (--context.budget.steps < 0) return [];
    const assumed = alsoAssuming(end.world.assumed, start.assumed, told, context);
    return assumed === "impossible" ? [] : [{ ...end, world: goOnAs(end.world, start, assumed, context) }];
  });
}

/** What a way from the chain's beginning assumes, on top of what was assumed before. */
function alsoAssuming(
  inside: Assumed | undefined,
  before: Assumed | undefined,
  told: Map<Assumed, Assumed | "impossible">,
  { start }: EvaluationContext,
): Assumed | undefined | "impossible" {
  let all: Assumed | undefined | "impossible" = before;
  for (const one of backwards(inside).reverse()) {
    const known = told.get(one);
    if (known !== undefined) all = known;
    else if (all !== "impossible") {
      const answer = assumedAnswer(one.atom, all, start);
      if (answer === undefined) all = assuming(all, one.atom, one.holds, start);
      else if (answer !== one.holds) all = "impossible";
    }
    if (all !== undefined) told.set(one, all);
  }
  return all;
}

/** A way from the chain's beginning, behind the way to it. */
function goOnAs(end: World, start: World, assumed: Assumed | undefined, context: EvaluationContext): World {
  const steps = backwards<Step>(end.lastStep, STEPS_TOLD + 1);
  if (steps.length > STEPS_TOLD) {
    context.notes.add("chains that lead to each other many times: not every rule on the way is told");
    steps.length = 1;
  }
  const lastStep = steps
    .reverse()
    .reduce((previous: Step | undefined, step): Step => ({ ...step, previous }), start.lastStep);
  return { ...end, share: product(start.share, end.share), assumed, lastStep };
}

function backwards<T extends { readonly previous: T | undefined }>(
  last: T | undefined,
  most: number = Number.POSITIVE_INFINITY,
): T[] {
  const list: T[] = [];
  for (let one = last; one !== undefined && list.length < most; one = one.previous) list.push(one);
  return list;
}
