import { defineTarget } from "../description.js";
import { listedOption } from "../listing.js";
import { cutToBytes, lineKind, numberKind, quote } from "../values.js";

const isZero = (value: number) => value === 0;

/** xt_NFLOG. */
export const NFLOG = defineTarget({
  name: "NFLOG",

  summary: "hands a copy of the packet to a process of the node and goes on",

  options: {
    prefix: { name: "--nflog-prefix", value: lineKind("a text of one line", 127) },
    group: { name: "--nflog-group", value: numberKind(0, 65535), hidden: isZero },
    size: { name: "--nflog-size", value: numberKind(0, 0xffffffff) },
    // nft hands it to an expression of its own, which does not know it.
    range: {
      name: "--nflog-range",
      value: numberKind(0, 0xffffffff),
      hidden: (value, _negated, _given, flavour) => value === 0 || flavour === "nft",
    },
    threshold: { name: "--nflog-threshold", value: numberKind(0, 65535), hidden: isZero },
  },

  complete(given, { flavour }) {
    const { prefix, size, range } = given;
    if (size && range) return { refused: "--nflog-size and --nflog-range exclude each other" };
    // xt_NFLOG has room for 64 bytes, nft for twice as many.
    return prefix && flavour === "legacy"
      ? { ...given, prefix: { ...prefix, value: cutToBytes(prefix.value, 63) } }
      : given;
  },
  meaning: () => ({ kind: "note", what: "NFLOG" }),
  listed: [
    {
      form: /^nflog-prefix +(?:"([^"]*)"|(\S+))/,
      words: ([quoted, bare = ""]) => ["--nflog-prefix", quote(quoted ?? bare)],
    },
    ...["nflog-group", "nflog-range", "nflog-size", "nflog-threshold"].map((name) =>
      listedOption(`${name} `, `--${name}`),
    ),
  ],
  examples: [
    { typed: "-j NFLOG" },
    {
      typed: '-j NFLOG --nflog-size 5 --nflog-prefix "a b" --nflog-group 3',
      saved: '-j NFLOG --nflog-prefix "a b" --nflog-group 3 --nflog-size 5',
    },
    { typed: "-j NFLOG --nflog-group 65535 --nflog-range 5 --nflog-threshold 7" },
    { typed: "-j NFLOG --nflog-threshold 0 --nflog-group 0", saved: "-j NFLOG" },
    { typed: "-j NFLOG --nflog-size 0" },
    { typed: "-j NFLOG --nflog-group 65536", refused: true },
    { typed: "-j NFLOG --nflog-range 5 --nflog-size 6", refused: true },
    { typed: '-j NFLOG --nflog-prefix ""', refused: true },
  ],
});
