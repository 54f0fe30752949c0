import { defineMatch, flag } from "../description.js";
import { EGRESS, INGRESS } from "../hooks.js";
import { not } from "../listing.js";
import { allOf, type Condition, negatedIf } from "../meaning.js";
import { beginningsKind } from "../values.js";

/** Route types by the bit of xt_addrtype, which is the order in which they are printed. */
const TYPES = [
  "UNSPEC",
  "UNICAST",
  "LOCAL",
  "BROADCAST",
  "ANYCAST",
  "MULTICAST",
  "BLACKHOLE",
  "UNREACHABLE",
  "PROHIBIT",
  "THROW",
  "NAT",
  "XRESOLVE",
] as const;

/** Route types that the kernel refuses for IPv6. */
const NOT_IN_IPV6: readonly string[] = ["BROADCAST", "BLACKHOLE", "PROHIBIT", "THROW", "NAT", "XRESOLVE"];

const typeList = beginningsKind(TYPES);

/** xt_addrtype: what the node's routing says of an address. LOCAL is an address of the node itself. */
export const addrtype = defineMatch({
  name: "addrtype",
  summary: "what the routing of this node says of an address",
  options: {
    source: { name: "--src-type", value: typeList, negatable: true },
    destination: { name: "--dst-type", value: typeList, negatable: true },
    limitIn: flag("--limit-iface-in", { hooks: INGRESS }),
    limitOut: flag("--limit-iface-out", { hooks: EGRESS }),
  },
  complete(given, { family }) {
    const { source, destination } = given;
    if (!source && !destination) return { refused: "--src-type or --dst-type must be given" };
    const asked = [...(source?.value ?? []), ...(destination?.value ?? [])];
    const missing = family === "ipv6" ? asked.find((type) => NOT_IN_IPV6.includes(type)) : undefined;
    if (missing !== undefined) return { refused: `the kernel has no type ${missing} for IPv6` };
    if (given.limitIn && given.limitOut)
      return { refused: "--limit-iface-in and --limit-iface-out exclude each other" };
    return given;
  },
  meaning({ source, destination, limitIn, limitOut }) {
    const limit = limitIn ? { onInterface: "in" as const } : limitOut ? { onInterface: "out" as const } : {};
    const conditions: Condition[] = [];
    if (source) {
      conditions.push(
        negatedIf(source.negated, { kind: "oneOf", field: "sourceType", words: source.value, ...limit }),
      );
    }
    if (destination) {
      conditions.push(
        negatedIf(destination.negated, {
          kind: "oneOf",
          field: "destinationType",
          words: destination.value,
          ...limit,
        }),
      );
    }
    return { condition: allOf(conditions) };
  },
  listed: [
    {
      form: /^ADDRTYPE match((?: (?:src|dst)-type !?\S+)+)((?: limit-(?:in|out))?)/,
      words: ([types = "", limit = ""]) => [
        ...[...types.matchAll(/(src|dst)-type (!?)(\S+)/g)].flatMap(([, side, negated, type = ""]) => [
          ...not(negated),
          `--${side}-type`,
          type,
        ]),
        ...(limit === "" ? [] : [`--limit-iface-${limit.trim().slice("limit-".length)}`]),
      ],
    },
  ],
  examples: [
    { typed: "-m addrtype --dst-type LOCAL" },
    { typed: "-m addrtype --dst-type local", saved: "-m addrtype --dst-type LOCAL" },
    { typed: "-m addrtype ! --src-type LOCAL --dst-type UNICAST,LOCAL" },
    { typed: "-m addrtype --dst-type LOCAL --limit-iface-in" },
    { typed: "-m addrtype --dst-type lo,un", saved: "-m addrtype --dst-type UNSPEC,LOCAL" },
    { typed: "-m addrtype --limit-iface-in", refused: true },
    { typed: "-m addrtype --dst-type HERE", refused: true },
  ],
});
