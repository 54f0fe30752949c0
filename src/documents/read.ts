/**
 * YAML and JSON text → documents: plain values that know their place. Several YAML documents, and the items of Lists as
 * kubectl prints them, come out one by one. Any text is accepted; what cannot be read is a problem.
 */
import type { Problem, Source } from "../problems/problem.js";
import { type Document, isRecord, makeDocument, type Path } from "./document.js";
import { readJson } from "./json.js";
import { readYaml } from "./yaml.js";
import { readYamlList } from "./yaml-list.js";

export interface DocumentsRead {
  readonly documents: readonly Document[];
  readonly problems: readonly Problem[];
}

/** Reads all documents of a source. JSON is told by its first character. Never throws. */
export function readDocuments(source: Source): DocumentsRead {
  const first = source.text.trimStart()[0];
  const json = first === "{" || first === "[" ? readJson(source) : undefined;
  const read = json === undefined ? readYamlText(source) : { documents: json, problems: [] };
  const proto = source.text.includes(PROTO) ? read.documents.flatMap(removeProto) : [];
  return {
    documents: read.documents.flatMap((document) => unfold(document, LISTS_IN_LISTS_MAX)),
    problems: [...read.problems, ...proto],
  };
}

function readYamlText(source: Source): DocumentsRead {
  const list = source.text.length >= LIST_LENGTH_MIN ? readYamlList(source) : undefined;
  return list === undefined ? readYaml(source) : { documents: [list], problems: [] };
}

/** Characters. Below, the tree of the whole text is small enough to be kept. */
const LIST_LENGTH_MIN = 1_000_000;

/** kubectl never puts a List into a List; files joined by hand may. */
const LISTS_IN_LISTS_MAX = 4;

/** The items of a List (also `ServiceList` …) as documents; the type of an item follows from the list's if it has none. */
function unfold(document: Document, depth: number): readonly Document[] {
  const list = document.value;
  if (
    depth === 0 ||
    !isRecord(list) ||
    typeof list.kind !== "string" ||
    !list.kind.endsWith("List") ||
    !Array.isArray(list.items)
  ) {
    return [document];
  }
  const kind = list.kind.slice(0, -"List".length);
  const type = kind === "" ? {} : { apiVersion: list.apiVersion, kind };
  return list.items.flatMap((item: unknown, index) => {
    const value = isRecord(item) ? { ...type, ...item } : item;
    return unfold(
      makeDocument(document.source, value, (path) => document.placeOf(["items", index, ...path])),
      depth - 1,
    );
  });
}

const PROTO = "__proto__";

/**
 * `__proto__` is no field of any object, but in JavaScript it is more than a name: it is taken out, so that no code
 * further on can copy it into a prototype.
 */
function removeProto(document: Document): readonly Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<unknown>();
  const pending: { value: unknown; path: Path }[] = [{ value: document.value, path: [] }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, path } = next;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (Object.hasOwn(value, PROTO)) {
      delete (value as Record<string, unknown>)[PROTO];
      problems.push({
        code: "LF5002",
        severity: "warning",
        message: `${PROTO} is no field of any object and is ignored`,
        place: document.placeOf([...path, PROTO]),
      });
    }
    const inArray = Array.isArray(value);
    for (const [key, part] of Object.entries(value)) {
      if (typeof part === "object")
        pending.push({ value: part, path: [...path, inArray ? Number(key) : key] });
    }
  }
  return problems;
}
