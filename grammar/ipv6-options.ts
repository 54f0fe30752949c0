/** What the matches of IPv6 extension headers with options share: `TYPE[:LENGTH],…`. */
import type { Option, ValueKind } from "./description.js";
import { listKind, numberKind, readLong } from "./values.js";

export interface HeaderOption {
  readonly type: number;
  readonly length: number | undefined;
}

const OPTIONS_MAX = 16;

function readOption(text: string): HeaderOption | undefined {
  const [type = "", length] = text.split(":", 2);
  const number = readLong(type, 255n);
  // ip6tables keeps the low eight bits of a length without a word.
  const size = length === undefined ? undefined : readLong(length, 0xffffffffn);
  if (number === undefined || (length !== undefined && size === undefined)) return undefined;
  return { type: Number(number), length: size === undefined ? undefined : Number(size) & 255 };
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
