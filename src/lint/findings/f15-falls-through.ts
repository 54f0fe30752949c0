import type { Check } from "../finding.js";
import { namedBy, seenRules } from "../look.js";
import { ALL_DRAWS, choicesIn } from "./balance.js";

export const fallsThrough: Check = {
  code: "LF3015",
  severity: "error",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      if (!view.isWhole("nat")) return [];
      return [...choicesIn(view)].flatMap(([chain, choices]) => {
        const last = choices.at(-1);
        if (last === undefined || choices.some(({ threshold }) => threshold >= ALL_DRAWS)) return [];
        const lost = choices.reduce((rest, { threshold }) => rest * (1 - threshold / ALL_DRAWS), 1);
        return [
          {
            message: `${namedBy(last.at.rule)?.name ?? chain}: ${Number((lost * 100).toPrecision(3))} % of the connections get no endpoint`,
            ...seenRules([last.at], view.family),
          },
        ];
      });
    }),
};
