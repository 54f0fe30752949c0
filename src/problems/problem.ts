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
}

/** The place of characters `start` to `end` (offsets) of a source. */
export function placeOf(source: Source, start: number, end: number): Place {
  const before = source.text.slice(0, start);
  const line = countLines(before) + 1;
  const column = start - (before.lastIndexOf("\n") + 1) + 1;
  const inside = source.text.slice(start, Math.max(start, end));
  const breaks = countLines(inside);
  return {
    source,
    line,
    column,
    endLine: line + breaks,
    endColumn: breaks === 0 ? column + inside.length : inside.length - inside.lastIndexOf("\n"),
  };
}

/** The place of columns `column` to `endColumn` of one line. */
export function placeInLine(source: Source, line: number, column: number, endColumn: number): Place {
  return { source, line, column, endLine: line, endColumn };
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
