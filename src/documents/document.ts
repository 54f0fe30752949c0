/** Document: a plain value that knows where each of its parts stands in the text it was read from. */
import { type Place, placeOf, type Source } from "../problems/problem.js";

/** Keys and indices from the document's top: `["spec", "ports", 0, "port"]`. */
export type Path = readonly (string | number)[];

export interface Document {
  readonly source: Source;
  /** Plain JavaScript: null, booleans, numbers, strings, arrays, objects. Aliases may make it share parts or hold itself. */
  readonly value: unknown;
  /** Where the document begins. */
  readonly place: Place;
  /** Where the value at `path` stands; of a path that is not there, its nearest parent. */
  placeOf(path: Path): Place;
}

export function makeDocument(source: Source, value: unknown, placeOfPath: (path: Path) => Place): Document {
  return {
    source,
    value,
    // Finding a place costs a walk through the text, so it waits until a message needs one.
    get place() {
      return placeOfPath([]);
    },
    placeOf: placeOfPath,
  };
}

/** What was found in the text when looking for a path: offsets, end exclusive. */
export interface Spot {
  readonly start: number;
  readonly end: number;
  /** The key that the value stands under. */
  readonly key?: { readonly start: number; readonly end: number };
  /** False when only a parent of the path was found. */
  readonly complete: boolean;
}

/**
 * What to underline: the value, or its first line when it is long; for a missing part, and for a key without a value,
 * the key under which it ought to stand.
 */
export function placeOfSpot(source: Source, spot: Spot): Place {
  const { start, end, key, complete } = spot;
  if (key !== undefined && (!complete || start >= end)) return placeOf(source, key.start, key.end);
  const lineEnd = source.text.indexOf("\n", start);
  const shown = lineEnd >= 0 && lineEnd < end ? lineEnd : end;
  return placeOf(source, start, Math.max(shown, Math.min(start + 1, source.text.length)));
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
