import type { Network } from "../address.js";
import { defineMatch, type GivenOption, type Option, type ValueKind } from "../description.js";
import { allOf, type Condition, negatedIf, type Range } from "../meaning.js";
import {
  bareNetworkKind,
  numberRangeKind,
  oneOfKind,
  portRangeKind,
  protocolKind,
  wordListKind,
} from "../values.js";

const STATES = ["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT"] as const;
const STATUSES = ["NONE", "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED"] as const;

const secondsRangeKind = numberRangeKind(0xffffffff, "a number of seconds");

const address = (name: string) =>
  ({ name, value: bareNetworkKind, negatable: true }) satisfies Option<Network>;
const port = (name: string) => ({ name, value: portRangeKind, negatable: true }) satisfies Option<Range>;

const OPTIONS = {
  state: { name: "--ctstate", value: wordListKind(STATES), negatable: true },
  protocol: { name: "--ctproto", value: { ...protocolKind, print: String }, negatable: true },
  originalSource: address("--ctorigsrc"),
  originalDestination: address("--ctorigdst"),
  replySource: address("--ctreplsrc"),
  replyDestination: address("--ctrepldst"),
  originalSourcePort: port("--ctorigsrcport"),
  originalDestinationPort: port("--ctorigdstport"),
  replySourcePort: port("--ctreplsrcport"),
  replyDestinationPort: port("--ctrepldstport"),
  status: { name: "--ctstatus", value: wordListKind(STATUSES), negatable: true },
  expire: { name: "--ctexpire", value: secondsRangeKind, negatable: true },
  direction: { name: "--ctdir", value: oneOfKind(["ORIGINAL", "REPLY"], { anyCase: true }) },
} as const;

type Asked = readonly [keyof typeof OPTIONS, string];

/** Options about the tuples and the timer of the connection's entry: what they ask is put in words. */
const ABOUT_THE_ENTRY: readonly Asked[] = [
  ["protocol", "the connection's protocol is"],
  ["originalSource", "the connection's original source is"],
  ["originalDestination", "the connection's original destination is"],
  ["replySource", "the connection's reply source is"],
  ["replyDestination", "the connection's reply destination is"],
  ["originalSourcePort", "the connection's original source port is"],
  ["originalDestinationPort", "the connection's original destination port is"],
  ["replySourcePort", "the connection's reply source port is"],
  ["replyDestinationPort", "the connection's reply destination port is"],
  ["expire", "the connection's entry ends in this many seconds:"],
];

/** xt_conntrack: what connection tracking knows of the packet's connection. States in one option are or-ed. */
export const conntrack = defineMatch({
  name: "conntrack",
  summary: "the state and the entry of the packet's connection",
  tracksConnections: true,
  options: OPTIONS,
  complete: (given) =>
    Object.keys(given).length === 0 ? { refused: "at least one option must be given" } : given,
  meaning(given, { family }) {
    const { state, status, direction } = given;
    const conditions: Condition[] = [];
    if (state)
      conditions.push(
        negatedIf(state.negated, { kind: "oneOf", field: "connectionState", words: state.value }),
      );
    for (const [name, words] of ABOUT_THE_ENTRY) {
      const option = given[name] as GivenOption<never> | undefined;
      if (!option) continue;
      const kind = OPTIONS[name].value as ValueKind<never>;
      conditions.push(
        negatedIf(option.negated, {
          kind: "unmodelled",
          question: `${words} ${kind.print(option.value, family)}`,
        }),
      );
    }
    if (status) {
      conditions.push(
        negatedIf(status.negated, { kind: "oneOf", field: "connectionStatus", words: status.value }),
      );
    }
    if (direction) conditions.push({ kind: "oneOf", field: "connectionDirection", words: [direction.value] });
    return { condition: allOf(conditions) };
  },
  examples: [
    { typed: "-m conntrack --ctstate RELATED,ESTABLISHED" },
    {
      typed: "-m conntrack --ctstate established,related",
      saved: "-m conntrack --ctstate RELATED,ESTABLISHED",
    },
    { typed: "-m conntrack ! --ctstate INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED,SNAT,DNAT" },
    { typed: "-m conntrack --ctorigdst 10.0.0.1/32", saved: "-m conntrack --ctorigdst 10.0.0.1" },
    {
      typed: "-m conntrack --ctproto tcp --ctdir REPLY --ctorigdstport 80:90",
      saved: "-m conntrack --ctproto 6 --ctorigdstport 80:90 --ctdir REPLY",
    },
    { typed: "-m conntrack --ctstatus ASSURED,CONFIRMED --ctexpire 1:10" },
    {
      typed: "-m conntrack --ctorigsrc 1.2.3.4/24 --ctexpire 5:",
      saved: "-m conntrack --ctorigsrc 1.2.3.4/24 --ctexpire 5:4294967295",
    },
    { typed: "-m conntrack --ctstate NEWISH", refused: true },
    { typed: "-m conntrack", refused: true },
    { typed: "-m conntrack ! --ctdir REPLY", refused: true },
  ],
});
