import { singleValue } from "../../explain/proxy-view.js";
import type { RuleAt } from "../../explain/service-model.js";
import type { RulesView } from "../context.js";
import type { Check } from "../finding.js";
import { askedBy, effectOf, seenRules, targetOf } from "../look.js";

/** Of more ports than these in one rule, each one's taker is not kept. */
const PORTS_MAX = 64;

/** Chains one below the other that are followed; programs nest a few. */
const DEPTH_MAX = 32;

export const portTaken: Check = {
  code: "LF3023",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family } = view;
      const taken = takenBefore(view);
      if (taken.size === 0) return [];
      return view.rulesOf("nat", "KUBE-NODEPORTS").flatMap((at) => {
        const port = singleValue(at.rule, "destinationPort", family);
        const taker = taken.get(`${singleValue(at.rule, "protocol", family)} ${port}`);
        if (taker === undefined) return [];
        return [
          {
            message: `node port ${port} is taken by a rule of ${taker.chain} before Services are asked`,
            ...seenRules([taker, at], family),
          },
        ];
      });
    }),
};

/** Ports that rules translate, by protocol and port, in chains that PREROUTING comes to before KUBE-SERVICES. */
function takenBefore(view: RulesView): ReadonlyMap<string, RuleAt> {
  const { family } = view;
  const taken = new Map<string, RuleAt>();
  const seen = new Set<string>();
  const look = (chain: string, depth = 0): void => {
    if (seen.has(chain) || depth > DEPTH_MAX) return;
    seen.add(chain);
    for (const at of view.rulesOf("nat", chain)) {
      const to = targetOf(at.rule);
      if (to === "KUBE-SERVICES") return;
      if (to !== undefined) look(to, depth + 1);
      const { kind } = effectOf(at.rule, family);
      const asked = askedBy(at.rule, family);
      // A rule for some clients or addresses alone takes the port from those only.
      const isForAll = asked.every(
        (one) => one.kind === "within" && /^(?:protocol|destinationPort)$/.test(one.field),
      );
      if (!isForAll || !["rewrite", "redirect"].includes(kind)) continue;
      const protocol = singleValue(at.rule, "protocol", family);
      for (const condition of asked) {
        if (condition.kind !== "within" || condition.field !== "destinationPort") continue;
        for (const { from, to: last } of condition.ranges) {
          if (Number(last) - Number(from) >= PORTS_MAX) continue;
          for (let port = Number(from); port <= Number(last); port++) {
            const key = `${protocol} ${port}`;
            if (!taken.has(key)) taken.set(key, at);
          }
        }
      }
    }
  };
  look("PREROUTING");
  return taken;
}
