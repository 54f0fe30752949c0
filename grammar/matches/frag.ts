import { defineMatch, flag } from "../description.js";
import { listedFlag, listedLater, listedName, listedOption } from "../listing.js";
import { isWhole, numberKind, numberRangeKind } from "../values.js";

const MAX = 0xffffffff;

/** ip6t_frag: the fragment header. */
export const frag = defineMatch({
  name: "frag",
  summary: "the IPv6 fragment header",
  families: ["ipv6"],
  options: {
    id: { name: "--fragid", value: numberRangeKind(MAX), negatable: true, hidden: isWhole(MAX) },
    length: { name: "--fraglen", value: numberKind(0, MAX), negatable: true },
    reserved: flag("--fragres"),
    first: flag("--fragfirst"),
    more: flag("--fragmore"),
    last: flag("--fraglast"),
  },
  complete: (given) =>
    given.more && given.last ? { refused: "--fragmore and --fraglast exclude each other" } : given,
  // Without such a header nothing holds, nor its opposite.
  meaning: () => ({ condition: { kind: "oneOf", field: "extraHeader", words: ["frag"] } }),
  listed: [
    listedName("frag"),
    ...listedLater(
      listedOption("ids?:", "--fragid"),
      listedOption("length:", "--fraglen"),
      listedFlag("reserved", "--fragres"),
      listedFlag("first", "--fragfirst"),
      listedFlag("more", "--fragmore"),
      listedFlag("last", "--fraglast"),
    ),
  ],
  examples: [
    { typed: "-m frag --fragid 1:42 --fraglen 42 --fragres --fragfirst --fragmore", family: "ipv6" },
    { typed: "-m frag ! --fragid 5 --fraglast", family: "ipv6" },
    { typed: "-m frag --fragmore --fraglast", family: "ipv6", refused: true },
  ],
});
