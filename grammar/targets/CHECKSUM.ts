import { defineTarget, flag } from "../description.js";
import { listedFlag } from "../listing.js";

/** xt_CHECKSUM. */
export const CHECKSUM = defineTarget({
  name: "CHECKSUM",

  summary: "fills in the checksum and goes on",

  tables: ["mangle"],

  options: {
    fill: flag("--checksum-fill", { required: true }),
  },

  meaning: () => ({ kind: "note", what: "CHECKSUM" }),
  listed: [listedFlag("CHECKSUM fill", "--checksum-fill")],
  examples: [
    { typed: "-j CHECKSUM --checksum-fill", table: "mangle" },
    { typed: "-j CHECKSUM", table: "mangle", refused: true },
    { typed: "-j CHECKSUM --checksum-fill", refused: true },
  ],
});
