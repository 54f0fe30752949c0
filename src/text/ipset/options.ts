/** The options of `create` and `add`, and the set that `create` makes of them. */

import { isRefusal } from "../../../grammar/description.js";
import type { CreateOptions, SetType } from "../../../grammar/sets/description.js";
import {
  CREATE_OPTIONS,
  completeOptions,
  IGNORED_OPTIONS,
  type SetOption,
} from "../../../grammar/sets/options.js";
import { SET_TYPES, setTypeNamed } from "../../../grammar/sets/types.js";
import { SET_NAME_MAX } from "../../../grammar/sets.js";
import { didYouMean } from "../../problems/meant.js";
import { nearest } from "../../problems/nearest.js";
import type { Place } from "../../problems/problem.js";
import { complain, type Draft, helpOf, isRefused, type Line } from "./reading.js";

/** The set that `create` makes, from its words behind the type. */
export function newDraft(
  line: Line,
  name: string,
  at: Place,
  typeName: string,
  typeAt: Place,
  from: number,
): Draft | undefined {
  const { reading } = line;
  if (new TextEncoder().encode(name).length > SET_NAME_MAX)
    return complain(reading, "LF1014", `the name of a set has at most ${SET_NAME_MAX} bytes`, at);
  const type = setTypeNamed(typeName);
  if (type === undefined) {
    const near = nearest(
      typeName,
      SET_TYPES.map((one) => one.name),
    );
    return complain(reading, "LF1025", `ipset has no type ${typeName}`, typeAt, didYouMean(near));
  }
  const options = readCreateOptions(line, type, from);
  if (options === undefined) return undefined;
  const complete = completeOptions(options, type);
  if (isRefusal(complete)) return complain(reading, "LF1010", complete.refused, typeAt, helpOf(complete));
  return { order: reading.made++, type, options: complete, place: at, entries: new Map() };
}

function readCreateOptions(line: Line, type: SetType, from: number): CreateOptions | undefined {
  const words = modernWords(line, type, from);
  // The family says how other options are read, wherever it stands.
  const given = readOptions(words, type.options, CREATE_OPTIONS, "ipv4", type, 0, ["family"]);
  return given === undefined
    ? undefined
    : (readOptions(words, type.options, CREATE_OPTIONS, given.family ?? "ipv4", type, 0) as
        | CreateOptions
        | undefined);
}

/** The words of `create` behind the type, old spellings put into new ones, and passed-over options taken out. */
function modernWords(line: Line, type: SetType, from: number): Line {
  const words: string[] = [];
  const at: number[] = [];
  const put = (word: string, index: number) => {
    words.push(word);
    at.push(index);
  };
  for (let index = from; index < line.words.length; index++) {
    const word = (line.words[index] as string).replace(/^--/, "");
    const value = line.words[index + 1];
    if (
      type.options.includes("range") &&
      word === "from" &&
      line.words[index + 2]?.replace(/^--/, "") === "to"
    ) {
      put("range", index);
      put(`${value}-${line.words[index + 3] ?? ""}`, index + 1);
      index += 3;
    } else if (type.options.includes("range") && word === "network") put("range", index);
    else if (type.options.includes("family") && /^-[46]$/.test(word)) {
      put("family", index);
      put(word === "-4" ? "inet" : "inet6", index);
    } else if (type.method === "hash" && [...IGNORED_OPTIONS, "from", "to", "network"].includes(word)) {
      complain(line.reading, "LF1007", `ipset passes over ${word}`, line.place(index, index + 1), {
        severity: "note",
      });
      index++;
    } else put(word, index);
  }
  return {
    ...line,
    words,
    place: (word, to = word) => line.place(at[word] ?? line.words.length, at[to] ?? line.words.length),
  };
}

/** Options and their values from word `from` on; undefined if one has a fault. `only`: pass over the others. */
export function readOptions<K extends string>(
  line: Line,
  allowed: readonly K[],
  table: { readonly [N in K]: unknown },
  family: "ipv4" | "ipv6",
  type: SetType,
  from: number,
  only?: readonly K[],
): { [N in K]?: never } | undefined {
  const { reading, words, place } = line;
  const given: { [N in K]?: unknown } = {};
  for (let index = from; index < words.length; index++) {
    const at = index;
    const word = (words[index] as string).replace(/^--/, "");
    const name = allowed.find((one) => one === word);
    if (name === undefined) {
      const near = nearest(word, allowed);
      return complain(
        reading,
        "LF1007",
        `sets of type ${type.name} take no ${words[index]} here`,
        place(at),
        near === undefined ? { help: `there are ${allowed.join(", ")}` } : didYouMean(near),
      );
    }
    const option = table[name] as SetOption<unknown>;
    const text = option.read === undefined ? undefined : words[++index];
    if (option.read !== undefined && text === undefined)
      return complain(reading, "LF1005", `${name} needs a value`, place(at));
    if (only !== undefined && !only.includes(name)) continue;
    if (Object.hasOwn(given, name)) return complain(reading, "LF1008", `${name} is given twice`, place(at));
    const value = option.read?.(text as string, family, type) ?? true;
    if (isRefused(value)) return complain(reading, "LF1006", value.refused, place(index), helpOf(value));
    given[name] = value;
  }
  return given as { [N in K]?: never };
}
