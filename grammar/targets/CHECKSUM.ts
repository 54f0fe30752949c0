import { defineTarget, flag } from "../description.js";

/** xt_CHECKSUM. */
export const CHECKSUM = defineTarget({
  name: "CHECKSUM",

  summary: "fills in the checksum and goes on",

  tables: ["mangle"],

  options: {
    fill: flag("--checksum-fill", { required: true }),
  },

  meaning: () => ({ kind: "note", what: "CHECKSUM" }),
  examples: [
    { typed: "-j CHECKSUM --checksum-fill", table: "mangle" },
    { typed: "-j CHECKSUM", table: "mangle", refused: true },
    { typed: "-j CHECKSUM --checksum-fill", refused: true },
  ],
});
