import { remarksOf } from "../context.js";
import type { Check } from "../finding.js";
import { bounded, groupedBy, listed } from "../look.js";

export const twoBackEnds: Check = {
  code: "LF3012",
  severity: "error",
  sureness: "sure",
  find: ({ views }) => {
    const holding = views.filter(({ rules }) => rules.length > 0);
    const both = [...groupedBy(holding, ({ family }) => family).values()].flatMap((own) => {
      const flavours = new Set(own.flatMap(({ flavour }) => flavour ?? []));
      if (flavours.size < 2) return [];
      const tables = own.map((view) => new Set(view.rules.map(({ table }) => table)));
      const shared = [...(tables[0] ?? [])].filter((table) => tables.every((one) => one.has(table)));
      const firsts = own.flatMap(({ rules }) => rules.slice(0, 1));
      return [
        {
          message: `iptables-legacy and iptables-nft both hold rules${shared.length === 0 ? "" : `, both in ${listed(shared)}`}`,
          ...bounded(firsts, ({ table, chain, rule }) => ({
            ...(rule.place === undefined ? {} : { place: rule.place }),
            words: `${table}:${chain}`,
          })),
        },
      ];
    });
    if (both.length > 0) return both;
    return views.flatMap(({ ruleset }) => {
      const warned = [...ruleset.tables.values()].some((table) =>
        remarksOf(table).some((line) => /iptables-legacy tables present/.test(line)),
      );
      return warned
        ? [
            {
              message: "iptables-nft says that iptables-legacy holds tables, too",
              severity: "warning" as const,
              seen: [],
            },
          ]
        : [];
    });
  },
};
