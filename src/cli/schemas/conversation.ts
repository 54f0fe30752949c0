/** landfall/conversation@1: how packets one after another go. */
import * as z from "zod/mini";
import { landing } from "./landing.js";
import { about, maybe, probability, text } from "./parts.js";

export const conversationSchema = z
  .strictObject({
    schema: z.literal("landfall/conversation@1"),
    id: maybe.check(about("what the question called the conversation")),
    cases: z.array(
      z.strictObject({
        assuming: z.array(text).check(about("what this case takes for granted; empty: nothing")),
        courses: z.array(
          z.strictObject({
            probability,
            steps: z
              .array(z.nullable(landing))
              .check(about("one for each step; null for those that send nothing")),
          }),
        ),
      }),
    ),
    notes: z.array(text).check(about("facts that every case rests on")),
  })
  .check(about("how packets one after another go; null is what nothing given determines"));

export type ConversationDocument = z.infer<typeof conversationSchema>;
