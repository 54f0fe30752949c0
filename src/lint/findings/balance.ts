/** The rules by which a service port's chain chooses an endpoint, for the checks of their probabilities. */
import type { RuleAt } from "../../explain/service-model.js";
import { ENDPOINT_CHAIN, hashOf } from "../../explain/service-names.js";
import type { RulesView } from "../context.js";
import { askedBy, targetOf } from "../look.js";

/** 31 bits are drawn. */
export const ALL_DRAWS = 2 ** 31;

export interface Choice {
  readonly at: RuleAt;
  /** Of ALL_DRAWS. */
  readonly threshold: number;
}

/** By chain, the rules that choose among endpoints; those of affinity are left out. */
export function choicesIn(view: RulesView): ReadonlyMap<string, readonly Choice[]> {
  const chains = new Map<string, Choice[]>();
  for (const at of view.rulesIn("nat")) {
    if (hashOf(at.chain) === undefined || !ENDPOINT_CHAIN.test(targetOf(at.rule) ?? "")) continue;
    const asked = askedBy(at.rule, view.family);
    const [only] = asked;
    if (asked.length > 1 || (only !== undefined && only.kind !== "chance")) continue;
    const threshold = only?.kind === "chance" ? only.threshold : ALL_DRAWS;
    const known = chains.get(at.chain);
    if (known === undefined) chains.set(at.chain, [{ at, threshold }]);
    else known.push({ at, threshold });
  }
  return chains;
}

/** What 1/n becomes when it is written with so many digits, and read by iptables. */
export function written(n: number, digits: number): number {
  return Math.round(Number((1 / n).toFixed(digits)) * ALL_DRAWS);
}

/** A dump prints eleven digits, which may be one off when they are read again. */
export function isAbout(threshold: number, expected: number): boolean {
  return Math.abs(threshold - expected) <= 1;
}
