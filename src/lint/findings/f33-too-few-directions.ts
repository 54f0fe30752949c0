import { setTypeNamed } from "../../../grammar/sets/types.js";
import type { Check } from "../finding.js";
import { groupedBy, seenRules } from "../look.js";
import { askedSets } from "./asked-sets.js";

export const tooFewDirections: Check = {
  code: "LF3033",
  severity: "error",
  sureness: "sure",
  find: ({ state, views }) =>
    views.flatMap((view) => {
      const short = askedSets(view).flatMap((asked) => {
        const set = state.sets?.get(asked.set);
        const needed = set === undefined ? undefined : setTypeNamed(set.type)?.dimensions.length;
        return needed === undefined || asked.directions.length >= needed
          ? []
          : [{ ...asked, type: set?.type, needed }];
      });
      return [...groupedBy(short, ({ set }) => set)].map(([name, own]) => ({
        message: `set ${name} (${own[0]?.type}) is asked with ${own[0]?.directions.join(",")} and needs ${own[0]?.needed} directions: nothing is ever in it`,
        ...seenRules(
          own.map(({ at }) => at),
          view.family,
        ),
      }));
    }),
};
