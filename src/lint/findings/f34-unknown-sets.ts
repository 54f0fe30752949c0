import type { Check } from "../finding.js";
import { counted, listed, seenRules } from "../look.js";
import { askedSets } from "./asked-sets.js";

export const unknownSets: Check = {
  code: "LF3034",
  severity: "warning",
  sureness: "sure",
  find: ({ state, views }) =>
    views.flatMap((view) => {
      const unknown = askedSets(view).filter(({ set }) => state.sets?.get(set)?.entries === undefined);
      const names = new Set(unknown.map(({ set }) => set));
      if (names.size === 0) return [];
      return [
        {
          message: `${counted(names.size, "set")} that rules ask ${names.size === 1 ? "is" : "are"} not given: ${listed(names)}`,
          // Where no set was given at all, nothing is missing but a second command.
          ...(state.sets === undefined ? { severity: "info" as const } : {}),
          ...seenRules(
            unknown.map(({ at }) => at),
            view.family,
          ),
        },
      ];
    }),
};
