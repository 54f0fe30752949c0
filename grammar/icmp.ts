/** What `icmp` and `icmp6` share: types and codes by name or number. */

import type { ValueKind } from "./description.js";
import { type ListedForm, listedOption, not } from "./listing.js";
import { allOf, type Condition, within } from "./meaning.js";
import { reading, readLong } from "./values.js";

/** `code` undefined: any. */
export interface IcmpType {
  readonly type: number;
  readonly code?: number;
}

/** Names, each with its type and perhaps its code: "host-unreachable 3 1". */
export function icmpKind(names: readonly string[], any: number | undefined): ValueKind<IcmpType> {
  const table = names.map((line) => {
    const [name = "", type, code] = line.split(" ");
    return { name, value: { type: Number(type), ...(code === undefined ? {} : { code: Number(code) }) } };
  });
  const expects = `a type by number or name, for example 8, 3/4 or ${table[1]?.name}`;
  const read = (text: string): IcmpType | undefined => {
    // iptables takes the beginning of a name, in any case, if it is that of one name only.
    const begun = table.filter(({ name }) => name.toLowerCase().startsWith(text.toLowerCase()));
    if (begun.length === 1) return begun[0]?.value;
    const [type = "", code, ...more] = text.split("/");
    if (more.length > 0) return undefined;
    // A range is read, but the type must be one, and of codes the first counts.
    const [number, last] = readRange(type);
    const [codeNumber] = code === undefined ? [] : readRange(code);
    if (number !== last) return undefined;
    if (number === undefined || (code !== undefined && codeNumber === undefined)) return undefined;
    return { type: Number(number), ...(codeNumber === undefined ? {} : { code: Number(codeNumber) }) };
  };
  const grammar = reading(expects, read);
  return {
    expects,
    grammar: () => grammar,
    print: ({ type, code }) => (type === any ? "any" : code === undefined ? `${type}` : `${type}/${code}`),
  };
}

/** `icmptype 8 code 0`, `icmp !type 255`, or the name of a type. */
export function listedTypes(shown: string, option: string): readonly ListedForm[] {
  return [
    {
      form: new RegExp(`^${shown}(?: (!?)|)(?:type|codes) (\\d+)(?: codes? (\\S+))?`),
      words: ([negated, type = "", code]) => {
        const any = type === "255" && shown === "icmp";
        return [...not(negated), option, any ? "any" : code === undefined ? type : `${type}/${code}`];
      },
    },
    listedOption(`${shown} `, option, "[a-zA-Z][\\w-]*"),
  ];
}

/** `number` or `number:number`; nothing for any other text. */
function readRange(text: string): readonly (bigint | undefined)[] {
  const [first = "", last = first, ...more] = text.split(":");
  const ends = [readLong(first, 255n), readLong(last, 255n)];
  return more.length > 0 || ends.includes(undefined) ? [] : ends;
}

export function icmpCondition({ type, code }: IcmpType, any: number | undefined): Condition {
  if (type === any) return { kind: "always" };
  return allOf([within("icmpType", type), ...(code === undefined ? [] : [within("icmpCode", code)])]);
}
