/** Code points of differentiated services, by number or by the name of their class. */
import type { ValueKind } from "./description.js";
import { hexKind, reading } from "./values.js";

export const codePointKind: ValueKind<number> = hexKind(63, 2);

const CLASSES: Readonly<Record<string, number>> = {
  BE: 0,
  EF: 0x2e,
  ...Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`CS${index}`, index << 3])),
  ...Object.fromEntries(
    [1, 2, 3, 4].flatMap((level) =>
      [1, 2, 3].map((drop) => [`AF${level}${drop}`, (level << 3) | (drop << 1)] as const),
    ),
  ),
};

const expects = `a class: ${Object.keys(CLASSES).join(", ")}`;

export const classKind: ValueKind<number> = {
  ...codePointKind,
  expects,
  // iptables looks whether the text begins with a class, and not at what follows.
  grammar: () =>
    reading(expects, (text) => {
      const found = Object.entries(CLASSES).find(([name]) => text.toUpperCase().startsWith(name));
      return found?.[1];
    }),
};
