/** Colours and terminals: whether to colour, and text that is safe to show. */
import type { IO, Stream } from "./io.js";

export type Colour = "green" | "red" | "yellow" | "dim" | "bold";

const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  green: [32, 39],
  red: [31, 39],
  yellow: [33, 39],
  dim: [2, 22],
  bold: [1, 22],
};

export interface Style {
  paint(colour: Colour, text: string): string;
  /** What tables have to fit into; absent where nothing is wrapped or cut. */
  readonly columns?: number;
  /** Marks such as arrows are written in ASCII: cells are measured so. */
  readonly ascii?: boolean;
}

export interface ColourChoice {
  /** `--color`; false for `--no-color`. */
  readonly color?: "auto" | "always" | "never" | false;
}

/** How text for people is laid out. */
export interface LayoutChoice {
  readonly ascii?: boolean;
  /** Columns, for a terminal or not. */
  readonly width?: number;
}

/** Decided for each stream by itself: the flag, then NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM, the terminal. */
export function styleFor(stream: Stream, env: IO["env"], choice: ColourChoice & LayoutChoice): Style {
  const on = wantsColour(stream, env, choice);
  return {
    ...(stream.columns === undefined ? {} : { columns: stream.columns }),
    ascii: wantsAscii(stream, env, choice),
    paint: (colour, text) => (on ? `\u001b[${CODES[colour][0]}m${text}\u001b[${CODES[colour][1]}m` : text),
  };
}

function wantsColour(stream: Stream, env: IO["env"], { color }: ColourChoice): boolean {
  if (color === "always") return true;
  if (color === "never" || color === false) return false;
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0";
  if (env.CLICOLOR_FORCE !== undefined && env.CLICOLOR_FORCE !== "0") return true;
  if (env.CLICOLOR === "0" || env.TERM === "dumb") return false;
  return stream.isTerminal;
}

/** The flag, or a terminal whose locale is not one of UTF-8. */
function wantsAscii({ isTerminal }: Stream, env: IO["env"], { ascii }: LayoutChoice): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "UTF-8";
  return ascii ?? (isTerminal && !/utf-?8/i.test(locale));
}

/** The streams as the flags want them: their width, and what is written to them in ASCII. */
export function laidOut(
  { stdout, stderr, env }: IO,
  choice: LayoutChoice,
  isProse: { readonly stdout: boolean; readonly stderr: boolean },
): Pick<IO, "stdout" | "stderr"> {
  const stream = (target: Stream, prose: boolean): Stream => ({
    isTerminal: target.isTerminal,
    columns: choice.width ?? target.columns,
    rows: target.rows,
    write: prose && wantsAscii(target, env, choice) ? (text) => target.write(toAscii(text)) : target.write,
  });
  return { stdout: stream(stdout, isProse.stdout), stderr: stream(stderr, isProse.stderr) };
}

const ASCII: ReadonlyMap<string, string> = new Map([
  ["→", "->"],
  ["…", "..."],
  ["·", "|"],
  ["│", "|"],
  ["─", "-"],
  ["–", "-"],
  ["×", "x"],
  ["½", "1/2"],
  ["✓", "+"],
  ["✗", "-"],
  ["≤", "<="],
  ["≥", ">="],
]);
const MARKS = new RegExp(`[${[...ASCII.keys()].join("")}]`, "g");

/** landfall's own marks in ASCII; what comes from inputs stays as it is, but for the same marks. */
export function toAscii(text: string): string {
  return text.replace(MARKS, (mark) => ASCII.get(mark) ?? mark);
}

/**
 * Text from an input, made safe to show: control characters (a terminal would obey them) and marks that turn the
 * direction of writing are shown as `\x1b`. Line feeds stay when `lines`.
 */
export function clean(text: string, lines = false): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    if (character === "\n" && lines) return character;
    if (character === "\t") return " ";
    const code = character.charCodeAt(0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code}`;
  });
}
