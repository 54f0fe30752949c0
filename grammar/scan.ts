/** Numbers as the C library reads them from the beginning of a text, for options of which iptables looks no further. */

/** A number and where it ended; without digits it is 0 and ends where it began. */
interface Scanned {
  readonly value: bigint;
  readonly end: number;
}

export const LONG_MAX = 2n ** 64n - 1n;

const DECIMAL = /[ \t\n\v\f\r]*([-+]?)([0-9]+)/y;
const HEXADECIMAL = /[ \t\n\v\f\r]*([-+]?)(?:0[xX](?=[0-9a-fA-F]))?([0-9a-fA-F]+)/y;
const ANY_BASE = /[ \t\n\v\f\r]*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/y;

/**
 * strtoul(3) with 64 bits: blanks and a sign may stand before the digits; a negative number counts from above, and one that
 * is too great is the greatest.
 */
export function scanLong(text: string, at = 0, base: 0 | 10 | 16 = 0): Scanned {
  const pattern = base === 10 ? DECIMAL : base === 16 ? HEXADECIMAL : ANY_BASE;
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  if (found === null) return { value: 0n, end: at };
  const [whole, sign = "", digits = ""] = found;
  const end = at + whole.length;
  // Beyond that many digits only zeros would fit.
  const prefix =
    base === 16 || /^0[xX]/.test(digits) ? "0x" : base === 0 && digits.startsWith("0") ? "0o" : "";
  const significant = digits.replace(/^0[xX]/, "").replace(/^0+(?=.)/, "");
  if (significant.length > 26) return { value: LONG_MAX, end };
  const value = BigInt(`${prefix}${significant}`);
  if (value > LONG_MAX) return { value: LONG_MAX, end };
  return { value: sign === "-" ? BigInt.asUintN(64, -value) : value, end };
}

/** As `scanLong`, decimal, kept in 32 bits. */
export function scanInt(text: string, at = 0): { readonly value: number; readonly end: number } {
  const { value, end } = scanLong(text, at, 10);
  return { value: Number(BigInt.asUintN(32, value)), end };
}

const REAL =
  /[ \t\n\v\f\r]*([-+]?)(?:0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP]([-+]?[0-9]+))?|((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?))/y;

/** strtod(3): decimal or hexadecimal, with a fraction and an exponent; undefined when no number begins the text. */
export function scanReal(text: string): { readonly value: number; readonly end: number } | undefined {
  REAL.lastIndex = 0;
  const found = REAL.exec(text);
  if (found === null) return undefined;
  const [whole, sign, hexadecimal, exponent = "0", decimal] = found;
  const value =
    hexadecimal === undefined ? Number(decimal) : readHexadecimal(hexadecimal) * 2 ** Number(exponent);
  return { value: sign === "-" ? -value : value, end: whole.length };
}

function readHexadecimal(text: string): number {
  const [whole = "", fraction = ""] = text.split(".");
  return Number(`0x${whole}${fraction}` === "0x" ? 0 : `0x${whole}${fraction}`) / 16 ** fraction.length;
}
