import { ruleWords } from "../../explain/words.js";
import type { Check, Sighting } from "../finding.js";
import { bounded, coordinates, counted, effectOf, refuses } from "../look.js";

export const countedLosses: Check = {
  code: "LF3043",
  severity: "info",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap(({ ruleset, rules, family }) => {
      const losses: { readonly packets: bigint; readonly sighting: () => Sighting }[] = [];
      for (const { name: table, chains } of ruleset.tables.values()) {
        for (const { name, policy, counters } of chains.values()) {
          if (policy === "DROP" && counters !== undefined && counters.packets > 0n)
            losses.push({
              packets: counters.packets,
              sighting: () => ({ words: `${table}:${name} policy DROP: ${counters.packets} packets` }),
            });
        }
      }
      for (const at of rules) {
        const { counters, place } = at.rule;
        if (counters === undefined || counters.packets === 0n || !refuses(effectOf(at.rule, family)))
          continue;
        losses.push({
          packets: counters.packets,
          sighting: () => ({
            ...(place === undefined ? {} : { place }),
            words: `${coordinates(at)} ${ruleWords(at.rule, family)}: ${counters.packets} packets`,
          }),
        });
      }
      if (losses.length === 0) return [];
      losses.sort((left, right) => Number(right.packets - left.packets));
      return [
        {
          message: `${counted(losses.length, "rule or policy that refuses has", "rules and policies that refuse have")} met packets`,
          ...bounded(losses, ({ sighting }) => sighting()),
        },
      ];
    }),
};
