/** What the commands share: flags, and the end of a run that met problems. */
import { type Argument, type Command, InvalidArgumentError, Option } from "commander";
import { type Family, readAddress } from "../../grammar/address.js";
import { nearest } from "../problems/nearest.js";
import { hasErrors, type Problem } from "../problems/problem.js";
import { TEXT_KINDS } from "../text/segments.js";
import { EXIT, NoInputError } from "./exit.js";
import type { IO } from "./io.js";
import { type ProblemOptions, printProblems } from "./print-problems.js";

export interface CommonFlags extends ProblemOptions {
  readonly file?: readonly string[];
  readonly quiet?: boolean;
}

/** Flags of every command. */
export function withCommonFlags(
  command: Command,
  file = "an input, as kubectl names it; may be repeated",
): Command {
  return command
    .option("-f, --file <file>", file, collect)
    .option("-q, --quiet", "no notes on stderr")
    .option("-v, --verbose", "all problems, not some of each kind; trace: all rules on the way")
    .addOption(
      oneOf(new Option("--diagnostics <form>", "how problems are printed"), ["text", "json"]).default("text"),
    )
    .addOption(oneOf(new Option("--color <when>", "colours"), ["auto", "always", "never"]).default("auto"))
    .addOption(new Option("--no-color", "no colours"))
    .option("--ascii", "-> and | for arrows and bars; default: when the terminal's locale is not UTF-8")
    .addOption(
      new Option("--width <columns>", "what tables fit into; default: the terminal").argParser(widthFlag),
    );
}

/** An option or argument that takes one of some words, with a "did you mean" for others. */
export function oneOf<T extends Option | Argument>(taker: T, choices: readonly string[]): T {
  taker.choices(choices);
  taker.argParser((text: string) => chosen(text, choices));
  return taker;
}

function chosen<T extends string>(text: string, choices: readonly T[]): T {
  const choice = choices.find((one) => one === text);
  if (choice !== undefined) return choice;
  const near = nearest(text, choices);
  throw new InvalidArgumentError(
    near === undefined ? `There are ${choices.join(", ")}.` : `Did you mean ${near}?`,
  );
}

const WIDTH_MIN = 20;

function widthFlag(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) >= WIDTH_MIN) return Number(text);
  throw new InvalidArgumentError(`The width is a number of columns, ${WIDTH_MIN} or more.`);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Words with commas between them; the flag may be repeated. */
export function listFlag(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(",").map((word) => word.trim())];
}

/** `4`, `6`, `ipv4` or `ipv6`. */
export function familyFlag(text: string): Family {
  if (/^(ipv)?4$/i.test(text)) return "ipv4";
  if (/^(ipv)?6$/i.test(text)) return "ipv6";
  throw new InvalidArgumentError("The family is 4 or 6.");
}

export function addressFlag(text: string, before: readonly string[]): readonly string[] {
  for (const part of text.split(",")) {
    if (readAddress(part.trim()) === undefined) throw new InvalidArgumentError(`${part} is no IP address.`);
  }
  return [...before, ...text.split(",").map((part) => part.trim())];
}

export function settingFlag(text: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("A fact is KEY=VALUE.");
  return new Map(before).set(text.slice(0, at), text.slice(at + 1));
}

/** `--as`: what the inputs are, where that cannot be told by content. */
export function asOption(): Option {
  return oneOf(new Option("--as <kind>", "what the inputs are; default: told by content"), TEXT_KINDS);
}

/** `-o`, with a "did you mean" for a form that is not there. */
export function outputFlag(forms: readonly string[], byDefault: string): Option {
  return oneOf(new Option("-o, --output <form>", "form of the answer"), forms).default(byDefault);
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
