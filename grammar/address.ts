/**
 * IP addresses as numbers, so that rules can compare, mask and sort them.
 *
 * An IPv4 address is a `number` below 2^32, an IPv6 address a `bigint` below 2^128. Both compare with `<` and `===`
 * among themselves; code that needs arithmetic asks `family` first.
 */

/** The IP version of a ruleset, an address or a packet. */
export type Family = "ipv4" | "ipv6";

/** An address: `number` for IPv4, `bigint` for IPv6. */
export type Address = number | bigint;

/** An address with a netmask. `mask` may have holes (iptables allows `255.0.255.0`); `address & mask === address`. */
export interface Network {
  readonly address: Address;
  readonly mask: Address;
}

export const ALL_ONES: Readonly<Record<Family, Address>> = { ipv4: 0xffffffff, ipv6: (1n << 128n) - 1n };

/** How many bits an address of the family has. */
export function addressBits(family: Family): number {
  return family === "ipv4" ? 32 : 128;
}

/** The family an address value belongs to. */
export function familyOf(address: Address): Family {
  return typeof address === "number" ? "ipv4" : "ipv6";
}

/** `address & mask`; both must be of one family. */
export function maskAddress(address: Address, mask: Address): Address {
  return typeof address === "number" ? (address & Number(mask)) >>> 0 : address & BigInt(mask);
}

/** The bits that `mask` leaves free: the last address of a network is `address | hostBits(mask)`. */
export function hostBits(mask: Address): Address {
  return typeof mask === "number" ? ~mask >>> 0 : ~mask & (ALL_ONES.ipv6 as bigint);
}

/** The mask of a prefix length: 24 → 255.255.255.0. */
export function prefixMask(length: number, family: Family): Address {
  if (family === "ipv4") return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
  const all = ALL_ONES.ipv6 as bigint;
  return (all << BigInt(128 - length)) & all;
}

/** The prefix length of a mask, or undefined when it has holes. */
export function prefixLength(mask: Address): number | undefined {
  const family = familyOf(mask);
  const bits = addressBits(family);
  const ones =
    family === "ipv4" ? 32 - Math.clz32(hostBits(mask) as number) : hostBits(mask).toString(2).length;
  const length = mask === ALL_ONES[family] ? bits : bits - ones;
  return prefixMask(length, family) === mask ? length : undefined;
}

/** Whether `address` lies in `network` (same family assumed). */
export function inNetwork(address: Address, network: Network): boolean {
  return typeof address === typeof network.mask && maskAddress(address, network.mask) === network.address;
}

/** Reads the strict dotted form `10.0.0.1` (no octal, no short forms); undefined if it is anything else. */
export function readIPv4(text: string): number | undefined {
  let value = 0;
  let part = -1;
  let parts = 0;
  for (let index = 0; index <= text.length; index++) {
    const code = index < text.length ? text.charCodeAt(index) : 46;
    if (code >= 48 && code <= 57) {
      // A leading zero would be octal to some programs and decimal to others: neither is guessed.
      if (part === 0) return undefined;
      part = (part < 0 ? 0 : part * 10) + code - 48;
      if (part > 255) return undefined;
    } else if (code === 46 && part >= 0 && parts < 4) {
      value = value * 256 + part;
      part = -1;
      parts++;
    } else return undefined;
  }
  return parts === 4 ? value : undefined;
}

/** A part of an address as strtoul reads it: decimal, `0x` hexadecimal or octal with a leading 0. */
function readPart(text: string): number {
  if (/^0[xX][0-9a-fA-F]{1,16}$/.test(text)) return Number(text);
  if (/^0[0-7]{0,22}$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9][0-9]{0,20}$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * Reads a dotted IPv4 address as iptables does for `-s` and `-d`: parts may be octal or hexadecimal, and missing ones are
 * zeros (`10.1` is 10.1.0.0).
 */
export function readPaddedIPv4(text: string): number | undefined {
  const parts = text.split(".").map((part) => readPart(part.replace(/^[ \t]*\+?/, "")));
  if (parts.length > 4 || !parts.every((part) => part <= 255)) return undefined;
  return [...parts, 0, 0, 0].slice(0, 4).reduce((all, part) => all * 256 + part, 0);
}

/** Reads an IPv4 address as inet_aton(3) does: the last part fills what is left (`10.1` is 10.0.0.1). */
export function readLooseIPv4(text: string): number | undefined {
  const parts = text.split(".").map(readPart);
  const last = parts.pop() ?? Number.NaN;
  if (parts.length > 3 || !parts.every((part) => part <= 255)) return undefined;
  const room = 256 ** (4 - parts.length);
  return last < room ? parts.reduce((all, part) => all * 256 + part, 0) * room + last : undefined;
}

/** Reads an IPv6 address in any of the forms of RFC 4291 (no zone); undefined if it is anything else. */
export function readIPv6(text: string): bigint | undefined {
  if (text.length < 2 || text.length > 45) return undefined;
  let head = text;
  let tail: bigint | undefined;
  const lastColon = text.lastIndexOf(":");
  if (text.includes(".")) {
    const quad = readIPv4(text.slice(lastColon + 1));
    if (quad === undefined || lastColon < 0) return undefined;
    tail = BigInt(quad);
    head = `${text.slice(0, lastColon + 1)}0:0`;
  }
  const halves = head.split("::");
  if (halves.length > 2) return undefined;
  const groups = (half: string): number[] | undefined => {
    if (half === "") return [];
    const values: number[] = [];
    for (const group of half.split(":")) {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      values.push(Number.parseInt(group, 16));
    }
    return values;
  };
  const left = groups(halves[0] as string);
  const right = halves.length === 2 ? groups(halves[1] as string) : [];
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let value = 0n;
  for (const group of [...left, ...new Array<number>(missing).fill(0), ...right])
    value = (value << 16n) | BigInt(group);
  return tail === undefined ? value : value | tail;
}

/** Reads an address of either family; undefined if the text is none. */
export function readAddress(text: string): Address | undefined {
  return text.includes(":") ? readIPv6(text) : readIPv4(text);
}

/** Reads `address` or `address/length`; host bits are cleared, as kube-proxy and iptables do. */
export function readNetwork(text: string): Network | undefined {
  const slash = text.indexOf("/");
  const address = readAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const family = familyOf(address);
  const length = slash < 0 ? String(addressBits(family)) : text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(length) || Number(length) > addressBits(family)) return undefined;
  const mask = prefixMask(Number(length), family);
  return { address: maskAddress(address, mask), mask };
}

/** The text of an address as inet_ntop(3) prints it: IPv6 in lower case with the longest run of zeros as `::`. */
export function printAddress(address: Address): string {
  if (typeof address === "number") {
    return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
  }
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((address >> shift) & 0xffffn));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  // glibc prints the last 32 bits dotted for ::a.b.c.d and ::ffff:a.b.c.d.
  const dotted = best.start === 0 && (best.length === 6 || (best.length === 5 && groups[5] === 0xffff));
  const hex = groups.map((group) => group.toString(16));
  const text = dotted ? [...hex.slice(0, 6), printAddress(Number(address & 0xffffffffn))] : hex;
  if (best.start < 0) return text.join(":");
  return `${text.slice(0, best.start).join(":")}::${text.slice(best.start + best.length).join(":")}`;
}

/** `10.244.1.10:8080`, `[fd00::1]:8080`: an address as text, and its port. */
export function withPort(address: string, port: number | string): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `address/length`, or `address/mask` when the mask has holes. */
export function printNetwork(network: Network): string {
  const length = prefixLength(network.mask);
  return `${printAddress(network.address)}/${length ?? printAddress(network.mask)}`;
}
