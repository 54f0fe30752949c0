/** Text as Go's standard library makes it: the spelling of addresses and of fractions, and the order of strings. */
import { type Address, type Network, prefixLength, printAddress } from "../../../grammar/address.js";

/** `net.IP.String()`: like inet_ntop(3), but the last 32 bits of an IPv6 address never are dotted. */
export function goAddress(address: Address): string {
  const text = printAddress(address);
  if (typeof address === "number" || !text.includes(".")) return text;
  const group = (shift: bigint) => ((address >> shift) & 0xffffn).toString(16);
  return `${text.slice(0, text.lastIndexOf(":"))}:${group(16n)}:${group(0n)}`;
}

/** `net.IPNet.String()` */
export function goNetwork({ address, mask }: Network): string {
  return `${goAddress(address)}/${prefixLength(mask)}`;
}

/** The order of Go's `<` on strings: by bytes. For names and addresses, UTF-16 units give the same. */
export function byBytes(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** More decimals than any double above 2⁻⁴⁷ has, so that none is rounded away. */
const ALL_DECIMALS = 100;

/**
 * `fmt.Sprintf("%.Nf")` of a fraction: like `toFixed`, but what lies halfway goes to the even digit, not up. Among the
 * shares 1/n with ten decimals, that is 1/2048 alone.
 */
export function goFixed(fraction: number, decimals: number): string {
  const exact = fraction.toFixed(ALL_DECIMALS);
  const end = exact.length - ALL_DECIMALS + decimals;
  const isHalfway = /^50*$/.test(exact.slice(end));
  const below = exact.slice(0, end);
  return isHalfway && /[02468]$/.test(below) ? below : fraction.toFixed(decimals);
}
