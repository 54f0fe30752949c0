import { type Address, printAddress, readIPv6, readPaddedIPv4 } from "../address.js";
import { defineMatch, type ValueKind } from "../description.js";
import { listedOption } from "../listing.js";
import { allOf, type Condition, type NumberField, negatedIf, type Range } from "../meaning.js";
import { reading } from "../values.js";

const expects = "an address or a range of them, for example 10.0.0.1-10.0.0.9";

const addressRangeKind: ValueKind<Range> = {
  expects,
  grammar: (family) =>
    reading(expects, (text) => {
      const [from = "", to = from, ...more] = text.split("-");
      const ends = [from, to].map((end): Address | undefined =>
        family === "ipv4" ? readPaddedIPv4(end) : readIPv6(end),
      );
      const [low, high] = ends;
      return low === undefined || high === undefined || more.length > 0 ? undefined : { from: low, to: high };
    }),
  print: ({ from, to }) => `${printAddress(from)}-${printAddress(to)}`,
};

const within = (field: NumberField, range: Range): Condition => ({ kind: "within", field, ranges: [range] });

/** xt_iprange: the addresses lie in a range. One that goes down holds none. */
export const iprange = defineMatch({
  name: "iprange",
  summary: "the packet's addresses lie in a range",
  options: {
    source: { name: "--src-range", value: addressRangeKind, negatable: true },
    destination: { name: "--dst-range", value: addressRangeKind, negatable: true },
  },
  complete: (given) =>
    given.source || given.destination
      ? given
      : { refused: "one of --src-range and --dst-range must be given" },
  meaning: ({ source, destination }) => ({
    condition: allOf([
      ...(source ? [negatedIf(source.negated, within("source", source.value))] : []),
      ...(destination ? [negatedIf(destination.negated, within("destination", destination.value))] : []),
    ]),
  }),
  listed: [
    listedOption("source IP range ", "--src-range"),
    listedOption("destination IP range ", "--dst-range"),
  ],
  examples: [
    {
      typed: "-m iprange ! --src-range 1.1.1.1-1.1.1.10 --dst-range 5.5.5.5",
      saved: "-m iprange ! --src-range 1.1.1.1-1.1.1.10 --dst-range 5.5.5.5-5.5.5.5",
    },
    { typed: "-m iprange --src-range 1.1.1.9-1.1.1.1" },
    { typed: "-m iprange --src-range 1.2", saved: "-m iprange --src-range 1.2.0.0-1.2.0.0" },
    { typed: "-m iprange --src-range ::1-::5", family: "ipv6" },
    { typed: "-m iprange --src-range 1.1.1.1-", refused: true },
    { typed: "-m iprange", refused: true },
  ],
});
