import { chainOf } from "../../state/rules.js";
import type { Check } from "../finding.js";
import { seenRules } from "../look.js";

export const dropMark: Check = {
  code: "LF4019",
  severity: "info",
  sureness: "likely",
  find: ({ views }) =>
    views.flatMap((view) => {
      // Where it is lacking although rules go to it, reading has said so, or LF3010 does.
      if (chainOf(view.ruleset, "nat", "KUBE-MARK-DROP") === undefined) return [];
      const rules = [...view.rulesOf("nat", "KUBE-MARK-DROP"), ...view.callersOf("nat", "KUBE-MARK-DROP")];
      return [
        {
          message: "KUBE-MARK-DROP is here: written by kubelet up to 1.26, or kube-proxy before 1.25",
          ...seenRules(rules, view.family),
        },
      ];
    }),
};
