/** One line of `--diagnostics json`. */
import * as z from "zod/mini";
import { about, maybe, text } from "./parts.js";

export const problemSchema = z
  .strictObject({
    code: text.check(z.regex(/^LF\d{4}$/)),
    severity: z.enum(["error", "warning", "note"]),
    message: text,
    spans: z.array(
      z.strictObject({
        file: text,
        line: z.int(),
        col: z.int().check(about("from 1, in UTF-16 units")),
        endLine: z.int(),
        endCol: z.int().check(about("exclusive")),
        label: maybe,
        primary: z.boolean(),
      }),
    ),
    notes: z.array(text),
    help: maybe,
    fix: z
      .nullable(
        z.strictObject({
          applicability: z
            .enum(["machine-applicable", "maybe-incorrect"])
            .check(about("maybe-incorrect: what was probably meant")),
          edits: z.array(
            z.strictObject({
              file: text,
              line: z.int(),
              col: z.int(),
              endLine: z.int(),
              endCol: z.int(),
              text: text.check(about("what stands there instead")),
            }),
          ),
        }),
      )
      .check(about("what would mend it")),
  })
  .check(about("one line of --diagnostics json"));

export type ProblemDocument = z.infer<typeof problemSchema>;
