/** Durations as Go writes them: `15m`, `1h30m0s`, `1.5s`. */

const SECONDS: Readonly<Record<string, number>> = {
  h: 3600,
  m: 60,
  s: 1,
  ms: 1e-3,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ns: 1e-9,
};

/** Seconds, or undefined for what Go's `time.ParseDuration` refuses. */
export function readDuration(text: string): number | undefined {
  const digits = text.replace(/^[-+]/, "");
  if (digits === "0") return 0;
  if (digits === "") return undefined;
  const part = /(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|μs|ns)/y;
  let seconds = 0;
  while (part.lastIndex < digits.length) {
    const found = part.exec(digits);
    if (found === null) return undefined;
    seconds += Number(found[1]) * (SECONDS[found[2] ?? ""] ?? 0);
  }
  // Go counts nanoseconds in 63 bits.
  if (seconds > 2 ** 63 / 1e9) return undefined;
  return text.startsWith("-") ? -seconds : seconds;
}
