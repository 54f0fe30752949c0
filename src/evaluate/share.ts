/**
 * Exact probabilities: `numerator / 2^exponent`. The kernel's draws compare 31 random bits, so products and sums stay of
 * this form; they are reduced only when shown, since a reduction at each step costs a thousand times more.
 */
import type { Share } from "./outcome.js";

/** Bits of one draw of xt_statistic. */
const DRAW_BITS = 31;

export const CERTAIN: Share = { numerator: 1n, exponent: 0 };

/** The share that a draw below `threshold` of 2^31 leaves. */
export function times(share: Share, threshold: number): Share {
  return { numerator: share.numerator * BigInt(threshold), exponent: share.exponent + DRAW_BITS };
}

export function product(left: Share, right: Share): Share {
  return { numerator: left.numerator * right.numerator, exponent: left.exponent + right.exponent };
}

export function plus(left: Share, right: Share): Share {
  const exponent = Math.max(left.exponent, right.exponent);
  const shifted = ({ numerator, exponent: own }: Share) => numerator << BigInt(exponent - own);
  return { numerator: shifted(left) + shifted(right), exponent };
}

/** Whether two shares are equal, however far each is reduced. */
export function isSameShare(left: Share, right: Share): boolean {
  const exponent = Math.max(left.exponent, right.exponent);
  const shifted = ({ numerator, exponent: own }: Share) => numerator << BigInt(exponent - own);
  return left.exponent === right.exponent
    ? left.numerator === right.numerator
    : shifted(left) === shifted(right);
}

export function isCertain({ numerator, exponent }: Share): boolean {
  return numerator === 1n << BigInt(exponent);
}

/** Numerator and denominator in lowest terms. */
export function lowestTerms({ numerator, exponent }: Share): { numerator: bigint; denominator: bigint } {
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

/** The nearest double. */
export function toNumber({ numerator, exponent }: Share): number {
  // Sixty-odd leading bits are enough for a double; the rest would overflow Number().
  const length = numerator.toString(16).length * 4;
  const drop = Math.max(0, length - 64);
  return Number(numerator >> BigInt(drop)) * 2 ** (drop - exponent);
}
