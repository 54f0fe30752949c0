import type { Check } from "../finding.js";
import { namedBy, seenRules } from "../look.js";
import { ALL_DRAWS, type Choice, choicesIn, isAbout, written } from "./balance.js";

export const uneven: Check = {
  code: "LF3013",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      if (!view.isWhole("nat")) return [];
      return [...choicesIn(view)].flatMap(([chain, choices]) => {
        const last = choices.at(-1);
        // What falls through is another finding.
        if (last === undefined || last.threshold < ALL_DRAWS || isEven(choices)) return [];
        const name = namedBy(last.at.rule)?.name ?? chain;
        return [
          {
            message: `${name} shares its connections unevenly: ${sharesOf(choices)}`,
            ...seenRules(
              choices.map(({ at }) => at),
              view.family,
            ),
          },
        ];
      });
    }),
};

/** 1/n, 1/(n-1) … 1, in the digits of new or old versions. */
function isEven(choices: readonly Choice[]): boolean {
  return choices.every(({ threshold }, index) => {
    const rest = choices.length - index;
    return [10, 5].some((digits) => isAbout(threshold, written(rest, digits)));
  });
}

const SHARES_SHOWN = 6;

function sharesOf(choices: readonly Choice[]): string {
  let rest = 1;
  const shares = choices.map(({ threshold }) => {
    const share = (rest * threshold) / ALL_DRAWS;
    rest -= share;
    return `${Number((share * 100).toPrecision(3))} %`;
  });
  return shares.length > SHARES_SHOWN ? `${shares.slice(0, SHARES_SHOWN).join(", ")} …` : shares.join(", ");
}
