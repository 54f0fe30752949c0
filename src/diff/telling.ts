/** Which rules a difference is owed to, and which outcomes changed: what is shown of it. */
import type { Landing, Share, Step } from "../evaluate/outcome.js";
import { NOTHING, plus, toNumber } from "../evaluate/share.js";
import type { BehaviourChange } from "./behaviour.js";
import { ROUNDING, receivedKey } from "./distributions.js";
import type { Side } from "./side.js";

/** Rules on the way of one side that are not, or not the same, on the way of the other, in the order of the walk. */
export function tellingRules(
  { example: { difference } }: BehaviourChange,
  left: Side,
  right: Side,
): { readonly left: readonly Step[]; readonly right: readonly Step[] } {
  const [ours, theirs] = [rulesOnWay(difference.left, left), rulesOnWay(difference.right, right)];
  const only = (own: ReadonlyMap<string, Step>, other: ReadonlyMap<string, Step>) =>
    [...own].flatMap(([key, step]) => (other.has(key) ? [] : [step]));
  return { left: only(ours, theirs), right: only(theirs, ours) };
}

/** Rules that matched, by their place and what they say. */
function rulesOnWay(landings: readonly Landing[], { plain }: Side): ReadonlyMap<string, Step> {
  const found = new Map<string, Step>();
  for (const { lastStep } of landings) {
    const steps: Step[] = [];
    for (let step = lastStep; step !== undefined; step = step.previous)
      if (step.kind === "rule") steps.push(step);
    for (const step of steps.reverse()) {
      const { table, chain, number, headers } = step;
      const core = plain[headers.family]?.tables.get(table)?.chains.get(chain)?.rules[number - 1]?.core;
      found.set(`${table} ${chain} ${core}`, step);
    }
  }
  return found;
}

/** An outcome of one side: one landing for all that nobody could tell apart, with what they have together. */
export interface Outcome {
  readonly landing: Landing;
  readonly share: Share;
}

export interface ChangedOutcomes {
  readonly left: readonly Outcome[];
  readonly right: readonly Outcome[];
  /** What both sides have alike. */
  readonly unchanged: Share;
}

/** The outcomes whose share differs. */
export function changedOutcomes({ example: { difference } }: BehaviourChange): ChangedOutcomes {
  const gather = (landings: readonly Landing[]) => {
    const outcomes = new Map<string, Outcome>();
    for (const landing of landings) {
      const key = receivedKey(landing, difference.what);
      const share = plus(outcomes.get(key)?.share ?? NOTHING, landing.share);
      outcomes.set(key, { landing: outcomes.get(key)?.landing ?? landing, share });
    }
    return outcomes;
  };
  const [ours, theirs] = [gather(difference.left), gather(difference.right)];
  let unchanged = NOTHING;
  for (const [key, { share }] of ours) {
    const other = theirs.get(key);
    if (other === undefined || Math.abs(toNumber(share) - toNumber(other.share)) >= ROUNDING) continue;
    unchanged = plus(unchanged, share);
    ours.delete(key);
    theirs.delete(key);
  }
  return { left: [...ours.values()], right: [...theirs.values()], unchanged };
}
