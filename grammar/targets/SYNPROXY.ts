import { defineTarget, flag, type ValueKind } from "../description.js";
import { listedFlag, listedLater, listedName, listedOption } from "../listing.js";
import { PROTOCOL } from "../protocols.js";
import { numberKind } from "../values.js";

/** A number of 32 bits, of which the low ones are kept. */
const low = (mask: number): ValueKind<number> => {
  const { grammar, ...kind } = numberKind(0, 0xffffffff);
  return { ...kind, grammar: (family) => grammar(family).map((value) => (value & mask) >>> 0) };
};

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
    wscale: { name: "--wscale", value: low(0xff) },
    mss: { name: "--mss", value: low(0xffff) },
    ecn: flag("--ecn"),
  },

  meaning: () => ({
    kind: "unmodelled",
    question: "SYNPROXY answers in the place of the server",
    mayEnd: true,
  }),
  listed: [
    listedName("SYNPROXY"),
    ...listedLater(
      listedFlag("sack-perm", "--sack-perm"),
      listedFlag("timestamp", "--timestamp"),
      listedOption("wscale ", "--wscale"),
      listedOption("mss ", "--mss"),
    ),
  ],
  examples: [
    {
      typed: "-p tcp -j SYNPROXY --sack-perm --timestamp --mss 1460 --wscale 9",
      saved: "-p tcp -j SYNPROXY --sack-perm --timestamp --wscale 9 --mss 1460",
    },
    { typed: "-p tcp -j SYNPROXY" },
    { typed: "-p tcp -j SYNPROXY --wscale 257", saved: "-p tcp -j SYNPROXY --wscale 1" },
    { typed: "-j SYNPROXY --sack-perm", refused: true },
  ],
});
