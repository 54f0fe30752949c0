import type { RuleAt } from "../../explain/service-model.js";
import { ENDPOINT_CHAIN } from "../../explain/service-names.js";
import { meaningOf } from "../../state/meaning.js";
import type { Check } from "../finding.js";
import { askedBy, groupedBy, namedBy, seenRules, targetOf } from "../look.js";

export const halfAffinity: Check = {
  code: "LF3018",
  severity: "error",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      if (!view.isWhole("nat")) return [];
      const { family } = view;
      const asked = new Map<string, RuleAt>();
      const kept = new Map<string, RuleAt>();
      for (const at of view.rulesIn("nat")) {
        const isBalancing = ENDPOINT_CHAIN.test(targetOf(at.rule) ?? "");
        if (!isBalancing && !ENDPOINT_CHAIN.test(at.chain)) continue;
        for (const condition of isBalancing ? askedBy(at.rule, family) : [])
          if (condition.kind === "remembered") asked.set(condition.list, at);
        for (const { effect } of meaningOf(at.rule, family).matches)
          if (effect !== undefined && effect.action !== "remove") kept.set(effect.list, at);
      }
      const lost = [...asked].flatMap(([list, at]) => (kept.has(list) ? [] : [{ at, how: "asked" }]));
      const unused = [...kept].flatMap(([list, at]) => (asked.has(list) ? [] : [{ at, how: "kept" }]));
      const byName = groupedBy(
        [...lost, ...unused],
        ({ at, how }) => `${namedBy(at.rule)?.name ?? at.chain} ${how}`,
      );
      return [...byName.values()].map((own) => {
        const [{ at, how }] = own as [{ at: RuleAt; how: string }];
        const name = namedBy(at.rule)?.name ?? at.chain;
        return {
          message:
            how === "asked"
              ? `${name}: affinity never begins: its clients are looked for in lists that no rule writes`
              : `${name}: affinity has no effect: its clients are written to lists that no rule asks`,
          ...seenRules(
            own.map((one) => one.at),
            family,
          ),
        };
      });
    }),
};
