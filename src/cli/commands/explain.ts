/** `landfall explain`: what a problem code means, why it matters, an example that is run on the spot, and what to do. */
import { EXPLANATIONS } from "../../explain/codes/all.js";
import type { Example } from "../../explain/codes/explanation.js";
import { CODES, type Code } from "../../problems/codes.js";
import { nearest } from "../../problems/nearest.js";
import type { CommonFlags } from "../common.js";
import { EXIT, UsageError } from "../exit.js";
import type { IO } from "../io.js";
import { memoryIO } from "../memory-io.js";
import type { ExplainDocument } from "../schemas.js";
import { clean, type Style, styleFor } from "../style.js";

export interface ExplainFlags extends CommonFlags {
  readonly output: string;
}

/** Runs a command line: run.ts, which imports this file. */
type Run = (args: readonly string[], io: IO) => Promise<number>;

type CodeDocument = ExplainDocument["codes"][number];

const TAKES = "explain takes the codes that stand in brackets in problems: landfall explain LF1007";
const INDENT = "  ";
/** A rule or a whole dump may be given as an argument. */
const SHOWN_MAX = 60;

export async function explain(
  words: readonly string[],
  flags: ExplainFlags,
  io: IO,
  run: Run,
): Promise<number> {
  const asked = [...(flags.file ?? []), ...words];
  if (asked.length === 0) throw new UsageError("no code was named", TAKES);
  const codes: CodeDocument[] = [];
  for (const code of asked.map(codeOf)) codes.push(await describe(code, run));
  if (flags.output === "json") {
    const document: ExplainDocument = { schema: "landfall/explain@1", codes };
    io.stdout.write(`${JSON.stringify(document)}\n`);
  } else {
    const style = styleFor(io.stdout, io.env, flags);
    io.stdout.write(codes.map((code) => codeText(code, style, io.stdout.columns)).join("\n"));
  }
  return EXIT.done;
}

/** The code that an argument is, in any case. */
function codeOf(word: string): Code {
  const code = word.toUpperCase();
  if (Object.hasOwn(CODES, code)) return code as Code;
  const near = nearest(code, Object.keys(CODES));
  if (near !== undefined || /^LF\d+$/.test(code))
    throw new UsageError(
      `there is no code ${code.slice(0, SHOWN_MAX)}`,
      near === undefined ? TAKES : `did you mean ${near}?`,
    );
  const shown = word.length <= SHOWN_MAX ? word : `${word.slice(0, SHOWN_MAX)}…`;
  throw new UsageError(`${shown} is no code, and dumps and rules are not explained yet`, TAKES);
}

async function describe(code: Code, run: Run): Promise<CodeDocument> {
  const { means, matters, example, remedy } = EXPLANATIONS[code];
  return {
    code,
    title: CODES[code],
    means: [...means],
    matters: [...matters],
    example: {
      command: "prints" in example ? null : `landfall ${example.command}`,
      files: "prints" in example ? [] : Object.entries(example.files).map(([name, text]) => ({ name, text })),
      prints: await printed(example, run),
    },
    remedy: [...remedy],
  };
}

/** What landfall prints for an example on standard error. */
async function printed(example: Example, run: Run): Promise<string> {
  if ("prints" in example) return example.prints;
  const io = memoryIO({ files: example.files });
  await run(example.command.split(" "), io);
  return io.text.stderr;
}

/** For people; sentences are wrapped on a terminal only. */
function codeText(
  { code, title, means, matters, example, remedy }: CodeDocument,
  style: Style,
  columns: number | undefined,
): string {
  const heading = (text: string) => style.paint("bold", text);
  const sentences = (all: readonly string[]) => all.flatMap((sentence) => wrap(sentence, columns));
  const lines = [
    `${heading(code)}  ${title}`,
    "",
    ...sentences(means),
    "",
    heading("why it matters"),
    ...sentences(matters),
    "",
    heading("example"),
    ...example.files.flatMap(({ name, text }) => [
      `${INDENT}${style.paint("dim", text === "" ? `${name} is empty` : `${name}:`)}`,
      ...(text === "" ? [] : linesOf(text)).map((line) => `${INDENT}${INDENT}${line}`),
      "",
    ]),
    ...(example.command === null ? [] : [`${INDENT}$ ${example.command}`]),
    ...linesOf(example.prints).map((line) => INDENT + line),
    "",
    heading("what to do"),
    ...sentences(remedy),
  ];
  return `${lines.join("\n")}\n`;
}

/** The lines of a text without control characters. */
function linesOf(text: string): readonly string[] {
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => clean(line));
}

/** A sentence in lines of at most `columns`; a word that is longer stays whole. */
function wrap(sentence: string, columns: number | undefined): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of sentence.split(" ")) {
    if (line !== "" && columns !== undefined && INDENT.length + line.length + 1 + word.length > columns) {
      lines.push(line);
      // Continuations are set in, so that one sees where sentences begin.
      line = INDENT + word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => INDENT + one);
}
