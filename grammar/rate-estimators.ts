/** Times and rates of `RATEEST` and `rateest`. */
import type { ValueKind } from "./description.js";
import { scanReal } from "./scan.js";
import { reading } from "./values.js";

/** The nearest whole number as printf shows it: of two, the even one. */
function toEven(value: number): number {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}

/** A whole number of 32 bits, as a processor of the amd64 family cuts it. */
function kept(value: number): number {
  return Math.abs(value) < 2 ** 63 ? Number(BigInt.asUintN(32, BigInt(Math.trunc(value)))) : 0;
}

const TIMES: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ...["s", "sec", "secs"].map((unit) => [unit, 1e6] as const),
  ...["ms", "msec", "msecs"].map((unit) => [unit, 1e3] as const),
  ...["us", "usec", "usecs"].map((unit) => [unit, 1] as const),
]);

const timeExpects = "a time, for example 250ms or 1s";
/** Microseconds. */
export const timeKind: ValueKind<number> = {
  expects: timeExpects,
  grammar: () =>
    reading(timeExpects, (text) => {
      const number = scanReal(text);
      if (number === undefined) return undefined;
      const unit = TIMES.get(text.slice(number.end).toLowerCase());
      return unit === undefined ? undefined : kept(number.value * unit);
    }),
  print(time) {
    if (time >= 1e6) return `${(time / 1e6).toFixed(1)}s`;
    return time >= 1e3 ? `${(time / 1e3).toFixed(1)}ms` : `${time}us`;
  },
};

/** Bits a second of each unit: decimal and binary multiples, in bits and bytes. */
const RATES: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["bit", 1],
  ["kibit", 1024],
  ["kbit", 1000],
  ["mibit", 1024 ** 2],
  ["mbit", 1e6],
  ["gibit", 1024 ** 3],
  ["gbit", 1e9],
  ["tibit", 1024 ** 4],
  ["tbit", 1e12],
  ["bps", 8],
  ["kibps", 8 * 1024],
  ["kbps", 8000],
  ["mibps", 8 * 1024 ** 2],
  ["mbps", 8e6],
  ["gibps", 8 * 1024 ** 3],
  ["gbps", 8e9],
  ["tibps", 8 * 1024 ** 4],
  ["tbps", 8e12],
]);

const rateExpects = "a rate, for example 8bit or 2kbps";
/** Bytes a second. */
export const rateKind: ValueKind<number> = {
  expects: rateExpects,
  grammar: () =>
    reading(rateExpects, (text) => {
      const number = scanReal(text);
      if (number === undefined) return undefined;
      const unit = RATES.get(text.slice(number.end).toLowerCase());
      return unit === undefined ? undefined : kept((number.value * unit) / 8);
    }),
  print(rate) {
    const bits = rate * 8;
    if (bits >= 1e9) return `${toEven(bits / 1e6)}Mbit`;
    return bits >= 1e6 ? `${toEven(bits / 1e3)}Kbit` : `${bits}bit`;
  },
};
