import type { Check } from "../finding.js";
import { askedBy, effectOf, namedBy, seenRules, targetOf } from "../look.js";

export const sourceLost: Check = {
  code: "LF3027",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family } = view;
      const found = [];
      const inward = view.rulesIn("nat").filter((at) => {
        if (effectOf(at.rule, family).kind !== "masquerade" || !view.isReached("nat", at.chain)) return false;
        const asked = askedBy(at.rule, family);
        const from = asked.flatMap((one) =>
          one.kind === "not" && one.of.kind === "within" && one.of.field === "source" ? one.of.ranges : [],
        );
        const to = asked.flatMap((one) =>
          one.kind === "within" && one.field === "destination" ? one.ranges : [],
        );
        return from.some((source) =>
          to.some((destination) => destination.from <= source.to && source.from <= destination.to),
        );
      });
      if (inward.length > 0) {
        found.push({
          message:
            "what comes from outside the pods' network to pods is masqueraded: pods do not see who the client is",
          ...seenRules(inward, family),
        });
      }
      const all = view
        .rulesIn("nat")
        .filter(
          ({ rule }) =>
            targetOf(rule) === "KUBE-MARK-MASQ" &&
            namedBy(rule)?.said === "cluster IP" &&
            askedBy(rule, family).every(
              (one) =>
                one.kind === "within" && ["protocol", "destination", "destinationPort"].includes(one.field),
            ),
        );
      if (all.length > 0) {
        found.push({
          message:
            "all connections to cluster IPs are masqueraded (masqueradeAll): pods do not see who the client is",
          severity: "info" as const,
          ...seenRules(all, family),
        });
      }
      return found;
    }),
};
