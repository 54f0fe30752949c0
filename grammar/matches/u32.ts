import P from "parsimmon";
import type { ValueKind } from "../description.js";
import { not } from "../listing.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { quote, wholeNumber } from "../values.js";

const lexeme = <T>(parser: P.Parser<T>) => parser.skip(P.optWhitespace);
const number = lexeme(wholeNumber(0, 0xffffffff));
const shift = lexeme(wholeNumber(0, 31));
const symbol = (text: string) => lexeme(P.string(text));
const hex = (value: number) => `0x${value.toString(16)}`;

const location = P.seqMap(
  number,
  P.alt(
    P.seqMap(P.alt(symbol("&"), symbol("@")), number, (sign, value) => sign + hex(value)),
    P.seqMap(P.alt(symbol("<<"), symbol(">>")), shift, (sign, value) => sign + hex(value)),
  ).many(),
  (start, steps) => hex(start) + steps.join(""),
);
const range = P.seqMap(number, symbol(":").then(number).or(P.of(undefined)), (from, to) =>
  to === undefined || to === from ? hex(from) : `${hex(from)}:${hex(to)}`,
);
const test = P.seqMap(
  location,
  symbol("="),
  range.sepBy1(symbol(",")),
  (where, _equals, values) => `${where}=${values.join(",")}`,
);
const grammar = P.optWhitespace.then(test.sepBy1(symbol("&&"))).map((tests) => tests.join("&&"));

const testsKind: ValueKind<string> = {
  expects: "tests of the packet's bytes, for example 6&0xFF=0x6",
  grammar: () => grammar,
  print: (tests) => `"${tests}"`,
};

/** xt_u32: numbers that stand in the packet. */
export const u32 = defineUnmodelledMatch({
  name: "u32",
  summary: "numbers that stand in the packet",
  options: { tests: { name: "--u32", value: testsKind, negatable: true, required: true } },
  unmodelled: { hangsOn: "what stands in the packet" },
  listed: [
    {
      form: /^u32 (! )?"([^"]*)"/,
      words: ([negated, tests = ""]) => [...not(negated), "--u32", quote(tests)],
    },
  ],
  examples: [
    { typed: '-m u32 --u32 "6&0xFF=0x6"', saved: '-m u32 --u32 "0x6&0xff=0x6"' },
    {
      typed: '-m u32 ! --u32 "0 >> 22 & 0x3C @ 0 >> 24 = 0 , 5:10 && 4=1"',
      saved: '-m u32 ! --u32 "0x0>>0x16&0x3c@0x0>>0x18=0x0,0x5:0xa&&0x4=0x1"',
    },
    { typed: '-m u32 --u32 "0"', refused: true },
    { typed: "-m u32", refused: true },
  ],
});
