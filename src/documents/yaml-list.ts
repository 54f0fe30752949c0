/**
 * Big Lists as kubectl prints them, item by item. A YAML tree takes some eighty times the memory of its text, so the
 * tree of each item is let go once its value is made, and made again when a message needs a place.
 *
 * In block style a line that begins with `- ` in the first column can only begin an item of the one sequence that stands
 * there: whatever is inside an item, also quoted and literal text, is indented. Where the text is laid out in any other
 * way, or a part has a fault (an alias of another item has one too), the reader of whole files takes over.
 */
import { type Place, placeOf, type Source } from "../problems/problem.js";
import { type Document, isRecord, makeDocument } from "./document.js";
import { readYaml } from "./yaml.js";

/** The List as one document; undefined when the text is anything but one block-style List. */
export function readYamlList(source: Source): Document | undefined {
  const layout = layoutOf(source.text);
  if (layout === undefined) return undefined;
  const { text } = source;
  const { start, end, items } = layout;
  // The part between is kept as an empty line, so that what follows still stands at a line's beginning.
  const outside = readPart(source.name, `${text.slice(0, start)}\n${text.slice(end)}`);
  if (!isRecord(outside?.value)) return undefined;
  const values: unknown[] = [];
  for (const [index, at] of items.entries()) {
    const part = readPart(source.name, text.slice(at, items[index + 1] ?? end));
    if (!Array.isArray(part?.value) || part.value.length !== 1) return undefined;
    values.push(part.value[0]);
  }
  const lines = start === 0 ? 0 : placeOf(source, start, start).line - 1;
  return makeDocument(source, { ...outside.value, items: values }, (path) => {
    const [field, index, ...rest] = path;
    const at = field === "items" && typeof index === "number" ? items[index] : undefined;
    if (at === undefined) {
      const place = outside.placeOf(path);
      return moved(source, place, place.line <= lines ? 0 : placeOf(source, end, end).line - lines - 2);
    }
    const part = readPart(source.name, text.slice(at, items[(index as number) + 1] ?? end));
    return moved(source, part?.placeOf([0, ...rest]) ?? outside.place, placeOf(source, at, at).line - 1);
  });
}

interface Layout {
  /** From the first item to the end of the last, as offsets of whole lines. */
  readonly start: number;
  readonly end: number;
  /** Where each item begins. */
  readonly items: readonly number[];
}

function layoutOf(text: string): Layout | undefined {
  if (/^(?:%|\.\.\.)/m.test(text) || text.lastIndexOf("\n---") >= 0) return undefined;
  const heading = /^items:[ \t]*\r?\n(?=- )/m.exec(text);
  if (heading === null) return undefined;
  const start = heading.index + heading[0].length;
  const items: number[] = [];
  let at = start;
  while (at < text.length && /[-\s#]/.test(text.charAt(at))) {
    if (text.startsWith("- ", at)) items.push(at);
    else if (text.startsWith("-", at)) return undefined;
    const lineEnd = text.indexOf("\n", at);
    at = lineEnd < 0 ? text.length : lineEnd + 1;
  }
  return { start, end: at, items };
}

function readPart(name: string, text: string): Document | undefined {
  const { documents, problems } = readYaml({ name, text });
  return documents.length === 1 && problems.length === 0 ? documents[0] : undefined;
}

/** A place of a part, which began at a line's beginning, as a place of the whole. */
function moved(source: Source, place: Place, lines: number): Place {
  return { ...place, source, line: place.line + lines, endLine: place.endLine + lines };
}
