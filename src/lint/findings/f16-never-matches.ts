import type { Condition, Effect } from "../../../grammar/meaning.js";
import type { RuleAt } from "../../explain/service-model.js";
import { meaningOf } from "../../state/meaning.js";
import type { RulesView } from "../context.js";
import type { Check } from "../finding.js";
import { askedBy, counted, effectOf, groupedBy, seenRules, someWithin } from "../look.js";

export const neverMatches: Check = {
  code: "LF3016",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) =>
      [...groupedBy(view.rules, ({ table, chain }) => `${table}:${chain}`)].flatMap(([chain, rules]) => {
        const covered = coveredAmong(rules, view);
        if (covered.length === 0) return [];
        return [
          {
            message: `${chain}: ${counted(covered.length, "rule")} can never match: earlier rules end the way of all ${covered.length === 1 ? "its" : "their"} packets`,
            ...seenRules(covered, view.family),
          },
        ];
      }),
    ),
};

/** So many conditions of one rule are looked at in all their combinations. */
const COMBINED_MAX = 6;

/** Rules that ask all that an earlier one asks, which ends the chain for packets that match it. */
function coveredAmong(rules: readonly RuleAt[], { family }: RulesView): readonly RuleAt[] {
  const enders = new Set<string>();
  /** Conditions that some ender asks. */
  const known = new Set<string>();
  const covered: RuleAt[] = [];
  for (const at of rules) {
    const ends = endsChain(effectOf(at.rule, family));
    if (enders.size === 0 && !ends) continue;
    const asked = askedBy(at.rule, family);
    const keys = asked.map(keyOf).sort();
    if (
      enders.size > 0 &&
      subsetsOf(keys.filter((key) => known.has(key))).some((subset) => enders.has(subset))
    ) {
      // A rule that stands there twice is another finding.
      if (!ends || !enders.has(`${keys.join("&")}=${JSON.stringify(at.rule.target, noBigint)}`))
        covered.push(at);
      continue;
    }
    const acts = meaningOf(at.rule, family).matches.some(({ effect }) => effect !== undefined);
    if (!ends || acts || !asked.every(staysSo)) continue;
    for (const key of keys) known.add(key);
    enders.add(keys.join("&"));
    enders.add(`${keys.join("&")}=${JSON.stringify(at.rule.target, noBigint)}`);
  }
  return covered;
}

function endsChain(effect: Effect): boolean {
  switch (effect.kind) {
    case "verdict":
    case "reject":
    case "return":
    case "goto":
    case "rewrite":
    case "masquerade":
    case "redirect":
      return true;
    default:
      return false;
  }
}

/** Whether the answer is the same for every rule that asks a packet: nothing is drawn, counted, hidden or changed on the way. */
function staysSo(condition: Condition): boolean {
  return !someWithin(condition, (part) => {
    switch (part.kind) {
      case "always":
      case "not":
      case "all":
      case "any":
      case "oneOf":
        return false;
      case "within":
        return ["mark", "connmark", "dscp", "ecn", "ttl", "mss"].includes(part.field);
      case "masked":
        return part.field === "mark" || part.field === "connmark";
      default:
        return true;
    }
  });
}

const keys = new WeakMap<Condition, string>();

function keyOf(condition: Condition): string {
  let key = keys.get(condition);
  if (key === undefined) {
    key = JSON.stringify(condition, noBigint);
    keys.set(condition, key);
  }
  return key;
}

function noBigint(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}

/** All combinations of conditions, each as one text; only single ones and all together of a rule that asks a lot. */
function subsetsOf(all: readonly string[]): readonly string[] {
  if (all.length > COMBINED_MAX) return ["", ...all, all.join("&")];
  return Array.from({ length: 2 ** all.length }, (_, bits) =>
    all.filter((_key, index) => (bits >> index) & 1).join("&"),
  );
}
