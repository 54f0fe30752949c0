/** What a problem code means, why it matters, an example that is run on the spot, and what to do. */
import { EXPLANATIONS } from "../explain/codes/all.js";
import type { Example } from "../explain/codes/explanation.js";
import { CODES, type Code } from "../problems/codes.js";
import type { IO } from "./io.js";
import { memoryIO } from "./memory-io.js";
import type { ExplainDocument } from "./schemas/explain.js";
import { clean, type Style } from "./style.js";

/** Runs a command line: run.ts, which imports this file. */
export type Run = (args: readonly string[], io: IO) => Promise<number>;

export type CodeDocument = ExplainDocument["codes"][number];

const INDENT = "  ";

/** What there is to tell of a code; its example is run. */
export async function describeCode(code: Code, run: Run): Promise<CodeDocument> {
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

/** What landfall prints for an example: its answer where that is what the code is of, else what is on standard error. */
async function printed(example: Example, run: Run): Promise<string> {
  if ("prints" in example) return example.prints;
  const io = memoryIO({ files: example.files });
  await run(example.command.split(" "), io);
  return example.isAnswer ? io.text.stdout : io.text.stderr;
}

/** For people; sentences are wrapped on a terminal only. */
export function codeText(
  { code, title, means, matters, example, remedy }: CodeDocument,
  style: Style,
): string {
  const heading = (text: string) => style.paint("bold", text);
  const sentences = (all: readonly string[]) => all.flatMap((sentence) => wrap(sentence, style.columns));
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
