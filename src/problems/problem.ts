/**
 * Problems as data: what is wrong with an input, where, and what to do. Nothing here draws or throws; the command line
 * prints them (interface: one shape everywhere), callers test `code`.
 */
import type { Code } from "./codes.js";

export type Severity = "error" | "warning" | "note";

/** A text that was read, under the name the user knows it by. */
export interface Source {
  /** The file's name, or `-` for standard input. */
  readonly name: string;
  readonly text: string;
}

/** A stretch of a source. Lines and columns count from 1, columns in UTF-16 units; the end is exclusive. */
export interface Place {
  readonly source: Source;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export interface Problem {
  readonly code: Code;
  readonly severity: Severity;
  /** Short, lower case, no full stop. */
  readonly message: string;
  readonly place?: Place;
  /** Words under the underlined place: "did you mean --probability?". */
  readonly label?: string;
  /** Facts. */
  readonly notes?: readonly string[];
  /** What to do. */
  readonly help?: string;
  /** What would mend it; only with a place. */
  readonly fix?: Fix;
}

export interface Fix {
  /** Whether it can only be so, or is what was probably meant; the words are those of rustc's diagnostics. */
  readonly applicability: "machine-applicable" | "maybe-incorrect";
  /** The text for the place. */
  readonly replacement: string;
}

/** The place of characters `start` to `end` (offsets) of a source. */
export function placeOf(source: Source, start: number, end: number): Place {
  const starts = lineStarts(source);
  const line = lineAt(starts, start);
  const endLine = lineAt(starts, Math.max(start, end));
  return {
    source,
    line,
    column: start - (starts[line - 1] as number) + 1,
    endLine,
    endColumn: Math.max(start, end) - (starts[endLine - 1] as number) + 1,
  };
}

/** The place of columns `column` to `endColumn` of one line. */
export function placeInLine(source: Source, line: number, column: number, endColumn: number): Place {
  return { source, line, column, endLine: line, endColumn };
}

/**
 * The place of some characters of a text that was read from `place`, where it stands plain or in quotes; the whole place
 * when it is written otherwise there (with escapes, or over several lines).
 */
export function placeInText(place: Place, text: string, offset: number, length: number): Place {
  const { source, line, column } = place;
  const starts = lineStarts(source);
  const lineStart = starts[line - 1] as number;
  const written = source.text.slice(lineStart, starts[line] ?? source.text.length);
  const start = [column - 1, column].find((one) => written.startsWith(text, one));
  if (start === undefined) return place;
  return placeInLine(source, line, start + offset + 1, start + offset + length + 1);
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}

const knownLineStarts = new WeakMap<Source, readonly number[]>();

/** Where each line of a source begins; found once, since a big file can have many problems. */
function lineStarts(source: Source): readonly number[] {
  let found = knownLineStarts.get(source);
  if (found === undefined) {
    const offsets = [0];
    for (let at = source.text.indexOf("\n"); at >= 0; at = source.text.indexOf("\n", at + 1))
      offsets.push(at + 1);
    found = offsets;
    knownLineStarts.set(source, found);
  }
  return found;
}

/** The line (from 1) that the offset is on. */
function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] as number) <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}
