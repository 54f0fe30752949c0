import { defineMatch } from "../description.js";
import { listedOption } from "../listing.js";
import { negatedIf } from "../meaning.js";
import { PROTOCOL } from "../protocols.js";
import { numberRangeKind } from "../values.js";

/** xt_tcpmss: the maximum segment size of a TCP SYN. */
export const tcpmss = defineMatch({
  name: "tcpmss",
  summary: "the maximum segment size of a TCP SYN",
  protocols: [PROTOCOL.tcp],
  options: {
    size: { name: "--mss", value: numberRangeKind(65535, "a size", true), negatable: true, required: true },
  },
  meaning: ({ size }) => ({
    condition: negatedIf(size?.negated ?? false, {
      kind: "within",
      field: "mss",
      ranges: [size?.value ?? { from: 0, to: 0 }],
    }),
  }),
  listed: [listedOption("tcpmss match ", "--mss")],
  examples: [
    { typed: "-p tcp -m tcpmss ! --mss 1:10" },
    { typed: "-p tcp -m tcpmss --mss :5", saved: "-p tcp -m tcpmss --mss 0:5" },
    { typed: "-p tcp -m tcpmss --mss 10:1", refused: true },
    { typed: "-p tcp -m tcpmss --mss 65536", refused: true },
    { typed: "-m tcpmss --mss 1", refused: true },
  ],
});
