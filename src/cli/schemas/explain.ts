/** landfall/explain@1: what was explained. */
import * as z from "zod/mini";
import { about, count, counter, family, maybe, sentences, step, text } from "./parts.js";
import { service } from "./services.js";

const ruleInWords = z.strictObject({
  table: text,
  chain: text,
  rule: z.int(),
  line: z.nullable(z.int()),
  text: text.check(about("as iptables-save prints it")),
  words: text,
  packets: counter,
});

const overview = z.strictObject({
  family,
  tables: z.array(
    z.strictObject({
      name: text,
      chains: count,
      rules: count,
      fragment: z.boolean().check(about("only some of its lines were given")),
    }),
  ),
  owners: z
    .array(z.strictObject({ name: maybe.check(about("null: unknown")), chains: count, rules: count }))
    .check(about("whose rules they are, by the names of chains")),
  kubeProxy: z
    .nullable(z.strictObject({ since: maybe, until: maybe }))
    .check(about("versions whose rules look so, both included; null: none, or not recognised")),
  policies: z.array(z.strictObject({ table: text, chain: text, policy: text, packets: counter })),
  refusals: z.array(ruleInWords).check(about("rules that drop or reject")),
});

export const explainSchema = z
  .strictObject({
    schema: z.literal("landfall/explain@1"),
    overviews: z.array(overview).check(about("of the rules as a whole, one for each family")),
    ipvs: z
      .nullable(
        z.strictObject({
          virtualServers: count,
          marks: count.check(about("of these for firewall marks")),
          persistent: count.check(about("of these")),
          refusing: count.check(about("of these without a real server that takes new connections")),
          realServers: count.check(about("addresses and ports")),
          closed: count.check(about("real servers of weight 0, once for each virtual server")),
          schedulers: z.array(
            z.strictObject({
              name: maybe.check(about("null: the listing does not show it")),
              virtualServers: count,
            }),
          ),
          lacks: sentences.check(about("what is not here, and what that leaves open")),
        }),
      )
      .check(about("the IPVS table as a whole; null: none, or something was named")),
    services: z.array(service),
    chains: z.array(
      z.strictObject({
        family,
        table: text,
        chain: text,
        owner: maybe.check(about("the program that makes chains of this name")),
        policy: maybe,
        usedBy: z.array(step).check(about("the rules that lead here")),
        rules: z.array(ruleInWords),
      }),
    ),
    rules: z.array(ruleInWords).check(about("those that were named, and all of a fragment")),
    assumed: sentences.check(about("rules that a fragment lacks and that were taken to be there")),
    codes: z.array(
      z.strictObject({
        code: text.check(z.regex(/^LF\d{4}$/)),
        title: text,
        means: sentences,
        matters: sentences.check(about("what iptables, kube-proxy or the kernel would do")),
        example: z.strictObject({
          command: maybe.check(about("null: no input gives this code")),
          files: z.array(z.strictObject({ name: text, text })),
          prints: text.check(about("what the command prints: problems, or for codes of lint its answer")),
        }),
        remedy: sentences.check(about("what to do")),
      }),
    ),
  })
  .check(about("what was explained, in the order in which it was asked"));

export type ExplainDocument = z.infer<typeof explainSchema>;
