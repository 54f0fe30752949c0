import { defineTarget } from "../description.js";
import { timeKind } from "../rate-estimators.js";
import { wordKind } from "../values.js";

/** xt_RATEEST. Times are kept as powers of two of a quarter second or microseconds. */
export const RATEEST = defineTarget({
  name: "RATEEST",

  summary: "measures the rate of the packets and goes on",

  options: {
    name: { name: "--rateest-name", value: wordKind("a name of at most 15 characters", 15), required: true },
    interval: { name: "--rateest-interval", value: timeKind, required: true },
    average: { name: "--rateest-ewmalog", value: timeKind, required: true },
  },

  meaning: () => ({ kind: "note", what: "RATEEST" }),
  examples: [
    { typed: "-j RATEEST --rateest-name RE1 --rateest-interval 250.0ms --rateest-ewmalog 500.0ms" },
    {
      typed: "-j RATEEST --rateest-name RE1 --rateest-interval 0.25s --rateest-ewmalog 1s",
      saved: "-j RATEEST --rateest-name RE1 --rateest-interval 250.0ms --rateest-ewmalog 1.0s",
    },
    { typed: "-j RATEEST --rateest-name RE1 --rateest-interval 1s", refused: true },
  ],
});
