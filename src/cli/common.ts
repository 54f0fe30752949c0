/** What the commands share: inputs, documents and notes as they are printed, and the exit code. */
import { printYaml } from "../documents/yaml.js";
import { hasErrors, type Problem } from "../problems/problem.js";
import { EXIT, NoInputError } from "./exit.js";
import type { IO } from "./io.js";
import { type ProblemOptions, printProblems } from "./print-problems.js";
import { clean } from "./style.js";

export interface CommonFlags extends ProblemOptions {
  readonly file?: readonly string[];
  readonly quiet?: boolean;
}

/** The inputs of a command; standard input when none is named and it is no terminal. */
export function inputNames(
  named: readonly string[],
  flags: CommonFlags,
  io: IO,
  usage: string,
): readonly string[] {
  const names = [...(flags.file ?? []), ...named];
  if (names.length > 0) return names;
  if (io.stdinIsTerminal) throw new NoInputError(usage);
  return ["-"];
}

/** Prints problems; the exit code when they hold an error. */
export function report(problems: readonly Problem[], io: IO, flags: CommonFlags): number | undefined {
  printProblems(problems, io, flags);
  return hasErrors(problems) ? EXIT.unreadable : undefined;
}

/** A sentence on stderr that is no problem: which version, which node. */
export function say(io: IO, flags: CommonFlags, text: string): void {
  if (!flags.quiet && flags.diagnostics !== "json") io.stderr.write(`${text}\n`);
}

/** Forms of a document: on one line, or as YAML. */
export type DocumentForm = "json" | "ndjson" | "yaml";

export function isDocumentForm(form: string): form is DocumentForm {
  return form === "json" || form === "ndjson" || form === "yaml";
}

/** A document as text. `isFirst`: no other of this answer stands before it. */
export function documentText(document: object, form: DocumentForm, isFirst = true): string {
  if (form === "yaml") return `${isFirst ? "" : "---\n"}${printYaml([document])}`;
  return `${JSON.stringify(document)}\n`;
}

/** Writes text that may hold what inputs hold: as it is, or to a terminal without what a terminal would obey. */
export function write(io: IO, text: string): void {
  io.stdout.write(io.stdout.isTerminal ? clean(text, true) : text);
}

/** Codes of problems that tell of an assumption, or of what is not modelled; a fragment's table and chains are inferred. */
const ASSUMES = /^LF2|^LF1002$|^LF1021$/;

/** Whether reading and compiling took anything for granted. */
export function assumes(problems: readonly Problem[]): boolean {
  return problems.some(({ code }) => ASSUMES.test(code));
}

/** The exit code of an answer: that something differs goes before what it was taken for granted for. */
export function exitCode(
  { strict }: { readonly strict?: boolean },
  { differs = false, assumed }: { readonly differs?: boolean; readonly assumed: boolean },
): number {
  if (differs) return EXIT.differs;
  return strict === true && assumed ? EXIT.assumed : EXIT.done;
}
