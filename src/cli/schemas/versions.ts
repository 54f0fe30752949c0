/** landfall/versions@1: what changed with which kube-proxy. */
import * as z from "zod/mini";
import { about, maybe, text } from "./parts.js";

export const versionsSchema = z
  .strictObject({
    schema: z.literal("landfall/versions@1"),
    versions: z.array(text),
    changes: z.array(
      z.strictObject({
        since: text,
        what: text,
        gate: maybe.check(about("the feature gate that switches it")),
      }),
    ),
  })
  .check(about("what changed in the rules with which kube-proxy"));

export type VersionsDocument = z.infer<typeof versionsSchema>;
