import type { Condition } from "../../../grammar/meaning.js";
import type { RuleAt } from "../../explain/service-model.js";
import { meaningOf } from "../../state/meaning.js";
import type { RulesView } from "../context.js";
import type { Check } from "../finding.js";
import { effectOf, seenRules, someWithin } from "../look.js";

/** The mark that KUBE-MARK-MASQ gives to packets that have none. */
export function masqueradeMark(view: RulesView): number | undefined {
  for (const { rule } of view.rulesOf("nat", "KUBE-MARK-MASQ")) {
    const effect = effectOf(rule, view.family);
    if (effect.kind === "assign" && effect.field === "mark") return effect.toggle;
  }
  return undefined;
}

export const otherMark: Check = {
  code: "LF3006",
  severity: "error",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const mark = masqueradeMark(view);
      if (mark === undefined) return [];
      const fits = (at: RuleAt) =>
        asksForMark(at, view, (one) => (mark & Number(one.mask)) >>> 0 === one.value);
      const asks = (at: RuleAt) => asksForMark(at, view, () => true);
      return (["nat:KUBE-POSTROUTING", "filter:KUBE-FORWARD"] as const).flatMap((where) => {
        const [table = "", chain = ""] = where.split(":");
        const asking = view.rulesOf(table, chain).filter(asks);
        if (asking.length === 0 || asking.some(fits)) return [];
        const what = table === "nat" ? "masqueraded" : "accepted";
        return [
          {
            message: `KUBE-MARK-MASQ marks with 0x${mark.toString(16)}, but ${chain} asks for another mark: packets are not ${what} as they should be`,
            ...seenRules([...view.rulesOf("nat", "KUBE-MARK-MASQ"), ...asking], view.family),
          },
        ];
      });
    }),
};

type Masked = Extract<Condition, { kind: "masked" }>;

function asksForMark({ rule }: RuleAt, { family }: RulesView, is: (one: Masked) => boolean): boolean {
  return meaningOf(rule, family).matches.some(({ condition }) =>
    someWithin(condition, (part) => part.kind === "masked" && part.field === "mark" && is(part)),
  );
}
