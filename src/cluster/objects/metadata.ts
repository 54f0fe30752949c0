/** The metadata that every object has, and what messages call the object. */
import * as z from "zod/mini";
import { checked, checkFieldNames } from "../../documents/check.js";
import { type Document, isRecord } from "../../documents/document.js";
import type { Problem } from "../../problems/problem.js";
import type { ObjectMeta } from "../model.js";
import { text, words } from "./fields.js";

export const metadata = z.looseObject({
  name: z.string().check(z.minLength(1)),
  namespace: text,
  labels: words,
  annotations: words,
});

/** ObjectMeta of a checked document; objects without a namespace are in `default`. */
export function metaOf(document: Document, fields: z.infer<typeof metadata>): ObjectMeta {
  return {
    namespace: fields.namespace || "default",
    name: fields.name,
    labels: new Map(Object.entries(fields.labels ?? {})),
    annotations: new Map(Object.entries(fields.annotations ?? {})),
    // Places are asked for when something is wrong; finding one in JSON means reading the text again.
    get place() {
      return document.placeOf(["metadata", "name"]);
    },
  };
}

/** `Service default/web`, as far as the document says. */
export function whoIs(document: Document): string {
  const { kind, metadata } = document.value as { kind: string; metadata?: unknown };
  const { namespace, name } = isRecord(metadata) ? metadata : {};
  if (typeof name !== "string") return kind;
  if (kind === "Node") return `${kind} ${name}`;
  return `${kind} ${typeof namespace === "string" && namespace !== "" ? namespace : "default"}/${name}`;
}

/** The checked fields of a Kubernetes object, or undefined with its errors added. Slips in field names are warned of. */
export function checkedObject<T>(
  document: Document,
  schema: z.ZodMiniType<T>,
  problems: Problem[],
): T | undefined {
  const who = whoIs(document);
  const object = checked(document, schema, who, problems);
  const effect = ", so it has no effect";
  if (object !== undefined) checkFieldNames(document, schema, { who, effect, every: false }, problems);
  return object;
}
