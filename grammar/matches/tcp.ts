import P from "parsimmon";
import { defineMatch, type GivenOption, type ValueKind } from "../description.js";
import { LISTED_PORTS, listedLater, listedName, listedOption, not } from "../listing.js";
import { allOf, hidden, negatedIf, type Range } from "../meaning.js";
import { asksNoPort, portConditions, portOptions, portsForNft, portsTogether } from "../ports.js";
import { PROTOCOL } from "../protocols.js";
import { numberKind, portRangeKind } from "../values.js";

/** Bits of the flags byte, in the order in which iptables-save names them. */
export const TCP_FLAGS = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32 } as const;

interface FlagTest {
  readonly mask: number;
  readonly set: number;
}

const flagWord = P.regexp(/[A-Za-z]+/)
  .chain((word) => {
    const name = word.toUpperCase();
    if (name === "ALL") return P.of(63);
    if (name === "NONE") return P.of(0);
    const bit = (TCP_FLAGS as Readonly<Record<string, number>>)[name];
    return bit === undefined ? P.fail("a TCP flag") : P.of(bit);
  })
  .desc(`a TCP flag: ${Object.keys(TCP_FLAGS).join(", ")}, ALL or NONE`);

/** Empty parts of the list are passed over. */
const flagList = P.regexp(/,*/)
  .then(flagWord.skip(P.regexp(/,+|(?= )|$/)).many())
  .map((bits) => bits.reduce((all, bit) => all | bit, 0));

const flagTestGrammar = P.seqMap(flagList, P.string(" "), flagList, (mask, _blank, set) => ({ mask, set }));

const flagTestKind: ValueKind<FlagTest> = {
  expects: "the flags to look at and those that must be set, for example SYN,RST,ACK SYN",
  words: 2,
  grammar: () => flagTestGrammar,
  print: ({ mask, set }) => `${flagNames(mask)} ${flagNames(set)}`,
};

export const tcp = defineMatch({
  name: "tcp",
  summary: "ports, flags and options of TCP",
  impliedBy: [PROTOCOL.tcp],
  protocols: [PROTOCOL.tcp],
  options: {
    ...portOptions(portRangeKind(PROTOCOL.tcp), { wholeIsHidden: true }),
    option: { name: "--tcp-option", value: numberKind(1, 255), negatable: true },
    flags: {
      name: "--tcp-flags",
      value: flagTestKind,
      negatable: true,
      // Asking for no flag at all is left out.
      hidden: ({ mask }, negated) => mask === 0 && !negated,
    },
  },
  shorthands: [
    {
      name: "--syn",
      negatable: true,
      becomes: (_value, negated) => ({ flags: { value: { mask: 0b010111, set: TCP_FLAGS.SYN }, negated } }),
    },
  ],
  complete(given, { flavour }) {
    if (flavour !== "nft" || !isNative(given)) return given;
    const { flags, ...rest } = portsForNft(given);
    // Of no flag at all nft asks nothing.
    const turned = flags === undefined || flags.value.mask === 0 ? rest : { ...rest, flags };
    return Object.keys(turned).length === 0 ? undefined : turned;
  },
  togetherInNft(first, next) {
    if (!isNative(first) || !isNative(next)) return undefined;
    const flags = next.flags && {
      ...next.flags,
      negated: next.flags.negated || first.flags?.negated === true,
    };
    const kept = flags ?? first.flags;
    return { ...portsTogether(first, next), ...(kept ? { flags: kept } : {}) };
  },
  meaning({ flags, option, ...ports }) {
    return {
      condition: allOf([
        ...portConditions(ports),
        ...(option
          ? [
              negatedIf(
                option.negated,
                hidden(
                  `the packet has the TCP option ${option.value}`,
                  `the packet does not have the TCP option ${option.value}`,
                ),
              ),
            ]
          : []),
        ...(flags
          ? [
              negatedIf(flags.negated, {
                kind: "masked" as const,
                field: "tcpFlags" as const,
                value: flags.value.set,
                mask: flags.value.mask,
              }),
            ]
          : []),
      ]),
    };
  },
  listed: [
    listedName("tcp"),
    ...LISTED_PORTS,
    ...listedLater(listedOption("option=", "--tcp-option"), {
      form: /^flags: ?(!?)(0x[0-9A-Fa-f]+)\/(0x[0-9A-Fa-f]+)/,
      words: ([negated, mask = "", set = ""]) => [
        ...not(negated),
        "--tcp-flags",
        flagNames(Number.parseInt(mask, 16)),
        flagNames(Number.parseInt(set, 16)),
      ],
    }),
  ],
  examples: [
    { typed: "-p tcp -m tcp --dport 80" },
    { typed: "-p tcp --dport 80", saved: "-p tcp -m tcp --dport 80" },
    {
      typed: "-p tcp -m tcp ! --sport 1024: --dport :1023",
      saved: "-p tcp -m tcp ! --sport 1024:65535 --dport 0:1023",
    },
    { typed: "-p tcp -m tcp --dport 0:65535", saved: "-p tcp -m tcp" },
    { typed: "-p tcp --syn", saved: "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN" },
    {
      typed: "-p tcp -m tcp ! --tcp-flags ALL NONE",
      saved: "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE",
    },
    { typed: "-p tcp -m tcp --tcp-option 2" },
    { typed: "-p tcp -m tcp --dport 0x1f", saved: "-p tcp -m tcp --dport 31" },
    { typed: "-p tcp -m tcp --dport tftp", refused: true },
    { typed: "-m tcp --dport 80", refused: true },
    { typed: "-p tcp -m tcp --dport 70000", refused: true },
    { typed: "-p tcp -m tcp --dport 90:80", refused: true },
    { typed: "-p tcp -m tcp --tcp-flags SYN", refused: true },
  ],
});

/** Whether nft has expressions of its own for it: otherwise it keeps the match as it is. */
function isNative(given: {
  readonly sourcePort?: GivenOption<Range>;
  readonly destinationPort?: GivenOption<Range>;
  readonly option?: GivenOption<number>;
  readonly flags?: GivenOption<FlagTest>;
}): boolean {
  const { option, flags } = given;
  const asksNoFlag = !flags || (!flags.negated && flags.value.mask === 0 && flags.value.set === 0);
  return option === undefined && !(asksNoFlag && asksNoPort(given));
}

function flagNames(bits: number): string {
  const names = Object.entries(TCP_FLAGS).filter(([, bit]) => bits & bit);
  return names.length === 0 ? "NONE" : names.map(([name]) => name).join(",");
}
