import { singleValue } from "../../explain/proxy-view.js";
import type { RuleAt } from "../../explain/service-model.js";
import type { Check } from "../finding.js";
import { askedBy, seenRules } from "../look.js";

export const hostPortTwice: Check = {
  code: "LF3008",
  severity: "error",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family } = view;
      const first = new Map<string, RuleAt>();
      const clashes = new Map<string, RuleAt[]>();
      for (const at of view.rulesOf("nat", "CNI-HOSTPORT-DNAT")) {
        const protocol = singleValue(at.rule, "protocol", family) ?? "";
        const address = singleValue(at.rule, "destination", family);
        for (const condition of askedBy(at.rule, family)) {
          if (condition.kind !== "within" || condition.field !== "destinationPort") continue;
          for (const { from, to } of condition.ranges) {
            const ports = from === to ? `${from}` : `${from} to ${to}`;
            const key = `${protocol} ${ports}`;
            const before = first.get(`${key} any`) ?? first.get(`${key} ${address}`);
            if (before === undefined) first.set(`${key} ${address ?? "any"}`, at);
            else if (!isSameTarget(before, at)) clashes.set(ports, [...(clashes.get(ports) ?? [before]), at]);
          }
        }
      }
      return [...clashes].map(([ports, rules]) => ({
        message: `host port ${ports} is mapped more than once: the first mapping wins`,
        ...seenRules(rules, family),
      }));
    }),
};

function isSameTarget(left: RuleAt, right: RuleAt): boolean {
  const [one, other] = [left.rule.target, right.rule.target];
  return one?.kind === "chain" && other?.kind === "chain" && one.chain === other.chain;
}
