import { defineMatch } from "../description.js";
import { listedOption } from "../listing.js";
import { negatedIf } from "../meaning.js";
import { beginningsKind } from "../values.js";

/** In the order in which iptables prints them. */
const STATES = ["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED"] as const;

/** The older form of `-m conntrack --ctstate`. */
export const state = defineMatch({
  name: "state",
  summary: "the state of the packet's connection",
  tracksConnections: true,
  options: { state: { name: "--state", value: beginningsKind(STATES), negatable: true, required: true } },
  meaning: ({ state: given }) => ({
    condition: negatedIf(given?.negated ?? false, {
      kind: "oneOf",
      field: "connectionState",
      words: given?.value ?? [],
    }),
  }),
  listed: [listedOption("state ", "--state")],
  examples: [
    { typed: "-m state ! --state NEW" },
    { typed: "-m state --state UNTRACKED,established", saved: "-m state --state ESTABLISHED,UNTRACKED" },
    { typed: "-m state --state new,est", saved: "-m state --state NEW,ESTABLISHED" },
    { typed: "-m state --state SNAT", refused: true },
    { typed: "-m state", refused: true },
  ],
});
