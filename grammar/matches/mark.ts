import { defineMatch } from "../description.js";
import { listedOption } from "../listing.js";
import { negatedIf } from "../meaning.js";
import { markKind } from "../values.js";

export const mark = defineMatch({
  name: "mark",
  summary: "the packet's mark",
  options: { mark: { name: "--mark", value: markKind, negatable: true, required: true } },
  meaning: ({ mark }) => ({
    condition: mark
      ? negatedIf(mark.negated, { kind: "masked", field: "mark", ...mark.value })
      : { kind: "always" },
  }),
  listed: [listedOption("mark match ", "--mark")],
  examples: [
    { typed: "-m mark --mark 0x4000/0x4000" },
    { typed: "-m mark ! --mark 0x00004000/0x00004000", saved: "-m mark ! --mark 0x4000/0x4000" },
    { typed: "-m mark --mark 1", saved: "-m mark --mark 0x1" },
    { typed: "-m mark --mark 010", saved: "-m mark --mark 0x8" },
    { typed: "-m mark --mark 0x1/0xffffffff", saved: "-m mark --mark 0x1" },
    { typed: "-m mark --mark 0x100000000", refused: true },
    { typed: "-m mark", refused: true },
  ],
});
