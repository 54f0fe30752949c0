/** Checks a document against a schema: what is wrong is said with the field, what stands there, and the place. */
import type * as z from "zod/mini";
import { nearest } from "../problems/nearest.js";
import type { Problem } from "../problems/problem.js";
import { type Document, isRecord, type Path } from "./read.js";

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
    problems.push({
      code: "LF5002",
      severity: "error",
      message: `${who}: ${fieldName(path)} ${complaint(issue, got)}`,
      place: document.placeOf(path),
      ...hint(issue, got),
    });
  }
  return undefined;
}

/** `spec.ports[0].port` */
export function fieldName(path: Path): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join("");
}

function complaint(issue: z.core.$ZodIssue, got: unknown): string {
  if (got === undefined) return "is missing";
  const shown = JSON.stringify(got);
  const short = shown.length <= 60 ? shown : `${shown.slice(0, 57)}…`;
  switch (issue.code) {
    case "invalid_type":
      return `must be ${TYPES[issue.expected] ?? issue.expected}, got ${short}`;
    case "invalid_value":
      return `must be ${issue.values.map(String).join(" or ")}, got ${short}`;
    case "too_small":
      return `must be at least ${issue.minimum}, got ${short}`;
    case "too_big":
      return `must be at most ${issue.maximum}, got ${short}`;
    default:
      return `${issue.message}, got ${short}`;
  }
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

function hint(issue: z.core.$ZodIssue, got: unknown): { label?: string } {
  if (issue.code === "invalid_type" && typeof got === "string") {
    const wanted = issue.expected;
    if ((wanted === "number" || wanted === "int") && /^\d+$/.test(got)) return { label: "remove the quotes" };
    if (wanted === "boolean" && /^(true|false)$/.test(got)) return { label: "remove the quotes" };
  }
  if (issue.code === "invalid_type" && issue.expected === "string" && typeof got === "number") {
    return { label: "put it in quotes" };
  }
  if (issue.code === "invalid_value" && typeof got === "string") {
    const words = issue.values.map(String);
    const near = words.find((word) => word.toLowerCase() === got.toLowerCase()) ?? nearest(got, words);
    return near === undefined ? {} : { label: `did you mean ${near}?` };
  }
  return {};
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
