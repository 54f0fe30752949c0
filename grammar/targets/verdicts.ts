/** The targets that iptables has built in: they have no options. */
import { defineTarget } from "../description.js";

export const ACCEPT = defineTarget({
  name: "ACCEPT",
  summary: "the packet passes this table at this hook",
  options: {},
  meaning: () => ({ kind: "verdict", verdict: "accept" }),
  examples: [{ typed: "-j ACCEPT" }],
});

export const DROP = defineTarget({
  name: "DROP",
  summary: "the packet is gone, without an answer",
  // iptables refuses a DROP rule in nat, where only first packets would meet it.
  tables: ["raw", "mangle", "filter", "security"],
  options: {},
  meaning: () => ({ kind: "verdict", verdict: "drop" }),
  examples: [{ typed: "-s 10.0.0.0/8 -j DROP" }, { typed: "-j DROP", table: "nat", refused: true }],
});

export const RETURN = defineTarget({
  name: "RETURN",
  summary: "back to the chain that jumped here; in a built-in chain, its policy",
  options: {},
  meaning: () => ({ kind: "return" }),
  examples: [{ typed: "-j RETURN" }],
});
