import { flag, type Given, type GivenOption, type Option, type ValueKind } from "../description.js";
import { rateKind } from "../rate-estimators.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { numberKind, reading, wordKind } from "../values.js";

const NAME = wordKind("the name of an estimator, at most 15 characters", 15);

/** Two rates that are compared, or with `delta` the differences of what is measured from those. */
interface Rates {
  readonly first: number;
  readonly second: number;
}

/** The question as the kernel keeps it, which iptables-save shows in other options than it was asked in. */
interface Question {
  readonly first: string;
  /** The estimator that the first is compared with; absent: it is compared with a number. */
  readonly second?: string;
  readonly delta: boolean;
  readonly comparison: string;
  readonly negated: boolean;
  readonly bps?: Rates;
  readonly pps?: Rates;
}

const questionKind: ValueKind<Question> = {
  expects: "options of rateest",
  grammar: () => reading<Question>(questionKind.expects, () => undefined),
  print({ first, second, delta, comparison, negated, bps, pps }, family) {
    const mode = `${negated ? "! " : ""}${comparison}`;
    const compared = (unit: string, rates: Rates | undefined, print: (rate: number) => string) => {
      if (rates === undefined) return [];
      if (delta) return [`${unit}1 ${print(rates.first)}`, mode, `${unit}2 ${print(rates.second)}`];
      return [mode, second === undefined ? `${unit} ${print(rates.second)}` : unit];
    };
    return [
      ...(delta ? ["--rateest-delta"] : []),
      `${second === undefined ? "--rateest" : "--rateest1"} ${first}`,
      ...compared("--rateest-bps", bps, (rate) => rateKind.print(rate, family)),
      ...compared("--rateest-pps", pps, String),
      ...(second === undefined ? [] : [`--rateest2 ${second}`]),
    ].join(" ");
  },
};

const read = { hidden: () => true, apart: true } as const;
const rate = (name: string, kind: ValueKind<number>, alias?: string) =>
  ({
    name,
    ...(alias === undefined ? {} : { aliases: [alias] }),
    value: { ...kind, absent: 0 },
    ...read,
  }) satisfies Option<number>;
const pps = numberKind(0, 0xffffffff);
const comparison = (name: string) => flag(name, { negatable: true, hidden: () => true });

const OPTIONS = {
  question: { name: "", value: questionKind } satisfies Option<Question>,
  first: { name: "--rateest1", aliases: ["--rateest"], value: NAME, hidden: () => true },
  second: { name: "--rateest2", value: NAME, hidden: () => true },
  delta: flag("--rateest-delta", { hidden: () => true }),
  bps1: rate("--rateest-bps1", rateKind),
  pps1: rate("--rateest-pps1", pps),
  bps2: rate("--rateest-bps2", rateKind, "--rateest-bps"),
  pps2: rate("--rateest-pps2", pps, "--rateest-pps"),
  less: comparison("--rateest-lt"),
  greater: comparison("--rateest-gt"),
  equal: comparison("--rateest-eq"),
} as const;

/** xt_rateest: compares rates that RATEEST measures, with each other or with a number. */
export const rateest = defineUnmodelledMatch({
  name: "rateest",
  summary: "compares rates that RATEEST measures",
  options: OPTIONS,
  complete(given) {
    const { first, second, delta, bps1, bps2, pps1, pps2 } = given;
    const asked = comparisonOf(given);
    if (first === undefined || asked === undefined)
      return { refused: "--rateest1 and one of --rateest-lt, --rateest-gt and --rateest-eq must be given" };
    const bps = ratesOf(bps1, bps2);
    const packets = ratesOf(pps1, pps2);
    if (bps === undefined && packets === undefined)
      return { refused: "--rateest-bps or --rateest-pps must be given" };
    const value: Question = {
      first: first.value,
      ...(second ? { second: second.value } : {}),
      delta: delta !== undefined,
      ...asked,
      ...(bps ? { bps } : {}),
      ...(packets ? { pps: packets } : {}),
    };
    return { question: { value, negated: false } };
  },
  unmodelled: { hangsOn: "rates that the kernel measures" },
  examples: [
    { typed: "-m rateest --rateest A --rateest-lt --rateest-bps 8bit" },
    {
      typed: "-m rateest --rateest1 A --rateest-bps2 8kbit ! --rateest-lt",
      saved: "-m rateest --rateest A ! --rateest-lt --rateest-bps 8000bit",
    },
    {
      typed: "-m rateest --rateest A --rateest-pps 5 --rateest-gt",
      saved: "-m rateest --rateest A --rateest-gt --rateest-pps 5",
    },
    {
      typed: "-m rateest --rateest1 A --rateest2 B --rateest-bps1 5 --rateest-bps2 6 --rateest-eq",
      saved: "-m rateest --rateest1 A --rateest-eq --rateest-bps --rateest2 B",
    },
    { typed: "-m rateest --rateest1 A --rateest-eq --rateest-bps --rateest2 B" },
    {
      typed:
        "-m rateest --rateest-delta --rateest1 A --rateest-bps1 8000bit --rateest-gt --rateest-bps2 2mbit --rateest2 B",
      saved:
        "-m rateest --rateest-delta --rateest1 A --rateest-bps1 8000bit --rateest-gt --rateest-bps2 2000Kbit --rateest2 B",
    },
    { typed: "-m rateest --rateest A --rateest-lt", refused: true },
    { typed: "-m rateest --rateest1 A --rateest-bps1=8bit --rateest-lt", refused: true },
    { typed: "-m rateest --rateest1 A", refused: true },
  ],
});

/** What was given last, and whether any of them was inverted. */
function comparisonOf(given: Given<typeof OPTIONS>): Pick<Question, "comparison" | "negated"> | undefined {
  const keys = (["less", "greater", "equal"] as const).filter((key) => given[key]);
  const last = Object.keys(given).findLast((key) => (keys as readonly string[]).includes(key));
  if (last === undefined) return undefined;
  return {
    comparison: OPTIONS[last as "less" | "greater" | "equal"].name,
    negated: keys.some((key) => given[key]?.negated),
  };
}

function ratesOf(
  first: GivenOption<number> | undefined,
  second: GivenOption<number> | undefined,
): Rates | undefined {
  return first || second ? { first: first?.value ?? 0, second: second?.value ?? 0 } : undefined;
}
