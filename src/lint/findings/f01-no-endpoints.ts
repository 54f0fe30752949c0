import type { Check } from "../finding.js";
import { effectOf, endOf, groupedBy, listed, namedBy, seenRules } from "../look.js";

export const noEndpoints: Check = {
  code: "LF3001",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family } = view;
      const refusals = view
        .rulesIn("filter")
        .filter(
          ({ chain, rule }) =>
            effectOf(rule, family).kind === "reject" &&
            (namedBy(rule)?.said === "no endpoints" || /^KUBE-(?:EXTERNAL-)?SERVICES$/.test(chain)),
        );
      const byName = groupedBy(
        refusals,
        ({ rule }) => namedBy(rule)?.name ?? endOf(rule, family) ?? "a service",
      );
      return [...byName].map(([name, rules]) => {
        const ends = listed(rules.flatMap(({ rule }) => endOf(rule, family) ?? []));
        return {
          message: `${name} has no endpoints: connections to ${ends || "it"} are refused`,
          ...seenRules(rules, family),
        };
      });
    }),
};
