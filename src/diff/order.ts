/** Orders: the longest part of a list that keeps another one's order. */

/** Indices of a longest ascending subsequence of distinct numbers, in time n log n. */
export function longestAscending(numbers: readonly number[]): readonly number[] {
  /** Of ascending subsequences of length index + 1: where the one with the smallest end ends. */
  const ends: number[] = [];
  const before: number[] = [];
  for (const [index, number] of numbers.entries()) {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((numbers[ends[middle] as number] as number) < number) low = middle + 1;
      else high = middle;
    }
    before[index] = low === 0 ? -1 : (ends[low - 1] as number);
    ends[low] = index;
  }
  const found: number[] = [];
  for (let index = ends.at(-1) ?? -1; index >= 0; index = before[index] as number) found.push(index);
  return found.reverse();
}

/** Pairs of indices of equal items, each item used once; of repeated ones the first goes with the first. */
export function pairsOf(
  left: readonly string[],
  right: readonly string[],
): readonly (readonly [left: number, right: number])[] {
  const places = new Map<string, number[]>();
  for (const [index, text] of right.entries()) {
    const own = places.get(text);
    if (own === undefined) places.set(text, [index]);
    else own.push(index);
  }
  const used = new Map<string, number>();
  return left.flatMap((text, index) => {
    const count = used.get(text) ?? 0;
    const place = places.get(text)?.[count];
    if (place === undefined) return [];
    used.set(text, count + 1);
    return [[index, place] as const];
  });
}
