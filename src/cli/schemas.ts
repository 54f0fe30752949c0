/**
 * The documents that `-o json` prints, one schema each: `landfall schema` prints them as JSON Schema, and the makers of
 * the documents are typed by them. Within a major version no field is removed or given a new meaning.
 */
import { suiteSchema } from "../check/expectations.js";
import { checkSchema } from "./schemas/check.js";
import { compileSchema } from "./schemas/compile.js";
import { conversationSchema } from "./schemas/conversation.js";
import { problemSchema } from "./schemas/diagnostics.js";
import { diffSchema } from "./schemas/diff.js";
import { explainSchema } from "./schemas/explain.js";
import { lintSchema } from "./schemas/lint.js";
import { servicesSchema } from "./schemas/services.js";
import { simulateSchema } from "./schemas/simulate.js";
import { traceSchema } from "./schemas/trace.js";
import { versionsSchema } from "./schemas/versions.js";

/** By the name that `landfall schema` takes. */
export const SCHEMAS = {
  compile: compileSchema,
  trace: traceSchema,
  conversation: conversationSchema,
  check: checkSchema,
  expectations: suiteSchema,
  simulate: simulateSchema,
  explain: explainSchema,
  services: servicesSchema,
  diff: diffSchema,
  lint: lintSchema,
  versions: versionsSchema,
  diagnostics: problemSchema,
} as const;
