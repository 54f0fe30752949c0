/**
 * What a set of assumptions says of an atom: yes, no, or nothing. Used while a path is walked, and again when paths are
 * sorted into cases.
 */
import { ALL_ONES, type Family } from "../../grammar/address.js";
import type { Range } from "../../grammar/meaning.js";
import { intersect, isSubset, subtract } from "./ranges.js";
import { type Assumed, type Atom, atomKey, patternTakes } from "./world.js";

/** Facts gathered from assumptions. */
export interface Facts {
  readonly answers: ReadonlyMap<string, boolean>;
  /** What is left of open number fields. */
  readonly sets: ReadonlyMap<string, readonly Range[]>;
}

export function startingFacts(family: Family, sources: readonly Range[] | undefined): Facts {
  const all = family === "ipv4" ? { from: 0, to: ALL_ONES.ipv4 } : { from: 0n, to: ALL_ONES.ipv6 };
  return {
    answers: new Map(),
    sets: new Map([
      ["source", sources ?? [all]],
      ["sourcePort", [{ from: 0, to: 65535 }]],
    ]),
  };
}

/** The facts with one more answer. */
export function withAnswer(facts: Facts, atom: Atom, holds: boolean): Facts {
  const answers = new Map(facts.answers).set(atomKey(atom), holds);
  if (atom.kind !== "range") return { answers, sets: facts.sets };
  const before = facts.sets.get(atom.field) ?? [];
  const after = holds ? intersect(before, atom.ranges) : subtract(before, atom.ranges);
  return { answers, sets: new Map(facts.sets).set(atom.field, after) };
}

/** All answers of a world's assumptions, on top of `facts`. */
export function factsOf(assumed: Assumed | undefined, facts: Facts): Facts {
  return assumed === undefined
    ? facts
    : withAnswer(factsOf(assumed.previous, facts), assumed.atom, assumed.holds);
}

/** What the facts say of an atom; undefined: nothing. */
export function answerOf(atom: Atom, facts: Facts): boolean | undefined {
  const known = facts.answers.get(atomKey(atom));
  if (known !== undefined) return known;
  if (atom.kind === "range") {
    const set = facts.sets.get(atom.field) ?? [];
    if (isSubset(set, atom.ranges)) return true;
    return intersect(set, atom.ranges).length === 0 ? false : undefined;
  }
  if (atom.kind === "word") return wordAnswer(atom.field, atom.pattern, facts);
  return undefined;
}

/** A name that was assumed decides every pattern; a pattern that was denied denies the narrower ones. */
function wordAnswer(field: string, pattern: string, facts: Facts): boolean | undefined {
  for (const [key, holds] of facts.answers) {
    if (!key.startsWith(`${field} `)) continue;
    const other = key.slice(field.length + 1);
    const bare = pattern.endsWith("+") ? pattern.slice(0, -1) : pattern;
    if (holds && !other.endsWith("+")) return patternTakes(pattern, other);
    if (holds && pattern.endsWith("+") && other.slice(0, -1).startsWith(bare)) return true;
    if (holds && !bare.startsWith(other.slice(0, -1)) && !other.slice(0, -1).startsWith(bare)) return false;
    if (!holds && other.endsWith("+") && bare.startsWith(other.slice(0, -1))) return false;
  }
  return undefined;
}
