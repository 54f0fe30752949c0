import type { Check } from "../finding.js";
import { seenRules, targetOf } from "../look.js";

export const behindNodePorts: Check = {
  code: "LF3022",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const rules = view.rulesOf("nat", "KUBE-SERVICES");
      const isLast = ({ rule }: (typeof rules)[number]) => targetOf(rule) === "KUBE-NODEPORTS";
      const first = rules.findIndex(isLast);
      const behind = first < 0 ? [] : rules.slice(first).filter((at) => !isLast(at));
      if (behind.length === 0) return [];
      return [
        {
          message:
            "the rule for node ports is not the last of KUBE-SERVICES: node ports come before the rules behind it",
          ...seenRules(behind, view.family),
        },
      ];
    }),
};
