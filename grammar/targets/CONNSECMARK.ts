import { defineTarget, flag } from "../description.js";
import { listedFlag } from "../listing.js";

/** xt_CONNSECMARK. */
export const CONNSECMARK = defineTarget({
  name: "CONNSECMARK",

  summary: "copies a security mark between packet and connection and goes on",

  tracksConnections: true,

  tables: ["mangle", "security"],

  options: {
    save: flag("--save"),
    restore: flag("--restore"),
  },

  complete: (given) =>
    (given.save === undefined) === (given.restore === undefined)
      ? { refused: "one of --save and --restore must be given" }
      : given,
  meaning: () => ({ kind: "note", what: "CONNSECMARK" }),
  listed: [listedFlag("CONNSECMARK save", "--save"), listedFlag("CONNSECMARK restore", "--restore")],
  examples: [
    { typed: "-j CONNSECMARK --save", table: "security" },
    { typed: "-j CONNSECMARK --restore", table: "mangle" },
    { typed: "-j CONNSECMARK --save --restore", table: "mangle", refused: true },
    { typed: "-j CONNSECMARK", table: "mangle", refused: true },
    { typed: "-j CONNSECMARK --save", refused: true },
  ],
});
