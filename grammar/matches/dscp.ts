import { defineMatch } from "../description.js";
import { classKind, codePointKind } from "../dscp.js";
import { listedOption } from "../listing.js";
import { negatedIf, within } from "../meaning.js";

/** xt_dscp: the code point of differentiated services, the upper six bits of the TOS byte. */
export const dscp = defineMatch({
  name: "dscp",
  summary: "the packet's class of service (DSCP)",
  options: { value: { name: "--dscp", value: codePointKind, negatable: true, required: true } },
  shorthands: [
    {
      name: "--dscp-class",
      value: classKind,
      negatable: true,
      becomes: (value: number, negated) => ({ value: { value, negated } }),
    },
  ],
  meaning: ({ value }) => ({
    condition: negatedIf(value?.negated ?? false, within("dscp", value?.value ?? 0)),
  }),
  listed: [listedOption("DSCP match ", "--dscp")],
  examples: [
    { typed: "-m dscp --dscp 0", saved: "-m dscp --dscp 0x00" },
    { typed: "-m dscp ! --dscp-class af31", saved: "-m dscp ! --dscp 0x1a" },
    { typed: "-m dscp --dscp-class EF", saved: "-m dscp --dscp 0x2e" },
    { typed: "-m dscp --dscp 64", refused: true },
    { typed: "-m dscp --dscp-class CS9", refused: true },
    { typed: "-m dscp --dscp-class EF --dscp 1", refused: true },
    { typed: "-m dscp", refused: true },
  ],
});
