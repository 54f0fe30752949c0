/**
 * Exact probabilities: `numerator / 2^exponent`. The draws of rules compare 31 random bits, so products and sums stay of
 * this form; they are reduced only when shown, since a reduction at each step costs a thousand times more. What IPVS
 * schedules adds a divisor, which the others never meet.
 */
import type { Share } from "./outcome.js";

/** Bits of one draw of xt_statistic. */
const DRAW_BITS = 31;

export const CERTAIN: Share = { numerator: 1n, exponent: 0 };
export const NOTHING: Share = { numerator: 0n, exponent: 0 };

/** The share that a draw below `threshold` of 2^31 leaves. */
export function times(share: Share, threshold: number): Share {
  return { ...share, numerator: share.numerator * BigInt(threshold), exponent: share.exponent + DRAW_BITS };
}

/** `part` of `whole`, as two numbers of equal things. */
export function ratio(part: bigint, whole: bigint): Share {
  return { numerator: part, exponent: 0, divisor: whole };
}

export function product(left: Share, right: Share): Share {
  const numerator = left.numerator * right.numerator;
  const exponent = left.exponent + right.exponent;
  if (left.divisor === undefined && right.divisor === undefined) return { numerator, exponent };
  return { numerator, exponent, divisor: (left.divisor ?? 1n) * (right.divisor ?? 1n) };
}

export function plus(left: Share, right: Share): Share {
  if (left.divisor !== right.divisor) {
    const [one, other] = [left.divisor ?? 1n, right.divisor ?? 1n];
    return {
      ...plus(
        { numerator: left.numerator * other, exponent: left.exponent },
        { numerator: right.numerator * one, exponent: right.exponent },
      ),
      divisor: one * other,
    };
  }
  const exponent = Math.max(left.exponent, right.exponent);
  const shifted = ({ numerator, exponent: own }: Share) => numerator << BigInt(exponent - own);
  const numerator = shifted(left) + shifted(right);
  return left.divisor === undefined
    ? { numerator, exponent }
    : { numerator, exponent, divisor: left.divisor };
}

/** The same share with smaller numbers, where that is cheap to see: sums that come to one again after many draws. */
export function shortened(share: Share): Share {
  const { numerator, exponent, divisor } = share;
  if (divisor !== undefined || exponent < DRAW_BITS || BigInt.asUintN(DRAW_BITS, numerator) !== 0n)
    return share;
  const { numerator: least, denominator } = lowestTerms(share);
  return { numerator: least, exponent: denominator.toString(2).length - 1 };
}

/** Whether two shares are equal, however far each is reduced. */
export function isSameShare(left: Share, right: Share): boolean {
  const exponent = Math.max(left.exponent, right.exponent);
  const shifted = ({ numerator, exponent: own }: Share) => numerator << BigInt(exponent - own);
  if (left.divisor !== right.divisor)
    return shifted(left) * (right.divisor ?? 1n) === shifted(right) * (left.divisor ?? 1n);
  return left.exponent === right.exponent
    ? left.numerator === right.numerator
    : shifted(left) === shifted(right);
}

export function isCertain({ numerator, exponent, divisor }: Share): boolean {
  return numerator === (divisor ?? 1n) << BigInt(exponent);
}

/** Numerator and denominator in lowest terms. */
export function lowestTerms({ numerator, exponent, divisor }: Share): {
  numerator: bigint;
  denominator: bigint;
} {
  if (divisor !== undefined) {
    const denominator = divisor << BigInt(exponent);
    const common = greatestCommonDivisor(numerator, denominator);
    return { numerator: numerator / common, denominator: denominator / common };
  }
  if (numerator === 0n) return { numerator: 0n, denominator: 1n };
  let zeros = 0;
  const bits = BigInt(exponent);
  // Trailing zero bits, by halving steps: numerators have tens of thousands of bits.
  for (let step = 1n << 20n; step > 0n; step >>= 1n) {
    const count = BigInt(zeros) + step;
    if (count <= bits && BigInt.asUintN(Number(count), numerator) === 0n) zeros = Number(count);
  }
  return { numerator: numerator >> BigInt(zeros), denominator: 1n << (bits - BigInt(zeros)) };
}

function greatestCommonDivisor(left: bigint, right: bigint): bigint {
  let [big, small] = [left, right];
  while (small !== 0n) [big, small] = [small, big % small];
  return big;
}

/** The nearest double. */
export function toNumber({ numerator, exponent, divisor }: Share): number {
  // Sixty-odd leading bits are enough for a double; the rest would overflow Number().
  const length = (value: bigint): number => value.toString(16).length * 4;
  if (divisor !== undefined) {
    const more = Math.max(0, length(divisor) + 64 - length(numerator));
    return toNumber({ numerator: (numerator << BigInt(more)) / divisor, exponent: exponent + more });
  }
  const drop = Math.max(0, length(numerator) - 64);
  return Number(numerator >> BigInt(drop)) * 2 ** (drop - exponent);
}
