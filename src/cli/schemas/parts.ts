/** What the schemas of several documents have in common. */
import * as z from "zod/mini";

export const about = z.describe;

export const count = z.int().check(z.nonnegative());

export const port = z.nullable(z.int().check(z.gte(0), z.lte(65535)));

export const text = z.string();

export const maybe = z.nullable(z.string());

export const family = z.enum(["ipv4", "ipv6"]);

export const counter = z.nullable(z.string().check(z.regex(/^\d+$/)));

export const step = z.strictObject({
  backEnd: z
    .optional(z.enum(["legacy", "nft"]))
    .check(about("where iptables-legacy and iptables-nft both hold rules: whose it is")),
  table: text,
  chain: text,
  rule: z.int(),
  line: z.nullable(z.int()).check(about("the line of the input; null for a rule that was compiled")),
});

export const probability = z
  .strictObject({
    numerator: text.check(z.regex(/^\d+$/)),
    denominator: text.check(z.regex(/^\d+$/)),
    value: z.number(),
  })
  .check(about("exact, in lowest terms; those of a case add up to 1"));

export const sentences = z.array(text);

export const fraction = z
  .strictObject({
    numerator: text.check(z.regex(/^\d+$/)),
    denominator: text.check(z.regex(/^\d+$/)),
    value: z.number(),
  })
  .check(about("exact, in lowest terms"));
