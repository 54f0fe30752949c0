import { defineTarget } from "../description.js";
import { listedOption } from "../listing.js";
import { timeKind } from "../rate-estimators.js";
import { cutNameKind } from "../values.js";

/** Microseconds: a quarter of a second and its doubles. */
const INTERVALS = [250000, 500000, 1e6, 2e6, 4e6, 8e6];
const LOG_MAX = 31;

/** xt_RATEEST. Times are kept as powers of two of a quarter second or microseconds. */
export const RATEEST = defineTarget({
  name: "RATEEST",

  summary: "measures the rate of the packets and goes on",

  options: {
    name: {
      name: "--rateest-name",
      value: cutNameKind("a name of at most 15 characters", 15),
      required: true,
    },
    interval: { name: "--rateest-interval", value: timeKind, required: true },
    average: { name: "--rateest-ewmalog", value: timeKind, required: true },
  },

  complete(given) {
    const { interval, average } = given;
    const rounded = INTERVALS.find((one) => one >= (interval?.value ?? 0));
    if (rounded === undefined) return { refused: "--rateest-interval must be at most 8s" };
    // The greatest power of two whose average is not above what was asked.
    const powers = Array.from({ length: LOG_MAX }, (_, index) => index + 1);
    const above = powers.find(
      (log) => (interval?.value ?? 0) / -Math.log(1 - 1 / 2 ** log) > (average?.value ?? 0),
    );
    const log = (above ?? LOG_MAX + 1) - 1;
    if (log === 0 || log >= LOG_MAX)
      return { refused: "--rateest-ewmalog must be well above --rateest-interval" };
    const plain = (value: number) => ({ value, negated: false });
    // Shown in microseconds of 32 bits.
    return { ...given, interval: plain(rounded), average: plain((rounded * 2 ** log) % 2 ** 32) };
  },
  meaning: () => ({ kind: "note", what: "RATEEST" }),
  listed: [
    listedOption("name ", "--rateest-name"),
    listedOption("interval ", "--rateest-interval"),
    listedOption("ewmalog ", "--rateest-ewmalog"),
  ],
  examples: [
    { typed: "-j RATEEST --rateest-name RE1 --rateest-interval 250.0ms --rateest-ewmalog 500.0ms" },
    {
      typed: "-j RATEEST --rateest-name RE1 --rateest-interval 0.25s --rateest-ewmalog 1s",
      saved: "-j RATEEST --rateest-name RE1 --rateest-interval 250.0ms --rateest-ewmalog 1.0s",
    },
    {
      typed: "-j RATEEST --rateest-name RE1 --rateest-interval 251ms --rateest-ewmalog 3s",
      saved: "-j RATEEST --rateest-name RE1 --rateest-interval 500.0ms --rateest-ewmalog 4.0s",
    },
    { typed: "-j RATEEST --rateest-name RE1 --rateest-interval 9s --rateest-ewmalog 20s", refused: true },
    { typed: "-j RATEEST --rateest-name RE1 --rateest-interval 1s --rateest-ewmalog 1s", refused: true },
    { typed: "-j RATEEST --rateest-name RE1 --rateest-interval 1s", refused: true },
  ],
});
