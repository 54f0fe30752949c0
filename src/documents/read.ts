/**
 * YAML and JSON text → documents: plain values that know their place. Several YAML documents, and the items of Lists as
 * kubectl prints them, come out one by one. Any text is accepted; what cannot be read is a problem.
 */
import { isMap, isNode, isPair, parseAllDocuments, type Document as YamlDocument } from "yaml";
import { type Place, type Problem, placeOf, type Source } from "../problems/problem.js";

export type Path = readonly (string | number)[];

export interface Document {
  readonly source: Source;
  /** Plain JavaScript: null, booleans, numbers, strings, arrays, objects. */
  readonly value: unknown;
  /** Where the value at `path` stands; of a path that is not there, its nearest parent. */
  placeOf(path: Path): Place;
}

export interface DocumentsRead {
  readonly documents: readonly Document[];
  readonly problems: readonly Problem[];
}

/** More uses of an alias than any hand-written file has; beyond, the document is refused before it is expanded. */
const ALIASES_MAX = 100;

/** Reads all documents of a source. JSON is told by its first character. Never throws. */
export function readDocuments(source: Source): DocumentsRead {
  const first = source.text.trimStart()[0];
  const json = first === "{" || first === "[" ? readJson(source) : undefined;
  const read = json ?? readYaml(source);
  return {
    documents: read.documents.flatMap(unfold),
    problems: [...read.problems, ...protoKeys(source)],
  };
}

/** JSON by the engine's own reader, which is fast; places are found by reading again when one is asked for. */
function readJson(source: Source): DocumentsRead | undefined {
  let value: unknown;
  try {
    value = JSON.parse(source.text);
  } catch {
    return undefined; // Flow-style YAML also begins so, and the YAML reader says where the fault is.
  }
  let parsed: YamlDocument.Parsed | undefined;
  const place = (path: Path): Place => {
    parsed ??= parseAllDocuments(source.text)[0] as YamlDocument.Parsed | undefined;
    return parsed === undefined ? placeOf(source, 0, 1) : placeInYaml(source, parsed, path);
  };
  return { documents: [{ source, value, placeOf: place }], problems: [] };
}

function readYaml(source: Source): DocumentsRead {
  const documents: Document[] = [];
  const problems: Problem[] = [];
  const parsedDocuments = parseAllDocuments(source.text, { uniqueKeys: true, stringKeys: false });
  if (!Array.isArray(parsedDocuments)) return { documents, problems };
  for (const parsed of parsedDocuments) {
    const fault = parsed.errors[0];
    if (fault !== undefined) {
      problems.push({
        code: "LF5001",
        severity: "error",
        message: yamlMessage(fault.code, fault.message),
        place: placeOf(source, fault.pos[0], Math.max(fault.pos[1], fault.pos[0] + 1)),
        ...(fault.code === "TAB_AS_INDENT" ? { help: "indent with blanks" } : {}),
      });
      continue;
    }
    let value: unknown;
    try {
      value = parsed.toJS({ maxAliasCount: ALIASES_MAX });
    } catch {
      problems.push({
        code: "LF5006",
        severity: "error",
        message: `the aliases of this document expand more than ${ALIASES_MAX} times`,
        place: placeOf(source, parsed.range[0], parsed.range[0] + 1),
        help: "write the repeated parts out",
      });
      continue;
    }
    if (value === null || value === undefined) continue;
    documents.push({ source, value, placeOf: (path) => placeInYaml(source, parsed, path) });
  }
  return { documents, problems };
}

/** The items of a List (also `ServiceList` …) as documents; the type of an item follows from the list's if it has none. */
function unfold(document: Document): readonly Document[] {
  const list = document.value;
  if (
    !isRecord(list) ||
    typeof list.kind !== "string" ||
    !list.kind.endsWith("List") ||
    !Array.isArray(list.items)
  ) {
    return [document];
  }
  const kind = list.kind.slice(0, -"List".length);
  const type = kind === "" ? {} : { apiVersion: list.apiVersion, kind };
  return list.items.flatMap((item: unknown, index) =>
    unfold({
      source: document.source,
      value: isRecord(item) ? { ...type, ...item } : item,
      placeOf: (path) => document.placeOf(["items", index, ...path]),
    }),
  );
}

function placeInYaml(source: Source, parsed: YamlDocument.Parsed, path: Path): Place {
  for (let length = path.length; length > 0; length--) {
    const at = path.slice(0, length);
    const node = parsed.getIn(at, true);
    if (isNode(node) && node.range) {
      // The value of a missing part's parent can be long: point at its key, or at its first character.
      const parent = parsed.getIn(at.slice(0, -1), true);
      const pair = isMap(parent)
        ? parent.items.find((item) => isPair(item) && String(item.key) === at.at(-1))
        : undefined;
      if (length < path.length && isNode(pair?.key) && pair.key.range)
        return placeOf(source, pair.key.range[0], pair.key.range[1]);
      const [start, end] = node.range;
      const firstLine = source.text.indexOf("\n", start);
      return placeOf(source, start, firstLine >= 0 && firstLine < end ? firstLine : Math.max(end, start + 1));
    }
  }
  const start = parsed.contents?.range?.[0] ?? parsed.range[0];
  const end = source.text.indexOf("\n", start);
  return placeOf(source, start, end < 0 ? source.text.length : end);
}

/** `__proto__` as a key is no field of any object; in JavaScript it is more than a name, so it is never just passed on. */
function protoKeys(source: Source): readonly Problem[] {
  if (!source.text.includes("__proto__")) return [];
  const found = /^\s*(?:- )?["']?__proto__["']?\s*:|[{,]\s*["']?__proto__["']?\s*:/m.exec(source.text);
  if (found === null) return [];
  const start = source.text.indexOf("__proto__", found.index);
  return [
    {
      code: "LF5002",
      severity: "warning",
      message: "`__proto__` is no field of an object and is ignored",
      place: placeOf(source, start, start + "__proto__".length),
    },
  ];
}

function yamlMessage(code: string, message: string): string {
  if (code === "TAB_AS_INDENT") return "a tab may not indent YAML";
  const sentence = (message.split(/ at line \d+/)[0] ?? message).split("\n")[0] ?? message;
  return `not YAML: ${sentence.charAt(0).toLowerCase()}${sentence.slice(1).replace(/[.:]$/, "")}`;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
