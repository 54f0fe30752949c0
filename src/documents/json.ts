/**
 * JSON by the engine's own reader, which is many times faster than any YAML reader. It tells no places; when a message
 * needs one, the text is walked again by hand, past everything that is not on the way.
 */
import type { Source } from "../problems/problem.js";
import { type Document, makeDocument, type Path, placeOfSpot, type Spot } from "./document.js";

/** The documents: one value, or several one after another. Undefined when the text is no JSON (it may still be YAML). */
export function readJson(source: Source): readonly Document[] | undefined {
  // A byte order mark is no part of JSON; as a blank it keeps all offsets.
  const text = source.text.replace(/^\uFEFF/, " ");
  try {
    return [makeDocument(source, JSON.parse(text), placeFinder(text, source, skipBlank(text, 0)))];
  } catch {
    return readJsonStream(source, text);
  }
}

/** Several values, as when the output of two commands is joined. */
function readJsonStream(source: Source, text: string): readonly Document[] | undefined {
  const documents: Document[] = [];
  try {
    for (let at = skipBlank(text, 0); at < text.length; ) {
      const start = at;
      const end = skipValue(text, start);
      const value: unknown = JSON.parse(text.slice(start, end));
      documents.push(makeDocument(source, value, placeFinder(text, source, start)));
      at = skipBlank(text, end);
    }
  } catch {
    return undefined;
  }
  return documents;
}

/** Lists can hold thousands of objects: where each begins is found once for all of them. */
function placeFinder(text: string, source: Source, top: number): Document["placeOf"] {
  let items: readonly number[] | undefined;
  return (path) => {
    if (path[0] === "items" && typeof path[1] === "number") {
      items ??= elementStarts(text, findSpot(text, top, ["items"]));
      const start = items[path[1]];
      if (start !== undefined) return placeOfSpot(source, findSpot(text, start, path.slice(2)));
    }
    return placeOfSpot(source, findSpot(text, top, path));
  };
}

/** Follows `path` from the value that begins at `start`. The text is known to be well-formed. */
function findSpot(text: string, start: number, path: Path): Spot {
  let at = start;
  let key: Spot["key"];
  for (const part of path) {
    const member = typeof part === "number" ? elementAt(text, at, part) : memberNamed(text, at, part);
    if (member === undefined) return spotAt(text, at, key, false);
    at = member.start;
    key = member.key;
  }
  return spotAt(text, at, key, true);
}

function spotAt(text: string, start: number, key: Spot["key"], complete: boolean): Spot {
  return { start, end: skipValue(text, start), complete, ...(key === undefined ? {} : { key }) };
}

interface Member {
  readonly start: number;
  readonly key?: { readonly start: number; readonly end: number };
}

/** The last member of that name, since it is the one that JSON.parse keeps. */
function memberNamed(text: string, object: number, name: string): Member | undefined {
  if (text[object] !== "{") return undefined;
  let found: Member | undefined;
  let at = skipBlank(text, object + 1);
  while (text[at] === '"') {
    const key = { start: at, end: skipString(text, at) };
    const start = skipBlank(text, skipBlank(text, key.end) + 1);
    if (JSON.parse(text.slice(key.start, key.end)) === name) found = { start, key };
    at = skipBlank(text, skipValue(text, start));
    if (text[at] === ",") at = skipBlank(text, at + 1);
  }
  return found;
}

function elementAt(text: string, array: number, index: number): Member | undefined {
  if (text[array] !== "[") return undefined;
  let at = skipBlank(text, array + 1);
  for (let left = index; left > 0 && text[at] !== "]"; left--) at = nextElement(text, at);
  return text[at] === "]" ? undefined : { start: at };
}

function elementStarts(text: string, array: Spot): readonly number[] {
  const starts: number[] = [];
  if (!array.complete || text[array.start] !== "[") return starts;
  let at = skipBlank(text, array.start + 1);
  while (text[at] !== "]") {
    starts.push(at);
    at = nextElement(text, at);
  }
  return starts;
}

/** From the start of one element to that of the next, or to the closing bracket. */
function nextElement(text: string, element: number): number {
  const end = skipBlank(text, skipValue(text, element));
  return text[end] === "," ? skipBlank(text, end + 1) : end;
}

function skipBlank(text: string, start: number): number {
  let at = start;
  while (at < text.length && /[\s\uFEFF]/.test(text.charAt(at))) at++;
  return at;
}

function skipString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    let slash = end - 1;
    while (text[slash] === "\\") slash--;
    if ((end - slash) % 2 === 1) return end + 1;
  }
}

/**
 * Past the value that begins at `start`, at least one character. Brackets are counted rather than followed: nesting has
 * no limit.
 */
function skipValue(text: string, start: number): number {
  let at = start;
  let depth = 0;
  do {
    const character = text[at];
    if (character === '"') at = skipString(text, at);
    else if (character === "{" || character === "[") {
      depth++;
      at++;
    } else if (character === "}" || character === "]") {
      depth--;
      at++;
    } else if (depth > 0) at++;
    else while (at < text.length && !/[\s,\]}]/.test(text.charAt(at))) at++;
  } while (depth > 0 && at < text.length);
  return at;
}
