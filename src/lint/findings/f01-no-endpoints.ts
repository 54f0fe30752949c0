import type { Check } from "../finding.js";
import { effectOf, endOf, groupedBy, listed, namedBy, seenRules } from "../look.js";
import { staleRefusals } from "./f11-two-modes.js";

export const noEndpoints: Check = {
  code: "LF3001",
  severity: "warning",
  sureness: "sure",
  find: ({ state, views }) =>
    views.flatMap((view) => {
      const { family } = view;
      // Of another mode's rules nothing follows about endpoints.
      const stale = new Set(staleRefusals(view, state));
      const refusals = view
        .rulesIn("filter")
        .filter(
          (at) =>
            !stale.has(at) &&
            effectOf(at.rule, family).kind === "reject" &&
            (namedBy(at.rule)?.said === "no endpoints" || /^KUBE-(?:EXTERNAL-)?SERVICES$/.test(at.chain)),
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
