/**
 * Adds all items to the end of an array. `push(...items)` hands them over as arguments, of which an engine takes some
 * hundred thousand at most; inputs can have more lines, and more faults, than that.
 */
export function appendAll<T>(array: T[], items: Iterable<T>): void {
  for (const item of items) array.push(item);
}
