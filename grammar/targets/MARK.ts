import { defineTarget, type GivenOption } from "../description.js";
import { listedMarks } from "../listing.js";
import { bitsKind, fullMarkKind, type MaskedMark } from "../values.js";

/** `mark = (mark & ~mask) ^ value`: every other spelling is one of these. */
export const MARK = defineTarget({
  name: "MARK",
  summary: "changes the packet's mark and goes on",
  options: { set: { name: "--set-xmark", value: fullMarkKind, required: true } },
  shorthands: [
    {
      name: "--set-mark",
      value: fullMarkKind,
      becomes: ({ value, mask }: MaskedMark) => xmark(value, (value | mask) >>> 0),
    },
    { name: "--or-mark", value: bitsKind, becomes: (bits: number) => xmark(bits, bits) },
    { name: "--and-mark", value: bitsKind, becomes: (bits: number) => xmark(0, ~bits >>> 0) },
    { name: "--xor-mark", value: bitsKind, becomes: (bits: number) => xmark(bits, 0) },
  ],
  meaning: ({ set }) => ({
    kind: "assign",
    field: "mark",
    clear: set?.value.mask ?? 0,
    toggle: set?.value.value ?? 0,
  }),
  listed: [listedMarks("MARK")],
  examples: [
    { typed: "-j MARK --set-xmark 0x4000/0x4000" },
    { typed: "-j MARK --set-mark 1", saved: "-j MARK --set-xmark 0x1/0xffffffff" },
    { typed: "-j MARK --set-mark 0x101/0xff", saved: "-j MARK --set-xmark 0x101/0x1ff" },
    { typed: "-j MARK --or-mark 0x00004000", saved: "-j MARK --set-xmark 0x4000/0x4000" },
    { typed: "-j MARK --xor-mark 0x00004000", saved: "-j MARK --set-xmark 0x4000/0x0" },
    { typed: "-j MARK --and-mark 0xff", saved: "-j MARK --set-xmark 0x0/0xffffff00" },
    { typed: "-j MARK", refused: true },
    { typed: "-j MARK --set-xmark 1 --or-mark 1", refused: true },
  ],
});

function xmark(value: number, mask: number): { set: GivenOption<MaskedMark> } {
  return { set: { value: { value, mask }, negated: false } };
}
