import { defineMatch, flag, type GivenOption, type ValueKind } from "../description.js";
import { listedLater, listedOption } from "../listing.js";
import { hiddenInRule } from "../meaning.js";
import { type Rate, readRate, shownRate } from "../rates.js";
import { LONG_MAX, scanLong } from "../scan.js";
import { cutToBytes, numberKind, reading, strictPrefixLengthKind, wordKind } from "../values.js";

/** Parts of a second in which the kernel keeps the time between two packets. */
const SCALE = 1000000;
const MAX = 0xffffffff;
/** Bytes are counted in sixteens. */
const BYTE_SHIFT = 16;

/** A rate in packets, or in bytes a second. */
type HashRate = { readonly rate: Rate } | { readonly bytes: number };

const FACTORS = { b: 1, k: 1024, m: 1024 * 1024 } as const;

function factorOf(unit: string): number {
  return unit === "k" || unit === "m" ? FACTORS[unit] : 1;
}

/** A rate in bytes: digits, anything, and the letter of the unit before `b/s`. */
function readByteRate(text: string): number | undefined {
  const at = text.indexOf("b/s");
  if (at < 1) return undefined;
  const number = Number(scanLong(text, 0, 10).value);
  return number * factorOf(text[at - 1] ?? "");
}

/** A rate in bytes as the kernel keeps it, which is the least burst, too; undefined when it is too great for that. */
function keptRate(bytes: number): number | undefined {
  const cost = Math.floor(MAX / (Math.floor(bytes / BYTE_SHIFT) + 1));
  return cost === 0 ? undefined : (Math.floor(MAX / cost) - 1) * BYTE_SHIFT;
}

function bytesText(bytes: number): string {
  // The greatest unit that fits, and what is below it is lost.
  const unit = (["m", "k"] as const).find((one) => bytes >= FACTORS[one]);
  return unit === undefined ? `${bytes}b` : `${Math.floor(bytes / FACTORS[unit])}${unit}b`;
}

const expects = "a rate in packets or bytes, for example 3/minute or 512kb/s";
const rateKind: ValueKind<HashRate> = {
  expects,
  grammar: () =>
    reading<HashRate>(expects, (text) => {
      const bytes = readByteRate(text);
      const kept = bytes ? keptRate(bytes) : undefined;
      if (bytes !== undefined) return kept === undefined ? undefined : { bytes: kept };
      const rate = readRate(text, SCALE);
      return rate === undefined ? undefined : { rate };
    }),
  print: (value) =>
    "bytes" in value
      ? // Units are told of 32 bits.
        `${value.bytes > MAX ? `${value.bytes}b` : bytesText(value.bytes)}/s`
      : shownRate(value.rate.period, SCALE).text,
};

const burstExpects = "a number of packets, or of bytes such as 1mb";
/** A unit stands for a number, whether packets or bytes are counted. */
const burstKind: ValueKind<{ readonly packets: number } | { readonly bytes: number }> = {
  expects: burstExpects,
  grammar: () =>
    reading(burstExpects, (text) => {
      const { value, end } = scanLong(text);
      if (value < 1n || value === LONG_MAX || /^\s*-/.test(text)) return undefined;
      if (end === text.length) return value <= MAX ? { packets: Number(value) } : undefined;
      return { bytes: Number(BigInt.asUintN(32, value * BigInt(factorOf(text[end] ?? "")))) };
    }),
  print: (value) => ("bytes" in value ? bytesText(value.bytes) : `${value.packets}`),
};

const BURST = 5;
const BURST_MAX = 1000000;
const isZero = (value: number) => value === 0;
const MODES = ["srcip", "srcport", "dstip", "dstport"] as const;
const PARTS: Readonly<Record<string, string>> = {
  srcip: "source",
  srcport: "source port",
  dstip: "destination",
  dstport: "destination port",
};
const modeExpects = `a comma list of ${MODES.join(", ")}`;
const modeKind: ValueKind<readonly string[]> = {
  expects: modeExpects,
  grammar: () =>
    reading<readonly string[]>(modeExpects, (text) => {
      const wanted = text.split(",").filter((word) => word !== "");
      const known = wanted.every((word) => (MODES as readonly string[]).includes(word));
      return known ? MODES.filter((mode) => wanted.includes(mode)) : undefined;
    }),
  print: (modes) => modes.join(","),
};
const intervalExpects = "a number of seconds";
const intervalKind: ValueKind<number> = {
  expects: intervalExpects,
  grammar: () =>
    reading(intervalExpects, (text) => {
      const seconds = Number(/^\s*\+?(\d{1,10})/.exec(text)?.[1] ?? 0);
      return seconds >= 1 && seconds <= MAX ? seconds : undefined;
    }),
  print: String,
};
const NAME_BYTES_MAX = 254;
const nameExpects = `a name of at most ${NAME_BYTES_MAX} bytes, without a slash`;
const nameKind: ValueKind<string> = {
  ...wordKind(nameExpects, NAME_BYTES_MAX),
  grammar: () => reading(nameExpects, readName),
  quick: readName,
};

/** The name of a file of the kernel; what is too long is cut off. */
function readName(text: string): string | undefined {
  return /^(?!\.\.?$)[^/]+$/.test(text) ? cutToBytes(text, NAME_BYTES_MAX) : undefined;
}

/** The kernel has no greater tables. */
const SIZE_MAX = 1048576;
const size: ValueKind<number> = {
  ...numberKind(0, MAX),
  grammar: (family) =>
    numberKind(0, MAX)
      .grammar(family)
      .map((value) => Math.min(value, SIZE_MAX)),
};
const count = (name: string) => ({ name, value: numberKind(1, MAX) }) as const;

/** xt_hashlimit: a token bucket for each client, port and so on. `! --hashlimit-upto` is saved as `--hashlimit-above`. */
export const hashlimit = defineMatch({
  name: "hashlimit",
  summary: "at most so many packets in so much time, for each client",
  options: {
    upto: { name: "--hashlimit-upto", aliases: ["--hashlimit"], value: rateKind, negatable: true },
    above: { name: "--hashlimit-above", value: rateKind, negatable: true },
    burst: { name: "--hashlimit-burst", value: burstKind },
    mode: { name: "--hashlimit-mode", value: modeKind, hidden: (modes) => modes.length === 0 },
    name: {
      name: "--hashlimit-name",
      value: nameKind,
      required: true,
    },
    size: { name: "--hashlimit-htable-size", value: size, hidden: isZero },
    entries: { name: "--hashlimit-htable-max", value: size, hidden: isZero },
    interval: { ...count("--hashlimit-htable-gcinterval"), hidden: (value: number) => value === 1000 },
    expire: count("--hashlimit-htable-expire"),
    sourceMask: { name: "--hashlimit-srcmask", value: strictPrefixLengthKind },
    destinationMask: { name: "--hashlimit-dstmask", value: strictPrefixLengthKind },
    match: flag("--hashlimit-rate-match"),
    matchInterval: {
      name: "--hashlimit-rate-interval",
      value: intervalKind,
      hidden: (value: number) => value === 1,
    },
  },
  complete(given, { family }) {
    const { upto, above, burst, sourceMask, destinationMask, expire, matchInterval, ...rest } = given;
    const asked = upto ?? above;
    if (asked === undefined || (upto && above)) {
      return { refused: "one of --hashlimit-upto and --hashlimit-above must be given" };
    }
    const wanted = asked.value;
    const inBytes = "bytes" in wanted;
    const burstBytes = burst && ("bytes" in burst.value ? burst.value.bytes : burst.value.packets);
    const bounded = !inBytes || (burst !== undefined && "packets" in burst.value);
    if (bounded && burstBytes !== undefined && (burstBytes < 1 || burstBytes > BURST_MAX))
      return { refused: `--hashlimit-burst must be from 1 to ${BURST_MAX}` };
    if (inBytes && burstBytes !== undefined && burstBytes < wanted.bytes) {
      return { refused: `--hashlimit-burst must be at least ${wanted.bytes} bytes` };
    }
    const isUpto = (upto !== undefined) !== asked.negated;
    const plain = <T>(value: T): GivenOption<T> => ({ value, negated: false });
    // With --hashlimit-rate-match the unit is dropped.
    const rate: HashRate =
      given.match && "rate" in wanted
        ? { rate: { ...wanted.rate, period: Math.floor(SCALE / wanted.rate.count) || 1 } }
        : wanted;
    // Rates in bytes have a time of their own, which is not shown.
    const byteExpire = burst === undefined ? 15 : 60;
    const shown = "rate" in rate ? shownRate(rate.rate.period, SCALE).unit : byteExpire;
    // Unless it is given, entries are kept for the unit that was written; it is shown if another unit is.
    const kept = expire?.value ?? 1000 * ("rate" in wanted ? wanted.rate.unit : byteExpire);
    const full = family === "ipv4" ? 32 : 128;
    const mask = (option: GivenOption<number> | undefined) => option !== undefined && option.value !== full;
    return {
      ...rest,
      ...(isUpto ? { upto: plain(rate) } : { above: plain(rate) }),
      ...(inBytes
        ? burstInBytes(burstBytes, wanted.bytes)
        : { burst: plain({ packets: burstBytes ?? BURST }) }),
      ...(kept === shown * 1000 ? {} : { expire: plain(kept) }),
      ...(mask(sourceMask) && sourceMask ? { sourceMask } : {}),
      ...(mask(destinationMask) && destinationMask ? { destinationMask } : {}),
      ...(given.match
        ? { matchInterval: matchInterval ?? plain("rate" in wanted ? wanted.rate.unit : 1) }
        : {}),
    };
  },
  meaning({ upto, above, burst, mode, name }, { family }) {
    const rate = upto ?? above;
    const allowed = [
      ...(rate ? [rateKind.print(rate.value, family)] : []),
      ...(burst ? [`burst ${burstKind.print(burst.value, family)}`] : []),
    ].join(", ");
    const each = mode?.value.length ? ` for this ${mode.value.map((part) => PARTS[part]).join(" and ")}` : "";
    const limit = `the limit ${name?.value} (${allowed})${each}`;
    const [left, none] = [`${limit} is not used up`, `${limit} is used up`];
    // Rules of one name share buckets, but each takes from them.
    return { condition: above ? hiddenInRule(none, left) : hiddenInRule(left, none) };
  },
  listed: [
    {
      form: /^limit: (up to|above) (\S+)(?: burst (\S+))?(?: mode (\S+))?/,
      words: ([how, rate = "", burst, mode]) => [
        how === "above" ? "--hashlimit-above" : "--hashlimit-upto",
        rate,
        ...(burst === undefined ? [] : ["--hashlimit-burst", burst]),
        ...(mode === undefined ? [] : ["--hashlimit-mode", mode.replaceAll("-", ",")]),
        "--hashlimit-name",
        "unlisted",
      ],
      leftOut: "the name of a hashlimit",
    },
    ...listedLater(
      ...["htable-size", "htable-max", "htable-gcinterval", "htable-expire", "srcmask", "dstmask"].map(
        (name) => listedOption(`${name} `, `--hashlimit-${name}`),
      ),
    ),
  ],
  examples: [
    {
      typed: "-m hashlimit ! --hashlimit 1/sec --hashlimit-mode srcip --hashlimit-name x",
      saved:
        "-m hashlimit --hashlimit-above 1/sec --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name x",
    },
    {
      typed:
        "-m hashlimit --hashlimit-upto 10/sec --hashlimit-burst 5 --hashlimit-mode dstip,srcport,srcip,dstport --hashlimit-name y",
      saved:
        "-m hashlimit --hashlimit-upto 10/sec --hashlimit-burst 5 --hashlimit-mode srcip,srcport,dstip,dstport --hashlimit-name y",
    },
    {
      typed: "-m hashlimit --hashlimit-upto 120/min --hashlimit-name z",
      saved:
        "-m hashlimit --hashlimit-upto 2/sec --hashlimit-burst 5 --hashlimit-name z --hashlimit-htable-expire 60000",
    },
    {
      typed:
        "-m hashlimit --hashlimit-above 512kb/s --hashlimit-burst 1mb --hashlimit-mode dstip --hashlimit-name k",
    },
    {
      typed:
        "-m hashlimit --hashlimit-upto 1/s --hashlimit-mode srcip --hashlimit-srcmask 24 --hashlimit-dstmask 32 --hashlimit-name z",
      saved:
        "-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name z --hashlimit-srcmask 24",
    },
    {
      typed: "-m hashlimit --hashlimit-above 513kb/s --hashlimit-burst 1500000b --hashlimit-name k",
      saved: "-m hashlimit --hashlimit-above 513kb/s --hashlimit-burst 1mb --hashlimit-name k",
    },
    {
      typed: "-m hashlimit --hashlimit-upto 1/s --hashlimit-burst 99kb --hashlimit-name k",
      saved: "-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 101376 --hashlimit-name k",
    },
    {
      typed: "-m hashlimit --hashlimit-upto 010kb/s --hashlimit-htable-max 9999999 --hashlimit-name k",
      saved: "-m hashlimit --hashlimit-upto 10kb/s --hashlimit-name k --hashlimit-htable-max 1048576",
    },
    { typed: "-m hashlimit --hashlimit-upto 1/s --hashlimit-burst 1mb --hashlimit-name k", refused: true },
    { typed: "-m hashlimit --hashlimit-upto 1/s --hashlimit-name a/b", refused: true },
    { typed: "-m hashlimit --hashlimit-upto 1000001/s --hashlimit-name z", refused: true },
    { typed: "-m hashlimit --hashlimit-upto 1/s", refused: true },
    { typed: "-m hashlimit --hashlimit-name z", refused: true },
    { typed: "-m hashlimit --hashlimit-upto 1/s --hashlimit-mode none --hashlimit-name z", refused: true },
  ],
});

/** The burst is kept as a multiple of the rate, rounded up. */
function burstInBytes(
  bytes: number | undefined,
  rate: number,
): { burst?: GivenOption<{ readonly bytes: number }> } {
  if (bytes === undefined || rate === 0) return {};
  return { burst: { value: { bytes: Math.ceil(bytes / rate) * rate }, negated: false } };
}
