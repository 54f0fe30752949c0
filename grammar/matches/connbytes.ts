import { defineMatch, type ValueKind } from "../description.js";
import { listedLater, listedOption } from "../listing.js";
import { allOf, type Condition, hidden, negatedIf, TRACKED } from "../meaning.js";
import { oneOfKind, reading, readLong } from "../values.js";

const MAX = 2n ** 64n - 1n;

interface LongRange {
  readonly from: bigint;
  readonly to: bigint;
}

const expects = "a count or a range of counts, for example 1000:2000";

const rangeKind: ValueKind<LongRange> = {
  expects,
  grammar: () =>
    reading(expects, (text) => {
      const [from = "", to] = text.split(":");
      if (text.split(":").length > 2) return undefined;
      const low = from === "" ? 0n : readLong(from, MAX);
      const high = to === undefined || to === "" ? MAX : readLong(to, MAX);
      return low === undefined || high === undefined || low > high ? undefined : { from: low, to: high };
    }),
  print: ({ from, to }) => (to === MAX || to === 0n ? `${from}` : `${from}:${to}`),
};

/** xt_connbytes: how much the connection has transferred. */
export const connbytes = defineMatch({
  name: "connbytes",
  summary: "how much the packet's connection has transferred",
  tracksConnections: true,
  options: {
    range: { name: "--connbytes", value: rangeKind, negatable: true, required: true },
    mode: {
      name: "--connbytes-mode",
      value: oneOfKind(["packets", "bytes", "avgpkt"]),
      required: true,
    },
    direction: {
      name: "--connbytes-dir",
      value: oneOfKind(["original", "reply", "both"]),
      required: true,
    },
  },
  complete(given) {
    const { range } = given;
    // The kernel keeps an inverted range with its ends swapped, which changes nothing when they are one.
    return range?.negated && range.value.from === range.value.to
      ? { ...given, range: { ...range, negated: false } }
      : given;
  },
  meaning({ range, mode, direction }) {
    const { from, to } = range?.value ?? { from: 0n, to: MAX };
    const unit = { packets: "packets", bytes: "bytes", avgpkt: "bytes a packet" }[mode?.value ?? "bytes"];
    const way = direction?.value === "both" ? "" : ` in ${direction?.value} direction`;
    const count = to === MAX ? `at least ${from} ${unit}` : `${from} to ${to} ${unit}`;
    const transferred: Condition = {
      ...hidden(
        `the connection has transferred ${count}${way}`,
        `the connection has not transferred ${count}${way}`,
      ),
      counts: {
        kind: "transferred",
        unit: mode?.value ?? "bytes",
        direction: direction?.value ?? "both",
        from,
        to,
      },
    };
    // Of a packet without a connection nothing holds, nor its opposite.
    return { condition: allOf([TRACKED, negatedIf(range?.negated ?? false, transferred)]) };
  },
  listed: [
    ...listedLater(
      listedOption("connbytes mode ", "--connbytes-mode"),
      listedOption("connbytes direction ", "--connbytes-dir"),
    ),
    listedOption("connbytes ", "--connbytes"),
  ],
  examples: [
    { typed: "-m connbytes ! --connbytes 0:1000 --connbytes-mode bytes --connbytes-dir both" },
    {
      typed: "-m connbytes --connbytes 5: --connbytes-mode avgpkt --connbytes-dir reply",
      saved: "-m connbytes --connbytes 5 --connbytes-mode avgpkt --connbytes-dir reply",
    },
    { typed: "-m connbytes --connbytes 9:5 --connbytes-mode packets --connbytes-dir reply", refused: true },
    { typed: "-m connbytes --connbytes 5:9", refused: true },
  ],
});
