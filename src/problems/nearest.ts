/** "Did you mean …?": the known word nearest to the one that was written. */

/**
 * The candidate within edit distance 2 of `word` (a third of its length at most), or the only one that begins with it;
 * undefined if none is near.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(2, Math.max(1, Math.floor(word.length / 3))) + 1;
  const prefixed: string[] = [];
  for (const candidate of candidates) {
    if (candidate.startsWith(word)) prefixed.push(candidate);
    const distance = editDistance(word, candidate, bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? (prefixed.length === 1 ? prefixed[0] : undefined);
}

/** Levenshtein distance with swaps of neighbours counted once; `limit` or more is reported as `limit`. */
function editDistance(left: string, right: string, limit: number): number {
  const longer = right.length - left.length;
  if (longer >= limit || -longer >= limit) return limit;
  // What lies as far from the diagonal as the limit is above it anyway: of each row only these cells are kept.
  const width = 2 * limit + 1;
  let before = new Array<number>(width).fill(limit);
  let previous = new Array<number>(width).fill(limit);
  for (let j = 0; j <= limit; j++) previous[j + limit] = j;
  let current = new Array<number>(width).fill(limit);
  for (let i = 1; i <= left.length; i++) {
    const letter = left.charCodeAt(i - 1);
    let least = limit;
    for (let cell = 0; cell < width; cell++) {
      const j = i - limit + cell;
      let cost = limit;
      if (j === 0) cost = i;
      else if (j > 0 && j <= right.length) {
        cost = (previous[cell] as number) + (letter === right.charCodeAt(j - 1) ? 0 : 1);
        if (cell > 0) cost = Math.min(cost, (current[cell - 1] as number) + 1);
        if (cell < width - 1) cost = Math.min(cost, (previous[cell + 1] as number) + 1);
        const swapped =
          j > 1 && letter === right.charCodeAt(j - 2) && left.charCodeAt(i - 2) === right.charCodeAt(j - 1);
        if (swapped) cost = Math.min(cost, (before[cell] as number) + 1);
      }
      current[cell] = cost;
      if (cost < least) least = cost;
    }
    if (least >= limit) return limit;
    [before, previous, current] = [previous, current, before];
  }
  return Math.min(previous[longer + limit] as number, limit);
}
