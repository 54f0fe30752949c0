import { defineMatch } from "../description.js";
import { LISTED_PORTS, listedLater, listedName, listedOption, not } from "../listing.js";
import { allOf, hidden, negatedIf } from "../meaning.js";
import { portConditions, portOptions } from "../ports.js";
import { PROTOCOL } from "../protocols.js";
import { readValue } from "../read.js";
import { numberKind, reading, resolvedPortRangeKind, wordListKind } from "../values.js";

const TYPES = [
  "REQUEST",
  "RESPONSE",
  "DATA",
  "ACK",
  "DATAACK",
  "CLOSEREQ",
  "CLOSE",
  "RESET",
  "SYNC",
  "SYNCACK",
  "INVALID",
] as const;
const words = wordListKind(TYPES);
/** Empty parts of the list are passed over. */
const types: typeof words = {
  ...words,
  grammar: () =>
    reading(words.expects, (text) => {
      const parts = text.split(",").filter((part) => part !== "");
      if (parts.length === 0) return [];
      const read = readValue(words, parts.join(","), "ipv4");
      return read.ok ? read.value : undefined;
    }),
};

/** xt_dccp: ports, packet types and options of DCCP. */
export const dccp = defineMatch({
  name: "dccp",
  summary: "ports, packet types and options of DCCP",
  impliedBy: [PROTOCOL.dccp],
  protocols: [PROTOCOL.dccp],
  options: {
    ...portOptions(resolvedPortRangeKind, { wholeIsHidden: false }),
    types: { name: "--dccp-types", value: types, negatable: true },
    option: { name: "--dccp-option", value: numberKind(1, 255), negatable: true },
  },
  meaning(given, { family }) {
    const { types: wanted, option, ...ports } = given;
    const asked = (negated: boolean, is: string, isNot: string) => negatedIf(negated, hidden(is, isNot));
    const named = wanted && types.print(wanted.value, family);
    return {
      condition: allOf([
        ...portConditions(ports),
        ...(wanted
          ? [
              asked(
                wanted.negated,
                `the type of the DCCP packet is among ${named}`,
                `the type of the DCCP packet is not among ${named}`,
              ),
            ]
          : []),
        ...(option
          ? [
              asked(
                option.negated,
                `the packet has the DCCP option ${option.value}`,
                `the packet does not have the DCCP option ${option.value}`,
              ),
            ]
          : []),
      ]),
    };
  },
  listed: [
    listedName("dccp"),
    ...LISTED_PORTS,
    ...listedLater(listedOption("option=", "--dccp-option"), {
      form: /^(! )?(\d[\d,]*|[A-Z][A-Z,]*)(?= |$)/,
      words: ([negated, list = ""]) => [
        ...not(negated),
        "--dccp-types",
        [
          ...new Set(
            list.split(",").map((type) => TYPES[Number(type)] ?? (Number(type) > 10 ? "INVALID" : type)),
          ),
        ].join(","),
      ],
    }),
  ],
  examples: [
    {
      typed: "-p dccp ! --sport 1 --dport :5 ! --dccp-types reset,INVALID --dccp-option 5",
      saved: "-p dccp -m dccp ! --sport 1 --dport 0:5 ! --dccp-types RESET,INVALID --dccp-option 5",
    },
    { typed: "-p dccp -m dccp --dport 0:65535" },
    { typed: "-p dccp -m dccp --dccp-option 300", refused: true },
    { typed: "-m dccp --sport 1", refused: true },
  ],
});
