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

/** A stretch of the text: where it begins, and its length. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

export interface Spanned<T> {
  readonly value: T;
  readonly span: Span;
}

/** A value, and where it stands in the text that `parseWhole` was given. */
export function spanned<T>(parser: P.Parser<T>): P.Parser<Spanned<T>> {
  return parser.mark().map(({ value, start, end }) => ({
    value,
    span: { offset: start.offset - GUARD.length, length: end.offset - start.offset },
  }));
}

/**
 * What `pattern` (sticky) matches here, as `read` understands it. Unlike `P.regexp(…).chain(…)`, it fails where the text
 * begins, not behind it: the place is shown to the user.
 */
export function matched<T>(
  pattern: RegExp,
  read: (text: string) => T | undefined,
  expects: string,
): P.Parser<T> {
  return P((input, at) => {
    pattern.lastIndex = at;
    const text = pattern.exec(input)?.[0];
    const value = text === undefined ? undefined : read(text);
    return text === undefined || value === undefined
      ? P.makeFailure(at, expects)
      : P.makeSuccess(at + text.length, value);
  });
}
