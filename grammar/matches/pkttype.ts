import { defineMatch } from "../description.js";
import { not } from "../listing.js";
import { negatedIf } from "../meaning.js";
import { oneOfKind } from "../values.js";

/** xt_pkttype: to whom the Ethernet frame was addressed. */
export const pkttype = defineMatch({
  name: "pkttype",
  summary: "to whom the frame was addressed",
  options: {
    type: {
      name: "--pkt-type",
      value: oneOfKind(["unicast", "broadcast", "multicast", "otherhost"], {
        aliases: { host: "unicast", bcast: "broadcast", mcast: "multicast", other: "otherhost" },
        anyCase: true,
      }),
      negatable: true,
      required: true,
    },
  },
  meaning: ({ type }) => ({
    condition: negatedIf(type?.negated ?? false, {
      kind: "oneOf",
      field: "frame",
      words: [type?.value ?? "unicast"],
    }),
  }),
  listed: [
    { form: /^PKTTYPE (!?)= (\S+)/, words: ([negated, type = ""]) => [...not(negated), "--pkt-type", type] },
  ],
  examples: [
    { typed: "-m pkttype ! --pkt-type Broadcast", saved: "-m pkttype ! --pkt-type broadcast" },
    { typed: "-m pkttype --pkt-type host", saved: "-m pkttype --pkt-type unicast" },
    { typed: "-m pkttype --pkt-type to-us", refused: true },
    { typed: "-m pkttype", refused: true },
  ],
});
