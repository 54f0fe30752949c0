import type { RuleAt } from "../../explain/service-model.js";
import type { RulesView } from "../context.js";
import type { Check, Found } from "../finding.js";
import { bounded, groupedBy } from "../look.js";
import { repeatsIn } from "./repeats.js";

export const severalDumps: Check = {
  code: "LF4046",
  severity: "warning",
  sureness: "likely",
  find: ({ views }) => {
    const holding = views.filter(({ rules }) => rules.length > 0);
    const alike = [...groupedBy(holding, ({ family, flavour }) => `${family} ${flavour}`).values()].flatMap(
      (own): readonly Found[] => {
        if (own.length < 2) return [];
        return [
          {
            message: `${own.length} dumps of one kind: they are of several nodes or network namespaces, or of several times`,
            ...bounded(
              own.map(({ rules }) => rules[0] as RuleAt),
              sight,
            ),
          },
        ];
      },
    );
    return [...alike, ...holding.flatMap(begunAnew)];
  },
};

/** Lines that nothing tells apart, and that come again after those of other chains. */
function begunAnew(view: RulesView): readonly Found[] {
  const again = [...repeatsIn(view).values()].flatMap((own) => own.filter(({ isAnew }) => isAnew));
  if (again.length === 0) return [];
  return [
    {
      message:
        "rules begin anew behind those of other chains: they are of several nodes or network namespaces, or of several times, and were read as one",
      ...bounded(
        again.map(({ at }) => at),
        sight,
      ),
    },
  ];
}

function sight({ table, chain, rule }: RuleAt) {
  return { ...(rule.place === undefined ? {} : { place: rule.place }), words: `${table}:${chain}` };
}
