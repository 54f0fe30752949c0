import { defineTarget } from "../description.js";
import { listedOption } from "../listing.js";
import { wordKind } from "../values.js";

/** xt_SECMARK. */
export const SECMARK = defineTarget({
  name: "SECMARK",

  summary: "gives the packet a security context and goes on",

  tables: ["mangle", "security"],

  options: {
    context: { name: "--selctx", value: wordKind("a security context", 255), required: true },
  },

  meaning: () => ({ kind: "note", what: "SECMARK" }),
  listed: [listedOption("SECMARK selctx ", "--selctx")],
  examples: [
    { typed: "-j SECMARK --selctx a_b_c", table: "security" },
    { typed: "-j SECMARK", table: "security", refused: true },
    { typed: "-j SECMARK --selctx x", refused: true },
  ],
});
