/**
 * What a set of assumptions says of an atom: yes, no, or nothing. Used while a path is walked, and again when paths are
 * sorted into cases.
 */
import { ALL_ONES, type Family } from "../../grammar/address.js";
import type { Range } from "../../grammar/meaning.js";
import { intersect, placeIn, subtract } from "./ranges.js";
import { type Assumed, type Atom, type Narrowed, patternTakes } from "./world.js";

/** Nothing answered yet; `sources` are those that the packet can have, if not all. */
export function startingFacts(family: Family, sources: readonly Range[] | undefined): Narrowed {
  const all = family === "ipv4" ? { from: 0, to: ALL_ONES.ipv4 } : { from: 0n, to: ALL_ONES.ipv6 };
  return {
    sets: { source: sources ?? [all], sourcePort: [{ from: 0, to: 65535 }] },
    words: [],
    numbers: new Map(),
  };
}

/** What one more answer leaves of the open fields. */
export function narrow(before: Narrowed, atom: Atom, holds: boolean): Narrowed {
  switch (atom.kind) {
    case "question":
      return before;
    case "range": {
      const set = before.sets[atom.field];
      const left = holds ? intersect(set, atom.ranges) : subtract(set, atom.ranges);
      return { ...before, sets: { ...before.sets, [atom.field]: left } };
    }
    case "number": {
      const set = before.numbers.get(atom.field) ?? [atom.whole];
      const left = holds ? intersect(set, atom.ranges) : subtract(set, atom.ranges);
      return { ...before, numbers: new Map(before.numbers).set(atom.field, left) };
    }
    case "word":
      return { ...before, words: [...before.words, { field: atom.field, pattern: atom.pattern, holds }] };
  }
}

/** One more assumption. `start`: the facts before anything was assumed. */
export function assuming(
  previous: Assumed | undefined,
  atom: Atom,
  holds: boolean,
  start: Narrowed,
): Assumed {
  return { previous, atom, holds, narrowed: narrow(previous?.narrowed ?? start, atom, holds) };
}

/** What a world's assumptions say of an atom; undefined: nothing. */
export function assumedAnswer(
  atom: Atom,
  assumed: Assumed | undefined,
  start: Narrowed,
): boolean | undefined {
  for (let one = assumed; one !== undefined; one = one.previous) {
    if (one.atom.key === atom.key) return one.holds;
  }
  return impliedAnswer(atom, assumed?.narrowed ?? start);
}

/** What follows from the answers to other atoms of the same field. */
export function impliedAnswer(atom: Atom, { sets, words, numbers }: Narrowed): boolean | undefined {
  switch (atom.kind) {
    case "question":
      return undefined;
    case "range": {
      const place = placeIn(sets[atom.field], atom.ranges);
      return place === "part" ? undefined : place === "inside";
    }
    case "number": {
      const place = placeIn(numbers.get(atom.field) ?? [atom.whole], atom.ranges);
      return place === "part" ? undefined : place === "inside";
    }
    case "word":
      for (const known of words) {
        if (known.field !== atom.field) continue;
        const answer = impliedByName(atom.pattern, known.pattern, known.holds);
        if (answer !== undefined) return answer;
      }
      return undefined;
  }
}

/** A name that was assumed decides every pattern; a pattern that was denied denies the narrower ones. */
function impliedByName(asked: string, known: string, holds: boolean): boolean | undefined {
  if (!known.endsWith("+")) return holds ? patternTakes(asked, known) : undefined;
  const prefix = known.slice(0, -1);
  const bare = asked.endsWith("+") ? asked.slice(0, -1) : asked;
  if (bare.startsWith(prefix)) return holds ? undefined : false;
  if (!holds) return undefined;
  if (!asked.endsWith("+")) return false;
  return prefix.startsWith(bare);
}
