import { maskAddress, prefixLength } from "../address.js";
import { defineTarget } from "../description.js";
import { unmaskedNetworkKind } from "../values.js";

const prefixKind = unmaskedNetworkKind;

/** ip6t_NPT. */
export const SNPT = defineTarget({
  name: "SNPT",

  summary: "replaces the prefix of the source address, without connection tracking; goes on",
  families: ["ipv6"],

  tables: ["mangle"],
  hooks: ["INPUT", "POSTROUTING"],

  options: {
    from: { name: "--src-pfx", value: prefixKind, required: true },
    to: { name: "--dst-pfx", value: prefixKind, required: true },
  },

  complete: (given) => {
    const prefixes = [given.from?.value, given.to?.value].flatMap((one) => one ?? []);
    const fit = prefixes.every(
      ({ address, mask }) => maskAddress(address, mask) === address && (prefixLength(mask) ?? 128) <= 64,
    );
    return fit ? given : { refused: "a prefix has at most 64 bits, and nothing behind them" };
  },
  meaning: () => ({ kind: "unmodelled", question: "SNPT replaces the prefix of the source", mayEnd: false }),
  examples: [
    { typed: "-j SNPT --src-pfx dead::/64 --dst-pfx 1c3::/64", table: "mangle", family: "ipv6" },
    { typed: "-j SNPT --src-pfx dead::/64", table: "mangle", family: "ipv6", refused: true },
    { typed: "-j SNPT --src-pfx dead::/64 --dst-pfx 1c3::/64", table: "nat", family: "ipv6", refused: true },
  ],
});
