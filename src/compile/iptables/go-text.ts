/** Text as Go's standard library makes it: the spelling of addresses, and the order of strings. */
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
