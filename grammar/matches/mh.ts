import P from "parsimmon";
import { defineMatch, type ValueKind } from "../description.js";
import { listedOption } from "../listing.js";
import { ALWAYS, hidden, negatedIf, type Range } from "../meaning.js";
import { PROTOCOL } from "../protocols.js";
import { isWhole, numberRangeKind, readLong } from "../values.js";

const MAX = 255;
const NAMES = [
  ["binding-refresh-request", "brr"],
  ["home-test-init", "hoti"],
  ["careof-test-init", "coti"],
  ["home-test", "hot"],
  ["careof-test", "cot"],
  ["binding-update", "bu"],
  ["binding-acknowledgement", "ba"],
  ["binding-error", "be"],
];

const typeGrammar = P.regexp(/[^:]+/).chain((text) => {
  const number = readLong(text, BigInt(MAX));
  if (number !== undefined) return P.of(Number(number));
  const word = text.toLowerCase();
  const exact = NAMES.findIndex((names) => names.includes(word));
  const begun = NAMES.findIndex((names) => names.some((name) => name.startsWith(word)));
  const type = exact >= 0 ? exact : begun;
  return type < 0 ? P.fail("a type of a mobility header") : P.of(type);
});

const rangeGrammar: P.Parser<Range> = P.alt(
  P.seqMap(typeGrammar.fallback(0), P.string(":").then(typeGrammar.fallback(MAX)), (from, to) => ({
    from,
    to,
  })),
  typeGrammar.map((type) => ({ from: type, to: type })),
  P.eof.map(() => ({ from: 0, to: 0 })),
).chain((range) => (range.from <= range.to ? P.of(range) : P.fail("a range that goes up")));

const typeRangeKind: ValueKind<Range> = {
  ...numberRangeKind(MAX, "a type"),
  grammar: () => rangeGrammar,
};

/** ip6t_mh: the type of a mobility header. */
export const mh = defineMatch({
  name: "mh",
  summary: "the type of a mobility header",
  families: ["ipv6"],
  impliedBy: [PROTOCOL.mobilityHeader],
  impliedOnlyBy: "mh",
  protocols: [PROTOCOL.mobilityHeader],
  options: {
    type: { name: "--mh-type", value: typeRangeKind, negatable: true, hidden: isWhole(MAX) },
  },
  meaning({ type }) {
    const { from, to } = type?.value ?? { from: 0, to: MAX };
    const types = from === to ? `${from}` : `from ${from} to ${to}`;
    return {
      condition: type
        ? negatedIf(
            type.negated,
            hidden(`the mobility header's type is ${types}`, `the mobility header's type is not ${types}`),
          )
        : ALWAYS,
    };
  },
  listed: [listedOption("mh ", "--mh-type")],
  examples: [
    { typed: "-p mh --mh-type bu", saved: "-p mobility-header -m mh --mh-type 5", family: "ipv6" },
    { typed: "-p mobility-header -m mh ! --mh-type 2:3", family: "ipv6" },
    {
      typed: "-p mobility-header -m mh --mh-type brr:coti",
      saved: "-p mobility-header -m mh --mh-type 0:2",
      family: "ipv6",
    },
    {
      typed: "-p mobility-header -m mh --mh-type 3:",
      saved: "-p mobility-header -m mh --mh-type 3:255",
      family: "ipv6",
    },
    { typed: "-p mh --mh-type b", saved: "-p mobility-header -m mh --mh-type 0", family: "ipv6" },
    { typed: "-p 135 --mh-type 1", family: "ipv6", refused: true },
    { typed: "-m mh --mh-type 1", family: "ipv6", refused: true },
  ],
});
