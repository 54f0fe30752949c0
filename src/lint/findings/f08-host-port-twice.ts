import { type HostPort, hostPortsIn, shortId } from "../../explain/host-ports.js";
import type { RuleAt } from "../../explain/service-model.js";
import type { Check } from "../finding.js";
import { listed, seenRules } from "../look.js";

export const hostPortTwice: Check = {
  code: "LF3008",
  severity: "error",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap(({ ruleset, family }) => {
      const clashes = new Map<RuleAt, HostPort[]>();
      for (const entry of hostPortsIn(ruleset)) {
        const { takenBy } = entry;
        if (takenBy === undefined) continue;
        const known = clashes.get(takenBy.at);
        if (known === undefined) clashes.set(takenBy.at, [entry]);
        else known.push(entry);
      }
      return [...clashes].map(([first, later]) => {
        const ports = [...new Set(later.map(({ port }) => port))];
        const winner = later[0]?.takenBy;
        const rules = [...new Set([first, ...later.map(({ at }) => at)])];
        const pod = winner?.sandbox === undefined ? "" : `, of pod sandbox ${shortId(winner.sandbox)},`;
        const to = [...new Set(later.flatMap(({ takenBy }) => takenBy?.to ?? []))];
        return {
          message: `host port${ports.length === 1 ? "" : "s"} ${listed(ports)} ${ports.length === 1 ? "is" : "are"} mapped more than once: the first mapping${pod} wins${to.length === 0 ? "" : `, to ${listed(to)}`}`,
          ...seenRules(rules, family),
        };
      });
    }),
};
