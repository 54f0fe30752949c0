/**
 * The documents that `-o json` prints, one schema each: `landfall schema` prints them as JSON Schema, and the makers of
 * the documents are typed by them. Within a major version no field is removed or given a new meaning.
 */
import * as z from "zod/mini";
import { suiteSchema } from "../check/expectations.js";

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
                  hairpin: z
                    .nullable(z.boolean())
                    .check(about("frames may leave by the port that they came by; null: not known")),
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
  listeners: z
    .nullable(
      z.array(
        z.strictObject({
          protocol: count,
          address: maybe.check(about("null: all")),
          port: count,
          transparent: z.boolean().check(about("takes packets for other addresses too (IP_TRANSPARENT)")),
        }),
      ),
    )
    .check(about("processes of the node that wait for packets; null: not known")),
  masquerade: z.array(text).check(about("source addresses that MASQUERADE gives, as far as they were told")),
  sysctls: z.record(z.string(), z.string()),
});

const ipset = z.strictObject({
  name: text,
  type: text.check(about("hash:ip,port, bitmap:port … as `ipset save` prints it")),
  options: text.check(about("of create, as `ipset save` prints them: family inet hashsize 1024 …")),
  entries: z
    .nullable(z.array(text))
    .check(about("elements with their options, as `ipset save` prints them; null: not known")),
});

const virtualServer = z.strictObject({
  family,
  protocol: maybe.check(about("tcp, udp or sctp; null for a firewall mark")),
  address: maybe,
  port: port.check(about("0: all ports")),
  mark: z.nullable(count).check(about("a firewall mark in the place of address and port")),
  scheduling: z
    .nullable(
      z.strictObject({
        scheduler: text,
        flags: z.array(text).check(about("of the scheduler, as ipvsadm names them: mh-port")),
        persistence: z
          .nullable(z.strictObject({ seconds: count, mask: text }))
          .check(about("for how long a client, told by its address under the mask, keeps its server")),
        persistenceEngine: maybe,
        onePacket: z.boolean(),
      }),
    )
    .check(about("null: not known")),
  servers: z.array(
    z.strictObject({
      address: text,
      port: port.check(about("0: the port that the client asked for")),
      forwarding: z.nullable(z.enum(["masquerade", "route", "local", "tunnel"])),
      weight: z.nullable(count).check(about("0 takes no new connections")),
      activeConnections: z.nullable(count),
      inactiveConnections: z.nullable(count),
    }),
  ),
});

const seconds = z.nullable(count);

const state = z
  .strictObject({
    rulesets: z.array(ruleset),
    network: z.nullable(network).check(about("the node around the rules; null: nothing is known")),
    sets: z.nullable(z.array(ipset)).check(about("ipsets; null: nothing is known")),
    virtualServers: z
      .nullable(
        z.strictObject({
          services: z.array(virtualServer),
          timeouts: z
            .strictObject({ tcp: seconds, tcpFin: seconds, udp: seconds })
            .check(about("of connections, in seconds; null: not known")),
        }),
      )
      .check(about("the IPVS table; null: nothing is known")),
  })
  .check(about("everything that is known of one node; what is absent or null is unknown, not empty"));

export const compileSchema = z
  .strictObject({
    schema: z.literal("landfall/compile@1"),
    kubeProxy: text.check(about("the version whose rules these are, for example 1.30")),
    mode: z.enum(["iptables", "ipvs"]),
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
  .check(about("exact, in lowest terms; those of a case add up to 1"));

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
  ipvs: z
    .optional(
      z.strictObject({
        service: text.check(about("ADDRESS:PORT/PROTOCOL, or mark NUMBER")),
        scheduler: maybe,
      }),
    )
    .check(about("the virtual server that took the packet; absent: none did")),
  masqueraded: z.boolean(),
  sportKept: z.boolean().check(about("whether the source port is the one it came with, known or not")),
  icmp: z.nullable(z.strictObject({ type: count, code: count })),
  inner: z
    .nullable(z.strictObject({ src: maybe, sport: port, dst: maybe, dport: port, proto: text }))
    .check(about("the packet that an ICMP error quotes, as its receiver sees it")),
  conntrack: maybe.check(about("its connection as `conntrack -L` prints it; ? for what the kernel chooses")),
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
          remedy: z.array(text).check(about("what to do")),
        }),
      )
      .check(about("the gravest first")),
    hidden: count.check(about("findings less grave than --severity")),
  })
  .check(about("known faults and traps in a node's rules"));

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

const fraction = z
  .strictObject({
    numerator: text.check(z.regex(/^\d+$/)),
    denominator: text.check(z.regex(/^\d+$/)),
    value: z.number(),
  })
  .check(about("exact, in lowest terms"));

const endpoint = {
  address: maybe.check(about("null: the text lacks its chain")),
  port: port.check(about("null: the one that the packet was sent to")),
  chain: maybe.check(about("its KUBE-SEP chain; null for IPVS")),
};

const service = z
  .strictObject({
    name: maybe.check(about("namespace/name:port; null where nothing tells it")),
    nameProven: z.boolean().check(about("the hash in the names of its chains fits the name")),
    family,
    type: text.check(about("LoadBalancer, NodePort or ClusterIP, as far as its addresses tell; else -")),
    protocol: maybe,
    chains: z.array(text),
    entrances: z
      .array(
        z.strictObject({
          kind: z.enum([
            "cluster IP",
            "external IP",
            "load balancer IP",
            "external address",
            "node port",
            "unknown",
            "virtual server",
          ]),
          address: maybe.check(about("null: any address of the node, or unknown")),
          port,
          chain: maybe.check(about("the chain that the rules lead to; null: they refuse")),
          rules: z.array(step),
          clients: z.array(
            z.strictObject({
              who: sentences.check(about("what tells these clients from others; empty: all")),
              outcomes: z
                .array(
                  z.strictObject({
                    kind: z.enum(["endpoint", "reject", "drop", "passed", "unknown"]),
                    share: z.nullable(fraction).check(about("null: nothing given determines it")),
                    endpoint: z.nullable(z.strictObject(endpoint)),
                    masqueraded: z.boolean(),
                    with: maybe.check(about("what a rejection answers with")),
                    lacks: maybe.check(about("the chain that the text lacks, of kind unknown")),
                  }),
                )
                .check(about("of a new client's connections; shares add up to 1")),
            }),
          ),
        }),
      )
      .check(about("addresses and ports at which it is reached, from outside of the node")),
    endpoints: z.array(
      z.strictObject({
        ...endpoint,
        line: z.nullable(z.int()),
        selfMasqueraded: z.nullable(z.boolean()).check(about("it can reach itself by the Service")),
      }),
    ),
    affinitySeconds: z.nullable(count).check(about("of ClientIP affinity; null: none")),
    internalPolicy: z.nullable(z.enum(["Cluster", "Local"])),
    externalPolicy: z.nullable(z.enum(["Cluster", "Local"])),
    healthCheckNodePort: port,
    scheduler: maybe.check(about("of IPVS")),
    counted: z
      .array(
        z.strictObject({
          chain: text,
          total: text,
          endpoints: z.array(
            z.strictObject({
              ...endpoint,
              connections: text,
              expected: fraction,
              chance: z
                .nullable(z.number())
                .check(about("of a count at least so far off; null with affinity, where it says nothing")),
            }),
          ),
        }),
      )
      .check(about("connections by the counters of the rules; empty without counters")),
    notes: sentences.check(about("what is out of the ordinary")),
  })
  .check(about("a port of a Service, as the rules have it"));

export const servicesSchema = z
  .strictObject({
    schema: z.literal("landfall/services@1"),
    services: z.array(service),
    assumed: sentences.check(about("rules that a fragment lacks and that were taken to be there")),
  })
  .check(about("the Services found in a node's rules"));

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

/** By the name that `landfall schema` takes. */
export const SCHEMAS = {
  compile: compileSchema,
  trace: traceSchema,
  conversation: conversationSchema,
  check: checkSchema,
  expectations: suiteSchema,
  simulate: simulateSchema,
  explain: explainSchema,
  services: servicesSchema,
  diff: diffSchema,
  lint: lintSchema,
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
export type CheckDocument = z.infer<typeof checkSchema>;
export type UnmetDocument = z.infer<typeof unmet>;
export type SimulateDocument = z.infer<typeof simulateSchema>;
export type ServicesDocument = z.infer<typeof servicesSchema>;
export type ServiceDocument = z.infer<typeof service>;
export type ExplainDocument = z.infer<typeof explainSchema>;
export type DiffDocument = z.infer<typeof diffSchema>;
export type LintDocument = z.infer<typeof lintSchema>;
export type VersionsDocument = z.infer<typeof versionsSchema>;
export type ProblemDocument = z.infer<typeof problemSchema>;
