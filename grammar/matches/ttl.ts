import { defineMatch } from "../description.js";
import { hopCondition, hopQuestions, listedHops, oneOfThem } from "../hops.js";

/** xt_hl: the time to live. */
export const ttl = defineMatch({
  name: "ttl",
  summary: "the packet's time to live",
  families: ["ipv4"],
  options: hopQuestions("ttl"),
  complete: (given) => oneOfThem(given, "--ttl-eq, --ttl-lt and --ttl-gt"),
  meaning: (given) => ({ condition: hopCondition(given) }),
  listed: [listedHops("TTL", "ttl")],
  examples: [
    { typed: "-m ttl ! --ttl-eq 5" },
    { typed: "-m ttl --ttl-lt 5" },
    { typed: "-m ttl --ttl-gt 5" },
    { typed: "-m ttl --ttl 5", saved: "-m ttl --ttl-eq 5" },
    { typed: "-m ttl", refused: true },
    { typed: "-m ttl --ttl-lt 5 --ttl-gt 3", refused: true },
    { typed: "-m ttl --ttl-eq 256", refused: true },
    { typed: "-m ttl ! --ttl-lt 5", refused: true },
  ],
});
