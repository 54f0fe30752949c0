import type { Check } from "../finding.js";
import { counted, seenRules } from "../look.js";
import { ALL_DRAWS, choicesIn, isAbout, written } from "./balance.js";

export const fiveDigits: Check = {
  code: "LF4014",
  severity: "info",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const old = [...choicesIn(view).values()].flat().filter(({ threshold }) => isOld(threshold));
      if (old.length === 0) return [];
      return [
        {
          message: `${counted(old.length, "probability", "probabilities")} of five digits: kube-proxy before 1.17 wrote these rules`,
          ...seenRules(
            old.map(({ at }) => at),
            view.family,
          ),
        },
      ];
    }),
};

function isOld(threshold: number): boolean {
  if (threshold <= 0 || threshold >= ALL_DRAWS) return false;
  const n = Math.round(ALL_DRAWS / threshold);
  return isAbout(threshold, written(n, 5)) && !isAbout(threshold, written(n, 10));
}
