import { defineTarget } from "../description.js";
import { hopChanges, hopEffect, listedHopChange, oneOfThem } from "../hops.js";

/** xt_HL: changes the hop limit and goes on. */
export const HL = defineTarget({
  name: "HL",
  summary: "changes the packet's hop limit and goes on",
  families: ["ipv6"],
  tables: ["mangle"],
  options: hopChanges("hl"),
  complete: (given) => oneOfThem(given, "--hl-set, --hl-dec and --hl-inc"),
  meaning: hopEffect,
  listed: [listedHopChange("HL", "hl")],
  examples: [
    { typed: "-j HL --hl-set 42", table: "mangle", family: "ipv6" },
    { typed: "-j HL --hl-inc 1", table: "mangle", family: "ipv6" },
    { typed: "-j HL --hl-dec 1", table: "mangle", family: "ipv6" },
    { typed: "-j HL --hl-dec 0", table: "mangle", family: "ipv6", refused: true },
    { typed: "-j HL --hl-set 1 --hl-inc 5", table: "mangle", family: "ipv6", refused: true },
    { typed: "-j HL", table: "mangle", family: "ipv6", refused: true },
    { typed: "-j HL --hl-set 42", family: "ipv6", refused: true },
  ],
});
