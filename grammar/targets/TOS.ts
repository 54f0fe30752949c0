import type { GivenOption } from "../description.js";
import { defineTarget } from "../description.js";
import { listedOption } from "../listing.js";
import type { Effect } from "../meaning.js";
import { tosKind } from "../tos.js";
import { type MaskedMark, numberKind } from "../values.js";

const octet = numberKind(0, 255);

function tos(value: number, mask: number): { set: GivenOption<MaskedMark> } {
  return { set: { value: { value, mask }, negated: false } };
}

/** xt_TOS. */
export const TOS = defineTarget({
  name: "TOS",

  summary: "changes the packet's type of service and goes on",

  tables: ["mangle"],

  options: {
    set: { name: "--set-tos", value: tosKind, required: true },
  },
  shorthands: [
    { name: "--and-tos", value: octet, becomes: (bits: number) => tos(0, ~bits & 255) },
    { name: "--or-tos", value: octet, becomes: (bits: number) => tos(bits, bits) },
    { name: "--xor-tos", value: octet, becomes: (bits: number) => tos(bits, 0) },
  ],

  meaning({ set }) {
    const { value, mask } = set?.value ?? { value: 0, mask: 0 };
    return {
      kind: "several",
      effects: [...part("dscp", mask >> 2, value >> 2), ...part("ecn", mask & 3, value & 3)],
    };
  },
  listed: ["set", "and", "or", "xor"].map((how) => listedOption(`TOS ${how} `, `--${how}-tos`)),
  examples: [
    { typed: "-j TOS --set-tos 0x1f", saved: "-j TOS --set-tos 0x1f/0xff", table: "mangle" },
    { typed: "-j TOS --set-tos Minimize-Delay", saved: "-j TOS --set-tos 0x10/0x3f", table: "mangle" },
    { typed: "-j TOS --and-tos 0x1f", saved: "-j TOS --set-tos 0x00/0xe0", table: "mangle" },
    { typed: "-j TOS --or-tos 0x1f", saved: "-j TOS --set-tos 0x1f/0x1f", table: "mangle" },
    { typed: "-j TOS --xor-tos 0x1f", saved: "-j TOS --set-tos 0x1f/0x00", table: "mangle" },
    { typed: "-j TOS --set-tos 256", table: "mangle", refused: true },
    { typed: "-j TOS", table: "mangle", refused: true },
    { typed: "-j TOS --set-tos 4", refused: true },
  ],
});

function part(field: "dscp" | "ecn", clear: number, toggle: number): readonly Effect[] {
  return clear === 0 && toggle === 0 ? [] : [{ kind: "assign", field, clear, toggle }];
}
