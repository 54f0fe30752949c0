// Exact shares: powers of two from rules, any divisor from IPVS.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Share } from "../../src/evaluate/outcome.js";
import {
  isCertain,
  isSameShare,
  lowestTerms,
  plus,
  product,
  ratio,
  toNumber,
} from "../../src/evaluate/share.js";

const big = fc.bigInt({ min: 0n, max: 1n << 80n });
const share: fc.Arbitrary<Share> = fc.oneof(
  fc.record({ numerator: big, exponent: fc.nat(70) }),
  fc.record({ numerator: big, exponent: fc.nat(70), divisor: fc.bigInt({ min: 1n, max: 1n << 70n }) }),
);

/** Numerator and denominator, not reduced. */
const fraction = ({ numerator, exponent, divisor = 1n }: Share) =>
  [numerator, divisor << BigInt(exponent)] as const;

test("sums and products are those of fractions", () => {
  fc.assert(
    fc.property(share, share, (left, right) => {
      const [[a, b], [c, d]] = [fraction(left), fraction(right)];
      const [sum, whole] = fraction(plus(left, right));
      expect(sum * b * d).toBe((a * d + c * b) * whole);
      const [part, of] = fraction(product(left, right));
      expect(part * b * d).toBe(a * c * of);
      expect(isSameShare(left, right)).toBe(a * d === c * b);
      expect(isSameShare(left, product(left, ratio(7n, 7n)))).toBe(true);
      expect(isCertain(left)).toBe(a === b);
    }),
  );
});

test("lowest terms, and the nearest number", () => {
  fc.assert(
    fc.property(share, (one) => {
      const [a, b] = fraction(one);
      const { numerator, denominator } = lowestTerms(one);
      expect(numerator * b).toBe(a * denominator);
      for (const prime of [2n, 3n, 5n, 7n])
        expect(numerator % prime === 0n && denominator % prime === 0n).toBe(false);
      const near = Number((a << 200n) / b) / 2 ** 200;
      expect(Math.abs(toNumber(one) - near)).toBeLessThanOrEqual(near * 1e-14);
    }),
  );
  expect(lowestTerms(ratio(2n, 6n))).toEqual({ numerator: 1n, denominator: 3n });
  expect(toNumber(ratio(1n, 3n))).toBe(1 / 3);
});
