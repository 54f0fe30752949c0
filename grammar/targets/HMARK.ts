import { defineTarget, type Option, type ValueKind } from "../description.js";
import { listedLater, listedOption } from "../listing.js";
import { beginningsKind, hexKind, numberKind, prefixLengthKind } from "../values.js";

const MAX = 0xffffffff;
const TUPLE = ["SRC", "DST", "SPORT", "DPORT", "SPI", "PROTO", "CT"] as const;

const words = beginningsKind(TUPLE);
const tupleKind: ValueKind<readonly string[]> = {
  ...words,
  expects: words.expects.toLowerCase(),
  print: (list, family) => words.print(list as readonly (typeof TUPLE)[number][], family).toLowerCase(),
};
const number = (name: string, max: number, digits: number) =>
  ({ name, value: hexKind(max, digits) }) satisfies Option<number>;

/** xt_HMARK: the mark becomes a hash of parts of the packet. */
export const HMARK = defineTarget({
  name: "HMARK",
  summary: "the packet's mark becomes a hash of its addresses and ports; goes on",
  options: {
    sourcePrefix: { name: "--hmark-src-prefix", value: prefixLengthKind },
    destinationPrefix: { name: "--hmark-dst-prefix", value: prefixLengthKind },
    sourcePortMask: number("--hmark-sport-mask", 65535, 4),
    destinationPortMask: number("--hmark-dport-mask", 65535, 4),
    spiMask: number("--hmark-spi-mask", MAX, 8),
    sourcePort: number("--hmark-sport", 65535, 4),
    destinationPort: number("--hmark-dport", 65535, 4),
    spi: number("--hmark-spi", MAX, 8),
    protocolMask: number("--hmark-proto-mask", 65535, 2),
    seed: { name: "--hmark-rnd", value: hexKind(MAX, 8), required: true },
    modulus: { name: "--hmark-mod", value: numberKind(1, MAX), required: true },
    offset: { name: "--hmark-offset", value: numberKind(0, MAX) },
    tuple: { name: "--hmark-tuple", value: tupleKind, hidden: (words) => words.length === 0 },
  },
  complete(given, { family }) {
    // Words of the tuple stand for masks with all bits; only `ct` is shown as one.
    const words = given.tuple?.value ?? [];
    const all = (word: string, value: number) =>
      words.includes(word) ? { value, negated: false } : undefined;
    const filled = {
      sourcePrefix: all("SRC", family === "ipv4" ? 32 : 128),
      destinationPrefix: all("DST", family === "ipv4" ? 32 : 128),
      sourcePortMask: all("SPORT", 65535),
      destinationPortMask: all("DPORT", 65535),
      spiMask: all("SPI", MAX),
      protocolMask: all("PROTO", 65535),
    };
    const order = Object.keys(given);
    const again = order
      .slice(order.indexOf("tuple") + 1)
      .find((key) => given.tuple && filled[key as keyof typeof filled] !== undefined);
    if (again !== undefined) return { refused: "an option says again what --hmark-tuple has said" };
    if (!order.some((key) => !["seed", "modulus", "offset"].includes(key)))
      return { refused: "--hmark-tuple, or what takes its place, must be given" };
    const masks = Object.fromEntries(Object.entries(filled).filter(([, one]) => one !== undefined));
    const tuple = { value: words.filter((word) => word === "CT"), negated: false };
    return { ...given, ...masks, ...(given.tuple ? { tuple } : {}) };
  },
  meaning: () => ({ kind: "obscure", by: "HMARK" }),
  listed: [
    listedOption("HMARK mod ", "--hmark-mod"),
    ...listedLater(
      listedOption("\\+ ", "--hmark-offset"),
      { form: /^ct,(?= |$)/, words: () => ["--hmark-tuple", "ct"] },
      ...[
        "src-prefix",
        "dst-prefix",
        "sport-mask",
        "dport-mask",
        "sport",
        "dport",
        "spi-mask",
        "spi",
        "proto-mask",
        "rnd",
      ].map((name) => listedOption(`${name} `, `--hmark-${name}`)),
    ),
  ],
  examples: [
    { typed: "-j HMARK --hmark-src-prefix 24 --hmark-rnd 0x00000005 --hmark-mod 42 --hmark-offset 1" },
    {
      typed: "-j HMARK --hmark-tuple src,ct,sport --hmark-mod 16 --hmark-rnd 1",
      saved:
        "-j HMARK --hmark-src-prefix 32 --hmark-sport-mask 0xffff --hmark-rnd 0x00000001 --hmark-mod 16 --hmark-tuple ct",
    },
    { typed: "-j HMARK --hmark-tuple src --hmark-src-prefix 8 --hmark-mod 16 --hmark-rnd 1", refused: true },
    { typed: "-j HMARK --hmark-tuple src,dst --hmark-mod 16", refused: true },
    { typed: "-j HMARK", refused: true },
  ],
});
