/** Reading one option's text with its kind: quick reader, then memo, then grammar. */
import type { Family } from "./address.js";
import type { ValueKind } from "./description.js";
import { parseWhole } from "./parse.js";

export type ValueRead<T> = { readonly ok: true; readonly value: T } | { readonly ok: false };

// Real dumps repeat a few hundred texts (`--ctstate …`, `0x4000/0x4000`); the bound is against hostile ones.
const MEMO_SIZE = 4096;
const memos = new WeakMap<object, Map<string, ValueRead<unknown>>>();

/** The value of an option's text, if the kind has it. */
export function readValue<T>(kind: ValueKind<T>, text: string, family: Family): ValueRead<T> {
  const quick = kind.quick?.(text, family);
  if (quick !== undefined) return { ok: true, value: quick };
  let memo = memos.get(kind);
  if (memo === undefined || memo.size >= MEMO_SIZE) {
    memo = new Map();
    memos.set(kind, memo);
  }
  const key = `${family} ${text}`;
  const known = memo.get(key);
  if (known !== undefined) return known as ValueRead<T>;
  const result = parseWhole(kind.grammar(family), text);
  const read: ValueRead<T> = result.ok ? result : { ok: false };
  memo.set(key, read);
  return read;
}
