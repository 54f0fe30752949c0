/** What `create` and `add` take besides an element: each option with its values, as it is read and as it is printed. */
import { type Address, type Family, prefixMask, printAddress, readAddress } from "../address.js";
import type { Refusal } from "../description.js";
import { readLong } from "../values.js";
import { readBitmapRange } from "./addresses.js";
import type { CreateOptions, ExtensionName, Extensions, SetType } from "./description.js";
import { readPortRange } from "./ports.js";

/** An option; without `read` it has no value. */
export interface SetOption<T> {
  read?(text: string, family: Family, type: SetType): T | Refusal;
  print?(value: T): string;
  /** The option of `create` that a set must have for it. */
  readonly needs?: keyof CreateOptions;
}

const flag = {};

/** The largest number of seconds that the kernel's clock can hold. */
const TIMEOUT_MAX = 2147483n;
const WORD_MAX = 0xffffffffn;

const timeout: SetOption<number> = number(TIMEOUT_MAX);

export const CREATE_OPTIONS: {
  readonly [K in keyof CreateOptions]-?: SetOption<NonNullable<CreateOptions[K]>>;
} = {
  family: {
    read: (text) =>
      /^(?:inet|ipv4)$/.test(text)
        ? "ipv4"
        : /^(?:inet|ipv)6$/.test(text)
          ? "ipv6"
          : { refused: "the family is inet or inet6" },
    print: (family) => (family === "ipv4" ? "inet" : "inet6"),
  },
  range: {
    read: (text, _family, type) => (type.families.length === 0 ? readPortRange(text) : readBitmapRange(text)),
    // Addresses of a bitmap are printed by its type's dimension (`printRange`).
    print: ({ from, to }) => `${from}-${to}`,
  },
  netmask: {
    read(text, family) {
      const bits = family === "ipv4" ? 32 : 128;
      const length = readLong(text, BigInt(bits));
      return length === undefined || length === 0n
        ? { refused: `a netmask is a prefix length from 1 to ${bits}` }
        : Number(length);
    },
    print: String,
  },
  bitmask: {
    read(text, family) {
      const mask = readAddress(text);
      const fits = mask !== undefined && typeof mask === typeof prefixMask(0, family) && Number(mask) !== 0;
      return fits ? mask : { refused: "a bitmask is an address of the set's family, and not 0" };
    },
    print: (mask: Address) => printAddress(mask),
  },
  markmask: { ...number(WORD_MAX), print: (mask) => `0x${mask.toString(16).padStart(8, "0")}` },
  hashsize: number(WORD_MAX, (size) => 2 ** Math.ceil(Math.log2(Math.max(size, 64)))),
  maxelem: number(WORD_MAX),
  size: number(WORD_MAX, (size) => Math.max(size, 4)),
  timeout,
  counters: flag,
  comment: flag,
  forceadd: flag,
  skbinfo: flag,
  bucketsize: number(255n, (size) => Math.min(Math.max(size - (size % 2), 2), 12)),
  initval: { ...number(WORD_MAX), print: (value) => `0x${value.toString(16).padStart(8, "0")}` },
};

/** Options of hash types that ipset 6 and later pass over, with a value each. */
export const IGNORED_OPTIONS: readonly string[] = ["probes", "resize", "gc"];

const COMMENT_BYTES_MAX = 255;

export const EXTENSIONS: { readonly [K in ExtensionName]-?: SetOption<NonNullable<Extensions[K]>> } = {
  timeout: { ...timeout, needs: "timeout" },
  nomatch: flag,
  wildcard: flag,
  packets: { ...counter(), needs: "counters" },
  bytes: { ...counter(), needs: "counters" },
  comment: {
    read(text) {
      if (text.includes('"')) return { refused: 'a comment holds no "' };
      return new TextEncoder().encode(text).length > COMMENT_BYTES_MAX
        ? { refused: `a comment has at most ${COMMENT_BYTES_MAX} bytes` }
        : text;
    },
    print: (text) => `"${text}"`,
    needs: "comment",
  },
  skbmark: {
    read(text) {
      const [, value, mask = "ffffffff"] = /^0x([0-9a-f]{1,8})(?:\/0x([0-9a-f]{1,8}))?$/i.exec(text) ?? [];
      return value === undefined
        ? { refused: "a skbmark is a hexadecimal mark, with a mask if you like, for example 0x1/0xff" }
        : { value: Number.parseInt(value, 16), mask: Number.parseInt(mask, 16) };
    },
    print: ({ value, mask }) => (mask === 0xffffffff ? hex(value) : `${hex(value)}/${hex(mask)}`),
    needs: "skbinfo",
  },
  skbprio: {
    read(text) {
      const [, major, minor] = /^([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(text) ?? [];
      return major === undefined || minor === undefined
        ? { refused: "a skbprio is two hexadecimal numbers, for example 1:10" }
        : Number.parseInt(major, 16) * 65536 + Number.parseInt(minor, 16);
    },
    print: (prio) => `${(prio >>> 16).toString(16)}:${(prio & 0xffff).toString(16)}`,
    needs: "skbinfo",
  },
  skbqueue: { ...number(65535n), needs: "skbinfo" },
};

/** The range of a bitmap as ipset prints it. */
export function printRange({ from, to }: NonNullable<CreateOptions["range"]>, { families }: SetType): string {
  return families.length === 0 ? `${from}-${to}` : `${printAddress(from)}-${printAddress(to)}`;
}

const ELEMENTS_MAX = 65536;
const MAXELEM = 65536;
const HASHSIZE = 1024;
const LIST_SIZE = 8;

/** Fills in what `ipset save` prints of options that were not given, and refuses what does not go together. */
export function completeOptions(given: CreateOptions, type: SetType): CreateOptions | Refusal {
  if (given.netmask !== undefined && given.bitmask !== undefined)
    return { refused: "netmask and bitmask cannot both be given" };
  if (type.method === "list") return { size: LIST_SIZE, ...given };
  if (type.method === "bitmap") return completeBitmap(given, type);
  return {
    ...(type.families.length === 0 ? {} : { family: "ipv4" as const }),
    ...(type.options.includes("markmask") ? { markmask: 0xffffffff } : {}),
    hashsize: HASHSIZE,
    maxelem: MAXELEM,
    ...given,
  };
}

function completeBitmap(given: CreateOptions, type: SetType): CreateOptions | Refusal {
  if (given.range === undefined) return { refused: `a ${type.name} needs the option range` };
  const step = 2 ** (32 - (given.netmask ?? 32));
  const [low, high] = [Number(given.range.from), Number(given.range.to)];
  const range = { from: low - (low % step), to: high - (high % step) + step - 1 };
  return (range.to - range.from + 1) / step > ELEMENTS_MAX
    ? { refused: `the range has more than ${ELEMENTS_MAX} elements` }
    : { ...given, range };
}

function number(max: bigint, round: (value: number) => number = (value) => value): SetOption<number> {
  return {
    read(text) {
      const value = readLong(text, max);
      return value === undefined ? { refused: `a number from 0 to ${max}` } : round(Number(value));
    },
    print: String,
  };
}

function counter(): SetOption<bigint> {
  const max = (1n << 64n) - 2n;
  return {
    read: (text) => readLong(text, max) ?? { refused: `a number from 0 to ${max}` },
    print: String,
  };
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
