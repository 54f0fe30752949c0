import type { ValueKind } from "../description.js";
import { defineTarget } from "../description.js";
import { listedOption } from "../listing.js";
import { PROTOCOL } from "../protocols.js";
import { reading, readLong } from "../values.js";

const NAMES: Readonly<Record<string, number>> = {
  mss: 2,
  wscale: 3,
  "sack-permitted": 4,
  sack: 5,
  timestamp: 8,
  md5: 19,
};
const expects = `a comma list of numbers, or of ${Object.keys(NAMES).join(", ")}`;
const optionsKind: ValueKind<readonly number[]> = {
  expects,
  grammar: () =>
    reading<readonly number[]>(expects, (text) => {
      const numbers = text.split(",").map((part) => {
        const number = readLong(part, 255n);
        return number === undefined ? (Object.hasOwn(NAMES, part) ? NAMES[part] : undefined) : Number(number);
      });
      // 0 and 1 are padding, and none may stand twice.
      const fits = numbers.every((number) => number !== undefined && number > 1);
      return fits && new Set(numbers).size === numbers.length
        ? (numbers as number[]).sort((left, right) => left - right)
        : undefined;
    }),
  print: (numbers) => numbers.join(","),
};

/** xt_TCPOPTSTRIP. */
export const TCPOPTSTRIP = defineTarget({
  name: "TCPOPTSTRIP",

  summary: "takes options out of the TCP header and goes on",

  protocols: [PROTOCOL.tcp],
  tables: ["mangle"],

  options: {
    options: { name: "--strip-options", value: optionsKind },
  },

  meaning: () => ({ kind: "note", what: "TCPOPTSTRIP" }),
  listed: [listedOption("TCPOPTSTRIP options ", "--strip-options")],
  examples: [
    { typed: "-p tcp -j TCPOPTSTRIP", table: "mangle" },
    {
      typed: "-p tcp -j TCPOPTSTRIP --strip-options wscale,md5,2",
      saved: "-p tcp -j TCPOPTSTRIP --strip-options 2,3,19",
      table: "mangle",
    },
    { typed: "-p tcp -j TCPOPTSTRIP --strip-options 256", table: "mangle", refused: true },
    { typed: "-j TCPOPTSTRIP --strip-options 2", table: "mangle", refused: true },
    { typed: "-p tcp -j TCPOPTSTRIP --strip-options 2", refused: true },
  ],
});
