import { singleValue } from "../../explain/proxy-view.js";
import type { RuleAt } from "../../explain/service-model.js";
import type { Check } from "../finding.js";
import { askedBy, effectOf, refuses, seenRules } from "../look.js";

export const inputBypassed: Check = {
  code: "LF3024",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family } = view;
      const published = new Map<string, RuleAt>();
      for (const at of view.rulesOf("nat", "DOCKER")) {
        const port = singleValue(at.rule, "destinationPort", family);
        if (port !== undefined && effectOf(at.rule, family).kind === "rewrite")
          published.set(`${singleValue(at.rule, "protocol", family)} ${port}`, at);
      }
      if (published.size === 0) return [];
      return view.rulesIn("filter").flatMap((at) => {
        if (at.chain !== "INPUT" || !refuses(effectOf(at.rule, family))) return [];
        const protocol = singleValue(at.rule, "protocol", family);
        return askedBy(at.rule, family).flatMap((condition) => {
          if (condition.kind !== "within" || condition.field !== "destinationPort") return [];
          return condition.ranges.flatMap(({ from, to }) => {
            const docker = from === to ? published.get(`${protocol} ${from}`) : undefined;
            if (docker === undefined) return [];
            return [
              {
                message: `port ${from} is published by Docker: the rule of INPUT that refuses it is never asked`,
                ...seenRules([at, docker], family),
              },
            ];
          });
        });
      });
    }),
};
