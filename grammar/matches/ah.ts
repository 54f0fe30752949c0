import { defineMatch, flag } from "../description.js";
import { listedFlag, listedLater, listedName, listedOption } from "../listing.js";
import { ALWAYS, allOf, hidden, negatedIf, within } from "../meaning.js";
import { PROTOCOL } from "../protocols.js";
import { isWhole, numberKind, numberRangeKind } from "../values.js";

const MAX = 0xffffffff;
const SPI = {
  name: "--ahspi",
  value: numberRangeKind(MAX, "an index"),
  negatable: true,
  hidden: isWhole(MAX),
} as const;

/** ipt_ah: the security parameters index of an authentication header. */
const LISTED_SPI = listedOption("spis?:", "--ahspi", "[\\d:]+");

export const ah = defineMatch({
  name: "ah",
  summary: "the index in an authentication header",
  families: ["ipv4"],
  impliedBy: [PROTOCOL.ah],
  protocols: [PROTOCOL.ah],
  options: { spi: SPI },
  meaning: ({ spi }) => ({
    condition: spi ? negatedIf(spi.negated, { kind: "within", field: "spi", ranges: [spi.value] }) : ALWAYS,
  }),
  listed: [listedName("ah"), ...listedLater(LISTED_SPI)],
  examples: [
    { typed: "-p ah --ahspi 0x10:", saved: "-p ah -m ah --ahspi 16:4294967295" },
    { typed: "-p ah -m ah ! --ahspi 7" },
    { typed: "-p ah -m ah --ahspi 0:4294967295", saved: "-p ah -m ah" },
    { typed: "-m ah --ahspi 1", refused: true },
  ],
});

/** ip6t_ah: the same for IPv6, where the header is one of several. */
export const ahIPv6 = defineMatch({
  name: "ah",
  summary: "the index, length and reserved field of an authentication header",
  families: ["ipv6"],
  impliedBy: [PROTOCOL.ah],
  options: {
    spi: SPI,
    length: {
      name: "--ahlen",
      value: numberKind(0, MAX),
      negatable: true,
      hidden: (length: number, negated: boolean) => length === 0 && !negated,
    },
    reserved: flag("--ahres"),
  },
  meaning: ({ spi, length, reserved }) => ({
    condition: allOf([
      within("protocol", PROTOCOL.ah),
      ...(spi
        ? [negatedIf(spi.negated, { kind: "within" as const, field: "spi" as const, ranges: [spi.value] })]
        : []),
      ...(length
        ? [
            negatedIf(
              length.negated,
              hidden(
                `the authentication header has ${length.value} bytes`,
                `the authentication header does not have ${length.value} bytes`,
              ),
            ),
          ]
        : []),
      ...(reserved
        ? [
            hidden(
              "the reserved field of the authentication header is zero",
              "the reserved field of the authentication header is not zero",
            ),
          ]
        : []),
    ]),
  }),
  listed: [
    listedName("ah"),
    ...listedLater(LISTED_SPI, listedOption("length:", "--ahlen"), listedFlag("reserved", "--ahres")),
  ],
  examples: [
    { typed: "-p ah -m ah ! --ahspi 1 --ahlen 5 --ahres", family: "ipv6" },
    { typed: "-m ah --ahspi 1:2", family: "ipv6" },
  ],
});
