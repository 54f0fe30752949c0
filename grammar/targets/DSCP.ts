import { defineTarget } from "../description.js";
import { classKind, codePointKind } from "../dscp.js";
import { listedOption } from "../listing.js";

/** xt_DSCP. */
export const DSCP = defineTarget({
  name: "DSCP",

  summary: "sets the packet's class of service and goes on",

  tables: ["mangle"],

  options: {
    value: { name: "--set-dscp", value: codePointKind, required: true },
  },
  shorthands: [
    {
      name: "--set-dscp-class",
      value: classKind,
      becomes: (value: number) => ({ value: { value, negated: false } }),
    },
  ],

  meaning: ({ value }) => ({ kind: "assign", field: "dscp", clear: 63, toggle: value?.value ?? 0 }),
  listed: [listedOption("DSCP set ", "--set-dscp")],
  examples: [
    { typed: "-j DSCP --set-dscp 0", saved: "-j DSCP --set-dscp 0x00", table: "mangle" },
    { typed: "-j DSCP --set-dscp-class cs1", saved: "-j DSCP --set-dscp 0x08", table: "mangle" },
    { typed: "-j DSCP --set-dscp 64", table: "mangle", refused: true },
    { typed: "-j DSCP --set-dscp 1 --set-dscp-class CS1", table: "mangle", refused: true },
    { typed: "-j DSCP", table: "mangle", refused: true },
    { typed: "-j DSCP --set-dscp 0", refused: true },
  ],
});
