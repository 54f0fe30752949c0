import { defineTarget } from "../description.js";
import { lineKind, numberKind } from "../values.js";

const isZero = (value: number) => value === 0;

/** xt_NFLOG. */
export const NFLOG = defineTarget({
  name: "NFLOG",

  summary: "hands a copy of the packet to a process of the node and goes on",

  options: {
    prefix: { name: "--nflog-prefix", value: lineKind("a text of at most 63 bytes in one line", 63) },
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

  complete: (given) =>
    given.size && given.range ? { refused: "--nflog-size and --nflog-range exclude each other" } : given,
  meaning: () => ({ kind: "note", what: "NFLOG" }),
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
