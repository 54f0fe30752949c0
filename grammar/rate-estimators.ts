/** Times and rates of `RATEEST` and `rateest`. */
import type { ValueKind } from "./description.js";
import { reading } from "./values.js";

const TIMES: Readonly<Record<string, number>> = {
  s: 1e6,
  sec: 1e6,
  secs: 1e6,
  ms: 1e3,
  msec: 1e3,
  msecs: 1e3,
  us: 1,
  usec: 1,
  usecs: 1,
};

const timeExpects = "a time, for example 250ms or 1s";
/** Microseconds. */
export const timeKind: ValueKind<number> = {
  expects: timeExpects,
  grammar: () =>
    reading(timeExpects, (text) => {
      const found = /^\s*\+?(0x[0-9a-f]+|\d+(?:\.\d*)?)([a-z]*)$/i.exec(text);
      const unit = TIMES[(found?.[2] ?? "").toLowerCase() || "us"];
      return found === null || unit === undefined ? undefined : Math.round(Number(found[1]) * unit);
    }),
  print(time) {
    if (time >= 1e6) return `${(time / 1e6).toFixed(1)}s`;
    return time >= 1e3 ? `${(time / 1e3).toFixed(1)}ms` : `${time}us`;
  },
};

/** Bits a second of each unit: decimal and binary multiples, in bits and bytes. */
const RATES: Readonly<Record<string, number>> = {
  bit: 1,
  kibit: 1024,
  kbit: 1000,
  mibit: 1024 ** 2,
  mbit: 1e6,
  gibit: 1024 ** 3,
  gbit: 1e9,
  tibit: 1024 ** 4,
  tbit: 1e12,
  bps: 8,
  kibps: 8 * 1024,
  kbps: 8000,
  mibps: 8 * 1024 ** 2,
  mbps: 8e6,
  gibps: 8 * 1024 ** 3,
  gbps: 8e9,
  tibps: 8 * 1024 ** 4,
  tbps: 8e12,
};

const rateExpects = "a rate, for example 8bit or 2kbps";
/** Bytes a second. */
export const rateKind: ValueKind<number> = {
  expects: rateExpects,
  grammar: () =>
    reading(rateExpects, (text) => {
      const found = /^(\d+(?:\.\d*)?)([a-z]*)$/i.exec(text);
      const unit = RATES[(found?.[2] ?? "").toLowerCase() || "bit"];
      return found === null || unit === undefined ? undefined : Math.floor((Number(found[1]) * unit) / 8);
    }),
  print(rate) {
    const bits = rate * 8;
    if (bits >= 1e9 && bits % 1e9 === 0) return `${bits / 1e9}Gbit`;
    if (bits >= 1e6 && bits % 1e6 === 0) return `${bits / 1e6}Mbit`;
    return bits >= 1e3 && bits % 1e3 === 0 ? `${bits / 1e3}Kbit` : `${bits}bit`;
  },
};
