import { defineMatch, flag } from "../description.js";
import { listedFlag, listedLater, listedName } from "../listing.js";
import { negatedIf } from "../meaning.js";

/** xt_rpfilter: an answer to the packet's source would leave by the interface that the packet came in by. */
export const rpfilter = defineMatch({
  name: "rpfilter",
  summary: "the packet came by the interface that leads back to its source",
  tables: ["raw", "mangle"],
  hooks: ["PREROUTING"],
  options: {
    loose: flag("--loose"),
    validMark: flag("--validmark"),
    acceptLocal: flag("--accept-local"),
    invert: flag("--invert"),
  },
  meaning: ({ loose, acceptLocal, invert }) => ({
    condition: negatedIf(invert !== undefined, {
      kind: "reversePath",
      loose: loose !== undefined,
      acceptLocal: acceptLocal !== undefined,
    }),
  }),
  listed: [
    listedName("rpfilter"),
    ...listedLater(
      ...["loose", "validmark", "accept-local", "invert"].map((name) => listedFlag(name, `--${name}`)),
    ),
  ],
  examples: [
    { typed: "-m rpfilter", table: "raw" },
    { typed: "-m rpfilter --invert --loose", saved: "-m rpfilter --loose --invert", table: "mangle" },
    { typed: "-m rpfilter --validmark --accept-local", table: "raw" },
    { typed: "-m rpfilter", refused: true },
  ],
});
