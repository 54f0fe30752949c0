/** Rules that stand in a chain a second time, for the checks of copies and of several dumps in one. */
import type { HeaderGiven } from "../../../grammar/header.js";
import { endsTable } from "../../../grammar/meaning.js";
import type { RuleAt } from "../../explain/service-model.js";
import { commentOf } from "../../explain/service-names.js";
import { meaningOf } from "../../state/meaning.js";
import type { Rule } from "../../state/rules.js";
import { printRule } from "../../text/save.js";
import type { RulesView } from "../context.js";
import { staysSo } from "../implied.js";
import { askedBy, effectOf, groupedBy, namedBy, someWithin } from "../look.js";

export interface Repeat {
  readonly at: RuleAt;
  /** It differs by its comment. */
  readonly isRenamed: boolean;
  /** Rules of another chain stand between it and the copy before, as they never do in one dump. */
  readonly isAnew: boolean;
}

const made = new WeakMap<RulesView, ReadonlyMap<string, readonly Repeat[]>>();

/** By `table:chain`, rules that stand there already and do nothing more. */
export function repeatsIn(view: RulesView): ReadonlyMap<string, readonly Repeat[]> {
  let repeats = made.get(view);
  if (repeats === undefined) {
    const stretches = stretchesIn(view);
    const chains = groupedBy(view.rules, ({ table, chain }) => `${table}:${chain}`);
    repeats = new Map(
      [...chains].flatMap(([chain, rules]) => {
        const own = repeatsAmong(rules, stretches, view);
        return own.length === 0 ? [] : [[chain, own] as const];
      }),
    );
    made.set(view, repeats);
  }
  return repeats;
}

/** Rules of one chain that stand together in a fragment have one number; a saved table has each chain's rules together. */
function stretchesIn(view: RulesView): ReadonlyMap<Rule, number> {
  const placed = view.rules.filter(({ table, rule }) => !view.isWhole(table) && rule.place !== undefined);
  const inOrder = [...placed].sort((left, right) => lineOf(left) - lineOf(right));
  const stretches = new Map<Rule, number>();
  let [number, last] = [0, ""];
  for (const { table, chain, rule } of inOrder) {
    if (last !== `${table}:${chain}`) number++;
    last = `${table}:${chain}`;
    stretches.set(rule, number);
  }
  return stretches;
}

function lineOf({ rule }: RuleAt): number {
  return rule.place?.line ?? 0;
}

function repeatsAmong(
  rules: readonly RuleAt[],
  stretches: ReadonlyMap<Rule, number>,
  view: RulesView,
): readonly Repeat[] {
  if (rules.length < 2) return [];
  // Printing all rules of a big dump takes long; most are told apart by their targets.
  const alike = groupedBy(rules, ({ rule }) => roughly(rule));
  /** By the rule without its comment, the comments that it has, and the last of them. */
  const seen = new Map<string, { readonly comments: Set<string>; last: RuleAt }>();
  return rules.flatMap((at): readonly Repeat[] => {
    const { rule, chain } = at;
    if (alike.get(roughly(rule))?.length === 1) return [];
    const { counters: _counters, ...own } = rule;
    const matches = own.matches.filter(({ name }) => name !== "comment");
    const text = printRule({ ...own, matches }, chain, view.family);
    const comment = commentOf(rule) ?? "";
    const known = seen.get(text);
    if (known === undefined) {
      seen.set(text, { comments: new Set([comment]), last: at });
      return [];
    }
    const isRenamed = !known.comments.has(comment);
    const isNext = known.last.number === at.number - 1;
    const isAnew = stretches.get(known.last.rule) !== stretches.get(rule);
    known.comments.add(comment);
    known.last = at;
    return isRedundant(rule, { isRenamed, isNext }, view) ? [{ at, isRenamed, isAnew }] : [];
  });
}

/** Whether a rule that stands there already does nothing more. */
function isRedundant(
  rule: Rule,
  { isRenamed, isNext }: { readonly isRenamed: boolean; readonly isNext: boolean },
  { family }: RulesView,
): boolean {
  // A second draw, or a second bucket of a limit, does something.
  const draws = meaningOf(rule, family).matches.some(
    ({ condition, effect }) =>
      effect !== undefined ||
      someWithin(
        condition,
        (part) =>
          part.kind === "chance" ||
          part.kind === "counted" ||
          ((part.kind === "hidden" || part.kind === "unmodelled") && part.perRule === true),
      ),
  );
  if (draws) return false;
  const effect = effectOf(rule, family);
  // Rules in between may set the mark anew that it asks for, or that it sets.
  const onMarks =
    effect.kind === "assign" ||
    effect.kind === "copy" ||
    askedBy(rule, family).some((condition) => someWithin(condition, isOfMark));
  if (onMarks && !isNext) return false;
  if (!isRenamed) return true;
  // kube-proxy writes one for each port of a Service, for their health check too, which they share.
  if (namedBy(rule) !== undefined) return false;
  // Under another comment it may be meant for something else, unless no packet comes to it.
  return (endsTable(effect) || effect.kind === "return") && askedBy(rule, family).every(staysSo);
}

function isOfMark(part: Parameters<typeof staysSo>[0]): boolean {
  return (
    (part.kind === "within" || part.kind === "masked") && (part.field === "mark" || part.field === "connmark")
  );
}

function roughly({ header, matches, target }: Rule): string {
  const name = target?.kind === "chain" ? target.chain : target?.name;
  const { source, destination } = header as HeaderGiven;
  const asked = matches.filter((match) => match.name !== "comment").length;
  return `${name} ${asked} ${source?.value.address} ${destination?.value.address}`;
}
