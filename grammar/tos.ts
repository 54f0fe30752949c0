/** The type of service: a byte with a mask, or one of five names. */
import type { ValueKind } from "./description.js";
import type { MaskedMark } from "./values.js";
import { reading, readLong } from "./values.js";

const NAMES: Readonly<Record<string, number>> = {
  "minimize-delay": 0x10,
  "maximize-throughput": 0x08,
  "maximize-reliability": 0x04,
  "minimize-cost": 0x02,
  "normal-service": 0x00,
};
/** What a name says something of. */
const NAME_MASK = 0x3f;

const expects = `a value with a mask if you like, for example 0x10/0x3f, or ${Object.keys(NAMES).join(", ")}`;
const two = (value: number) => `0x${value.toString(16).padStart(2, "0")}`;

export const tosKind: ValueKind<MaskedMark> = {
  expects,
  grammar: () =>
    reading(expects, (text) => {
      const [value = "", mask = "0xff", ...more] = text.split("/");
      const number = readLong(value, 255n);
      const bits = readLong(mask, 255n);
      if (number !== undefined && bits !== undefined && more.length === 0)
        return { value: Number(number), mask: Number(bits) };
      const named = Object.hasOwn(NAMES, text.toLowerCase()) ? NAMES[text.toLowerCase()] : undefined;
      return named === undefined ? undefined : { value: named, mask: NAME_MASK };
    }),
  print: ({ value, mask }) => `${two(value)}/${two(mask)}`,
};
