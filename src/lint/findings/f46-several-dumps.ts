import type { RuleAt } from "../../explain/service-model.js";
import type { Check } from "../finding.js";
import { bounded, groupedBy } from "../look.js";

export const severalDumps: Check = {
  code: "LF4046",
  severity: "warning",
  sureness: "likely",
  find: ({ views }) => {
    const holding = views.filter(({ rules }) => rules.length > 0);
    return [...groupedBy(holding, ({ family, flavour }) => `${family} ${flavour}`).values()].flatMap(
      (own) => {
        if (own.length < 2) return [];
        return [
          {
            message: `${own.length} dumps of one kind: they are of several nodes or network namespaces, or of several times`,
            ...bounded(
              own.map(({ rules }) => rules[0] as RuleAt),
              ({ table, chain, rule }) => ({
                ...(rule.place === undefined ? {} : { place: rule.place }),
                words: `${table}:${chain}`,
              }),
            ),
          },
        ];
      },
    );
  },
};
