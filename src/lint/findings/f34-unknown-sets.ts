import type { Check, Found } from "../finding.js";
import { bounded, counted, listed, seenRules } from "../look.js";
import { askedSets } from "./asked-sets.js";

export const unknownSets: Check = {
  code: "LF3034",
  severity: "warning",
  sureness: "sure",
  find: ({ state, views }) => {
    const { sets } = state;
    const found: Found[] = views.flatMap((view): Found[] => {
      const unknown = askedSets(view).filter(({ set }) => sets?.get(set)?.entries === undefined);
      const names = new Set(unknown.map(({ set }) => set));
      if (names.size === 0) return [];
      return [
        {
          message: `${counted(names.size, "set")} that rules ask ${names.size === 1 ? "is" : "are"} not given: ${listed(names)}`,
          // Where no set was given at all, nothing is missing but a second command.
          ...(sets === undefined ? { severity: "info" as const } : {}),
          ...seenRules(
            unknown.map(({ at }) => at),
            view.family,
          ),
        },
      ];
    });
    const cut = [...(sets?.values() ?? [])].filter(({ notListed }) => notListed !== undefined);
    if (cut.length > 0)
      found.push({
        message: `${counted(cut.length, "set")} ${cut.length === 1 ? "holds" : "hold"} more members than the text shows: ${listed(cut.map(({ name }) => name))}`,
        ...bounded(cut, ({ name, entries = [], notListed = 0, place }) => ({
          ...(place === undefined ? {} : { place }),
          words: `${name}: ${entries.length} of ${entries.length + notListed} members`,
        })),
      });
    return found;
  },
};
