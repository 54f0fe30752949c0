/** Elements: what a text stands for, and what the kernel takes into a set. */

import type { Range } from "../../../grammar/meaning.js";
import type { CreateOptions, ElementPart, Extensions, Spread } from "../../../grammar/sets/description.js";
import { EXTENSIONS, printRange } from "../../../grammar/sets/options.js";
import { placeInLine } from "../../problems/problem.js";
import { contextOf, type SetEntry } from "../../state/sets.js";
import { readOptions } from "./options.js";
import { complain, type Draft, helpOf, hold, isRefused, type Line, type More, nearSet } from "./reading.js";
import { printElement } from "./save.js";

/** One text's ranges stand for so many elements at most; the kernel had the same bound for one command once (5.14). */
export const EXPANDED_MAX = 2 ** 20;

/** Adds what the word `at` stands for, with the extensions behind it. */
export function addElements(line: Line, draft: Draft, at: number): undefined {
  const { type, options } = draft;
  const beside = type.method === "list" ? readBeside(line, at) : undefined;
  const rest = beside?.line ?? line;
  const given = readOptions(rest, type.extensions, EXTENSIONS, contextOf(options).family, type, at + 1);
  if (given === undefined) return;
  for (const name of type.extensions) {
    const needed = EXTENSIONS[name].needs;
    if (needed !== undefined && Object.hasOwn(given, name) && options[needed] === undefined)
      return complain(
        line.reading,
        "LF1010",
        `${name} needs a set that was created with ${needed}`,
        rest.place(rest.words.findIndex((word, index) => index > at && word.replace(/^--/, "") === name)),
      );
  }
  const elements = readElements(line, draft, at);
  if (elements === undefined) return;
  const { range } = options;
  for (const end of range === undefined ? [] : [elements.at(0), elements.at(elements.count - 1)]) {
    const value = Number(end[0]);
    if (value < Number(range?.from) || value > Number(range?.to))
      return complain(
        line.reading,
        "LF1026",
        `${identity(draft, end)} is outside the set's range ${printRange(range as Range, type)}`,
        line.place(at),
      );
  }
  const extensions = completeExtensions(given, options);
  for (let index = 0; index < elements.count; index++) {
    const added = addElement(line, draft, elements.at(index), extensions, at, beside?.place);
    if (!added) return;
  }
}

/** What the kernel fills in, and what it does not tell apart from nothing. */
function completeExtensions(given: Extensions, options: CreateOptions): Extensions {
  const { skbmark, skbprio, skbqueue, comment, ...others } = given;
  return {
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    ...(options.counters ? { packets: 0n, bytes: 0n } : {}),
    ...others,
    ...(comment ? { comment } : {}),
    ...(skbmark && (skbmark.value !== 0 || skbmark.mask !== 0) ? { skbmark } : {}),
    ...(skbprio ? { skbprio } : {}),
    ...(skbqueue ? { skbqueue } : {}),
  };
}

/** The elements that one text stands for, each as its parts. */
interface Elements {
  readonly count: number;
  at(index: number): readonly ElementPart[];
}

export function readElements(line: Line, { type, options }: Draft, at: number): Elements | undefined {
  const { reading, words, place } = line;
  const texts = (words[at] ?? "").split(",");
  const { dimensions } = type;
  const least = type.lastOptional ? dimensions.length - 1 : dimensions.length;
  if (texts.length > dimensions.length || texts.length < least || texts.includes(""))
    return complain(
      reading,
      "LF1026",
      `an element of ${type.name} has ${dimensions.length === 1 ? "1 part" : `${dimensions.length} parts`}, with commas between`,
      place(at),
      { help: dimensions.map((one) => `${one.name}: ${one.expects}`).join("; ") },
    );
  const context = contextOf(options);
  const spreads: Spread<ElementPart>[] = [];
  let count = 1;
  let column = place(at).column;
  for (const [index, text] of texts.entries()) {
    const spread = dimensions[index]?.read(text, context);
    if (spread === undefined) continue;
    if (isRefused(spread)) {
      const part = placeInLine(reading.source, place(at).line, column, column + text.length);
      return complain(reading, "LF1026", spread.refused, part, helpOf(spread));
    }
    spreads.push(spread);
    count *= spread.count;
    column += text.length + 1;
  }
  if (count > 1 && count > reading.room)
    return complain(reading, "LF1026", `${words[at]} stands for ${count} elements`, place(at), {
      notes: [`landfall reads at most ${EXPANDED_MAX} elements out of the ranges of one text`],
      help: "a set of nets holds a network as one element",
    });
  if (count > 1) reading.room -= count;
  return {
    count,
    // The last part goes first, as in the kernel: which elements are there when one is refused hangs on it.
    at(index) {
      let left = index;
      const parts: ElementPart[] = [];
      for (const spread of spreads.toReversed()) {
        parts.unshift(spread.at(left % spread.count));
        left = Math.floor(left / spread.count);
      }
      return parts;
    },
  };
}

/** What tells an element apart from the others: its text, of a bitmap the first part alone. */
export function identity({ type, options }: Draft, parts: readonly ElementPart[]): string {
  return printElement(type, type.method === "bitmap" ? parts.slice(0, 1) : parts, options);
}

function addElement(
  line: Line,
  draft: Draft,
  parts: readonly ElementPart[],
  extensions: Extensions,
  at: number,
  beside: Beside | undefined,
): boolean {
  const { reading, place } = line;
  const { type, options, entries } = draft;
  // Of a set whose members were not listed, one more is no news.
  if (entries === undefined) return false;
  const text = identity(draft, parts);
  const refuse = (message: string, more: More = {}): false => {
    complain(reading, "LF1026", message, place(at), more);
    return false;
  };
  if (type.method === "list" && reading.block === undefined && !mayHold(line, text, at)) return false;
  const known = entries.get(text);
  // bitmap:ip,mac takes the MAC address of an element that has none yet.
  const completes = known !== undefined && known.parts.length < parts.length;
  if (known !== undefined && !completes && !reading.exist)
    return refuse(`${text} is in the set already`, { help: "give -exist if that is as it should be" });
  if (known === undefined && entries.size >= roomOf(options))
    return refuse(`the set is full: it holds at most ${options.maxelem} elements`, {
      help: `create it with a greater maxelem`,
    });
  const entry = { parts, extensions };
  if (beside === undefined) entries.set(text, entry);
  else {
    const wrong = whyNotBeside(entries, beside);
    if (wrong !== undefined) return refuse(wrong);
    draft.entries = putBeside(entries, text, entry, beside);
  }
  if (known === undefined) hold(reading, draft, text, 1);
  return true;
}

/** The largest hash that the kernel counts as one; the parts of a larger one are full each by itself. */
const HASHSIZE_UNDIVIDED = 1024;

/** How many elements a set holds at most. */
function roomOf({ maxelem = Number.POSITIVE_INFINITY, hashsize = 0 }: CreateOptions): number {
  return hashsize <= HASHSIZE_UNDIVIDED ? maxelem : 2 * maxelem;
}

/** Whether a list may name the set; a set that is not there is said, and kept all the same. */
function mayHold({ reading, place }: Line, name: string, at: number): boolean {
  const member = reading.sets.get(name);
  if (member?.type.method === "list") {
    complain(reading, "LF1026", `${name} is a list of sets, and lists hold no lists`, place(at));
    return false;
  }
  if (member === undefined && !reading.refused.has(name)) {
    complain(reading, "LF1024", `there is no set ${name}`, place(at), nearSet(reading, name));
  }
  return true;
}

/** Where in a list an element goes. */
interface Beside {
  readonly name: string;
  readonly after: boolean;
}

/** Takes `before NAME` or `after NAME` out of the words. */
export function readBeside(line: Line, at: number): { line: Line; place: Beside | undefined } {
  const index = line.words.findIndex((word, place) => place > at && /^(?:--)?(?:before|after)$/.test(word));
  const name = line.words[index + 1];
  if (index < 0 || name === undefined) return { line, place: undefined };
  const words = line.words.toSpliced(index, 2);
  const place: Line["place"] = (word, to = word) =>
    line.place(word < index ? word : word + 2, to < index ? to : to + 2);
  return {
    line: { ...line, words, place },
    place: { name, after: (line.words[index] as string).endsWith("after") },
  };
}

/** Making room in a list takes time for each of its elements; real lists have a few. */
const BESIDE_MAX = 1000;

function whyNotBeside(entries: ReadonlyMap<string, SetEntry>, { name }: Beside): string | undefined {
  if (!entries.has(name)) return `the list does not hold ${name}`;
  return entries.size > BESIDE_MAX
    ? `landfall finds places in lists of at most ${BESIDE_MAX} elements only`
    : undefined;
}

function putBeside(
  entries: ReadonlyMap<string, SetEntry>,
  text: string,
  entry: SetEntry,
  { name, after }: Beside,
): Map<string, SetEntry> {
  const moved = new Map<string, SetEntry>();
  for (const [one, kept] of entries) {
    if (one === name && !after) moved.set(text, entry);
    if (one !== text) moved.set(one, kept);
    if (one === name && after) moved.set(text, entry);
  }
  return moved;
}
