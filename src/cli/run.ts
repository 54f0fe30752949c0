/** Arguments → command → exit code. */
import { type Command, CommanderError } from "commander";
import type { Code } from "../problems/codes.js";
import { nearest } from "../problems/nearest.js";
import { EXIT, NoInputError, UsageError } from "./exit.js";
import type { IO } from "./io.js";
import { screenOf } from "./pager.js";
import { type ProblemOptions, printProblems } from "./print-problems.js";
import { asCalled, defaultForm, makeProgram } from "./program.js";
import { clean, laidOut } from "./style.js";
import { applyVariables, isOn } from "./variables.js";

/** Forms that people read: marks in them may be written in ASCII. */
const PROSE: readonly unknown[] = ["text", "wide"];

/**
 * Runs one command line (without `node` and the script); `name` is what the user calls landfall, for help. Never rejects.
 */
export async function run(args: readonly string[], outside: IO, name = "landfall"): Promise<number> {
  const screen = screenOf(outside);
  const wantsPager = !args.includes("--no-pager") && !isOn("NO_PAGER", outside.env);
  try {
    return await runIn(screen.io, args, name);
  } finally {
    await screen.end(wantsPager);
  }
}

async function runIn(world: IO, args: readonly string[], name: string): Promise<number> {
  const { env } = world;
  let code: number = EXIT.done;
  const finish = (result: number): void => {
    code = result;
  };
  // An arrow of its own would be taken for a flag.
  const words = args.filter((word) => word !== "--debug").map((word) => (word === "->" ? "→" : word));
  // Until flags are read, all that is written is for people.
  const ascii = words.includes("--ascii") || isOn("ASCII", env) ? { ascii: true } : {};
  const io = { ...world, ...laidOut(world, ascii, { stdout: true, stderr: true }) };
  const program = makeProgram({ io, finish, run }, name);
  const command = namedCommand(program, words);
  let flags: ProblemOptions = {};
  program.hook("preAction", (_program, chosen) => {
    applyVariables(chosen, env);
    const { output = defaultForm(chosen, io) } = chosen.opts();
    chosen.setOptionValue("output", output);
    flags = chosen.opts();
    const isProse = { stdout: PROSE.includes(output), stderr: flags.diagnostics !== "json" };
    Object.assign(io, laidOut(world, flags, isProse));
  });
  const fault = (message: string, hint?: string): void => {
    const help = hint === undefined ? "" : `  = help: ${clean(asCalled(hint, program))}\n`;
    io.stderr.write(`error: ${clean(message)}\n${help}`);
  };
  const complain = (code: Code, message: string, help?: string): void =>
    printProblems([{ code, severity: "error", message, ...(help === undefined ? {} : { help }) }], io, flags);
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return EXIT.usage;
    }
    if (command !== undefined && asksHelp(words)) {
      command.outputHelp();
      return EXIT.done;
    }
    await program.parseAsync([...words], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.done;
      // What asked for help in vain has got it.
      if (error.code === "commander.help") return EXIT.usage;
      const [, message = error.message, hint] = REFUSED.exec(error.message) ?? [];
      fault(message, hint ?? meant(error.message, program, command));
      return EXIT.usage;
    }
    if (error instanceof UsageError) {
      const { code, message, hint } = error;
      if (code === undefined) fault(message, hint);
      else complain(code, message, hint);
      if (error instanceof NoInputError && command !== undefined)
        io.stderr.write(`  = help: \`${program.name()} ${command.name()} -h\` has examples and all flags\n`);
      return EXIT.usage;
    }
    complain(
      "LF9001",
      `an internal error: ${error instanceof Error ? error.message : String(error)}`,
      "this is a fault of landfall; please report it with the input, or with --debug for the stack",
    );
    if ((args.includes("--debug") || isOn("DEBUG", env)) && error instanceof Error)
      io.stderr.write(`${error.stack}\n`);
    return EXIT.internal;
  }
}

/** What the library says of a fault; behind a value that is refused, what flags.ts says of it. */
const REFUSED = /^error: (.*?)(?:(?<= is invalid)\. (.*))?$/s;

/** The command that the first word names. */
function namedCommand(program: Command, words: readonly string[]): Command | undefined {
  const first = words.find((word) => !word.startsWith("-")) ?? "";
  return program.commands.find((one) => one.name() === first || one.aliases().includes(first));
}

function asksHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return words.slice(0, end < 0 ? words.length : end).some((word) => word === "-h" || word === "--help");
}

/** What an unknown flag or command was meant to be. */
function meant(message: string, program: Command, command: Command = program): string | undefined {
  const [, kind, word = ""] = /^error: unknown (option|command) '([^']*)'/.exec(message) ?? [];
  if (kind === undefined) return undefined;
  const known =
    kind === "option"
      ? ["--help", ...command.options.flatMap(({ long }) => long ?? [])]
      : program.commands.flatMap((one) => [one.name(), ...one.aliases()]);
  const near = nearest(word, known);
  if (near !== undefined) return `did you mean ${near}?`;
  return kind === "command" ? `there are ${program.commands.map((one) => one.name()).join(", ")}` : undefined;
}
