import { chainOf } from "../../state/rules.js";
import type { Check } from "../finding.js";
import { seenRules } from "../look.js";

export const dropMark: Check = {
  code: "LF4019",
  severity: "info",
  sureness: "likely",
  find: ({ views }) =>
    views.flatMap((view) => {
      const callers = view.callersOf("nat", "KUBE-MARK-DROP");
      if (chainOf(view.ruleset, "nat", "KUBE-MARK-DROP") !== undefined) {
        return [
          {
            message: "KUBE-MARK-DROP is here: written by kubelet up to 1.26, or kube-proxy before 1.25",
            ...seenRules([...view.rulesOf("nat", "KUBE-MARK-DROP"), ...callers], view.family),
          },
        ];
      }
      if (callers.length === 0 || !view.isSaved("nat")) return [];
      return [
        {
          message: "rules go to KUBE-MARK-DROP, which is not here: kube-proxy's next sync is refused",
          severity: "error" as const,
          ...seenRules(callers, view.family),
        },
      ];
    }),
};
