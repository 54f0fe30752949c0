import type { Check } from "../finding.js";
import { effectOf, groupedBy, namedBy, refuses, seenRules, targetOf } from "../look.js";

export const noLocalEndpoints: Check = {
  code: "LF3002",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap(({ rules, family }) => {
      const dropped = rules.filter(
        ({ rule }) =>
          namedBy(rule)?.said === "no local endpoints" &&
          (refuses(effectOf(rule, family)) || targetOf(rule) === "KUBE-MARK-DROP"),
      );
      return [...groupedBy(dropped, ({ rule }) => namedBy(rule)?.name)].map(([name, own]) => ({
        message: `${name} has no endpoint on this node: clients from outside get no answer here`,
        ...seenRules(own, family),
      }));
    }),
};
