/** One line of `landfall simulate -o ndjson`. */
import * as z from "zod/mini";
import { about, probability, text } from "./parts.js";

export const simulateSchema = z
  .strictObject({
    id: text.check(about("of the open event")),
    servers: z
      .array(
        z.strictObject({
          address: text.check(
            about("address and port of the real server; refused: the client gets an ICMP port unreachable"),
          ),
          probability,
        }),
      )
      .check(about("the likelier first; their probabilities add up to 1")),
    assuming: z.array(text).check(about("what the answer takes for granted; empty: nothing")),
  })
  .check(about("one line of simulate -o ndjson: the real servers that a connection may get"));

export type SimulateDocument = z.infer<typeof simulateSchema>;
