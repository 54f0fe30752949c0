/** Addresses as the kernel's own files under /proc have them (`%pI4`, `%pI6`). */
import { type Address, printAddress } from "../../grammar/address.js";

/** The text of an address: IPv6 with all its 32 digits, `fd00:0000:0000:0000:0000:0000:0000:0001`. */
export function printKernelAddress(address: Address): string {
  if (typeof address === "number") return printAddress(address);
  return (address.toString(16).padStart(32, "0").match(/.{4}/g) ?? []).join(":");
}
