/**
 * The documents that `-o json` prints, one schema each: `landfall schema` prints them as JSON Schema, and the makers of
 * the documents are typed by them. Within a major version no field is removed or given a new meaning.
 */
import * as z from "zod/mini";

const about = z.describe;
const count = z.int().check(z.nonnegative());
const port = z.nullable(z.int().check(z.gte(0), z.lte(65535)));
const text = z.string();
const maybe = z.nullable(z.string());
const family = z.enum(["ipv4", "ipv6"]);
const counter = z.nullable(z.string().check(z.regex(/^\d+$/)));

const option = z
  .strictObject({
    option: text.check(about("as iptables-save spells it: --dport")),
    negated: z.boolean(),
    value: maybe.check(
      about("as iptables-save prints it, quotes included; null for an option without value"),
    ),
  })
  .check(about("one option that iptables-save prints"));

const extension = {
  name: text,
  options: z.array(option),
  words: z
    .nullable(z.array(text))
    .check(about("the words of an extension that landfall has no description of; null for one it has")),
};

const rule = z.strictObject({
  rule: z.int().check(z.gte(1), about("its number in the chain, from 1, as the kernel's TRACE counts")),
  text: text.check(about("the line as iptables-save prints it, without counters")),
  line: z.nullable(z.int()).check(about("the line of the input; null for a rule that was made")),
  packets: counter,
  bytes: counter,
  header: z.array(option).check(about("-s -d -i -o -p -f")),
  matches: z.array(z.strictObject(extension)),
  target: z
    .nullable(
      z.discriminatedUnion("kind", [
        z.strictObject({
          kind: z.literal("chain"),
          chain: text.check(about("a user chain of the same table")),
          goto: z.boolean().check(about("true for -g: RETURN then leaves the calling chain too")),
        }),
        z.strictObject({ kind: z.literal("target"), ...extension }),
      ]),
    )
    .check(about("null: the rule only counts")),
});

const chain = z.strictObject({
  name: text,
  policy: maybe.check(about("of a built-in chain: ACCEPT or DROP; null for a user chain")),
  packets: counter,
  bytes: counter,
  rules: z.array(rule).check(about("in the order in which the kernel visits them")),
});

const ruleset = z.strictObject({
  family,
  tables: z.array(z.strictObject({ name: text, chains: z.array(chain) })),
});

const attribute = z.strictObject({ name: text, value: text });

const network = z.strictObject({
  interfaces: z
    .nullable(
      z.array(
        z.strictObject({
          name: text.check(about("empty for addresses whose interface is not known")),
          addresses: z.array(text).check(about("with the length of their subnet: 10.0.1.50/24")),
          details: z
            .array(
              z.strictObject({
                peer: maybe.check(about("the other end of a point-to-point address; the subnet is its")),
                broadcast: maybe,
                scope: maybe,
                flags: z
                  .array(text)
                  .check(about("secondary, deprecated, tentative … as `ip addr` names them")),
              }),
            )
            .check(about("of the addresses, in their order")),
          ports: z
            .nullable(
              z.array(
                z.strictObject({
                  name: text,
                  hosts: z.nullable(z.array(text)).check(about("null: not known")),
                }),
              ),
            )
            .check(about("of a bridge, with the hosts behind each; null for other interfaces")),
          index: z.nullable(count),
          flags: z
            .nullable(z.array(text))
            .check(about("UP, LOWER_UP … as `ip link` names them; null: not known")),
          mtu: z.nullable(count).check(about("bytes")),
          linkAddress: maybe,
          kind: maybe.check(about("bridge, veth, vxlan … as `ip -d link` names them")),
          master: maybe.check(about("the bridge, bond or VRF that this is a port of")),
          link: maybe.check(about("what stands behind @ in `ip link`")),
        }),
      ),
    )
    .check(about("null: not known")),
  routes: z
    .nullable(
      z.array(
        z.strictObject({
          type: text.check(about("unicast, local, blackhole … as `ip route` names them")),
          to: text,
          via: maybe,
          dev: maybe,
          src: maybe,
          metric: z.nullable(count),
          from: maybe.check(about("only for packets from there")),
          table: maybe.check(about("null: main, or for local, broadcast and anycast routes the local table")),
          proto: maybe.check(about("who made it: kernel (it follows from an address), boot, dhcp, bird …")),
          scope: maybe,
          flags: z.array(text).check(about("onlink, linkdown, dead …")),
          nextHops: z.array(
            z.strictObject({ via: maybe, dev: maybe, weight: z.nullable(count), flags: z.array(text) }),
          ),
          attributes: z.array(attribute).check(about("tos, mtu, pref …")),
        }),
      ),
    )
    .check(about("those that follow from the subnets may be among them; null: not known")),
  addressFamilies: z.nullable(z.array(family)).check(about("whose addresses are all known; null: both")),
  routeFamilies: z.nullable(z.array(family)).check(about("whose routes are all known; null: both")),
  policyRules: z
    .nullable(
      z.array(
        z.strictObject({
          family,
          priority: count,
          not: z.boolean(),
          from: maybe,
          to: maybe,
          fwmark: z.nullable(z.strictObject({ value: count, mask: count })),
          iif: maybe,
          oif: maybe,
          action: text.check(about("lookup, goto, nop, blackhole, unreachable, prohibit")),
          table: maybe,
          goto: z.nullable(count),
          attributes: z.array(attribute),
        }),
      ),
    )
    .check(about("as `ip rule` lists them; null: not known")),
  masquerade: z.array(text).check(about("source addresses that MASQUERADE gives, as far as they were told")),
  sysctls: z.record(z.string(), z.string()),
});

const state = z
  .strictObject({
    rulesets: z.array(ruleset),
    network: z.nullable(network).check(about("the node around the rules; null: nothing is known")),
  })
  .check(about("everything that is known of one node; what is absent or null is unknown, not empty"));

export const compileSchema = z
  .strictObject({
    schema: z.literal("landfall/compile@1"),
    kubeProxy: text.check(about("the version whose rules these are, for example 1.30")),
    mode: z.literal("iptables"),
    node: maybe.check(about("the node's name; null when none was given")),
    state,
  })
  .check(about("what a node holds after kube-proxy's sync"));

const step = z.strictObject({
  table: text,
  chain: text,
  rule: z.int(),
  line: z.nullable(z.int()).check(about("the line of the input; null for a rule that was compiled")),
});

const probability = z
  .strictObject({
    numerator: text.check(z.regex(/^\d+$/)),
    denominator: text.check(z.regex(/^\d+$/)),
    value: z.number(),
  })
  .check(about("exact, in lowest terms over a power of two; those of a case add up to 1"));

const landing = z.strictObject({
  verdict: z
    .enum(["forward", "local", "drop", "reject", "error", "queue", "nothing to answer"])
    .check(
      about(
        "what becomes of the packet; error: the sending process gets an errno; queue: user space decides; nothing to answer: in a conversation, no packet was delivered before",
      ),
    ),
  in: maybe.check(about("the interface it came in by")),
  out: maybe.check(about("the interface it leaves by")),
  src: maybe,
  sport: port,
  dst: maybe,
  dport: port,
  with: maybe.check(about("what a rejection or an error answers with")),
  from: maybe.check(about("who sends the rejection")),
  answered: z.nullable(z.boolean()).check(about("whether the rejection leaves the node")),
  processSees: maybe.check(
    about("what a process of the node that sent it notices: EPERM, ECONNREFUSED, timeout"),
  ),
  endpoint: maybe.check(about("namespace/name:port of the Service whose endpoint this is")),
  masqueraded: z.boolean(),
  sportKept: z.boolean().check(about("whether the source port is the one it came with, known or not")),
  icmp: z.nullable(z.strictObject({ type: count, code: count })),
  inner: z
    .nullable(z.strictObject({ src: maybe, sport: port, dst: maybe, dport: port, proto: text }))
    .check(about("the packet that an ICMP error quotes, as its receiver sees it")),
  probability,
  rules: z.array(step).check(about("the rules that matched, in the order in which the packet met them")),
});

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

const sentences = z.array(text);

export const explainSchema = z
  .strictObject({
    schema: z.literal("landfall/explain@1"),
    codes: z.array(
      z.strictObject({
        code: text.check(z.regex(/^LF\d{4}$/)),
        title: text,
        means: sentences,
        matters: sentences.check(about("what iptables, kube-proxy or the kernel would do")),
        example: z.strictObject({
          command: maybe.check(about("null: no input gives this code")),
          files: z.array(z.strictObject({ name: text, text })),
          prints: text.check(about("what the command prints on standard error")),
        }),
        remedy: sentences.check(about("what to do")),
      }),
    ),
  })
  .check(about("what was explained, in the order in which it was asked"));

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
  })
  .check(about("one line of --diagnostics json"));

/** By the name that `landfall schema` takes. */
export const SCHEMAS = {
  compile: compileSchema,
  trace: traceSchema,
  conversation: conversationSchema,
  explain: explainSchema,
  versions: versionsSchema,
  diagnostics: problemSchema,
} as const;

export type StateDocument = z.infer<typeof state>;
export type NetworkDocument = z.infer<typeof network>;
export type RuleDocument = z.infer<typeof rule>;
export type OptionDocument = z.infer<typeof option>;
export type CompileDocument = z.infer<typeof compileSchema>;
export type TraceDocument = z.infer<typeof traceSchema>;
export type ConversationDocument = z.infer<typeof conversationSchema>;
export type ExplainDocument = z.infer<typeof explainSchema>;
export type VersionsDocument = z.infer<typeof versionsSchema>;
export type ProblemDocument = z.infer<typeof problemSchema>;
