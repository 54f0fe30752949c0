import { meaningOf } from "../../state/meaning.js";
import type { Check } from "../finding.js";
import { counted, effectOf, listed, seenRules, someWithin } from "../look.js";

export const openRules: Check = {
  code: "LF3042",
  severity: "info",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family } = view;
      const names = new Set<string>();
      const open = view.rules.filter(({ rule }) => {
        const effect = effectOf(rule, family);
        if (effect.kind === "unmodelled")
          names.add(rule.target?.kind === "chain" ? "" : (rule.target?.name ?? ""));
        let isOpen = effect.kind === "unmodelled";
        for (const [index, { condition }] of meaningOf(rule, family).matches.entries()) {
          const asksOpen = someWithin(
            condition,
            (part) =>
              part.kind === "unmodelled" || (part.kind === "oneOf" && /^(?:in|out)Port$/.test(part.field)),
          );
          if (!asksOpen) continue;
          isOpen = true;
          // The header comes first.
          names.add(rule.matches[index - 1]?.name ?? "");
        }
        return isOpen;
      });
      if (open.length === 0) return [];
      return [
        {
          message: `${counted(open.length, "rule")} ${open.length === 1 ? "asks" : "ask"} what no dump holds: ${listed(names)}`,
          ...seenRules(open, family),
        },
      ];
    }),
};
