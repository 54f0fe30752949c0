import { defineTarget, flag } from "../description.js";
import { PROTOCOL } from "../protocols.js";
import { numberKind } from "../values.js";

/** xt_SYNPROXY. */
export const SYNPROXY = defineTarget({
  name: "SYNPROXY",

  summary: "answers the SYN in the place of the server",

  tracksConnections: true,
  protocols: [PROTOCOL.tcp],

  hooks: ["INPUT", "FORWARD"],
  options: {
    sack: flag("--sack-perm"),
    timestamp: flag("--timestamp"),
    wscale: { name: "--wscale", value: numberKind(0, 255) },
    mss: { name: "--mss", value: numberKind(0, 65535) },
    ecn: flag("--ecn"),
  },

  meaning: () => ({
    kind: "unmodelled",
    question: "SYNPROXY answers in the place of the server",
    mayEnd: true,
  }),
  examples: [
    {
      typed: "-p tcp -j SYNPROXY --sack-perm --timestamp --mss 1460 --wscale 9",
      saved: "-p tcp -j SYNPROXY --sack-perm --timestamp --wscale 9 --mss 1460",
    },
    { typed: "-p tcp -j SYNPROXY" },
    { typed: "-j SYNPROXY --sack-perm", refused: true },
  ],
});
