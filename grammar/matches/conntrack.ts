import { maskAddress, type Network } from "../address.js";
import { defineMatch, type GivenOption, type Option, type ValueKind } from "../description.js";
import { listedOption } from "../listing.js";
import { allOf, type Condition, HAS_NO_ENTRY, negatedIf, type Range, within } from "../meaning.js";
import {
  bareNetworkKind,
  beginningsKind,
  numberRangeKind,
  oneOfKind,
  resolvedPortRangeKind,
  speltProtocolKind,
} from "../values.js";

const STATES = ["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT"] as const;
const STATUSES = ["NONE", "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED"] as const;

/** A range that ends at port 0 holds nothing, but iptables-save shows it as its first port, which is then what is loaded. */
const portRangeKind: ValueKind<Range> = {
  ...resolvedPortRangeKind,
  grammar: (family) =>
    resolvedPortRangeKind.grammar(family).map(({ from, to }) => ({ from, to: to === 0 ? from : to })),
};

const anyStatusKind = beginningsKind(STATUSES);
/** NONE stands for no bit, and adds nothing to others. */
const statusKind: typeof anyStatusKind = {
  ...anyStatusKind,
  grammar: (family) =>
    anyStatusKind
      .grammar(family)
      .map((named) => (named.length === 1 ? named : named.filter((status) => status !== "NONE"))),
};

const secondsRangeKind = numberRangeKind(0xffffffff, "a number of seconds");

const address = (name: string) =>
  ({ name, value: bareNetworkKind, negatable: true }) satisfies Option<Network>;
const port = (name: string) => ({ name, value: portRangeKind, negatable: true }) satisfies Option<Range>;

const OPTIONS = {
  state: { name: "--ctstate", value: beginningsKind(STATES), negatable: true },
  protocol: { name: "--ctproto", value: { ...speltProtocolKind, print: String }, negatable: true },
  originalSource: address("--ctorigsrc"),
  originalDestination: address("--ctorigdst"),
  replySource: address("--ctreplsrc"),
  replyDestination: address("--ctrepldst"),
  originalSourcePort: port("--ctorigsrcport"),
  originalDestinationPort: port("--ctorigdstport"),
  replySourcePort: port("--ctreplsrcport"),
  replyDestinationPort: port("--ctrepldstport"),
  status: { name: "--ctstatus", value: statusKind, negatable: true },
  expire: { name: "--ctexpire", value: secondsRangeKind, negatable: true },
  direction: { name: "--ctdir", value: oneOfKind(["ORIGINAL", "REPLY"], { anyCase: true }) },
} as const;

const ADDRESSES = ["originalSource", "originalDestination", "replySource", "replyDestination"] as const;
const PORTS = [
  "originalSourcePort",
  "originalDestinationPort",
  "replySourcePort",
  "replyDestinationPort",
] as const;

/** xt_conntrack: what connection tracking knows of the packet's connection. States in one option are or-ed. */
export const conntrack = defineMatch({
  name: "conntrack",
  summary: "the state and the entry of the packet's connection",
  tracksConnections: true,
  options: OPTIONS,
  complete: (given) =>
    Object.keys(given).length === 0 ? { refused: "at least one option must be given" } : given,
  meaning(given) {
    const { state, protocol, status, expire, direction } = given;
    const asked: Condition[] = [];
    const ask = (option: GivenOption<unknown> | undefined, condition: () => Condition): void => {
      if (option !== undefined) asked.push(negatedIf(option.negated, condition()));
    };
    ask(protocol, () => within("connectionProtocol", protocol?.value ?? 0));
    for (const field of ADDRESSES) {
      const option = given[field];
      ask(option, () => ({
        kind: "masked",
        field,
        value: option === undefined ? 0 : maskAddress(option.value.address, option.value.mask),
        mask: option?.value.mask ?? 0,
      }));
    }
    for (const field of PORTS) {
      const option = given[field];
      ask(option, () => within(field, option?.value.from ?? 0, option?.value.to ?? 0));
    }
    ask(status, () => ({ kind: "oneOf", field: "connectionStatus", words: status?.value ?? [] }));
    ask(expire, () => within("entryEndsIn", expire?.value.from ?? 0, expire?.value.to ?? 0));
    if (direction) asked.push({ kind: "oneOf", field: "connectionDirection", words: [direction.value] });
    if (!state) return { condition: allOf([negatedIf(true, HAS_NO_ENTRY), ...asked]) };
    const states = negatedIf(state.negated, {
      kind: "oneOf",
      field: "connectionState",
      words: state.value,
    });
    const mayHaveNoEntry = HAS_NO_ENTRY.words.some((word) => state.value.includes(word) !== state.negated);
    if (asked.length === 0 || !mayHaveNoEntry) return { condition: allOf([states, ...asked]) };
    return { condition: allOf([states, { kind: "any", of: [HAS_NO_ENTRY, allOf(asked)] }]) };
  },
  listed: [
    "ctstate",
    "ctproto",
    "ctorigsrcport",
    "ctorigdstport",
    "ctreplsrcport",
    "ctrepldstport",
    "ctorigsrc",
    "ctorigdst",
    "ctreplsrc",
    "ctrepldst",
    "ctstatus",
    "ctexpire",
    "ctdir",
  ].map((name) => listedOption(`${name} `, `--${name}`)),
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
    { typed: "-m conntrack ! --ctorigdstport 90:80" },
    {
      typed: "-m conntrack --ctstate n --ctstatus s",
      saved: "-m conntrack --ctstate NEW --ctstatus SEEN_REPLY",
    },
    { typed: "-m conntrack --ctorigdst 10.0.0.1/33", saved: "-m conntrack --ctorigdst 10.0.0.1" },
    { typed: "-m conntrack --ctstate NEWISH", refused: true },
    { typed: "-m conntrack", refused: true },
    { typed: "-m conntrack ! --ctdir REPLY", refused: true },
  ],
});
