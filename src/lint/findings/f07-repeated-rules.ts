import type { HeaderGiven } from "../../../grammar/header.js";
import type { RuleAt } from "../../explain/service-model.js";
import { meaningOf } from "../../state/meaning.js";
import type { Rule } from "../../state/rules.js";
import { printRule } from "../../text/save.js";
import type { RulesView } from "../context.js";
import type { Check } from "../finding.js";
import { counted, groupedBy, seenRules, someWithin } from "../look.js";

export const repeatedRules: Check = {
  code: "LF4007",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const byChain = groupedBy(view.rules, ({ table, chain }) => `${table}:${chain}`);
      return [...byChain].flatMap(([chain, rules]) => {
        const repeats = repeatsAmong(rules, view);
        if (repeats.length === 0) return [];
        return [
          {
            message: `${chain} holds ${counted(repeats.length, "rule that stands", "rules that stand")} there already${writerOf(repeats)}`,
            ...seenRules(repeats, view.family),
          },
        ];
      });
    }),
};

function repeatsAmong(rules: readonly RuleAt[], { family }: RulesView): readonly RuleAt[] {
  if (rules.length < 2) return [];
  // Printing all rules of a big dump takes long; most are told apart by their targets.
  const alike = groupedBy(rules, ({ rule }) => roughly(rule));
  const seen = new Set<string>();
  return rules.filter(({ rule, chain }) => {
    if (alike.get(roughly(rule))?.length === 1) return false;
    const { counters: _counters, ...own } = rule;
    const text = printRule(own, chain, family);
    if (!seen.has(text)) {
      seen.add(text);
      return false;
    }
    // A second draw, or a second bucket of a limit, does something.
    return !meaningOf(rule, family).matches.some(
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
  });
}

function roughly({ header, matches, target }: Rule): string {
  const name = target?.kind === "chain" ? target.chain : target?.name;
  const { source, destination } = header as HeaderGiven;
  return `${name} ${matches.length} ${source?.value.address} ${destination?.value.address}`;
}

/** Programs that are known to append what is there. */
function writerOf(repeats: readonly RuleAt[]): string {
  const names = repeats.flatMap(({ chain, rule }) => [
    chain,
    rule.target?.kind === "chain" ? rule.target.chain : "",
  ]);
  if (names.some((name) => /^KUBE-(?:ROUTER|POD-FW|NWPLCY)-/.test(name)))
    return "; kube-router does so with iptables 1.8.10, and after upgrades";
  if (repeats.some(({ rule }) => rule.target?.kind === "target" && rule.target.name === "CHECKSUM"))
    return "; libvirt does so at each start of a network";
  if (names.some((name) => name.startsWith("ISTIO_")))
    return "; Istio's init container has run more than once";
  return "";
}
