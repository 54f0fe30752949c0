/** Sets of numbers as ascending, disjoint, inclusive ranges: the classes that an open field is narrowed to. */
import type { Address } from "../../grammar/address.js";
import type { Range } from "../../grammar/meaning.js";

/** What both sets hold. */
export function intersect(left: readonly Range[], right: readonly Range[]): readonly Range[] {
  const common: Range[] = [];
  for (const other of right) {
    for (let index = firstReaching(left, other.from); index < left.length; index++) {
      const one = left[index] as Range;
      if (one.from > other.to) break;
      // No Math.max: IPv6 addresses are bigint.
      const { from } = one.from > other.from ? one : other;
      const { to } = one.to < other.to ? one : other;
      common.push({ from, to });
    }
  }
  return common;
}

/** What `left` holds and `right` does not. */
export function subtract(left: readonly Range[], right: readonly Range[]): readonly Range[] {
  let rest: readonly Range[] = left;
  for (const { from, to } of right) {
    const first = firstReaching(rest, from);
    let end = first;
    const pieces: Range[] = [];
    for (let one = rest[end]; one !== undefined && one.from <= to; one = rest[++end]) {
      if (one.from < from) pieces.push({ from: one.from, to: step(from, -1) });
      if (to < one.to) pieces.push({ from: step(to, 1), to: one.to });
    }
    if (end > first) rest = rest.slice(0, first).concat(pieces, rest.slice(end));
  }
  return rest;
}

/** Whether a set lies inside the ranges, outside of them, or partly inside. An empty set is inside. */
export function placeIn(set: readonly Range[], ranges: readonly Range[]): "inside" | "outside" | "part" {
  const [range] = ranges;
  if (ranges.length === 1 && range !== undefined) {
    const [first, last] = [set[0], set.at(-1)];
    if (first === undefined || last === undefined) return "inside";
    if (first.from >= range.from && last.to <= range.to) return "inside";
    const reaching = set[firstReaching(set, range.from)];
    return reaching === undefined || reaching.from > range.to ? "outside" : "part";
  }
  if (isSubset(set, ranges)) return "inside";
  return intersect(set, ranges).length === 0 ? "outside" : "part";
}

/** Whether `inner` lies wholly in `outer`. */
export function isSubset(inner: readonly Range[], outer: readonly Range[]): boolean {
  return subtract(inner, outer).length === 0;
}

export function contains(ranges: readonly Range[], value: Address): boolean {
  return ranges.some(({ from, to }) => value >= from && value <= to);
}

/** Index of the first range that does not end before `value`. */
function firstReaching(set: readonly Range[], value: Address): number {
  let [low, high] = [0, set.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((set[middle] as Range).to < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function step(value: Address, by: 1 | -1): Address {
  return typeof value === "number" ? value + by : value + BigInt(by);
}
