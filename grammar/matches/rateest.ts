import { flag, type Option } from "../description.js";
import { rateKind } from "../rate-estimators.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { numberKind, wordKind } from "../values.js";

const NAME = wordKind("the name of an estimator, at most 15 characters", 15);
const estimator = (name: string, ...aliases: readonly string[]) =>
  ({ name, aliases, value: NAME }) satisfies Option<string>;
const comparison = (name: string) => flag(name, { negatable: true });

/** xt_rateest: compares rates that RATEEST measures, with each other or with a number. */
export const rateest = defineUnmodelledMatch({
  name: "rateest",
  summary: "compares rates that RATEEST measures",
  options: {
    first: estimator("--rateest1", "--rateest"),
    delta: flag("--rateest-delta"),
    bps1: { name: "--rateest-bps1", aliases: ["--rateest-bps"], value: rateKind, apart: true },
    pps1: {
      name: "--rateest-pps1",
      aliases: ["--rateest-pps"],
      value: numberKind(0, 0xffffffff),
      apart: true,
    },
    less: comparison("--rateest-lt"),
    greater: comparison("--rateest-gt"),
    equal: comparison("--rateest-eq"),
    second: estimator("--rateest2"),
    bps2: { name: "--rateest-bps2", value: rateKind, apart: true },
    pps2: { name: "--rateest-pps2", value: numberKind(0, 0xffffffff), apart: true },
  },
  complete: (given) =>
    given.first && (given.less || given.greater || given.equal)
      ? given
      : { refused: "--rateest1 and one of --rateest-lt, --rateest-gt and --rateest-eq must be given" },
  unmodelled: { hangsOn: "rates that the kernel measures" },
  examples: [
    { typed: "-m rateest --rateest1 RE1 --rateest-bps1 8bit --rateest-lt" },
    { typed: "-m rateest --rateest1 RE1 --rateest-bps1=8bit --rateest-lt", refused: true },
    { typed: "-m rateest --rateest1 RE1", refused: true },
  ],
});
