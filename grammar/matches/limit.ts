import { defineMatch } from "../description.js";
import { rateKind, readRate } from "../rates.js";
import { numberKind } from "../values.js";

/** Parts of a second in which the kernel keeps the time between two packets. */
const SCALE = 10000;
const BURST = 5;
const CREDIT_BITS = 0xffffffffn;

/** Credits a second, for kernels with 250 or 1000 ticks a second. */
const CREDITS = 32000n;

/** A time as the kernel's credits, in 32 bits. */
function credits(time: bigint): bigint {
  const parts = BigInt(SCALE);
  const all = time > CREDIT_BITS / CREDITS ? (time / parts) * CREDITS : (time * CREDITS) / parts;
  return all & CREDIT_BITS;
}

/** xt_limit: a token bucket of the rule itself. */
export const limit = defineMatch({
  name: "limit",
  summary: "at most so many packets in so much time",
  options: {
    rate: { name: "--limit", value: rateKind(SCALE) },
    burst: { name: "--limit-burst", value: numberKind(0, SCALE), hidden: (burst) => burst === BURST },
  },
  complete(given, { flavour }) {
    const rate = given.rate ?? {
      value: readRate("3/hour", SCALE) ?? { count: 3, unit: 3600, period: 0 },
      negated: false,
    };
    const burst = given.burst ?? { value: BURST, negated: false };
    // nft has an expression of its own for it.
    if (flavour === "nft") return { ...given, rate, burst: { ...burst, value: burst.value || BURST } };
    // The kernel multiplies the two in 32 bits, and refuses what has overflowed, or come to nothing.
    const period = BigInt(rate.value.period);
    const credit = (period * BigInt(burst.value)) & CREDIT_BITS;
    if (burst.value === 0 || credits(credit) < credits(period)) {
      return { refused: "the kernel cannot count this rate with this burst" };
    }
    return { ...given, rate, burst };
  },
  meaning({ rate, burst }, { family }) {
    const allowed = `${rate && rateKind(SCALE).print(rate.value, family)}, burst ${burst?.value}`;
    return {
      condition: {
        kind: "hidden",
        yes: `the limit (${allowed}) is not used up`,
        no: `the limit (${allowed}) is used up`,
        perRule: true,
        bucket: { burst: burst?.value ?? BURST, period: (rate?.value.period ?? 0) / SCALE },
      },
    };
  },
  listed: [
    {
      form: /^limit: avg (\S+) burst (\d+)/,
      words: ([rate = "", burst = ""]) => ["--limit", rate, "--limit-burst", burst],
    },
  ],
  examples: [
    { typed: "-m limit", saved: "-m limit --limit 3/hour" },
    { typed: "-m limit --limit 1/second", saved: "-m limit --limit 1/sec" },
    { typed: "-m limit --limit 120/min", saved: "-m limit --limit 2/sec" },
    { typed: "-m limit --limit 61/min" },
    { typed: "-m limit --limit 23/day" },
    { typed: "-m limit --limit 333/hour --limit-burst 10000" },
    { typed: "-m limit --limit 7/s --limit-burst 5", saved: "-m limit --limit 7/sec" },
    { typed: "-m limit --limit 10001/s", refused: true },
    { typed: "-m limit --limit-burst 10000", refused: true },
    { typed: "-m limit --limit 0/s", refused: true },
    { typed: "-m limit --limit 3/fortnight", refused: true },
    { typed: "-m limit --limit 1/sec --limit-burst 10001", refused: true },
    { typed: "-m limit ! --limit 1/s", refused: true },
  ],
});
