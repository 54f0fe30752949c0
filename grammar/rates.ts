/** Rates of `limit` and `hashlimit`: so many packets a unit of time, kept as the time between two of them. */
import type { ValueKind } from "./description.js";
import { reading } from "./values.js";

/** Units by their seconds; iptables takes the beginning of each name. */
const UNITS: readonly (readonly [string, number])[] = [
  ["second", 1],
  ["minute", 60],
  ["hour", 3600],
  ["day", 86400],
];
const PRINTED: readonly (readonly [string, number])[] = [
  ["day", 86400],
  ["hour", 3600],
  ["min", 60],
  ["sec", 1],
];

/** A rate as it was written, and as the kernel keeps it. */
export interface Rate {
  /** Packets a unit. */
  readonly count: number;
  /** Seconds of the unit. */
  readonly unit: number;
  /** Time between two packets, in parts of a second of which there are `scale`. */
  readonly period: number;
}

/** A rate whose periods are counted in `scale` parts of a second, which is also the greatest rate a second. */
export function readRate(text: string, scale: number): Rate | undefined {
  // As atoi reads: what follows the digits is not looked at. Without a slash it is packets a second.
  const slash = text.indexOf("/");
  const word = slash < 0 ? undefined : text.slice(slash + 1);
  const count = Number(/^\s*\+?(\d{1,10})/.exec(slash < 0 ? text : text.slice(0, slash))?.[1] ?? 0);
  if (word === "") return undefined;
  const unit = word === undefined ? 1 : UNITS.find(([name]) => name.startsWith(word.toLowerCase()))?.[1];
  if (count === 0 || unit === undefined || count / unit > scale) return undefined;
  return { count, unit, period: Math.floor((scale * unit) / count) };
}

/** The rate that iptables makes of a period, and the seconds of the unit that it shows. */
export function shownRate(period: number, scale: number): { readonly text: string; readonly unit: number } {
  let index = 1;
  for (; index < PRINTED.length; index++) {
    const unit = (PRINTED[index]?.[1] ?? 1) * scale;
    if (period > unit || Math.floor(unit / period) < unit % period) break;
  }
  const [name = "", seconds = 1] = PRINTED[index - 1] ?? [];
  return { text: `${Math.floor((seconds * scale) / period)}/${name}`, unit: seconds };
}

/** A rate as an option's value. */
export function rateKind(scale: number): ValueKind<Rate> {
  const expects = `a rate up to ${scale} a second, for example 3/minute`;
  return {
    expects,
    grammar: () => reading(expects, (text) => readRate(text, scale)),
    print: ({ period }) => shownRate(period, scale).text,
  };
}
