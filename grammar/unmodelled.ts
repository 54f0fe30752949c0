/** Matches whose answer landfall leaves open. */
import type { Match, OptionTable, Unmodelled } from "./description.js";
import { printedText } from "./print.js";

/** A match whose answer is always left open, and what it hangs on. */
export function defineUnmodelledMatch<const O extends OptionTable>(
  match: Omit<Match<O>, "kind" | "meaning"> & { readonly unmodelled: Unmodelled },
): Match<O> {
  const { name, options, unmodelled } = match;
  return {
    kind: "match",
    ...match,
    meaning(given, { family }) {
      const words = printedText(options, given, family);
      const question = `-m ${name}${words && ` ${words}`} matches (it hangs on ${unmodelled.hangsOn})`;
      return {
        condition: { kind: "unmodelled", question, ...(unmodelled.perRule ? { perRule: true } : {}) },
      };
    },
  };
}
