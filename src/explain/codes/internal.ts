/** LF9xxx: faults of landfall itself. */
import type { Code } from "../../problems/codes.js";
import type { Explanation } from "./explanation.js";

export const INTERNAL = {
  LF9001: {
    means: [
      "landfall met a state that its makers took for impossible, and stopped.",
      "The input is not to blame.",
    ],
    matters: [
      "Nothing is on standard output, and the exit code is 70, so that a script cannot take half an answer for a whole one.",
      "No node and no cluster was touched: landfall only reads.",
    ],
    example: {
      prints: `error[LF9001]: an internal error: …
  = help: this is a fault of landfall; please report it with the input, or with --debug for the stack
`,
    },
    remedy: [
      "Run the command again with --debug, and report the stack together with the smallest input that shows it.",
      "Until then, leave out inputs one by one: often the rest can still be answered.",
    ],
  },
} satisfies Partial<Record<Code, Explanation>>;
