import { defineMatch, type ValueKind } from "../description.js";
import { negatedIf } from "../meaning.js";
import { reading } from "../values.js";

/** In the order in which iptables prints them. */
const STATES = ["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED"] as const;

const expects = `a comma list of ${STATES.join(", ")}`;

const statesKind: ValueKind<readonly string[]> = {
  expects,
  grammar: () =>
    reading<readonly string[]>(expects, (text) => {
      // The beginning of a name is enough.
      const wanted = text
        .toUpperCase()
        .split(",")
        .map((part) => (part === "" ? undefined : STATES.find((state) => state.startsWith(part))));
      return wanted.includes(undefined) ? undefined : STATES.filter((state) => wanted.includes(state));
    }),
  print: (states) => states.join(","),
};

/** The older form of `-m conntrack --ctstate`. */
export const state = defineMatch({
  name: "state",
  summary: "the state of the packet's connection",
  tracksConnections: true,
  options: { state: { name: "--state", value: statesKind, negatable: true, required: true } },
  meaning: ({ state: given }) => ({
    condition: negatedIf(given?.negated ?? false, {
      kind: "oneOf",
      field: "connectionState",
      words: given?.value ?? [],
    }),
  }),
  examples: [
    { typed: "-m state ! --state NEW" },
    { typed: "-m state --state UNTRACKED,established", saved: "-m state --state ESTABLISHED,UNTRACKED" },
    { typed: "-m state --state new,est", saved: "-m state --state NEW,ESTABLISHED" },
    { typed: "-m state --state SNAT", refused: true },
    { typed: "-m state", refused: true },
  ],
});
