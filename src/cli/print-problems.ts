/** Problems as text: the place as a link, the user's own line with the fault underlined, facts, and what to do. */
import type { Problem, Severity } from "../problems/problem.js";
import type { IO } from "./io.js";
import type { ProblemDocument } from "./schemas/diagnostics.js";
import {
  type Colour,
  type ColourChoice,
  clean,
  type LayoutChoice,
  type Style,
  styleFor,
  toAscii,
} from "./style.js";
import { widthOf } from "./table.js";

/** More than these are only counted: in all, and of one kind. */
const PRINTED_MAX = 20;
const ALIKE_MAX = 5;
/** Wider lines are trimmed around the place. */
const LINE_MAX = 100;

export interface ProblemOptions extends ColourChoice, LayoutChoice {
  readonly diagnostics?: "text" | "json";
  readonly quiet?: boolean;
  /** All problems, not some of each kind. */
  readonly verbose?: boolean;
}

/** Prints problems to stderr; notes are left out when quiet. */
export function printProblems(problems: readonly Problem[], io: IO, options: ProblemOptions): void {
  const shown = withoutRepeats(problems).filter(({ severity }) => !(options.quiet && severity === "note"));
  if (options.diagnostics === "json") {
    for (const problem of shown) io.stderr.write(`${JSON.stringify(asJson(problem))}\n`);
    return;
  }
  const style = styleFor(io.stderr, io.env, options);
  const chosen = options.verbose ? new Set(shown) : choose(shown);
  const left: Problem[] = [];
  for (const problem of shown) {
    if (chosen.has(problem)) io.stderr.write(`${problemText(problem, style)}\n`);
    else left.push(problem);
  }
  if (left.length > 0) io.stderr.write(`${countText(left)}\n`);
}

/** What is said twice, as by the rules of both families, is said once. */
function withoutRepeats(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ code, message, place }) => {
    const key = `${code} ${place?.source.name}:${place?.line}:${place?.column} ${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** Which to print: the first of each kind, and errors before all else, so that no flood of notes hides one. */
function choose(problems: readonly Problem[]): ReadonlySet<Problem> {
  const chosen = new Set<Problem>();
  const alike = new Map<string, number>();
  for (const severity of ["error", "warning", "note"]) {
    for (const problem of problems) {
      if (chosen.size >= PRINTED_MAX) return chosen;
      if (problem.severity !== severity) continue;
      const kind = kindOf(problem);
      const count = alike.get(kind) ?? 0;
      alike.set(kind, count + 1);
      if (count < ALIKE_MAX) chosen.add(problem);
    }
  }
  return chosen;
}

/** What faults of one kind have in common: the code, and the message without quotations, names and numbers. */
function kindOf({ code, severity, message }: Problem): string {
  return `${code} ${severity} ${message.replace(/"[^"]*"/g, "").replace(/\S*[^a-z\s]\S*/g, "")}`;
}

/** One problem, without the last line's end. */
function problemText(problem: Problem, style: Style): string {
  const { place, severity, code, message, label, notes = [], help } = problem;
  const where = place === undefined ? "" : `${clean(place.source.name)}:${place.line}:${place.column}: `;
  const head = `${style.paint("bold", where)}${style.paint(COLOURS[severity], `${severity}[${code}]`)}: ${clean(message)}`;
  const lines = [head, ...excerpt(problem, style)];
  if (place === undefined && label !== undefined) lines.push(`  = help: ${clean(label)}`);
  lines.push(...notes.map((note) => `  = note: ${clean(note)}`));
  if (help !== undefined) lines.push(`  = help: ${clean(help)}`);
  return lines.join("\n");
}

const COLOURS: Readonly<Record<Severity, Colour>> = { error: "red", warning: "yellow", note: "dim" };

/** The source line with the place underlined. */
function excerpt({ place, label, severity }: Problem, style: Style): readonly string[] {
  if (place === undefined || place.source.text === "") return [];
  const text = lineOf(place.source.text, place.line);
  const start = Math.min(place.column - 1, text.length);
  const wanted = place.endLine === place.line ? place.endColumn - 1 : text.length;
  const end = Math.max(start + 1, Math.min(wanted, text.length));
  const from = text.length <= LINE_MAX ? 0 : Math.max(0, start - 30);
  const to = text.length <= LINE_MAX ? text.length : Math.min(text.length, from + LINE_MAX);
  // Control characters are shown longer than they are, so each piece is made safe before it is measured.
  const shown = (part: string) => (style.ascii ? toAscii(part) : part);
  const before = shown((from > 0 ? "… " : "") + clean(text.slice(from, start)));
  const marked = shown(clean(text.slice(start, Math.min(end, to))));
  const after = clean(text.slice(Math.min(end, to), to)) + (to < text.length ? " …" : "");
  const gutter = String(place.line);
  const underline = "^".repeat(Math.max(1, widthOf(marked)));
  return [
    `${style.paint("dim", `${gutter}│ `)}${before}${marked}${after}`,
    `${style.paint("dim", `${" ".repeat(gutter.length)}│ `)}${" ".repeat(widthOf(before))}${style.paint(COLOURS[severity], `${underline}${label === undefined ? "" : ` ${clean(label)}`}`)}`,
  ];
}

function lineOf(text: string, line: number): string {
  let start = 0;
  for (let at = 1; at < line; at++) start = text.indexOf("\n", start) + 1;
  const end = text.indexOf("\n", start);
  return text.slice(start, end < 0 ? text.length : end).replace(/\r$/, "");
}

function countText(left: readonly Problem[]): string {
  const counts = new Map<string, number>();
  for (const { severity, code } of left) {
    const kind = `${severity}[${code}]`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const kinds = [...counts].map(([kind, count]) => `${count} × ${kind}`).join(", ");
  return `… and ${left.length} more like these: ${kinds}`;
}

function asJson({ code, severity, message, place, label, notes = [], help, fix }: Problem): ProblemDocument {
  const where =
    place === undefined
      ? []
      : [
          {
            file: place.source.name,
            line: place.line,
            col: place.column,
            endLine: place.endLine,
            endCol: place.endColumn,
          },
        ];
  return {
    code,
    severity,
    message,
    spans: where.map((span) => ({ ...span, label: label ?? null, primary: true })),
    notes: [...notes],
    help: help ?? (place === undefined ? (label ?? null) : null),
    fix:
      fix === undefined || place === undefined
        ? null
        : {
            applicability: fix.applicability,
            edits: where.map((span) => ({ ...span, text: fix.replacement })),
          },
  };
}
