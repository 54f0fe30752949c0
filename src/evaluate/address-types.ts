/** What xt_addrtype asks of IPv6 addresses: unlike IPv4, several types are several demands. Measured on Linux. */
import type { Network } from "../state/network.js";
import { addressType, isMulticast } from "./addresses.js";
import { certainRoute } from "./route.js";

/** Types that a route tells; of several, one is enough. */
const BY_ROUTE: readonly string[] = ["LOCAL", "ANYCAST", "UNREACHABLE"];

/** Whether an address fits the types; `open`: that hangs on the node's addresses, which are not known. */
export function fitsTypes(
  address: bigint,
  types: readonly string[],
  network: Network | undefined,
): boolean | "open" {
  if (types.includes("MULTICAST") && !isMulticast(address)) return false;
  if (types.includes("UNICAST") && !isUnicast(address)) return false;
  if (types.includes("UNSPEC") && address !== 0n) return false;
  const asked = types.filter((type) => BY_ROUTE.includes(type));
  if (asked.length === 0) return true;
  const type = addressType(address, network);
  if (type !== undefined && asked.includes(type)) return true;
  if (asked.includes("UNREACHABLE") && isUnreachable(address, network)) return true;
  return type === undefined && asked.includes("LOCAL") ? "open" : false;
}

/** Own addresses are unicast too; IPv4 addresses in IPv6 ones are not. */
function isUnicast(address: bigint): boolean {
  return !isMulticast(address) && address !== 0n && address >> 32n !== 0xffffn;
}

function isUnreachable(address: bigint, network: Network | undefined): boolean {
  const { kind } = certainRoute(address, network);
  return kind === "none" || kind === "refused";
}
