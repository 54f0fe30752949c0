import { defineMatch } from "../description.js";
import { listedOption } from "../listing.js";
import { negatedIf } from "../meaning.js";
import { numberRangeKind } from "../values.js";

const MAX = 65535;

/** xt_length: the length of the IP packet, headers included. */
export const length = defineMatch({
  name: "length",
  summary: "the packet's length",
  options: {
    length: { name: "--length", value: numberRangeKind(MAX, "a length"), negatable: true, required: true },
  },
  meaning: ({ length: given }) => ({
    condition: negatedIf(given?.negated ?? false, {
      kind: "within",
      field: "length",
      ranges: [given?.value ?? { from: 0, to: MAX }],
    }),
  }),
  listed: [listedOption("length ", "--length")],
  examples: [
    { typed: "-m length ! --length 4" },
    { typed: "-m length --length :2", saved: "-m length --length 0:2" },
    { typed: "-m length --length 4:", saved: "-m length --length 4:65535" },
    { typed: "-m length --length 70000", refused: true },
    { typed: "-m length", refused: true },
  ],
});
