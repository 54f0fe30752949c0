/** Findings as JSON, and a file of findings that are known already. */
import type { Finding } from "../lint/finding.js";
import { type Problem, placeInLine, type Source } from "../problems/problem.js";
import { type LintDocument, lintSchema } from "./schemas/lint.js";

/** `hidden`: how many are less grave than was asked for. */
export function lintDocument(findings: readonly Finding[], hidden: number): LintDocument {
  return {
    schema: "landfall/lint@1",
    findings: findings.map(
      ({ code, severity, sureness, title, message, seen, more, means, matters, remedy }) => ({
        code,
        severity,
        sureness,
        title,
        message,
        seen: seen.map(({ place, words }) => ({
          file: place?.source.name ?? null,
          line: place?.line ?? null,
          col: place?.column ?? null,
          words,
        })),
        more,
        means: [...means],
        matters: [...matters],
        remedy: [...remedy],
      }),
    ),
    hidden,
  };
}

/** Code and message of each finding of a file that `-o json` wrote; undefined: it is none. */
export function readBaseline(source: Source, problems: Problem[]): ReadonlySet<string> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(source.text);
  } catch {
    value = undefined;
  }
  const read = lintSchema.safeParse(value);
  if (read.success) return new Set(read.data.findings.map(({ code, message }) => `${code} ${message}`));
  problems.push({
    code: "LF5001",
    severity: "error",
    message: "this is no list of findings",
    place: placeInLine(source, 1, 1, 2),
    help: "`landfall lint … -o json` writes one",
  });
  return undefined;
}
