/** landfall/diff@1: what differs between the rules of two nodes. */
import * as z from "zod/mini";
import { landing } from "./landing.js";
import { about, count, family, maybe, step, text } from "./parts.js";

const diffEntry = {
  entry: text.check(about("10.96.0.10:53/udp, or node port 30080/tcp")),
  service: maybe.check(about("namespace/name:port, where a comment names it")),
  kind: maybe.check(about("cluster IP, external IP, load balancer IP, node port, virtual server")),
  dst: maybe.check(about("null: any address of the node")),
  dport: count,
  proto: text,
};

const diffSide = z.strictObject({
  packet: text.check(about("as `landfall trace` takes it")),
  landings: z.array(landing),
  rules: z.array(step).check(about("rules on the way that the other side's way has not")),
});

const placedRule = z.strictObject({ number: count, text });

const structureChange = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.enum(["chain removed", "chain added"]),
    table: text,
    chain: text,
    rules: count.check(about("how many it holds")),
  }),
  z.strictObject({ kind: z.literal("chain renamed"), table: text, left: text, right: text }),
  z.strictObject({ kind: z.literal("policy changed"), table: text, chain: text, left: text, right: text }),
  z.strictObject({
    kind: z.enum(["rule removed", "rule added"]),
    table: text,
    chain: text,
    rule: placedRule,
  }),
  z.strictObject({
    kind: z.enum(["rule moved", "probability changed"]),
    table: text,
    chain: text,
    left: placedRule,
    right: placedRule,
  }),
]);

const lineSpan = z.strictObject({ start: z.int(), count });

export const diffSchema = z
  .strictObject({
    schema: z.literal("landfall/diff@1"),
    left: text.check(about("what the side is called: its file, or the version compiled for")),
    right: text,
    families: z.array(family).check(about("of which both sides hold rules; others are not compared")),
    behaviour: z
      .nullable(
        z.strictObject({
          entryPoints: count,
          differing: count,
          rounded: count.check(about("entry points at which shares differ by rounding alone")),
          byRules: count.check(about("entry points whose packets meet the same rules on both sides")),
          packets: count.check(about("to the other entry points, evaluated on both sides")),
          proof: z.boolean().check(about("true: every packet was compared, not only those to entry points")),
          changes: z.array(
            z.strictObject({
              service: maybe,
              entries: z.array(z.strictObject({ ...diffEntry, clients: z.array(text) })),
              what: z
                .enum(["destination", "source"])
                .check(about("source: only what is seen there as the source differs")),
              assuming: z.array(text).check(about("the case that is shown")),
              cases: count.check(about("how many cases of this packet differ")),
              left: diffSide,
              right: diffSide,
            }),
          ),
          same: z.array(text),
          undecided: z.array(z.strictObject({ ...diffEntry, client: text, why: text })),
        }),
      )
      .check(about("null: not asked for")),
    structure: z
      .nullable(
        z.strictObject({
          reworded: count.check(about("rules that differ in comments alone")),
          reordered: count.check(about("rules that stand elsewhere to the same effect")),
          changes: z.array(structureChange),
        }),
      )
      .check(about("null: not asked for")),
    text: z
      .nullable(
        z.strictObject({
          removed: count,
          added: count,
          hunks: z.array(
            z.strictObject({
              left: lineSpan,
              right: lineSpan,
              lines: z.array(z.strictObject({ kind: z.enum(["same", "removed", "added"]), text })),
            }),
          ),
        }),
      )
      .check(about("canonical text, as fmt prints it; null: not asked for")),
  })
  .check(about("what differs between two nodes' rules"));

export type DiffDocument = z.infer<typeof diffSchema>;
