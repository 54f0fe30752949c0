import { printRanges } from "../../evaluate/cases.js";
import type { Check } from "../finding.js";
import { askedBy, groupedBy, namedBy, seenRules, targetOf } from "../look.js";

export const sourceRanges: Check = {
  code: "LF3028",
  severity: "info",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family } = view;
      const allowing = view.rulesIn("nat").flatMap((at) => {
        const to = targetOf(at.rule);
        if (!at.chain.startsWith("KUBE-FW-") || to === undefined || to.startsWith("KUBE-MARK-")) return [];
        const ranges = askedBy(at.rule, family).flatMap((one) =>
          one.kind === "within" && one.field === "source" ? one.ranges : [],
        );
        return ranges.length === 0 ? [] : [{ at, ranges }];
      });
      return [...groupedBy(allowing, ({ at }) => at.chain)].map(([chain, own]) => {
        const name = own.map(({ at }) => namedBy(at.rule)?.name).find((one) => one !== undefined) ?? chain;
        return {
          message: `${name}: its load balancer IP takes clients of ${printRanges(own.flatMap(({ ranges }) => ranges))} alone, others are dropped`,
          ...seenRules(
            own.map(({ at }) => at),
            family,
          ),
        };
      });
    }),
};
