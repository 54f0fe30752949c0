/** The commands of `ipset restore`. */

import type { CreateOptions } from "../../../grammar/sets/description.js";
import { SET_NAME_MAX } from "../../../grammar/sets.js";
import { contextOf } from "../../state/sets.js";
import { addElements, identity, readBeside, readElements } from "./elements.js";
import { newDraft } from "./options.js";
import { complain, type Draft, empty, hold, type Line, nearSet } from "./reading.js";

const nothing = (): undefined => {};

export const COMMANDS: ReadonlyMap<string, (line: Line) => undefined> = new Map(
  (
    [
      [["create", "new", "n", "-N", "--create", "--new"], readCreate],
      [["add", "-A", "--add"], readAdd],
      [["del", "-D", "--del"], readDel],
      [["flush", "-F", "--flush"], readFlush],
      [["destroy", "x", "-X", "--destroy"], readDestroy],
      [["rename", "e", "-E", "--rename"], readRename],
      [["swap", "w", "-W", "--swap"], readSwap],
      [["quit"], readQuit],
      [
        ["test", "-T", "--test", "list", "-L", "--list", "save", "-S", "--save", "restore", "-R", "COMMIT"],
        nothing,
      ],
    ] satisfies [string[], (line: Line) => undefined][]
  ).flatMap(([names, read]) => names.map((name) => [name, read as (line: Line) => undefined] as const)),
);

function readQuit({ reading }: Line): undefined {
  reading.over = true;
}

function readCreate(line: Line): undefined {
  const { reading, words, place } = line;
  const [, name, typeName] = words;
  if (name === undefined || typeName === undefined)
    return complain(reading, "LF1014", "create has the name of a set and its type", place(0), {
      help: "for example `create web hash:ip,port`",
    });
  const draft = newDraft(line, name, place(1), typeName, place(2), 3);
  const known = reading.sets.get(name);
  if (draft === undefined) reading.refused.add(name);
  else if (known === undefined) {
    reading.sets.set(name, draft);
    reading.refused.delete(name);
  } else if (!reading.exist || known.type !== draft.type || !sameOptions(known.options, draft.options))
    complain(reading, "LF1024", `set ${name} exists since line ${known.place.line}`, place(1), {
      help: reading.exist
        ? "-exist passes over a set with the same type and options only"
        : "destroy it first, or give -exist if it is the same",
    });
}

function sameOptions(left: CreateOptions, right: CreateOptions): boolean {
  const names = Object.keys({ ...left, ...right }) as (keyof CreateOptions)[];
  const text = (options: CreateOptions, name: keyof CreateOptions) =>
    name === "range" ? `${options.range?.from}-${options.range?.to}` : String(options[name]);
  return names.every((name) => text(left, name) === text(right, name));
}

/** The set that a command names, if there is one. */
function setNamed(line: Line, word: number): Draft | undefined {
  const { reading, words, place } = line;
  const name = words[word];
  if (name === undefined) return complain(reading, "LF1014", `${words[0]} needs the name of a set`, place(0));
  const draft = reading.sets.get(name);
  if (draft === undefined && !reading.refused.has(name)) {
    complain(reading, "LF1024", `there is no set ${name}`, place(word), {
      ...nearSet(reading, name),
      help: `a line \`create ${name} …\` must come before it`,
    });
  }
  return draft;
}

function readAdd(line: Line): undefined {
  const draft = setNamed(line, 1);
  if (draft === undefined) return;
  if (line.words[2] === undefined)
    return complain(line.reading, "LF1014", "add has the name of a set and an element", line.place(0, 1));
  addElements(line, draft, 2);
}

function readDel(line: Line): undefined {
  const { reading, words, place } = line;
  const draft = setNamed(line, 1);
  if (draft === undefined) return;
  if (words[2] === undefined)
    return complain(reading, "LF1014", "del has the name of a set and an element", place(0, 1));
  const rest = draft.type.method === "list" ? readBeside(line, 2).line.words : words;
  if (rest.length > 3) return complain(reading, "LF1007", `del takes no ${rest[3]} here`, place(3));
  const elements = readElements(line, draft, 2);
  for (let index = 0; index < (elements?.count ?? 0); index++) {
    const text = identity(draft, elements?.at(index) ?? []);
    if (draft.entries?.delete(text)) hold(reading, draft, text, -1);
    else if (draft.entries !== undefined && !reading.exist)
      return complain(reading, "LF1026", `${text} is not in the set`, place(2), {
        help: "give -exist if that is as it should be",
      });
  }
}

function readFlush(line: Line): undefined {
  const { reading, words } = line;
  const named = words.length > 1 ? [setNamed(line, 1)] : reading.sets.values();
  for (const draft of named) if (draft !== undefined) empty(reading, draft);
}

function readDestroy(line: Line): undefined {
  const { reading, words, place } = line;
  const [, name] = words;
  if (name === undefined) {
    const [used] = reading.held.keys();
    if (used === undefined) reading.sets.clear();
    else complain(reading, "LF1024", `set ${used} is in a list, so no set is destroyed`, place(0));
    return;
  }
  const draft = setNamed(line, 1);
  if (draft === undefined || inUse(line, name, "destroyed")) return;
  empty(reading, draft);
  reading.sets.delete(name);
}

function readRename(line: Line): undefined {
  const { reading, words, place } = line;
  const draft = setNamed(line, 1);
  const [, from = "", to] = words;
  if (draft === undefined) return;
  if (to === undefined) return complain(reading, "LF1014", "rename needs the new name", place(0, 1));
  if (new TextEncoder().encode(to).length > SET_NAME_MAX)
    return complain(reading, "LF1014", `the name of a set has at most ${SET_NAME_MAX} bytes`, place(2));
  if (reading.sets.has(to)) return complain(reading, "LF1024", `set ${to} exists`, place(2));
  if (inUse(line, from, "renamed")) return;
  reading.sets.delete(from);
  reading.sets.set(to, draft);
}

/** Says so if a list holds the set. */
function inUse({ reading, place }: Line, name: string, what: string): boolean {
  if (!reading.held.has(name)) return false;
  complain(reading, "LF1024", `set ${name} is in a list and cannot be ${what}`, place(1));
  return true;
}

function readSwap(line: Line): undefined {
  const { reading, words, place } = line;
  const one = setNamed(line, 1);
  const other = one === undefined ? undefined : setNamed(line, 2);
  if (one === undefined || other === undefined) return;
  if (features(one) !== features(other))
    return complain(
      reading,
      "LF1024",
      `${one.type.name} and ${other.type.name} cannot be swapped`,
      place(1, 2),
      {
        notes: ["both must hold the same kinds of elements, of one family"],
      },
    );
  // Names and places stay, and what is in the sets changes.
  [one.order, other.order] = [other.order, one.order];
  reading.sets.set(words[1] as string, other);
  reading.sets.set(words[2] as string, one);
}

/** What the kernel compares before it swaps two sets. */
function features({ type, options }: Draft): string {
  const kinds = type.dimensions.map(({ name }) => (name === "net" ? "ip" : name));
  const family = type.families.length === 0 ? "" : contextOf(options).family;
  return [...kinds, type.extensions.includes("nomatch"), family].join();
}
