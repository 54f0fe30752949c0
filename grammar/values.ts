/**
 * Kinds of option value that several extensions share. Each is defined by a parsimmon grammar over one option's text;
 * kinds whose texts vary a lot in real dumps have a quick reader beside it.
 */
import P from "parsimmon";
import {
  type Address,
  ALL_ONES,
  type Family,
  hostBits,
  maskAddress,
  type Network,
  prefixLength,
  prefixMask,
  printAddress,
  printNetwork,
  readIPv4,
  readIPv6,
  readLooseIPv4,
  readPaddedIPv4,
} from "./address.js";
import type { ValueKind } from "./description.js";
import type { Range } from "./meaning.js";
import { PROTOCOL_NAMES, protocolName, protocolNumber, protocolNumberSpelt } from "./protocols.js";
import { scanLong, scanReal } from "./scan.js";
import { servicePort } from "./services.js";

/** A grammar that accepts the texts for which `read` gives a value. */
export function reading<T>(expects: string, read: (text: string) => T | undefined): P.Parser<T> {
  return P.all.chain((text) => {
    const value = read(text);
    return value === undefined ? P.fail(expects) : P.of(value);
  });
}

/**
 * A whole number between `min` and `max`: decimal, `0x` hexadecimal or, with a leading 0, octal, as strtoul reads, which
 * skips blanks and one `+` before it.
 */
export function wholeNumber(
  min: number,
  max: number,
  expects = `a number from ${min} to ${max}`,
): P.Parser<number> {
  return P((input, at) => {
    NUMBER_START.lastIndex = at;
    const [whole = "", text = ""] = NUMBER_START.exec(input) ?? [];
    const octal = /^0[0-7]+$/.test(text);
    const value = octal ? Number.parseInt(text, 8) : /^0[0-9]/.test(text) ? Number.NaN : Number(text);
    const fits = text !== "" && value >= min && value <= max;
    // A failure points at where the number begins, not at its end.
    return fits ? P.makeSuccess(at + whole.length, value) : P.makeFailure(at, expects);
  });
}

const NUMBER_START = /[ \t\n\v\f\r]*\+?(0[xX][0-9a-fA-F]+|[0-9]+)/y;

/** A number option, printed in decimal. */
export function numberKind(min: number, max: number): ValueKind<number> {
  const expects = `a number from ${min} to ${max}`;
  const grammar = wholeNumber(min, max);
  return { expects, grammar: () => grammar, print: String };
}

/** A number of up to 64 bits, printed in decimal. */
export function longKind(max: bigint): ValueKind<bigint> {
  const expects = `a number from 0 to ${max}`;
  const grammar = reading(expects, (text) => readLong(text, max));
  return { expects, grammar: () => grammar, print: String };
}

/** Decimal, `0x` hexadecimal or octal with a leading 0, as strtoull reads, which skips blanks and one `+`. */
export function readLong(written: string, max: bigint): bigint | undefined {
  const text = written.replace(/^[ \t\n\v\f\r]*\+?/, "");
  if (!/^(?:0[xX]0*[0-9a-fA-F]{1,16}|0+[0-7]{0,22}|[0-9]{1,20})$/.test(text) || /^0[0-9]*[89]/.test(text))
    return undefined;
  const value = BigInt(/^0[0-7]/.test(text) ? `0o${text.slice(1)}` : text);
  return value <= max ? value : undefined;
}

/** A number option, printed as `0x` and at least `digits` digits. */
export function hexKind(max: number, digits = 1): ValueKind<number> {
  return { ...numberKind(0, max), print: (value) => hex(value, digits) };
}

/** `number` or `from:to`; an end that is left out is the least or the greatest. `rising`: it may not go down. */
export function numberRangeKind(max: number, unit = "a number", rising = false): ValueKind<Range> {
  const number = wholeNumber(0, max, `${unit} from 0 to ${max}`);
  const grammar: P.Parser<Range> = P.alt(
    P.seqMap(number.fallback(0), P.string(":").then(number.fallback(max)), (from, to) => ({ from, to })),
    number.map((value) => ({ from: value, to: value })),
    P.eof.map(() => ({ from: 0, to: 0 })),
  ).chain((range) => (rising && range.from > range.to ? P.fail("a range that goes up") : P.of(range)));
  return {
    expects: `${unit} or a range up to ${max}, for example 1:10`,
    grammar: () => grammar,
    print: (range) => (range.from === range.to ? `${range.from}` : `${range.from}:${range.to}`),
  };
}

/** A range that holds everything: iptables-save leaves the option out, even with `!` before it. */
export function isWhole(max: number): (range: Range) => boolean {
  return (range) => range.from === 0 && range.to === max;
}

/** A comma list of at most `most` parts, each of which `one` reads. */
export function listKind<T>(
  expects: string,
  most: number,
  one: (text: string) => T | undefined,
  print: (value: T) => string,
): ValueKind<readonly T[]> {
  const grammar = reading<readonly T[]>(expects, (text) => {
    const parts = text.split(",", most + 1);
    const values = parts.map(one);
    return parts.length <= most && values.every((value) => value !== undefined)
      ? (values as readonly T[])
      : undefined;
  });
  return { expects, grammar: () => grammar, print: (values) => values.map(print).join(",") };
}

/** Text that iptables-save quotes where its characters ask for it. More than `bytesMax` bytes are cut off, as iptables does. */
export function textKind(expects: string, bytesMax: number): ValueKind<string> {
  const cut = (text: string) => (text.length * 3 <= bytesMax ? text : cutToBytes(text, bytesMax));
  return { expects, grammar: () => P.all.map(cut), quick: cut, print: quote };
}

/** As `textKind`, of one line that is not empty. */
export function lineKind(expects: string, bytesMax: number): ValueKind<string> {
  const kind = textKind(expects, bytesMax);
  const grammar = reading(expects, (text) =>
    /^[^\n]+$/.test(text) ? kind.quick?.(text, "ipv4") : undefined,
  );
  return { expects, grammar: () => grammar, print: quote };
}

/** Text of at most `bytesMax` bytes, quoted where its characters ask for it; longer text is refused. */
export function shortTextKind(expects: string, bytesMax: number, always = false): ValueKind<string> {
  const grammar = reading(expects, (text) =>
    new TextEncoder().encode(text).length <= bytesMax ? text : undefined,
  );
  return { expects, grammar: () => grammar, print: always ? quoteAlways : quote };
}

function quoteAlways(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** A word printed as it is (list and set names). */
export function wordKind(expects: string, bytesMax: number): ValueKind<string> {
  const fits = (text: string) => text !== "" && text.length <= bytesMax && !/[\s"]/.test(text);
  return {
    expects,
    grammar: () => reading(expects, (text) => (fits(text) ? text : undefined)),
    quick: (text) => (fits(text) ? text : undefined),
    print: (text) => text,
  };
}

/** A name printed as it is, blanks and all; more bytes are cut off, as iptables does. */
export function cutNameKind(expects: string, bytesMax: number): ValueKind<string> {
  const read = (text: string) => cutToBytes(text, bytesMax);
  return { expects, grammar: () => reading(expects, read), quick: read, print: (text) => text };
}

/** Beginnings of words in any case, as a comma list; kept in the order of `words`. The first word that fits counts. */
export function beginningsKind<const W extends string>(words: readonly W[]): ValueKind<readonly W[]> {
  const expects = `a comma list of ${words.join(", ")}`;
  const grammar = reading<readonly W[]>(expects, (text) => {
    const wanted = text
      .toUpperCase()
      .split(",")
      .map((part) => (part === "" ? undefined : words.find((word) => word.startsWith(part))));
    return wanted.includes(undefined) ? undefined : words.filter((word) => wanted.includes(word));
  });
  return { expects, grammar: () => grammar, print: (list) => list.join(",") };
}

/**
 * One word of a closed list. `aliases` maps other spellings to words; case does not matter when `anyCase`.
 */
export function oneOfKind<const W extends string>(
  words: readonly W[],
  options: { aliases?: Readonly<Record<string, NoInfer<W>>>; anyCase?: boolean } = {},
): ValueKind<W> {
  const expects = words.length > 6 ? `one of ${words.join(", ")}` : words.join(" or ");
  const fold = (text: string) => (options.anyCase ? text.toLowerCase() : text);
  const table = new Map<string, W>(words.map((word) => [fold(word), word]));
  for (const [alias, word] of Object.entries(options.aliases ?? {})) table.set(fold(alias), word as W);
  const grammar = reading(expects, (text) => table.get(fold(text)));
  return { expects, grammar: () => grammar, print: (word) => word };
}

/** A comma list of words in any case and order, kept and printed in the order of `words`. */
export function wordListKind<const W extends string>(
  words: readonly W[],
  aliases: Readonly<Record<string, readonly NoInfer<W>[]>> = {},
): ValueKind<readonly W[]> {
  const expects = `a comma list of ${words.join(", ")}`;
  const grammar = reading<readonly W[]>(expects, (text) => {
    const named = new Set<string>();
    for (const part of text.toUpperCase().split(",")) {
      for (const word of aliases[part] ?? [part]) named.add(word);
    }
    const known = words.filter((word) => named.has(word));
    return known.length === named.size ? known : undefined;
  });
  return { expects, grammar: () => grammar, print: (list) => list.join(",") };
}

/** `address`, `address/length` or `address/mask`; host bits are cleared, as iptables does. Printed with its length. */
export const networkKind: ValueKind<Network> = {
  expects: "an address, with a prefix length or mask if you like, for example 10.0.0.0/8",
  grammar: (family) => networkGrammars[family],
  quick(text, family) {
    if (family !== "ipv4") return undefined;
    const slash = text.indexOf("/");
    const address = readIPv4(slash < 0 ? text : text.slice(0, slash));
    if (address === undefined) return undefined;
    if (slash < 0) return { address, mask: 0xffffffff };
    const length = readDecimal(text, slash + 1, 32);
    if (length === undefined) return undefined;
    const mask = prefixMask(length, family) as number;
    return { address: (address & mask) >>> 0, mask };
  },
  print: printNetwork,
};

/** As `networkKind`, with the host bits kept. */
export const unmaskedNetworkKind: ValueKind<Network> = {
  expects: networkKind.expects,
  grammar: (family) => unmaskedGrammars[family],
  print: printNetwork,
};

/** As `unmaskedNetworkKind`, printed without the length when it is an address alone (conntrack's `--ctorigdst`). */
export const bareNetworkKind: ValueKind<Network> = {
  expects: networkKind.expects,
  grammar: (family) => unmaskedGrammars[family],
  print: (network) =>
    printNetwork(network).replace(/\/(32|128)$/, (suffix, length) =>
      (typeof network.address === "number") === (length === "32") ? "" : suffix,
    ),
};

/** One address. */
export const addressKind: ValueKind<Address> = {
  expects: "an address",
  grammar: (family) => addressGrammars[family],
  print: printAddress,
};

/** An interface name; `+` at its end makes it a prefix. Kernel names have at most 15 bytes. */
export const interfaceKind: ValueKind<string> = {
  expects: "an interface name of at most 15 characters, + at its end for a prefix",
  grammar: () => reading(interfaceKind.expects, readInterface),
  quick: readInterface,
  print: (name) => name,
};

/** A protocol by name (any case) or number; `all` is 0. */
export const protocolKind: ValueKind<number> = {
  expects: "a protocol: tcp, udp, sctp, icmp, another name of /etc/protocols, or a number",
  grammar: () => protocolGrammar,
  quick: (text) => (text === "tcp" ? 6 : text === "udp" ? 17 : undefined),
  print: protocolName,
};

/** As `protocolKind`, where iptables does not turn a name into small letters before it looks for it. */
export const speltProtocolKind: ValueKind<number> = {
  expects: protocolKind.expects,
  grammar: () => speltProtocolGrammar,
  print: protocolName,
};

const portRange: Omit<ValueKind<Range>, "grammar"> = {
  expects: "a port or a range, for example 80 or 1024:65535",
  quick(text) {
    const port = readDecimal(text, 0, 65535);
    return port === undefined ? undefined : { from: port, to: port };
  },
  print: (range) => (range.from === range.to ? `${range.from}` : `${range.from}:${range.to}`),
};

/** A port or an inclusive range `from:to` of a protocol; either end may be left out. */
export function portRangeKind(protocol: number): ValueKind<Range> {
  const grammar = portRangeGrammar(protocol);
  return { ...portRange, grammar: () => grammar };
}

/** The same where iptables asks getaddrinfo for each end; the range may go down. */
export const resolvedPortRangeKind: ValueKind<Range> = {
  ...portRange,
  grammar: () => reading(portRange.expects, readResolvedRange),
};

/** One port, for which iptables asks getaddrinfo. */
export const resolvedPortKind: ValueKind<number> = {
  expects: "a port from 0 to 65535, or the name of a service",
  grammar: () => reading(resolvedPortKind.expects, resolvedPort),
  print: String,
};

/** The length of a prefix of the rule's family, or the mask itself. */
export const prefixLengthKind: ValueKind<number> = {
  expects: "a prefix length, for example 24",
  grammar: (family) =>
    reading(prefixLengthKind.expects, (text) => {
      const mask = readHostMask(text, family);
      return mask === undefined ? undefined : prefixLength(mask);
    }),
  print: String,
};

/** As `prefixLengthKind`; a mask must have no holes. */
export const strictPrefixLengthKind: ValueKind<number> = {
  ...prefixLengthKind,
  grammar: (family) =>
    reading(prefixLengthKind.expects, (text) => {
      const mask = readLooseMask(text, family);
      return mask === undefined ? undefined : prefixLength(mask);
    }),
};

/** Six bytes in hexadecimal. */
export const macKind: ValueKind<readonly number[]> = {
  expects: "a MAC address, for example 02:42:ac:11:00:02",
  grammar: () =>
    reading<readonly number[]>(macKind.expects, (text) => {
      const bytes = text.split(":");
      // One that is left out is 0; a sign or a blank may stand in the place of the first digit.
      return bytes.length === 6 &&
        bytes.every((byte) => /^(?:[0-9a-fA-F]{0,2}|[-+ \t][0-9a-fA-F])$/.test(byte))
        ? bytes.map((byte) => Number(scanLong(byte, 0, 16).value & 255n))
        : undefined;
    }),
  print: (bytes) => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
};

/** A mark with its mask. */
export interface MaskedMark {
  readonly value: number;
  readonly mask: number;
}

/** `value` or `value/mask` with 32 bits each; the mask is left out when it has all bits. */
export const markKind: ValueKind<MaskedMark> = {
  expects: "a mark, with a mask if you like, for example 0x4000/0x4000",
  grammar: () => markGrammar,
  print: ({ value, mask }) => (mask === 0xffffffff ? hex(value) : `${hex(value)}/${hex(mask)}`),
};

/** `value` or `value/mask`; always printed with the mask. */
export const fullMarkKind: ValueKind<MaskedMark> = {
  ...markKind,
  print: ({ value, mask }) => `${hex(value)}/${hex(mask)}`,
};

/** `value`, `value/mask` or one of the names that iproute2 ships; a name is printed in the place of its value. */
export function namedMarkKind(names: Readonly<Record<string, number>>): ValueKind<MaskedMark> {
  const known = Object.keys(names).map((name) =>
    P.string(name).map(() => ({ value: names[name] ?? 0, mask: 0xffffffff })),
  );
  const grammar = P.alt(markGrammar, ...known);
  return {
    expects: "a number, with a mask if you like, for example 0x1/0xff (names hang on the node)",
    grammar: () => grammar,
    print({ value, mask }, family) {
      const name = mask === 0xffffffff ? Object.keys(names).find((one) => names[one] === value) : undefined;
      return name ?? markKind.print({ value, mask }, family);
    },
  };
}

/** 32 bits without a mask. */
export const bitsKind: ValueKind<number> = {
  expects: "a number of 32 bits, for example 0x4000",
  grammar: () => word32,
  print: (bits) => hex(bits),
};

/**
 * A probability from 0 to 1, held as the kernel holds it: `k` of 2^31, rounded to nearest (xt_statistic). Printed with
 * eleven decimals of k / 2^31, which read back give the same k.
 */
export const probabilityKind: ValueKind<number> = {
  expects: "a probability from 0 to 1",
  grammar: () => probabilityGrammar,
  print: (threshold) => (threshold / 2 ** 31).toFixed(11),
};

function hex(value: number, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

/** Double quotes unless all characters are letters, digits, `_` or `-`; `\` before `"`, `'` and `\` (libxtables). */
export function quote(text: string): string {
  return /^[A-Za-z0-9_-]+$/.test(text) ? text : `"${text.replace(/["'\\]/g, "\\$&")}"`;
}

/** Digits from `start` to the end of the text as a number of at most `max`, without leading zeros. */
export function readDecimal(text: string, start: number, max: number): number | undefined {
  const length = text.length - start;
  if (length < 1 || length > 10 || (length > 1 && text.charCodeAt(start) === 48)) return undefined;
  let value = 0;
  for (let index = start; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= max ? value : undefined;
}

const word32 = wholeNumber(0, 0xffffffff, "a number of 32 bits, for example 0x4000");

const markGrammar: P.Parser<MaskedMark> = P.seqMap(
  word32,
  P.string("/").then(word32).fallback(0xffffffff),
  (value, mask) => ({ value, mask }),
);

// iptables multiplies by 2^31 and rounds with lround(); Math.round differs for negative halves only.
const probabilityGrammar = reading("a probability from 0 to 1", (text) => {
  const read = scanReal(text);
  if (read === undefined || read.end < text.length || read.value < 0 || read.value > 1) return undefined;
  return Math.round(read.value * 2 ** 31);
});

const protocolGrammar = protocolGrammarOf(protocolNumber);
const speltProtocolGrammar = protocolGrammarOf(protocolNumberSpelt);

function protocolGrammarOf(numberOf: (name: string) => number | undefined): P.Parser<number> {
  return P.alt(
    wholeNumber(0, 255),
    reading(`a protocol name (${PROTOCOL_NAMES.slice(0, 8).join(", ")} …)`, numberOf),
  ).desc("a protocol name or number");
}

/** A port by its number, or by the name of a service that the protocol has there. */
function portNumberOf(protocol: number | "any"): P.Parser<number> {
  return P.alt(
    wholeNumber(0, 65535, "a port from 0 to 65535"),
    P.regexp(/[A-Za-z][A-Za-z0-9_+.-]*/).chain((name) => {
      // `a-b` is a range of ports, unless a service has such a name.
      const port = servicePort(name, protocol);
      return port === undefined ? P.fail("a port from 0 to 65535") : P.of(port);
    }),
  );
}

/** A port by its number, or by the name of a service of any protocol. */
export const portNumber = portNumberOf("any");

/** A port as getaddrinfo reads it: decimal, of which the low 16 bits count, the name of a service, or nothing for 0. */
function resolvedPort(text: string): number | undefined {
  const { value, end } = scanLong(text, 0, 10);
  if (end < text.length) return servicePort(text, "ip");
  const low = Number(BigInt.asIntN(32, value));
  return low < 0 ? undefined : low & 0xffff;
}

function readResolvedRange(text: string): Range | undefined {
  const [first = "", last, ...more] = text.split(":");
  if (more.length > 0) return undefined;
  const from = resolvedPort(first);
  const to = last === undefined ? from : last === "" ? 65535 : resolvedPort(last);
  return from === undefined || to === undefined ? undefined : { from, to };
}

function portRangeGrammar(protocol: number): P.Parser<Range> {
  const port = portNumberOf(protocol);
  return P.alt(
    P.seqMap(port.fallback(0), P.string(":").then(port.fallback(65535)), (from, to) => ({ from, to })),
    port.map((one) => ({ from: one, to: one })),
  ).chain((range) =>
    range.from <= range.to ? P.of(range) : P.fail("a range whose first port is not above its last"),
  );
}

const addressGrammars: Readonly<Record<Family, P.Parser<Address>>> = {
  ipv4: reading("an IPv4 address", (text) => familyAddress(text, "ipv4")),
  ipv6: reading("an IPv6 address", (text) => familyAddress(text, "ipv6")),
};

const networkGrammars: Readonly<Record<Family, P.Parser<Network>>> = {
  ipv4: reading(networkKind.expects, (text) => readHeaderNetwork(text, "ipv4")),
  ipv6: reading(networkKind.expects, (text) => readHeaderNetwork(text, "ipv6")),
};

const unmaskedGrammars: Readonly<Record<Family, P.Parser<Network>>> = {
  ipv4: reading(networkKind.expects, (text) => readHostNetwork(text, "ipv4")),
  ipv6: reading(networkKind.expects, (text) => readHostNetwork(text, "ipv6")),
};

const HOST_MAX = 255;

/** `-s` and `-d`. What stands before a mask of zeros does not matter: `any/0`. */
function readHeaderNetwork(written: string, family: Family): Network | undefined {
  if (written.length > HOST_MAX) return undefined;
  const text = written.replace(/^[ \t\n\v\f\r]+/, "");
  const slash = text.lastIndexOf("/");
  const mask = slash < 0 ? ALL_ONES[family] : readMask(text.slice(slash + 1), family);
  if (mask === undefined) return undefined;
  if (!mask) return { address: mask, mask };
  const name = slash < 0 ? text : text.slice(0, slash);
  const padded = family === "ipv4" ? readPaddedIPv4(name) : undefined;
  const address = padded ?? familyAddress(name, family);
  return address === undefined ? undefined : { address: maskAddress(address, mask), mask };
}

/** An address of a host with a mask, host bits kept. */
function readHostNetwork(text: string, family: Family): Network | undefined {
  const slash = text.indexOf("/");
  const mask = slash < 0 ? ALL_ONES[family] : readHostMask(text.slice(slash + 1), family);
  const address = familyAddress(slash < 0 ? text : text.slice(0, slash), family);
  return address === undefined || mask === undefined ? undefined : { address, mask };
}

/** A mask, which IPv4 may have as any number, or its length. */
function readLooseMask(text: string, family: Family): Address | undefined {
  const length = readLong(text, 0xffffffffn);
  if (length !== undefined && length <= (family === "ipv4" ? 32n : 128n))
    return prefixMask(Number(length), family);
  return family === "ipv4" ? readLooseIPv4(text) : readIPv6(text);
}

/** The mask of a host; one with holes stands for all bits. */
function readHostMask(text: string, family: Family): Address | undefined {
  const mask = readLooseMask(text, family);
  return mask === undefined || prefixLength(mask) !== undefined ? mask : ALL_ONES[family];
}

/** A mask, or the number of its bits. */
function readMask(text: string, family: Family): Address | undefined {
  const bits = family === "ipv4" ? 32n : 128n;
  const length = readLong(text, bits);
  if (length !== undefined) return prefixMask(Number(length), family);
  if (family === "ipv6") return readIPv6(text);
  return text.split(".").length === 4 ? readPaddedIPv4(text) : undefined;
}

function familyAddress(text: string, family: Family): Address | undefined {
  if (text === "localhost") return family === "ipv4" ? 0x7f000001 : 1n;
  if (family === "ipv6") return readIPv6(text);
  const long = text.includes(":") ? readIPv6(text) : undefined;
  if (long === undefined) return readLooseIPv4(text);
  // An IPv4 address in the form that IPv6 has for it.
  return long >> 32n === 0xffffn ? Number(long & 0xffffffffn) : undefined;
}

function readInterface(text: string): string | undefined {
  return text.length > 0 && text.length <= 15 ? text : undefined;
}

/** The beginning of a text, of at most so many bytes of UTF-8. */
export function cutToBytes(text: string, bytesMax: number): string {
  const bytes = new TextEncoder().encode(text);
  return bytes.length <= bytesMax
    ? text
    : new TextDecoder().decode(bytes.subarray(0, bytesMax)).replace(/\uFFFD$/, "");
}

/** First and last address of a network; undefined when its mask has holes. */
export function networkRange(network: Network): Range | undefined {
  const free = hostBits(network.mask);
  if (typeof free === "number") {
    return (free & (free + 1)) === 0
      ? { from: network.address, to: Number(network.address) + free }
      : undefined;
  }
  return (free & (free + 1n)) === 0n
    ? { from: network.address, to: BigInt(network.address) | free }
    : undefined;
}
