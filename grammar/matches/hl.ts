import { defineMatch } from "../description.js";
import { hopCondition, hopQuestions, listedHops, oneOfThem } from "../hops.js";

/** xt_hl: the hop limit. */
export const hl = defineMatch({
  name: "hl",
  summary: "the packet's hop limit",
  families: ["ipv6"],
  options: hopQuestions("hl"),
  complete: (given) => oneOfThem(given, "--hl-eq, --hl-lt and --hl-gt"),
  meaning: (given) => ({ condition: hopCondition(given) }),
  listed: [listedHops("HL", "hl")],
  examples: [
    { typed: "-m hl ! --hl-eq 5", family: "ipv6" },
    { typed: "-m hl --hl-lt 5", family: "ipv6" },
    { typed: "-m hl --hl-gt 5", family: "ipv6" },

    { typed: "-m hl", family: "ipv6", refused: true },
    { typed: "-m hl --hl-lt 5 --hl-gt 3", family: "ipv6", refused: true },
    { typed: "-m hl --hl-eq 256", family: "ipv6", refused: true },
    { typed: "-m hl ! --hl-lt 5", family: "ipv6", refused: true },
  ],
});
