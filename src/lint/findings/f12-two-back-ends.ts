import { translationOf } from "../../explain/proxy-view.js";
import { remarksOf } from "../../state/back-end.js";
import type { RulesView } from "../context.js";
import type { Check } from "../finding.js";
import { bounded, endpointsIn, groupedBy, listed, printEnd } from "../look.js";

/** Where the Services of one back end lead: where the two differ, one of them leads to pods of the past. */
function endpointWords(view: RulesView): string {
  const ends = endpointsIn(view).flatMap(({ at }) => {
    const { address, port } = translationOf(at.rule, view.family) ?? {};
    return address === undefined ? [] : [printEnd(address, port)];
  });
  return ends.length === 0 ? "" : `, whose Services lead to ${listed(ends)}`;
}

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
      const firsts = own.flatMap((view) => view.rules.slice(0, 1).map((at) => ({ view, at })));
      return [
        {
          message: `iptables-legacy and iptables-nft both hold rules${shared.length === 0 ? "" : `, both in ${listed(shared)}`}`,
          ...bounded(firsts, ({ view, at: { table, chain, rule } }) => ({
            ...(rule.place === undefined ? {} : { place: rule.place }),
            words: `${table}:${chain}${view.flavour === undefined ? "" : ` of iptables-${view.flavour}`}${endpointWords(view)}`,
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
