/** Bounds of shares as exact ranges. */
import { type Bound, type Quantity, type Ratio, ratioOf } from "../../grammar/expectation.js";

/** An end of a range; `open`: the value itself lies outside. */
export interface Edge extends Ratio {
  readonly open?: true;
}

export interface ShareRange {
  readonly from?: Edge;
  readonly to?: Edge;
}

/**
 * How far a share may be from a fraction that it is `about`. kube-proxy writes probabilities with ten digits and the
 * kernel compares 31 bits, so the chance of each rule is off by 3 in 10^10 at most. In a ladder of n rules a share of
 * about 1/n is the product of up to n chances, whose relative errors add up: it is off by some 6 in 10^10, whatever n.
 */
const ABOUT: Ratio = { numerator: 1n, denominator: 100_000_000n };

/** The shares that a bound allows. `about` a decimal or percentage: those that are rounded to its last digit. */
export function boundRange(bound: Bound): ShareRange {
  if (bound.kind === "between") return { from: ratioOf(bound.from), to: ratioOf(bound.to) };
  const value = ratioOf(bound.value);
  switch (bound.kind) {
    case "=":
      return { from: value, to: value };
    case ">=":
      return { from: value };
    case ">":
      return { from: { ...value, open: true } };
    case "<=":
      return { to: value };
    case "<":
      return { to: { ...value, open: true } };
    case "about": {
      const slack = slackOf(bound.value);
      const [left, right] = [value.numerator * slack.denominator, slack.numerator * value.denominator];
      const denominator = value.denominator * slack.denominator;
      return { from: { numerator: left - right, denominator }, to: { numerator: left + right, denominator } };
    }
  }
}

/** Half a unit of the last digit; whole numbers and fractions are meant exactly, but for the kernel's rounding. */
function slackOf(quantity: Quantity): Ratio {
  if (quantity.kind === "fraction" || (quantity.places === 0 && !quantity.percent)) return ABOUT;
  return { numerator: 1n, denominator: 2n * ratioOf(quantity).denominator };
}

/** Whether a share lies before the lower edge of a range; no edge is below all. */
export function isBelow(share: Ratio, from: Edge | undefined): boolean {
  return from !== undefined && difference(share, from) < (from.open ? 1n : 0n);
}

/** Whether a share lies behind the upper edge of a range. */
export function isAbove(share: Ratio, to: Edge | undefined): boolean {
  return to !== undefined && difference(share, to) > (to.open ? -1n : 0n);
}

/** Of the sign of `left - right`. */
function difference(left: Ratio, right: Ratio): bigint {
  return left.numerator * right.denominator - right.numerator * left.denominator;
}
