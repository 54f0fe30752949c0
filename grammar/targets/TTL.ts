import { defineTarget } from "../description.js";
import { hopChanges, hopEffect, listedHopChange, oneOfThem } from "../hops.js";

/** xt_HL: changes the time to live and goes on. */
export const TTL = defineTarget({
  name: "TTL",
  summary: "changes the packet's time to live and goes on",
  families: ["ipv4"],
  tables: ["mangle"],
  options: hopChanges("ttl"),
  complete: (given) => oneOfThem(given, "--ttl-set, --ttl-dec and --ttl-inc"),
  meaning: hopEffect,
  listed: [listedHopChange("TTL", "ttl")],
  examples: [
    { typed: "-j TTL --ttl-set 42", table: "mangle" },
    { typed: "-j TTL --ttl-inc 1", table: "mangle" },
    { typed: "-j TTL --ttl-dec 1", table: "mangle" },
    { typed: "-j TTL --ttl-dec 0", table: "mangle", refused: true },
    { typed: "-j TTL --ttl-set 1 --ttl-inc 5", table: "mangle", refused: true },
    { typed: "-j TTL", table: "mangle", refused: true },
    { typed: "-j TTL --ttl-set 42", refused: true },
  ],
});
