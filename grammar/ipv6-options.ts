/** What the matches of IPv6 extension headers with options share: `TYPE[:LENGTH],…`. */
import type { Option, ValueKind } from "./description.js";
import { listKind, numberKind, readLong } from "./values.js";

export interface HeaderOption {
  readonly type: number;
  readonly length: number | undefined;
}

const OPTIONS_MAX = 16;

/** What stands for "of any length" in the kernel's record. */
const ANY_LENGTH = 255;

/** ip6tables keeps the low eight bits of a number without a word. */
function lowByte(text: string): number | undefined {
  const negative = /^\s*-(.*)$/.exec(text);
  const number = readLong(negative?.[1] ?? text, 2n ** 64n - 1n);
  if (number === undefined || /^\s*-[\s+]/.test(text)) return undefined;
  return Number(BigInt.asUintN(8, negative === null ? number : -number));
}

function readOption(text: string): HeaderOption | undefined {
  const colon = text.indexOf(":");
  const type = lowByte(colon < 0 ? text : text.slice(0, colon));
  const length = colon < 0 ? ANY_LENGTH : lowByte(text.slice(colon + 1));
  if (type === undefined || length === undefined) return undefined;
  // Option 0 is one byte of padding, and has no length.
  if (type === 0 && colon >= 0) return undefined;
  return { type, length: length === ANY_LENGTH ? undefined : length };
}

const optionsKind: ValueKind<readonly HeaderOption[]> = listKind(
  `at most ${OPTIONS_MAX} types with their lengths, for example 1:2,3`,
  OPTIONS_MAX,
  readOption,
  ({ type, length }) => (length === undefined ? `${type}` : `${type}:${length}`),
);

/** `--dst-len`, `--dst-opts` and the like, for the header of that name. */
export function headerOptions(header: "dst" | "hbh") {
  return {
    length: {
      name: `--${header}-len`,
      value: numberKind(0, 0xffffffff),
      negatable: true,
    } satisfies Option<number>,
    options: { name: `--${header}-opts`, value: optionsKind } satisfies Option<readonly HeaderOption[]>,
  };
}
