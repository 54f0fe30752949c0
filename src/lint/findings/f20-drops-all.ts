import type { Check } from "../finding.js";
import { askedBy, effectOf, seenRules } from "../look.js";

export const dropsAll: Check = {
  code: "LF3020",
  severity: "error",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family } = view;
      const dropping = view.rulesOf("filter", "KUBE-FIREWALL").filter(({ rule }) => {
        const effect = effectOf(rule, family);
        return effect.kind === "verdict" && effect.verdict === "drop" && askedBy(rule, family).length === 0;
      });
      if (dropping.length === 0) return [];
      return [
        {
          message: "KUBE-FIREWALL drops every packet: its rule has lost the mark",
          ...seenRules(dropping, family),
        },
      ];
    }),
};
