import { flag, type GivenOption, type ValueKind } from "../description.js";
import { type Rate, readRate, shownRate } from "../rates.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { numberKind, reading, strictPrefixLengthKind, wordKind } from "../values.js";

/** Parts of a second in which the kernel keeps the time between two packets. */
const SCALE = 1000000;
const MAX = 0xffffffff;
/** Bytes are counted in sixteens. */
const BYTE_SHIFT = 16;

/** A rate in packets, or in bytes a second. */
type HashRate = { readonly rate: Rate } | { readonly bytes: number };

const FACTORS = { b: 1, kb: 1024, mb: 1024 * 1024 } as const;

function readBytes(text: string, suffix: string): number | undefined {
  const found = new RegExp(`^(\\d{1,10})(b|kb|mb)${suffix}$`).exec(text);
  const bytes = Number(found?.[1]) * FACTORS[(found?.[2] ?? "b") as keyof typeof FACTORS];
  return found === null || bytes > MAX ? undefined : bytes;
}

/** The least burst that iptables takes for a rate in bytes: the rate, as a division makes it. */
function leastBurst(bytes: number): number {
  const cost = Math.floor(MAX / (Math.floor(bytes / BYTE_SHIFT) + 1));
  return (Math.floor(MAX / cost) - 1) * BYTE_SHIFT;
}

function bytesText(bytes: number): string {
  const unit =
    (["mb", "kb", "b"] as const).find((one) => bytes >= FACTORS[one] && bytes % FACTORS[one] === 0) ?? "b";
  return `${bytes / FACTORS[unit]}${unit}`;
}

const expects = "a rate in packets or bytes, for example 3/minute or 512kb/s";
const rateKind: ValueKind<HashRate> = {
  expects,
  grammar: () =>
    reading<HashRate>(expects, (text) => {
      const bytes = readBytes(text, "/s");
      if (bytes !== undefined) return { bytes: bytes - (bytes % BYTE_SHIFT) };
      const rate = readRate(text, SCALE);
      return rate === undefined ? undefined : { rate };
    }),
  print: (value) =>
    "bytes" in value ? `${bytesText(value.bytes)}/s` : shownRate(value.rate.period, SCALE).text,
};

const burstExpects = "a number of packets, or of bytes such as 1mb";
const burstKind: ValueKind<{ readonly packets: number } | { readonly bytes: number }> = {
  expects: burstExpects,
  grammar: () =>
    reading(burstExpects, (text) => {
      const bytes = readBytes(text, "");
      if (bytes !== undefined) return { bytes };
      const packets = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
      return packets >= 1 && packets <= MAX ? { packets } : undefined;
    }),
  print: (value) => ("bytes" in value ? bytesText(value.bytes) : `${value.packets}`),
};

const BURST = 5;
const isZero = (value: number) => value === 0;
const MODES = ["srcip", "srcport", "dstip", "dstport"] as const;
const modeExpects = `a comma list of ${MODES.join(", ")}`;
const modeKind: ValueKind<readonly string[]> = {
  expects: modeExpects,
  grammar: () =>
    reading<readonly string[]>(modeExpects, (text) => {
      const wanted = text.split(",");
      const known = wanted.every((word) => (MODES as readonly string[]).includes(word));
      return known ? MODES.filter((mode) => wanted.includes(mode)) : undefined;
    }),
  print: (modes) => modes.join(","),
};
const count = (name: string) => ({ name, value: numberKind(0, MAX) }) as const;

/** xt_hashlimit: a token bucket for each client, port and so on. `! --hashlimit-upto` is saved as `--hashlimit-above`. */
export const hashlimit = defineUnmodelledMatch({
  name: "hashlimit",
  summary: "at most so many packets in so much time, for each client",
  options: {
    upto: { name: "--hashlimit-upto", aliases: ["--hashlimit"], value: rateKind, negatable: true },
    above: { name: "--hashlimit-above", value: rateKind, negatable: true },
    burst: { name: "--hashlimit-burst", value: burstKind },
    mode: { name: "--hashlimit-mode", value: modeKind },
    name: {
      name: "--hashlimit-name",
      value: wordKind("a name of at most 255 characters", 255),
      required: true,
    },
    size: { ...count("--hashlimit-htable-size"), hidden: isZero },
    entries: { ...count("--hashlimit-htable-max"), hidden: isZero },
    interval: { ...count("--hashlimit-htable-gcinterval"), hidden: (value: number) => value === 1000 },
    expire: count("--hashlimit-htable-expire"),
    sourceMask: { name: "--hashlimit-srcmask", value: strictPrefixLengthKind },
    destinationMask: { name: "--hashlimit-dstmask", value: strictPrefixLengthKind },
    match: flag("--hashlimit-rate-match"),
    matchInterval: { name: "--hashlimit-rate-interval", value: numberKind(1, MAX) },
  },
  complete(given, { family }) {
    const { upto, above, burst, sourceMask, destinationMask, expire, matchInterval, ...rest } = given;
    const asked = upto ?? above;
    if (asked === undefined || (upto && above)) {
      return { refused: "one of --hashlimit-upto and --hashlimit-above must be given" };
    }
    const wanted = asked.value;
    const inBytes = "bytes" in wanted;
    if (burst !== undefined && "bytes" in burst.value && !inBytes) {
      return { refused: "--hashlimit-burst may only be in bytes when the rate is" };
    }
    const burstBytes = burst && ("bytes" in burst.value ? burst.value.bytes : burst.value.packets);
    if (inBytes && burstBytes !== undefined && burstBytes < leastBurst(wanted.bytes)) {
      return { refused: `--hashlimit-burst must be at least ${leastBurst(wanted.bytes)} bytes` };
    }
    const isUpto = (upto !== undefined) !== asked.negated;
    const plain = <T>(value: T): GivenOption<T> => ({ value, negated: false });
    // With --hashlimit-rate-match the unit is dropped.
    const rate: HashRate =
      given.match && "rate" in wanted
        ? { rate: { ...wanted.rate, period: Math.floor(SCALE / wanted.rate.count) || 1 } }
        : wanted;
    const shown = "rate" in rate ? shownRate(rate.rate.period, SCALE).unit : 1;
    // Unless it is given, entries are kept for the unit that was written; it is shown if another unit is.
    const kept = expire?.value ?? ("rate" in wanted ? wanted.rate.unit * 1000 : 1000);
    const full = family === "ipv4" ? 32 : 128;
    const mask = (option: GivenOption<number> | undefined) => option !== undefined && option.value !== full;
    return {
      ...rest,
      ...(isUpto ? { upto: plain(rate) } : { above: plain(rate) }),
      ...(inBytes ? burstInBytes(burstBytes, wanted.bytes) : { burst: burst ?? plain({ packets: BURST }) }),
      ...(kept === shown * 1000 ? {} : { expire: plain(kept) }),
      ...(mask(sourceMask) && sourceMask ? { sourceMask } : {}),
      ...(mask(destinationMask) && destinationMask ? { destinationMask } : {}),
      ...(given.match
        ? { matchInterval: matchInterval ?? plain("rate" in wanted ? wanted.rate.unit : 1) }
        : {}),
    };
  },
  unmodelled: { hangsOn: "how many packets passed lately", perRule: true },
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
