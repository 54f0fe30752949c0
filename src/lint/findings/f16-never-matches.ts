import type { Condition, Effect } from "../../../grammar/meaning.js";
import { endsTable } from "../../../grammar/meaning.js";
import type { RuleAt } from "../../explain/service-model.js";
import { ruleWords } from "../../explain/words.js";
import { meaningOf } from "../../state/meaning.js";
import type { RulesView } from "../context.js";
import { type Endings, endingsIn } from "../endings.js";
import type { Check } from "../finding.js";
import { implies, keyOf, noBigint, staysSo } from "../implied.js";
import { askedBy, bounded, coordinates, counted, effectOf, groupedBy } from "../look.js";

export const neverMatches: Check = {
  code: "LF3016",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const endings = endingsIn(view);
      return [...groupedBy(view.rules, ({ table, chain }) => `${table}:${chain}`)].flatMap(
        ([chain, rules]) => {
          const covered = coveredAmong(rules, view, endings);
          const other = covered.filter(({ isSame }) => !isSame);
          const same = covered.filter(({ isSame }) => isSame);
          return [
            ...found(
              other,
              `${chain}: ${counted(other.length, "rule")} can never match: earlier rules end the way of all ${other.length === 1 ? "its" : "their"} packets`,
              view,
            ),
            ...found(
              same,
              `${chain}: ${counted(same.length, "rule")} can never match: earlier rules do the same with all ${same.length === 1 ? "its" : "their"} packets`,
              view,
            ).map((one) => ({ ...one, severity: "info" as const })),
          ];
        },
      );
    }),
};

/** A rule that no packet comes to, and the one that takes them. */
interface Covered {
  readonly at: RuleAt;
  readonly by: RuleAt;
  /** It would do what the other does. */
  readonly isSame: boolean;
}

function found(covered: readonly Covered[], message: string, { family }: RulesView) {
  if (covered.length === 0) return [];
  const sight = ({ at, by }: Covered) => ({
    ...(at.rule.place === undefined ? {} : { place: at.rule.place }),
    words: `${coordinates(at)} ${ruleWords(at.rule, family)}, behind rule ${by.number} ${ruleWords(by.rule, family)}`,
  });
  return [{ message, ...bounded(covered, sight) }];
}

/** Rules that ask all that an earlier one asks, which ends the chain for packets that match it. */
function coveredAmong(rules: readonly RuleAt[], view: RulesView, endings: Endings): readonly Covered[] {
  const { family } = view;
  const enders: Enders = new Map();
  const written = new Set<string>();
  const covered: Covered[] = [];
  for (const at of rules) {
    const effect = effectOf(at.rule, family);
    const asked = askedBy(at.rule, family);
    const ends = endsChain(effect, at, asked, endings);
    if (enders.size === 0 && !ends) continue;
    const text = `${asked.map(keyOf).sort().join("&")}=${JSON.stringify(at.rule.target, noBigint)}`;
    // A rule that stands there twice is another finding.
    if (written.has(text)) continue;
    const by = enderBefore(asked, enders);
    if (by !== undefined) {
      const isSame = JSON.stringify(effect, noBigint) === JSON.stringify(effectOf(by.rule, family), noBigint);
      covered.push({ at, by, isSame });
      continue;
    }
    const acts = meaningOf(at.rule, family).matches.some((match) => match.effect !== undefined);
    if (!ends || acts || !asked.every(staysSo)) continue;
    written.add(text);
    keep({ at, asked }, enders);
  }
  return covered;
}

function endsChain(
  effect: Effect,
  { table }: RuleAt,
  asked: readonly Condition[],
  endings: Endings,
): boolean {
  if (effect.kind === "return" || effect.kind === "goto" || endsTable(effect)) return true;
  return effect.kind === "jump" && endings(table, effect.chain, asked.find(isProtocol));
}

function isProtocol(condition: Condition): boolean {
  return condition.kind === "within" && condition.field === "protocol";
}

interface Ender {
  readonly at: RuleAt;
  readonly asked: readonly Condition[];
}

/** By the most telling thing that they ask for: `destination=…`; "" for those that ask for no single value. */
type Enders = Map<string, Ender[]>;

/** So many of a kind are kept, and others taken for ones that take nothing from later rules. */
const KEPT_MAX = 64;

function keep(ender: Ender, enders: Enders): void {
  const [key = ""] = valuesOf(ender.asked);
  const known = enders.get(key);
  if (known === undefined) enders.set(key, [ender]);
  else if (known.length < KEPT_MAX) known.push(ender);
}

/** The first rule that takes all packets of which this holds. Who asks for a value takes only what asks for the same. */
function enderBefore(asked: readonly Condition[], enders: Enders): RuleAt | undefined {
  let first: RuleAt | undefined;
  for (const key of ["", ...valuesOf(asked)]) {
    const ender = enders.get(key)?.find((one) => one.asked.every((wanted) => implies(asked, wanted)));
    if (ender !== undefined && (first === undefined || ender.at.number < first.number)) first = ender.at;
  }
  return first;
}

const TELLING: readonly string[] = ["destination", "source", "destinationPort", "sourcePort", "inInterface"];

/** Single values that are asked for, the most telling first. */
function valuesOf(asked: readonly Condition[]): readonly string[] {
  const values = asked.flatMap((condition): readonly (readonly [number, string])[] => {
    const value = singleOf(condition);
    if (value === undefined || !("field" in condition)) return [];
    const rank = TELLING.indexOf(condition.field);
    return [[rank < 0 ? TELLING.length : rank, `${condition.field}=${value}`]];
  });
  return values.sort(([left], [right]) => left - right).map(([, key]) => key);
}

function singleOf(condition: Condition): string | undefined {
  if (condition.kind === "within") {
    const [only] = condition.ranges;
    return condition.ranges.length === 1 && only !== undefined && only.from === only.to
      ? `${only.from}`
      : undefined;
  }
  if (condition.kind !== "oneOf") return undefined;
  const [word] = condition.words;
  return condition.words.length === 1 && word !== undefined && !word.endsWith("+") ? word : undefined;
}
