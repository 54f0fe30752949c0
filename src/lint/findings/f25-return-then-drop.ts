import { chainOf } from "../../state/rules.js";
import type { Check } from "../finding.js";
import { askedBy, effectOf, seenRules, targetOf } from "../look.js";

export const returnThenDrop: Check = {
  code: "LF3025",
  severity: "error",
  sureness: "likely",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family } = view;
      const input = chainOf(view.ruleset, "filter", "INPUT");
      const allowing = view
        .rulesOf("filter", "KUBE-ROUTER-INPUT")
        .filter(({ rule }) => effectOf(rule, family).kind === "return");
      if (input?.policy !== "DROP" || allowing.length === 0) return [];
      const rules = view.rulesOf("filter", "INPUT");
      const at = rules.findIndex(({ rule }) => targetOf(rule) === "KUBE-ROUTER-INPUT");
      if (at < 0) return [];
      const accepting = rules.slice(at + 1).filter(({ rule }) => {
        const effect = effectOf(rule, family);
        return effect.kind === "jump" || (effect.kind === "verdict" && effect.verdict === "accept");
      });
      if (accepting.some(({ rule }) => targetOf(rule) === undefined && askedBy(rule, family).length === 0))
        return [];
      return [
        {
          message: "what KUBE-ROUTER-INPUT allows only returns to INPUT, whose policy is DROP",
          ...(accepting.length === 0 ? { sureness: "sure" as const } : {}),
          ...seenRules(allowing, family),
        },
      ];
    }),
};
