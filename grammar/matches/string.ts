import { defineMatch, flag, type ValueKind } from "../description.js";
import { listedFlag, listedLater, listedOption, not } from "../listing.js";
import { hidden, negatedIf } from "../meaning.js";
import { numberKind, quote, reading, wordKind } from "../values.js";

const BYTES_MAX = 128;
const MAX = 65535;

const expects = `a text of at most ${BYTES_MAX} bytes`;
const hexExpects = `a text of at most ${BYTES_MAX} bytes, with bytes in hexadecimal between bars, for example ab|0d0a|cd`;

/** Printed in quotes; as hexadecimal when a byte cannot be shown. */
const patternKind: ValueKind<readonly number[]> = {
  expects,
  grammar: () => reading<readonly number[]>(expects, (text) => fitting([...new TextEncoder().encode(text)])),
  print: (bytes) => `"${text(bytes).replace(/["\\]/g, "\\$&")}"`,
};

const hexKind: ValueKind<readonly number[]> = {
  expects: hexExpects,
  grammar: () => reading<readonly number[]>(hexExpects, (pattern) => fitting(readHex(pattern))),
  print: (bytes) => `"|${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}|"`,
};

function fitting(bytes: readonly number[] | undefined): readonly number[] | undefined {
  return bytes === undefined || bytes.length === 0 || bytes.length > BYTES_MAX ? undefined : bytes;
}

function text(bytes: readonly number[]): string {
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/**
 * `\\` makes the next character plain; between bars stand pairs of hexadecimal digits, with a blank behind each if you like
 * and any number behind the first bar. The last bar may be missing behind a blank. What stands behind a closing bar is plain.
 */
function readHex(pattern: string): readonly number[] | undefined {
  const source = new TextEncoder().encode(pattern);
  const bytes: number[] = [];
  let inHex = false;
  for (let at = 0; at < source.length; ) {
    let literal = false;
    if (source[at] === BACKSLASH) {
      if (inHex) return undefined;
      literal = true;
    } else if (source[at] === BAR) {
      inHex = !inHex;
      while (inHex && source[at + 1] === BLANK) at++;
      if (++at >= source.length) break;
    }
    if (literal) {
      if (at + 1 >= source.length) return undefined;
      bytes.push(source[at + 1] as number);
      at += 2;
    } else if (inHex) {
      const digits = String.fromCharCode(...source.slice(at, at + 2));
      if (at + 2 >= source.length || !/^[0-9a-fA-F]{2}$/.test(digits)) return undefined;
      bytes.push(Number.parseInt(digits, 16));
      at += source[at + 2] === BLANK ? 3 : 2;
    } else {
      bytes.push(source[at] as number);
      at++;
    }
  }
  return bytes;
}

const BLANK = 32;
const BACKSLASH = 92;
const BAR = 124;

/** Bytes that are printed as they are; a backslash at the end would take the quote with it. */
function isPlain(bytes: readonly number[]): boolean {
  return bytes.at(-1) !== BACKSLASH && bytes.every((byte) => byte >= 32 && byte < 127);
}

/** xt_string: a text in the packet. */
export const string = defineMatch({
  name: "string",
  summary: "a text stands in the packet",
  options: {
    string: { name: "--string", value: patternKind, negatable: true },
    hex: { name: "--hex-string", value: hexKind, negatable: true },
    algorithm: { name: "--algo", value: wordKind("bm or kmp", 15), required: true },
    from: { name: "--from", value: numberKind(0, MAX), hidden: (from) => from === 0 },
    to: { name: "--to", value: numberKind(0, MAX), hidden: (to) => to === MAX },
    ignoreCase: flag("--icase"),
  },
  complete(given) {
    const { string: plain, hex, ...rest } = given;
    if ((plain === undefined) === (hex === undefined)) {
      return { refused: "one of --string and --hex-string must be given" };
    }
    if (!["bm", "kmp", "fsm"].includes(given.algorithm?.value ?? "")) {
      return { refused: "--algo must be bm or kmp" };
    }
    if ((given.from?.value ?? 0) > (given.to?.value ?? MAX))
      return { refused: "--from must not be above --to" };
    const pattern = plain ?? hex;
    if (pattern === undefined) return given;
    return isPlain(pattern.value) ? { ...rest, string: pattern } : { ...rest, hex: pattern };
  },
  meaning({ string: plain, hex, from, to, ignoreCase }, { family }) {
    const pattern = plain ?? hex;
    const shown = pattern && (plain ? patternKind : hexKind).print(pattern.value, family);
    const start = from?.value ?? 0;
    const where =
      to === undefined || to.value === MAX ? ` from byte ${start} on` : ` in bytes ${start} to ${to.value}`;
    const text = `${shown}${start === 0 && !to ? "" : where}${ignoreCase ? ", in any case" : ""}`;
    return {
      condition: negatedIf(
        pattern?.negated ?? false,
        hidden(`the packet holds the text ${text}`, `the packet does not hold the text ${text}`),
      ),
    };
  },
  listed: [
    {
      form: /^STRING match +(! )?"(.*?)" ALGO name (\S+)/,
      words: ([negated, text = "", algorithm = ""]) => [
        ...not(negated),
        /^\|.*\|$/.test(text) ? "--hex-string" : "--string",
        quote(text),
        "--algo",
        algorithm,
      ],
    },
    ...listedLater(
      listedOption("FROM ", "--from"),
      listedOption("TO ", "--to"),
      listedFlag("ICASE", "--icase"),
    ),
  ],
  examples: [
    { typed: '-m string --string "a b" --algo kmp --from 1 --to 5 --icase' },
    { typed: "-m string --algo bm --string te$t'x", saved: `-m string --string "te$t'x" --algo bm` },
    { typed: '-m string ! --hex-string "|61 62|c" --algo bm', saved: '-m string ! --string "abc" --algo bm' },
    {
      typed: '-m string --hex-string "ab|0D0A|cd" --algo bm',
      saved: '-m string --hex-string "|61620d0a6364|" --algo bm',
    },
    {
      typed: "-m string --string x --algo bm --from 0 --to 65535",
      saved: '-m string --string "x" --algo bm',
    },
    { typed: '-m string --hex-string "|6|" --algo bm', refused: true },
    { typed: '-m string --string "" --algo bm', refused: true },
    { typed: "-m string --string x", refused: true },
    { typed: "-m string --string x --hex-string y --algo bm", refused: true },
  ],
});
