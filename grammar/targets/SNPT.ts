import { defineTarget } from "../description.js";
import { completePrefixes, PREFIX_OPTIONS } from "../prefix-translation.js";

/** ip6t_NPT. */
export const SNPT = defineTarget({
  name: "SNPT",

  summary: "replaces the prefix of the source address, without connection tracking; goes on",
  families: ["ipv6"],

  tables: ["mangle"],
  hooks: ["INPUT", "POSTROUTING"],

  options: PREFIX_OPTIONS,
  complete: completePrefixes,
  meaning: () => ({ kind: "unmodelled", question: "SNPT replaces the prefix of the source", mayEnd: false }),
  listed: [
    {
      form: /^SNPT src-pfx (\S+) dst-pfx (\S+)/,
      words: ([from = "", to = ""]) => ["--src-pfx", from, "--dst-pfx", to],
    },
  ],
  examples: [
    { typed: "-j SNPT --src-pfx dead::/64 --dst-pfx 1c3::/64", table: "mangle", family: "ipv6" },
    { typed: "-j SNPT --src-pfx dead::/64", table: "mangle", family: "ipv6", refused: true },
    { typed: "-j SNPT --src-pfx dead::/64 --dst-pfx 1c3::/64", table: "nat", family: "ipv6", refused: true },
  ],
});
