/** Names of ipsets with the parts of the packet that are looked up: `NAME src,dst`. */
import type { ValueKind } from "./description.js";
import type { Direction } from "./sets/description.js";
import { reading } from "./values.js";

export interface SetReference {
  readonly name: string;
  /** One for each dimension of the set. */
  readonly directions: readonly Direction[];
}

/** Bytes of a name (`IPSET_MAXNAMELEN`, less its end). */
export const SET_NAME_MAX = 31;
const DIMENSIONS_MAX = 6;
const DIRECTIONS: readonly Direction[] = ["src", "dst"];
const expects = "the name of a set and src or dst for each of its dimensions, for example `web dst,dst`";

export const setReferenceKind: ValueKind<SetReference> = {
  expects,
  words: 2,
  grammar: () =>
    reading(expects, (text) => {
      const blank = text.indexOf(" ");
      const name = text.slice(0, blank);
      const words = text.slice(blank + 1).split(",", DIMENSIONS_MAX + 1);
      // iptables looks at the first letters only.
      const directions = words.map((word) => DIRECTIONS.find((one) => word.startsWith(one)));
      const fits =
        blank > 0 &&
        name.length <= SET_NAME_MAX &&
        words.length <= DIMENSIONS_MAX &&
        !directions.includes(undefined);
      return fits ? { name, directions: directions as Direction[] } : undefined;
    }),
  print: ({ name, directions }) => `${name} ${directions.join(",")}`,
};
