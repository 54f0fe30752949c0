import { defineTarget } from "../description.js";
import { listedOption } from "../listing.js";
import { oneOfKind } from "../values.js";

/** xt_AUDIT. */
export const AUDIT = defineTarget({
  name: "AUDIT",

  summary: "writes a record for the audit log and goes on",

  options: {
    type: {
      name: "--type",
      value: oneOfKind(["accept", "drop", "reject"], { anyCase: true }),
      required: true,
    },
  },

  meaning: () => ({ kind: "note", what: "AUDIT" }),
  listed: [listedOption("AUDIT ", "--type")],
  examples: [
    { typed: "-j AUDIT --type accept" },
    { typed: "-j AUDIT --type DROP", saved: "-j AUDIT --type drop" },
    { typed: "-j AUDIT --type log", refused: true },
    { typed: "-j AUDIT", refused: true },
  ],
});
