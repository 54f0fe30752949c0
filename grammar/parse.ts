/** Running a grammar over a whole text. */
import P from "parsimmon";

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  /** `offset`: where reading stopped; `expected`: what could have stood there. */
  | { readonly ok: false; readonly offset: number; readonly expected: readonly string[] };

/**
 * The library files the lines of a text that it refuses under the text itself, in a plain object: the text `__proto__`
 * would change every object of the program. With a first character that no dump holds, no text is such a name.
 */
const GUARD = "\0";
const guard = P.string(GUARD);

/** The value of `text` under `grammar`; never throws. */
export function parseWhole<T>(grammar: P.Parser<T>, text: string): Parsed<T> {
  const result = guard.then(grammar).parse(GUARD + text);
  if (result.status) return { ok: true, value: result.value };
  return { ok: false, offset: result.index.offset - GUARD.length, expected: result.expected };
}
