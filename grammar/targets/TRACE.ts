import { defineTarget } from "../description.js";

/** xt_TRACE. */
export const TRACE = defineTarget({
  name: "TRACE",

  summary: "the kernel reports every rule that the packet meets from here on; goes on",

  tables: ["raw"],
  nftInAnyTable: true,

  options: {},

  meaning: () => ({ kind: "note", what: "TRACE" }),
  examples: [
    { typed: "-j TRACE", table: "raw" },
    { typed: "-j TRACE", refused: true },
  ],
});
