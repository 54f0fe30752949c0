/** The ipsets that rules ask, for the checks of sets. */
import type { Condition } from "../../../grammar/meaning.js";
import type { RuleAt } from "../../explain/service-model.js";
import { meaningOf } from "../../state/meaning.js";
import type { RulesView } from "../context.js";

export interface AskedSet {
  readonly at: RuleAt;
  readonly set: string;
  readonly directions: readonly ("src" | "dst")[];
}

export function askedSets({ rules, family }: RulesView): readonly AskedSet[] {
  return rules.flatMap((at) => {
    // Rules that name no set are most of all.
    if (!at.rule.matches.some(({ name }) => name === "set")) return [];
    const found: AskedSet[] = [];
    for (const { condition } of meaningOf(at.rule, family).matches) collect(condition, at, found);
    return found;
  });
}

function collect(condition: Condition, at: RuleAt, found: AskedSet[]): void {
  if (condition.kind === "member") found.push({ at, set: condition.set, directions: condition.directions });
  else if (condition.kind === "not") collect(condition.of, at, found);
  else if (condition.kind === "all" || condition.kind === "any")
    for (const one of condition.of) collect(one, at, found);
}
