/** What the readers of ipset text share: sets that are being read, lines as words, problems with their places. */
import { isRefusal, type Refusal } from "../../../grammar/description.js";
import type { CreateOptions, SetType } from "../../../grammar/sets/description.js";
import type { Code } from "../../problems/codes.js";
import { didYouMean } from "../../problems/meant.js";
import { nearest } from "../../problems/nearest.js";
import { type Place, type Problem, placeInLine, type Source } from "../../problems/problem.js";
import type { SetEntry } from "../../state/sets.js";
import type { Words } from "../words.js";

/** A set that is being read. */
export interface Draft {
  /** Where among the others it is printed. */
  order: number;
  type: SetType;
  options: CreateOptions;
  place: Place;
  /** By their text, which is how the kernel tells two elements apart; undefined: not known. */
  entries: Map<string, SetEntry> | undefined;
  notListed?: number;
  references?: number;
}

/** A block of `ipset list`. */
export interface Block {
  readonly name: string;
  readonly line: number;
  readonly place: Place;
  type: { readonly word: string; readonly place: Place } | undefined;
  header: { readonly text: string; readonly from: number; readonly line: number } | undefined;
  count: number | undefined;
  references: number | undefined;
  draft: Draft | undefined;
  /** Lines are members now. */
  members: boolean;
  refused: boolean;
}

export interface Reading {
  readonly source: Source;
  readonly problems: Problem[];
  readonly sets: Map<string, Draft>;
  /** Names of sets whose `create` had a fault: what follows from that is not said again. */
  readonly refused: Set<string>;
  /** In how many lists a set is, by its name. */
  readonly held: Map<string, number>;
  exist: boolean;
  over: boolean;
  /** How many sets were made so far. */
  made: number;
  /** How many elements more the ranges of this text may stand for. */
  room: number;
  block: Block | undefined;
}

/** A line's words with what may be said of them. */
export interface Line {
  readonly reading: Reading;
  readonly words: readonly string[];
  place(word: number, to?: number): Place;
}

export type More = Partial<Pick<Problem, "severity" | "label" | "fix" | "help" | "notes">>;

export function complain(
  reading: Reading,
  code: Code,
  message: string,
  place: Place,
  more: More = {},
): undefined {
  reading.problems.push({ code, severity: "error", message, place, ...more });
  return undefined;
}

export function lineOf(reading: Reading, found: Words, line: number): Line {
  const { source } = reading;
  const place = (word: number, to = word): Place => {
    const last = found.ends.at(-1) ?? 1;
    return placeInLine(source, line, (found.starts[word] ?? last) + 1, (found.ends[to] ?? last) + 1);
  };
  return { reading, words: found.words, place };
}

/** Notes that a list holds a set, or does no more. */
export function hold({ held }: Reading, { type }: Draft, name: string, change: 1 | -1): undefined {
  if (type.method !== "list") return;
  const count = (held.get(name) ?? 0) + change;
  if (count === 0) held.delete(name);
  else held.set(name, count);
}

/** Takes all elements out of a set. */
export function empty(reading: Reading, draft: Draft): undefined {
  if (draft.type.method === "list")
    for (const name of draft.entries?.keys() ?? []) hold(reading, draft, name, -1);
  draft.entries?.clear();
  delete draft.notListed;
}

/** More names than that are not searched for one that may be meant. */
const NEAREST_MAX = 100;

/** "Did you mean …?" of a set's name, where one is near. */
export function nearSet({ sets }: Reading, name: string): More {
  return didYouMean(sets.size > NEAREST_MAX ? undefined : nearest(name, sets.keys()));
}

export function helpOf({ help }: Refusal): More {
  return help === undefined ? {} : { help };
}

export function isRefused(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && isRefusal(value);
}

/**
 * A line as words, as `ipset restore` splits it: at blanks; `"` begins and ends a stretch that holds blanks, and is left
 * out; nothing stands for a `"` itself.
 */
export function splitSetWords(line: string, from: number): Words {
  const found: { words: string[]; starts: number[]; ends: number[] } = { words: [], starts: [], ends: [] };
  let quoted = false;
  let start = -1;
  let word = "";
  for (let at = from; at <= line.length; at++) {
    const char = line[at];
    const blank = char === undefined || (!quoted && (char === " " || char === "\t"));
    if (!blank && start < 0) start = at;
    if (blank && start >= 0) {
      // `""` is no word.
      if (word !== "") {
        found.words.push(word);
        found.starts.push(start);
        found.ends.push(at);
      }
      start = -1;
      word = "";
    } else if (char === '"') quoted = !quoted;
    else if (!blank) word += char;
  }
  return { ...found, openQuote: quoted };
}
