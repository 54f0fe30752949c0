import type { Check } from "../finding.js";

/** From about here on, a sync of iptables takes seconds to minutes. */
const MANY_RULES = 50_000;

export const manyRules: Check = {
  code: "LF4044",
  severity: "warning",
  sureness: "likely",
  find: ({ views }) =>
    views.flatMap((view) => {
      const proxied = view.rulesOf("nat", "KUBE-SERVICES").length;
      if (view.rules.length < MANY_RULES) return [];
      return [
        {
          message: `${view.rules.length} rules: a sync takes seconds to minutes${proxied > 0 ? `, and a new connection may walk ${proxied} rules of KUBE-SERVICES` : ""}`,
          seen: [],
        },
      ];
    }),
};
