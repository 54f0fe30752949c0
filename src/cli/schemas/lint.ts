/** landfall/lint@1: known faults and traps. */
import * as z from "zod/mini";
import { about, count, maybe, text } from "./parts.js";

export const lintSchema = z
  .strictObject({
    schema: z.literal("landfall/lint@1"),
    findings: z
      .array(
        z.strictObject({
          code: text.check(z.regex(/^LF\d{4}$/)),
          severity: z
            .enum(["error", "warning", "info"])
            .check(about("error: traffic is lost or goes astray; info: worth knowing")),
          sureness: z
            .enum(["sure", "likely", "hint"])
            .check(about("sure: it follows from the inputs; hint: it hangs on what no input holds")),
          title: text,
          message: text.check(about("with the code, what a finding is known by in a baseline")),
          seen: z.array(
            z.strictObject({
              file: maybe.check(about("null: it has no line of its own, such as a policy")),
              line: z.nullable(z.int()),
              col: z.nullable(z.int()),
              words: text.check(about("table:CHAIN:rule:N and the rule in words, or another short text")),
            }),
          ),
          more: count.check(about("places that are not listed")),
          means: z.array(text),
          matters: z._default(z.array(text), []).check(about("what follows from it")),
          remedy: z.array(text).check(about("what to do")),
        }),
      )
      .check(about("the gravest first")),
    hidden: count.check(about("findings less grave than --severity")),
  })
  .check(about("known faults and traps in a node's rules"));

export type LintDocument = z.infer<typeof lintSchema>;
