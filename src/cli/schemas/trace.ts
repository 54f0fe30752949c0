/** landfall/trace@1: where one packet lands. */
import * as z from "zod/mini";
import { landing } from "./landing.js";
import { about, maybe, port, text } from "./parts.js";

export const traceSchema = z
  .strictObject({
    schema: z.literal("landfall/trace@1"),
    id: maybe.check(about("what the question called the packet")),
    packet: z.strictObject({
      src: maybe,
      sport: port,
      dst: text,
      dport: port,
      proto: text,
      in: z.optional(text),
    }),
    cases: z.array(
      z.strictObject({
        assuming: z.array(text).check(about("what this case takes for granted; empty: nothing")),
        landings: z.array(landing),
      }),
    ),
    notes: z.array(text).check(about("facts that every case rests on")),
  })
  .check(about("where one packet lands; null is what the kernel chooses, or what nothing given determines"));

export type TraceDocument = z.infer<typeof traceSchema>;
