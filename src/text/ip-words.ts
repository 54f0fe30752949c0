/**
 * What the listings of `ip` have in common: lines that `-o` has joined with backslashes, colours of `-c`, and words that
 * come in pairs of name and value.
 */
import type { Code } from "../problems/codes.js";
import { didYouMean } from "../problems/meant.js";
import { nearest } from "../problems/nearest.js";
import { type Problem, placeInLine, type Source } from "../problems/problem.js";
import { endOfJSON } from "./json-end.js";

/** One line of a listing; of a line of `ip -o` one of the lines that it joins. */
export interface IpLine {
  readonly text: string;
  /** From 1. */
  readonly line: number;
  /** Where `text` begins in its line, from 0; undefined when it was made from JSON. */
  readonly column: number | undefined;
}

export interface Word {
  readonly text: string;
  /** Where it stands in the line's text, from 0; the end is exclusive. */
  readonly from: number;
  readonly to: number;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal
const COLOURS = /\u001b\[[0-9;]*m/g;

/** Objects of `ip -j` as lines of the plain listing (ip-json.ts). */
type Lister = (object: unknown) => readonly string[];

/**
 * The lines without blank ones. Colours become nothing. `-o` puts a backslash where a line would end. What `ip -j` printed
 * becomes the lines of the plain listing, all at the line where the array begins.
 */
export function ipLines(source: Source, problems: Problem[], lister?: Lister): readonly IpLine[] {
  const { text } = source;
  const lines: IpLine[] = [];
  let line = 1;
  for (let start = 0; start < text.length; ) {
    const ending = text.indexOf("\n", start);
    let end = ending < 0 ? text.length : ending;
    if (lister !== undefined && /^\[\s*(?:[{\]]|$)/.test(text.slice(start, end))) {
      const closing = endOfJSON(text, start);
      const whole: IpLine = { text: text.slice(start, end), line, column: 0 };
      const objects = closing === undefined ? undefined : parsed(text.slice(start, closing));
      if (objects === undefined) {
        complainer(source, whole, problems)("LF5001", "this JSON cannot be read", undefined, {
          help: CUT_OFF,
        });
      }
      if (closing === undefined) break;
      for (const object of objects ?? []) {
        for (const listed of lister(object)) lines.push({ ...whole, text: listed, column: undefined });
      }
      end = Math.max(closing, start);
      line += text.slice(start, end).split("\n").length - 1;
    } else {
      for (const part of partsOf(text.slice(start, end), line)) lines.push(part);
    }
    if (text[end] === "\n") line++;
    start = end + 1;
  }
  return lines;
}

function parsed(json: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function partsOf(raw: string, line: number): readonly IpLine[] {
  const whole = raw.replace(COLOURS, "").replace(/\r$/, "");
  const parts: IpLine[] = [];
  let column = 0;
  for (const part of whole.split(/\\(?=[\t ])/)) {
    if (part.trim() !== "") parts.push({ text: part, line, column });
    column += part.length + 1;
  }
  return parts;
}

export function wordsOf({ text }: IpLine): readonly Word[] {
  return [...text.matchAll(/\S+/g)].map((found) => ({
    text: found[0],
    from: found.index,
    to: found.index + found[0].length,
  }));
}

/** Adds a problem that lies in a line; without a word, all of it. */
export type Complain = (
  code: Code,
  message: string,
  word?: Pick<Word, "from" | "to">,
  more?: Partial<Problem>,
) => void;

export function complainer(source: Source, { line, column, text }: IpLine, problems: Problem[]): Complain {
  return (code, message, word, more) => {
    const from = word?.from ?? text.length - text.trimStart().length;
    const place =
      column === undefined
        ? placeInLine(source, line, 1, 2)
        : placeInLine(source, line, column + from + 1, column + (word?.to ?? text.length) + 1);
    problems.push({ code, severity: "error", message, place, ...more });
  };
}

/** A line that is none of this listing: a prompt, prose. */
export function remark(complain: Complain, listing: string): void {
  complain("LF1001", `this line is no part of ${listing}`, undefined, { severity: "note" });
}

export const CUT_OFF = "was the line cut off?";

/** A name with its value; the value of a flag is empty. */
export interface Pair {
  readonly name: string;
  readonly value: string;
  readonly word: Word;
  /** Where the value stands; of a flag, the name. */
  readonly valueWord: Word;
}

/** How many words follow a name: 0 for a flag. */
export type Vocabulary = ReadonlyMap<string, 0 | 1>;

/** Names with a value and names without, each list parted by blanks. */
export function vocabulary(names: string, flags?: string): Vocabulary {
  return new Map<string, 0 | 1>([
    ...names.split(" ").map((name) => [name, 1] as const),
    ...(flags?.split(" ") ?? []).map((name) => [name, 0] as const),
  ]);
}

/**
 * Words as pairs; undefined, with a problem, for a word that is not in the vocabulary and for a name whose value is not
 * there. `lock` before a metric's value belongs to the value.
 */
export function readPairs(
  words: readonly Word[],
  known: Vocabulary,
  what: string,
  complain: Complain,
): readonly Pair[] | undefined {
  const pairs: Pair[] = [];
  for (let at = 0; at < words.length; ) {
    const word = words[at] as Word;
    const takes = known.get(word.text);
    if (takes === undefined) {
      const near = nearest(word.text, known.keys());
      complain(
        "LF1017",
        `${what} has no word ${word.text}`,
        word,
        near === undefined ? { help: CUT_OFF } : didYouMean(near),
      );
      return undefined;
    }
    const locked = takes === 1 && words[at + 1]?.text === "lock" ? 1 : 0;
    const valueWord = words[at + takes + locked];
    if (valueWord === undefined) {
      complain("LF1005", `${word.text} needs a value`, word, { help: CUT_OFF });
      return undefined;
    }
    const value = takes === 0 ? "" : locked === 1 ? `lock ${valueWord.text}` : valueWord.text;
    pairs.push({ name: word.text, value, word, valueWord });
    at += 1 + takes + locked;
  }
  return pairs;
}

/** A whole number up to `max`; undefined, with a problem, if the value is none. */
export function readNumber(
  { name, value, valueWord }: Pair,
  max: number,
  complain: Complain,
): number | undefined {
  if (/^\d{1,10}$/.test(value) && Number(value) <= max) return Number(value);
  complain("LF1006", `${name} is a whole number up to ${max}, not ${value}`, valueWord, { help: CUT_OFF });
  return undefined;
}

/** The families of addresses, in order. */
export function familiesAmong(addresses: Iterable<unknown>): readonly ("ipv4" | "ipv6")[] {
  const kinds = new Set<string>();
  for (const address of addresses) kinds.add(typeof address);
  return [
    ...(kinds.has("number") ? (["ipv4"] as const) : []),
    ...(kinds.has("bigint") ? (["ipv6"] as const) : []),
  ];
}
