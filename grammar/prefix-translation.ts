/** What DNPT and SNPT have in common (ip6t_NPT): prefixes of IPv6 addresses, translated without connection tracking. */
import { maskAddress, prefixLength } from "./address.js";
import type { Given } from "./description.js";
import { unmaskedNetworkKind } from "./values.js";

export const PREFIX_OPTIONS = {
  from: { name: "--src-pfx", value: unmaskedNetworkKind, required: true },
  to: { name: "--dst-pfx", value: unmaskedNetworkKind, required: true },
} as const;

/** The options as they are, or why ip6tables refuses them. */
export function completePrefixes(
  given: Given<typeof PREFIX_OPTIONS>,
): Given<typeof PREFIX_OPTIONS> | { readonly refused: string } {
  const prefixes = [given.from?.value, given.to?.value].flatMap((one) => one ?? []);
  const fit = prefixes.every(
    ({ address, mask }) => maskAddress(address, mask) === address && (prefixLength(mask) ?? 128) <= 64,
  );
  return fit ? given : { refused: "a prefix has at most 64 bits, and nothing behind them" };
}
