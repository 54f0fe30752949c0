import { defineMatch } from "../description.js";
import { listedLater, listedName, listedOption } from "../listing.js";
import { ALWAYS, negatedIf } from "../meaning.js";
import { PROTOCOL } from "../protocols.js";
import { isWhole, numberRangeKind } from "../values.js";

/** xt_esp: the security parameters index of an ESP packet. */
export const esp = defineMatch({
  name: "esp",
  summary: "the index of an ESP packet",
  impliedBy: [PROTOCOL.esp],
  protocols: [PROTOCOL.esp],
  options: {
    spi: {
      name: "--espspi",
      value: numberRangeKind(0xffffffff, "an index"),
      negatable: true,
      hidden: isWhole(0xffffffff),
    },
  },
  meaning: ({ spi }) => ({
    condition: spi ? negatedIf(spi.negated, { kind: "within", field: "spi", ranges: [spi.value] }) : ALWAYS,
  }),
  listed: [listedName("esp"), ...listedLater(listedOption("spis?:", "--espspi"))],
  examples: [
    { typed: "-p esp --espspi 3", saved: "-p esp -m esp --espspi 3" },
    { typed: "-p esp -m esp ! --espspi 3:9" },
    { typed: "-m esp --espspi 3", refused: true },
  ],
});
