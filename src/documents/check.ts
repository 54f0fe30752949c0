/** Checks a document against a schema: what is wrong is said with the field, what stands there, and the place. */
import type * as z from "zod/mini";
import { ZodMiniArray, ZodMiniNullable, ZodMiniObject, ZodMiniOptional } from "zod/mini";
import { didYouMean } from "../problems/meant.js";
import { nearest } from "../problems/nearest.js";
import type { Problem } from "../problems/problem.js";
import { type Document, isRecord, type Path } from "./document.js";

/**
 * The schema's value, or undefined with problems LF5002 added. `who` names the object in messages:
 * "Service default/web".
 */
export function checked<T>(
  document: Document,
  schema: z.ZodMiniType<T>,
  who: string,
  problems: Problem[],
): T | undefined {
  const result = schema.safeParse(document.value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const path = issue.path.filter((part) => typeof part !== "symbol");
    const got = valueAt(document.value, path);
    const field = path.length === 0 ? "it" : fieldName(path);
    problems.push({
      code: "LF5002",
      severity: "error",
      message: `${who}: ${field} ${complaint(issue, got)}`,
      place: document.placeOf(path),
      ...hint(issue, got),
    });
  }
  return undefined;
}

/**
 * Warns of fields that the schema does not have: of all of them (`every`, for forms that are closed), or only of those
 * that look like a slip in the name of one that is not there. `effect` ends the message: "so kube-proxy ignores it".
 */
export function checkFieldNames(
  document: Document,
  schema: z.ZodMiniType,
  { who, effect, every }: { readonly who: string; readonly effect: string; readonly every: boolean },
  problems: Problem[],
): void {
  const look = (value: unknown, within: z.core.$ZodType, path: Path): void => {
    const inner = unwrapped(within);
    if (inner instanceof ZodMiniArray && Array.isArray(value)) {
      for (const [index, part] of value.entries()) look(part, inner.def.element, [...path, index]);
    }
    if (!(inner instanceof ZodMiniObject) || !isRecord(value)) return;
    for (const [key, part] of Object.entries(value)) {
      const own = Object.hasOwn(inner.shape, key) ? inner.shape[key] : undefined;
      if (own !== undefined) {
        look(part, own, [...path, key]);
        continue;
      }
      const near = slip(key, inner, value, every) ?? (every ? elsewhere(key, inner) : undefined);
      if (near === undefined && !every) continue;
      const at = [...path, key];
      problems.push({
        code: "LF5002",
        severity: "warning",
        message: `${who}: ${fieldName(at)} is not one of its fields${effect}`,
        place: document.placeOf(at),
        ...(near === undefined ? {} : { label: `did you mean ${near}?` }),
      });
    }
  };
  look(document.value, schema, []);
}

/** The schema inside of "may be absent" and "may be null". */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (inner instanceof ZodMiniOptional || inner instanceof ZodMiniNullable) inner = inner.def.innerType;
  return inner;
}

/** The absent field whose name was meant: another case, or one or two letters off. */
function slip(key: string, { shape }: ZodMiniObject, value: object, every: boolean): string | undefined {
  const absent = Object.keys(shape).filter((name) => !Object.hasOwn(value, name));
  const near = absent.find((name) => name.toLowerCase() === key.toLowerCase()) ?? nearest(key, absent);
  // Where other fields may stand too, a mere beginning is one of those, and short names are near to too much.
  const doubtful = near !== undefined && !every && (near.startsWith(key) || key.length < 4);
  return doubtful ? undefined : near;
}

/** `iptables.masqueradeAll` for a field that stands one level too high. */
function elsewhere(key: string, { shape }: ZodMiniObject): string | undefined {
  const parent = Object.keys(shape).find((name) => {
    const inner = unwrapped(shape[name] as z.core.$ZodType);
    return inner instanceof ZodMiniObject && Object.hasOwn(inner.shape, key);
  });
  return parent === undefined ? undefined : `${parent}.${key}`;
}

/** `spec.ports[0].port`, `metadata.labels["kubernetes.io/service-name"]` */
function fieldName(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      if (!/^[\w-]+$/.test(part)) return `[${JSON.stringify(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join("");
}

/** A value in a message: short, and never walked, since aliases can make it hold itself. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (isRecord(value)) return "a mapping";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length <= VALUE_LENGTH_MAX ? value : `${value.slice(0, VALUE_LENGTH_MAX)}…`);
}

const VALUE_LENGTH_MAX = 60;

function complaint(issue: z.core.$ZodIssue, got: unknown): string {
  if (got === undefined || (got === null && issue.code !== "custom")) return "is missing";
  switch (issue.code) {
    case "invalid_type":
      return `must be ${TYPES[issue.expected] ?? issue.expected}, got ${shown(got)}`;
    case "invalid_value":
      return `must be ${alternatives(issue.values.map(String))}, got ${shown(got)}`;
    case "too_small":
      if (typeof got !== "number") return "must not be empty";
      return `must be at least ${issue.minimum}, got ${shown(got)}`;
    case "too_big":
      if (typeof got === "string") return `must have at most ${issue.maximum} characters, got ${shown(got)}`;
      return `must be at most ${issue.maximum}, got ${shown(got)}`;
    default:
      return `${issue.message}, got ${shown(got)}`;
  }
}

/** `a, b or c`; an empty word means "not set" and is not offered. */
function alternatives(words: readonly string[]): string {
  const offered = words.filter((word) => word !== "");
  const last = offered.at(-1) ?? "";
  return offered.length < 2 ? last : `${offered.slice(0, -1).join(", ")} or ${last}`;
}

const TYPES: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "a text",
  boolean: "true or false",
  object: "a mapping",
  array: "a list",
  record: "a mapping",
};

function hint(issue: z.core.$ZodIssue, got: unknown): Pick<Problem, "label" | "fix"> {
  if (issue.code === "invalid_type" && typeof got === "string") {
    const wanted = issue.expected;
    if ((wanted === "number" || wanted === "int") && /^\d+$/.test(got)) return unquoted(got);
    if (wanted === "boolean" && /^(true|false)$/.test(got)) return unquoted(got);
  }
  if (issue.code === "invalid_type" && issue.expected === "string") {
    if (typeof got === "number" || typeof got === "boolean") return { label: "put it in quotes" };
  }
  if (issue.code === "invalid_value" && typeof got === "string") {
    const words = issue.values.map(String).filter((word) => word !== "");
    const near = words.find((word) => word.toLowerCase() === got.toLowerCase()) ?? nearest(got, words);
    return didYouMean(near);
  }
  return {};
}

function unquoted(text: string): Pick<Problem, "label" | "fix"> {
  return {
    label: "remove the quotes",
    fix: { applicability: "machine-applicable", replacement: text },
  };
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const part of path) {
    if (Array.isArray(at) && typeof part === "number") at = at[part];
    else if (isRecord(at) && Object.hasOwn(at, part)) at = at[String(part)];
    else return undefined;
  }
  return at;
}
