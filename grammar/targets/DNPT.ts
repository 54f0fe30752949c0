import { defineTarget } from "../description.js";
import { completePrefixes, PREFIX_OPTIONS } from "../prefix-translation.js";

/** ip6t_NPT. */
export const DNPT = defineTarget({
  name: "DNPT",

  summary: "replaces the prefix of the destination address, without connection tracking; goes on",
  families: ["ipv6"],

  tables: ["mangle"],
  hooks: ["PREROUTING", "OUTPUT"],

  options: PREFIX_OPTIONS,
  complete: completePrefixes,
  meaning: () => ({
    kind: "unmodelled",
    question: "DNPT replaces the prefix of the destination",
    mayEnd: false,
  }),
  listed: [
    {
      form: /^DNPT src-pfx (\S+) dst-pfx (\S+)/,
      words: ([from = "", to = ""]) => ["--src-pfx", from, "--dst-pfx", to],
    },
  ],
  examples: [
    { typed: "-j DNPT --src-pfx dead::/64 --dst-pfx 1c3::/64", table: "mangle", family: "ipv6" },
    { typed: "-j DNPT --src-pfx dead::/64", table: "mangle", family: "ipv6", refused: true },
    { typed: "-j DNPT --src-pfx dead::/64 --dst-pfx 1c3::/64", table: "nat", family: "ipv6", refused: true },
  ],
});
