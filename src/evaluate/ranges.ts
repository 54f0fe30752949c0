/** Sets of numbers as ascending, disjoint, inclusive ranges: the classes that an open field is narrowed to. */
import type { Address } from "../../grammar/address.js";
import type { Range } from "../../grammar/meaning.js";

export function intersect(left: readonly Range[], right: readonly Range[]): readonly Range[] {
  const common: Range[] = [];
  for (const one of left) {
    for (const other of right) {
      // No Math.max: IPv6 addresses are bigint.
      const { from } = one.from > other.from ? one : other;
      const { to } = one.to < other.to ? one : other;
      if (from <= to) common.push({ from, to });
    }
  }
  return common;
}

export function subtract(left: readonly Range[], right: readonly Range[]): readonly Range[] {
  let rest: readonly Range[] = left;
  for (const { from, to } of right) {
    rest = rest.flatMap((one) => {
      if (to < one.from || from > one.to) return [one];
      const pieces: Range[] = [];
      if (one.from < from) pieces.push({ from: one.from, to: step(from, -1) });
      if (to < one.to) pieces.push({ from: step(to, 1), to: one.to });
      return pieces;
    });
  }
  return rest;
}

/** Whether `inner` lies wholly in `outer`. */
export function isSubset(inner: readonly Range[], outer: readonly Range[]): boolean {
  return subtract(inner, outer).length === 0;
}

export function contains(ranges: readonly Range[], value: Address): boolean {
  return ranges.some(({ from, to }) => value >= from && value <= to);
}

function step(value: Address, by: 1 | -1): Address {
  return typeof value === "number" ? value + by : value + BigInt(by);
}
