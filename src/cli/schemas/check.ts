/** landfall/check@1: which expectations are met. */
import * as z from "zod/mini";
import { about, count, maybe, step, text } from "./parts.js";

const unmet = z
  .strictObject({
    expected: text.check(about("the part that is not met, in the language of expectations")),
    known: z.boolean().check(about("false: nothing given tells whether it is so")),
    assuming: z.array(text).check(about("the case in which it is not met")),
    step: z.nullable(count).check(about("of a conversation, from 1; null for a packet")),
    found: text,
    hint: maybe,
    counterexample: maybe.check(about("a packet of that case; null where nothing of it was left open")),
    because: z
      .nullable(z.strictObject({ ...step.shape, words: text }))
      .check(about("the rule that it is owed to; null when there is no such rule")),
  })
  .check(about("a part of an expectation that is not met"));

export const checkSchema = z
  .strictObject({
    schema: z.literal("landfall/check@1"),
    met: count,
    unmet: count,
    results: z.array(
      z.strictObject({
        name: text,
        file: text,
        line: z.int(),
        packet: text.check(about("as it was asked about")),
        expected: text,
        met: z.boolean(),
        unmet: z.array(unmet).check(about("empty when the expectation is met")),
        notes: z.array(text).check(about("facts that the answer rests on")),
      }),
    ),
  })
  .check(about("which expectations are met"));

export type CheckDocument = z.infer<typeof checkSchema>;

export type UnmetDocument = z.infer<typeof unmet>;
