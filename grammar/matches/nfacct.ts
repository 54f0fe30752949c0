import { defineMatch } from "../description.js";
import { listedOption } from "../listing.js";
import { ALWAYS } from "../meaning.js";
import { wordKind } from "../values.js";

/** Counts into a named object of the kernel; always true. kube-proxy uses it for its metrics. */
export const nfacct = defineMatch({
  name: "nfacct",
  summary: "counts the packet into a named counter; never decides anything",
  options: {
    name: {
      // iptables 1.8 prints two blanks between the option and its value.
      name: "--nfacct-name",
      value: spaced(wordKind("the name of a counter, at most 32 characters", 32)),
      required: true,
    },
  },
  meaning: () => ({ condition: ALWAYS }),
  listed: [listedOption("nfacct-name ", "--nfacct-name")],
  examples: [
    {
      typed: "-m nfacct --nfacct-name ct_state_invalid_dropped_pkts",
      saved: "-m nfacct --nfacct-name  ct_state_invalid_dropped_pkts",
    },
    { typed: "-m nfacct", refused: true },
  ],
});

function spaced(kind: ReturnType<typeof wordKind>): ReturnType<typeof wordKind> {
  return { ...kind, print: (name, family) => ` ${kind.print(name, family)}` };
}
