import type { ValueKind } from "../description.js";
import { defineTarget } from "../description.js";
import { EGRESS } from "../hooks.js";
import { listedOption } from "../listing.js";
import { reading } from "../values.js";

const expects = "a class, two hexadecimal numbers such as 1:2";
const classKind: ValueKind<readonly [number, number]> = {
  expects,
  grammar: () =>
    reading<readonly [number, number]>(expects, (text) => {
      // As sscanf's `%x:%x` reads: what follows is not looked at, and 16 bits of each count.
      const found =
        /^\s*([-+]?)(0[xX][0-9a-fA-F]*|[0-9a-fA-F]+):\s*([-+]?)(0[xX][0-9a-fA-F]*|[0-9a-fA-F]+)/.exec(text);
      const low = (sign = "", written = "") => {
        const digits = written.replace(/^0[xX]/, "");
        const value = Number.parseInt(digits.length > 16 ? "ffff" : `0${digits.slice(-4)}`, 16);
        return sign === "-" ? -value & 0xffff : value;
      };
      return found === null ? undefined : [low(found[1], found[2]), low(found[3], found[4])];
    }),
  print: (parts) => parts.map((part) => part.toString(16).padStart(4, "0")).join(":"),
};

/** xt_CLASSIFY. */
export const CLASSIFY = defineTarget({
  name: "CLASSIFY",

  summary: "puts the packet into a class of the queueing discipline and goes on",

  hooks: EGRESS,
  options: {
    class: { name: "--set-class", value: classKind, required: true },
  },

  meaning: () => ({ kind: "note", what: "CLASSIFY" }),
  listed: [listedOption("CLASSIFY set ", "--set-class")],
  examples: [
    { typed: "-j CLASSIFY --set-class 0000:ffff", table: "mangle" },
    { typed: "-j CLASSIFY --set-class 1:2", saved: "-j CLASSIFY --set-class 0001:0002", table: "mangle" },
    {
      typed: "-j CLASSIFY --set-class 0x1:12345:6",
      saved: "-j CLASSIFY --set-class 0001:2345",
      table: "mangle",
    },
    { typed: "-j CLASSIFY --set-class ffff", table: "mangle", refused: true },
    { typed: "-j CLASSIFY", table: "mangle", refused: true },
  ],
});
