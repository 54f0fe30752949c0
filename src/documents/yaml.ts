/** YAML → documents with places. Merge keys (`<<`) are followed, as kubectl does; aliases are bounded. */
import { isMap, isNode, isPair, parseAllDocuments, stringify, type Document as YamlDocument } from "yaml";
import { type Place, type Problem, placeOf, type Source } from "../problems/problem.js";
import { type Document, isRecord, makeDocument, type Path, placeOfSpot, type Spot } from "./document.js";

/** More uses of an alias than any hand-written file has; beyond, the document is refused before it is expanded. */
const ALIASES_MAX = 1000;

/** Reads every document of the text; those with a fault are left out, with a problem each. Never throws. */
export function readYaml(source: Source): { documents: readonly Document[]; problems: readonly Problem[] } {
  const documents: Document[] = [];
  const problems: Problem[] = [];
  for (const parsed of parse(source, problems)) {
    const fault = parsed.errors[0];
    if (fault !== undefined) {
      problems.push(syntaxProblem(source, fault));
      continue;
    }
    const value = plainValue(source, parsed, problems);
    if (value === null || value === undefined) continue;
    documents.push(makeDocument(source, value, (path) => placeInYaml(source, parsed, path)));
  }
  return { documents, problems };
}

function parse(source: Source, problems: Problem[]): readonly YamlDocument.Parsed[] {
  try {
    // The schema is fixed, since a `%YAML 1.1` line would otherwise bring in sexagesimal numbers, dates and the
    // library's own merging, which expands without bound.
    return parseAllDocuments(source.text, {
      schema: "core",
      merge: false,
      resolveKnownTags: false,
      logLevel: "silent",
      prettyErrors: false,
    });
  } catch {
    problems.push({
      code: "LF5001",
      severity: "error",
      message: NESTED,
      place: placeOf(source, 0, Math.min(1, source.text.length)),
    });
    return [];
  }
}

function plainValue(source: Source, parsed: YamlDocument.Parsed, problems: Problem[]): unknown {
  try {
    const value: unknown = parsed.toJS({ maxAliasCount: ALIASES_MAX });
    if (source.text.includes("<<")) mergeKeys(value, new Set());
    return value;
  } catch (error) {
    const start = parsed.contents?.range?.[0] ?? parsed.range[0];
    problems.push({
      ...expansionFault(error),
      severity: "error",
      place: placeOfSpot(source, { start, end: parsed.range[1], complete: true }),
    });
    return undefined;
  }
}

/** What the library throws while it expands a document: a reference error for aliases, or the stack is full. */
function expansionFault(error: unknown): Pick<Problem, "code" | "message" | "help"> {
  if (!(error instanceof ReferenceError)) return { code: "LF5001", message: NESTED };
  const unresolved = /^Unresolved alias.*: (\S+)/.exec(error.message)?.[1];
  if (unresolved !== undefined) {
    return { code: "LF5001", message: `the alias *${unresolved} has no anchor &${unresolved} before it` };
  }
  return {
    code: "LF5006",
    message: `the aliases of this document expand more than ${ALIASES_MAX} times`,
    help: "write the repeated parts out",
  };
}

/** Puts what stands under `<<` into the mapping around it, once for each mapping however often it is referred to. */
function mergeKeys(value: unknown, seen: Set<unknown>): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  for (const part of Object.values(value)) mergeKeys(part, seen);
  if (!isRecord(value) || !Object.hasOwn(value, "<<")) return;
  const merged = value["<<"];
  const sources = Array.isArray(merged) ? merged : [merged];
  if (!sources.every(isRecord)) return;
  delete (value as Record<string, unknown>)["<<"];
  for (const from of sources) {
    for (const [key, part] of Object.entries(from)) {
      if (Object.hasOwn(value, key)) continue;
      Object.defineProperty(value, key, {
        value: part,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
  }
}

function placeInYaml(source: Source, parsed: YamlDocument.Parsed, path: Path): Place {
  for (let length = path.length; length > 0; length--) {
    const node = parsed.getIn(path.slice(0, length), true);
    if (!isNode(node) || !node.range) continue;
    const parent = parsed.getIn(path.slice(0, length - 1), true);
    const name = String(path[length - 1]);
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && isNode(item.key) && String(item.key) === name)
      : undefined;
    return placeOfSpot(
      source,
      spotOf(node.range, isNode(pair?.key) ? pair.key.range : null, length === path.length),
    );
  }
  const range = parsed.contents?.range ?? parsed.range;
  return placeOfSpot(source, spotOf(range, null, true));
}

type Range = readonly [number, number, number];

function spotOf([start, end]: Range, key: Range | null | undefined, complete: boolean): Spot {
  return { start, end, complete, ...(key ? { key: { start: key[0], end: key[1] } } : {}) };
}

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

function syntaxProblem(source: Source, fault: Fault): Problem {
  const length = source.text.length;
  const start = Math.min(fault.pos[0], length);
  const end = Math.min(Math.max(fault.pos[1], start + 1), length);
  const lineEnd = source.text.indexOf("\n", start);
  return {
    code: "LF5001",
    severity: "error",
    message: WORDS[fault.code] ?? sentence(fault.message),
    place: placeOf(source, start, lineEnd > start && lineEnd < end ? lineEnd : end),
    ...(HELP[fault.code] === undefined ? {} : { help: HELP[fault.code] as string }),
  };
}

const WORDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "a tab may not indent YAML",
  DUPLICATE_KEY: "this key stands here a second time",
  MISSING_CHAR: "a closing quote, bracket or comma is missing",
};

const HELP: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "indent with blanks",
  DUPLICATE_KEY: "keep one of the two",
  BAD_INDENT: "indent what belongs together alike, with blanks",
};

const NESTED = "this YAML is nested too deeply to be read";

/** The library's message in this project's style: one line, lower case, no full stop. */
function sentence(message: string): string {
  if (/^Maximum call stack/.test(message)) return NESTED;
  const closing = /must be sufficiently indented and end with a (.)/.exec(message)?.[1];
  if (closing !== undefined) return `a ${closing} is missing, or the lines before it are not indented enough`;
  const line = (message.split("\n")[0] ?? message).replace(/ at line \d+.*$/, "").replace(/[.:]$/, "");
  return `not YAML: ${line.charAt(0).toLowerCase()}${line.slice(1)}`;
}

/** Plain values as YAML documents, as kubectl prints them: nothing folded, no aliases. */
export function printYaml(values: readonly object[]): string {
  return values
    .map((value) => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join("---\n");
}
