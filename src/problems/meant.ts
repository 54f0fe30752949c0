/** "Did you mean …?" as what a problem says and what would mend it. */
import type { Problem } from "./problem.js";

/**
 * For a problem whose place is the word as it was written; nothing when no word is near. `replacement` is for a place
 * that holds more than the word.
 */
export function didYouMean(near: string | undefined, replacement = near): Pick<Problem, "label" | "fix"> {
  if (near === undefined || replacement === undefined) return {};
  return {
    label: `did you mean ${near}?`,
    fix: { applicability: "maybe-incorrect", replacement },
  };
}
