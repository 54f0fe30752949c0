import type { Check } from "../finding.js";
import { counted, listed, seenRules, targetOf } from "../look.js";

export const missingChains: Check = {
  code: "LF3010",
  severity: "error",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) =>
      [...view.ruleset.tables.values()].flatMap(({ name: table, chains }) => {
        const lost = view.rulesIn(table).filter(({ rule }) => {
          const to = targetOf(rule);
          return to !== undefined && !chains.has(to);
        });
        if (lost.length === 0) return [];
        const names = new Set(lost.flatMap(({ rule }) => targetOf(rule) ?? []));
        const isSaved = view.isSaved(table);
        return [
          {
            message: `${table}: ${counted(names.size, "chain")} that rules go to ${names.size === 1 ? "is" : "are"} not here: ${listed(names)}`,
            // A fragment lacks lines, and a payload goes onto what is there; a whole table was cut, or is refused.
            ...(isSaved ? {} : { severity: "info" as const }),
            ...seenRules(lost, view.family),
          },
        ];
      }),
    ),
};
