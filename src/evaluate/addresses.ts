/** Which addresses are the node's own, and what kind of address others are. Measured on Linux. */
import { type Address, ALL_ONES, type Family, familyOf, inNetwork } from "../../grammar/address.js";
import type { Interface, InterfaceAddress, Network } from "../state/network.js";
import { bestRoute, tablesOf } from "./tables.js";

/** The type that xt_addrtype sees. IPv6 has no broadcast, IPv4 no use for the last two. */
export type AddressType = "LOCAL" | "BROADCAST" | "MULTICAST" | "UNICAST" | "ANYCAST" | "UNSPEC";

/** The type of an address; undefined when only the node's addresses could tell and they are not known. */
export function addressType(address: Address | null, network: Network | undefined): AddressType | undefined {
  if (address === null) return undefined;
  if (isLoopback(address)) return "LOCAL";
  if (isMulticast(address)) return "MULTICAST";
  if (address === 0 || address === ALL_ONES.ipv4) return "BROADCAST";
  if (address === 0n) return "UNSPEC";
  const { local, localKnown } = tablesOf(network, familyOf(address));
  const type = bestRoute(local, { destination: address })?.type;
  if (type === "local") return "LOCAL";
  if (type === "broadcast") return "BROADCAST";
  if (type === "anycast") return "ANYCAST";
  return localKnown ? "UNICAST" : undefined;
}

/** The interfaces, where they tell all the node's addresses of a family. */
export function knownInterfaces(
  network: Network | undefined,
  family: Family,
): readonly Interface[] | undefined {
  return (network?.addressFamilies?.includes(family) ?? true) ? network?.interfaces : undefined;
}

export function interfaceNamed(
  name: string | null | undefined,
  network: Network | undefined,
): Interface | undefined {
  return network?.interfaces?.find((one) => one.name === name);
}

export function addressesOf(one: Interface | undefined, family: Family): readonly InterfaceAddress[] {
  return (one?.addresses ?? []).filter(({ address }) => familyOf(address) === family);
}

export function isLoopback(address: Address): boolean {
  return typeof address === "number" ? address >>> 24 === 127 : address === 1n;
}

export function isMulticast(address: Address): boolean {
  return typeof address === "number" ? address >>> 28 === 14 : address >> 120n === 0xffn;
}

/** fe80::/10. */
export function isLinkLocal(address: Address): boolean {
  return typeof address === "bigint" && address >> 118n === 0x3fan;
}

/** Whether an address belongs to the named interface (`--limit-iface-in`). */
export function isOnInterface(
  address: Address,
  name: string,
  network: Network | undefined,
): boolean | undefined {
  const interfaces = knownInterfaces(network, familyOf(address));
  if (interfaces === undefined) return undefined;
  const holds = (one: Interface | undefined) =>
    one?.addresses.some((own) => own.address === address) ?? false;
  // Addresses that are known without their interface stand on one without a name.
  const nameless = interfaces.find((one) => one.name === "");
  return holds(nameless) ? undefined : holds(interfaceNamed(name, network));
}

/** Whether the node has the address on some interface; one of a prefix that was made local does not count. */
export function isOwnAddress(address: Address, network: Network | undefined): boolean {
  return (
    network?.interfaces?.some(({ addresses }) => addresses.some((own) => own.address === address)) ?? false
  );
}

/** The interface that an address of the table `local` is of; undefined: none, or not known. */
export function localDevice(address: Address, network: Network | undefined): string | undefined {
  const { local } = tablesOf(network, familyOf(address));
  // Addresses that are known without their interface stand on one without a name.
  return bestRoute(local, { destination: address })?.dev || undefined;
}

/** The first address of an interface, for REDIRECT and TPROXY. */
export function primaryAddress(
  name: string,
  family: Family,
  network: Network | undefined,
): Address | undefined {
  const own = addressesOf(interfaceNamed(name, network), family);
  return (own.find(({ address }) => !isLinkLocal(address)) ?? own[0])?.address;
}

/** Whether two addresses lie in one subnet of the interface. */
export function areNeighbours(left: Address, right: Address, one: Interface | undefined): boolean {
  return (one?.addresses ?? []).some(
    ({ address, subnet }) =>
      familyOf(address) === familyOf(left) && inNetwork(left, subnet) && inNetwork(right, subnet),
  );
}
