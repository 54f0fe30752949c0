import type { Check } from "../finding.js";
import { counted, listed, seenRules, targetOf } from "../look.js";

/** Fragments lack chains, and payloads go onto what is there; in a whole dump, reading refuses the rule (LF1004). */
export const missingChains: Check = {
  code: "LF3010",
  severity: "info",
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
        return [
          {
            message: `${table}: ${counted(names.size, "chain")} that rules go to ${names.size === 1 ? "is" : "are"} not here: ${listed(names)}`,
            ...seenRules(lost, view.family),
          },
        ];
      }),
    ),
};
