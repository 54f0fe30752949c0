import { defineMatch, flag } from "../description.js";
import { listedFlag, listedLater, listedName, listedOption } from "../listing.js";
import { ALWAYS, negatedIf } from "../meaning.js";
import { PROTOCOL } from "../protocols.js";
import { isWhole, numberRangeKind } from "../values.js";

const MAX = 0xffffffff;

/** xt_ipcomp: the compression parameter index. Without the option it asks for index 0. */
export const ipcomp = defineMatch({
  name: "ipcomp",
  summary: "the index of a compressed packet",
  impliedBy: [PROTOCOL.ipcomp],
  protocols: [PROTOCOL.ipcomp],
  options: {
    spi: {
      name: "--ipcompspi",
      value: numberRangeKind(MAX, "an index"),
      negatable: true,
      hidden: isWhole(MAX),
    },
    reserved: flag("--compres"),
  },
  complete: (given) => ({ spi: { value: { from: 0, to: 0 }, negated: false }, ...given }),
  meaning: ({ spi }) => ({
    condition: spi ? negatedIf(spi.negated, { kind: "within", field: "spi", ranges: [spi.value] }) : ALWAYS,
  }),
  listed: [
    listedName("comp"),
    ...listedLater(listedOption("spis?:", "--ipcompspi"), listedFlag("reserved", "--compres")),
  ],
  examples: [
    { typed: "-p ipcomp --ipcompspi 18", saved: "-p ipcomp -m ipcomp --ipcompspi 18" },
    { typed: "-p ipcomp -m ipcomp ! --ipcompspi 18:20 --compres" },
    { typed: "-p ipcomp -m ipcomp", saved: "-p ipcomp -m ipcomp --ipcompspi 0" },
    { typed: "-m ipcomp --ipcompspi 18", refused: true },
  ],
});
