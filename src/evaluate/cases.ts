/**
 * Ends of paths → cases. Each path carries only the assumptions that it met; here they are refined until every case
 * answers all questions that its paths asked, so that the shares of a case add up to exactly 1.
 */
import { printAddress } from "../../grammar/address.js";
import type { Range } from "../../grammar/meaning.js";
import { impliedAnswer, narrow } from "./facts.js";
import { tupleKey } from "./memory.js";
import type { Assumption, Landing, OpenParts, Share } from "./outcome.js";
import { intersect, isSubset } from "./ranges.js";
import { isSameShare, plus } from "./share.js";
import type { Assumed, Atom, Narrowed, OpenField } from "./world.js";

/** How outcomes are told apart, whatever they are: those of equal keys are one, and their shares add up. */
export interface OutcomeKind<T extends { readonly share: Share }> {
  key(outcome: T): string;
  withShare(outcome: T, share: Share): T;
}

export interface Cases<T> {
  /** `outcomes` are merged: no two differ in nothing but their share and steps. In the order of the walk. */
  readonly cases: readonly {
    readonly assuming: readonly Assumption[];
    readonly open: OpenParts;
    readonly outcomes: readonly T[];
  }[];
  /** There were more than `CASES_MAX`; the rest was left out. */
  readonly truncated: boolean;
}

const CASES_MAX = 256;

/** Answers along one branch of the refinement. */
const DEPTH_MAX = 2000;

/** Paths looked at, over all branches, before the refinement stops; the first case is made whatever it takes. */
const WORK_MAX = 8_000_000;

interface Decided {
  readonly atom: Atom;
  readonly holds: boolean;
}

interface Unnamed<T> {
  readonly decided: readonly Decided[];
  readonly open: OpenParts;
  readonly outcomes: readonly T[];
}

/** An end of a path, and what the path took for granted. */
export interface PathEnd<T> {
  readonly outcome: T;
  readonly assumed: Assumed | undefined;
}

export function casesOf<T extends { readonly share: Share }>(
  ends: readonly PathEnd<T>[],
  start: Narrowed,
  kind: OutcomeKind<T>,
): Cases<T> {
  const paths = ends.map(({ outcome, assumed }) => ({
    outcome,
    decided: listOf(assumed),
    next: 0,
  }));
  const search: Search<T> = { kind, answers: new Map(), left: CASES_MAX, work: WORK_MAX };
  const cases = split(paths, start, [], search);
  return {
    cases: cases.map(({ decided, open, outcomes }) => ({ assuming: wordsOf(decided), open, outcomes })),
    truncated: search.left < 0,
  };
}

interface Path<T> {
  readonly outcome: T;
  readonly decided: readonly Decided[];
  /** Index of the first of `decided` that the case has not answered yet. */
  readonly next: number;
}

interface Search<T> {
  readonly kind: OutcomeKind<T & { readonly share: Share }>;
  /** Answers of the branch that is being looked at, by the atom's key. */
  readonly answers: Map<string, boolean>;
  /** Cases that may still be made; below zero: some were left out. */
  left: number;
  work: number;
}

function split<T extends { readonly share: Share }>(
  paths: readonly Path<T>[],
  narrowed: Narrowed,
  decided: readonly Decided[],
  search: Search<T>,
): readonly Unnamed<T>[] {
  search.work -= paths.length;
  const tired = search.work < 0 && search.left < CASES_MAX;
  if (search.left < 0 || tired || decided.length > DEPTH_MAX) {
    search.left = Math.min(search.left, -1);
    return [];
  }
  const open = paths.flatMap((path) => advance(path, narrowed, search) ?? []);
  const waiting = open.find(({ decided: own, next }) => next < own.length);
  const atom = waiting?.decided[waiting.next]?.atom;
  if (atom === undefined) {
    search.left--;
    return search.left < 0
      ? []
      : [
          {
            decided,
            open: narrowed.sets,
            outcomes: mergeOutcomes(
              open.map(({ outcome }) => outcome),
              search.kind,
            ),
          },
        ];
  }
  const branch = (holds: boolean) => {
    search.answers.set(atom.key, holds);
    const cases = split(open, narrow(narrowed, atom, holds), [...decided, { atom, holds }], search);
    search.answers.delete(atom.key);
    return cases;
  };
  // "No" first: if some cases must be left out, the one in which nothing special holds is kept.
  const no = branch(false);
  const yes = branch(true);
  if (search.left >= 0 && isSameButFor(atom, yes, no, search.kind)) {
    search.left += yes.length;
    return yes.map((one) => ({ ...one, decided: one.decided.filter((other) => other.atom !== atom) }));
  }
  return [...yes, ...no];
}

/** The path behind what the case has answered; undefined: it is not possible in this case. */
function advance<T>(path: Path<T>, narrowed: Narrowed, { answers }: Search<T>): Path<T> | undefined {
  let { next } = path;
  for (; next < path.decided.length; next++) {
    const { atom, holds } = path.decided[next] as Decided;
    const answer = answers.get(atom.key) ?? impliedAnswer(atom, narrowed);
    if (answer === undefined) break;
    if (answer !== holds) return undefined;
  }
  return next === path.next ? path : { ...path, next };
}

/** A question whose answer changes nothing is not told. */
function isSameButFor<T extends { readonly share: Share }>(
  atom: Atom,
  yes: readonly Unnamed<T>[],
  no: readonly Unnamed<T>[],
  kind: OutcomeKind<T>,
): boolean {
  return (
    yes.length === no.length &&
    yes.every((one, index) => isSameCase(atom, one, no[index] as Unnamed<T>, kind))
  );
}

/** One of each outcome; shares add up, the first path's steps stand for all. */
function mergeOutcomes<T extends { readonly share: Share }>(
  outcomes: readonly T[],
  { key, withShare }: OutcomeKind<T>,
): readonly T[] {
  const merged = new Map<string, T>();
  for (const outcome of outcomes) {
    const own = key(outcome);
    const known = merged.get(own);
    merged.set(own, known === undefined ? outcome : withShare(known, plus(known.share, outcome.share)));
  }
  return [...merged.values()];
}

const keys = new WeakMap<Landing, string>();

export function landingKey(landing: Landing): string {
  let key = keys.get(landing);
  if (key === undefined) {
    const {
      share: _share,
      lastStep: _lastStep,
      connection: _connection,
      served: _served,
      quoted,
      ...outcome
    } = landing;
    const inner = quoted === null ? "" : tupleKey("ipv4", quoted.protocol, quoted.tuple);
    key = [...Object.values(outcome).map(String), inner].join(" ");
    keys.set(landing, key);
  }
  return key;
}

/** Single landings. */
export const LANDINGS: OutcomeKind<Landing> = {
  key: landingKey,
  withShare: (landing, share) => ({ ...landing, share }),
};

function isSameCase<T extends { readonly share: Share }>(
  atom: Atom,
  left: Unnamed<T>,
  right: Unnamed<T>,
  { key }: OutcomeKind<T>,
): boolean {
  if (left.outcomes.length !== right.outcomes.length) return false;
  const equal = left.outcomes.every((outcome, index) => {
    const other = right.outcomes[index] as T;
    return key(outcome) === key(other) && isSameShare(outcome.share, other.share);
  });
  const rest = ({ decided }: Unnamed<T>) =>
    decided
      .filter((one) => one.atom !== atom)
      .map((one) => `${one.holds} ${one.atom.key}`)
      .join("\n");
  return equal && rest(left) === rest(right);
}

function listOf(assumed: Assumed | undefined): readonly Decided[] {
  const list: Decided[] = [];
  for (let one = assumed; one !== undefined; one = one.previous)
    list.push({ atom: one.atom, holds: one.holds });
  return list.reverse();
}

/** The answers in words; those about one open field as a single sentence. */
function wordsOf(decided: readonly Decided[]): readonly Assumption[] {
  const assumptions: Assumption[] = [];
  for (const field of ["source", "sourcePort"] as const) {
    const own = decided.filter(
      (one): one is Decided & { atom: Atom & { kind: "range" } } =>
        one.atom.kind === "range" && one.atom.field === field,
    );
    if (own.length > 0) assumptions.push(rangeWords(field, own));
  }
  for (const { atom, holds } of decided) {
    if (atom.kind !== "range") {
      assumptions.push({
        key: `${holds ? "" : "not "}${atom.key}`,
        words: holds ? atom.words : atom.wordsNot,
      });
    }
  }
  return assumptions;
}

function rangeWords(
  field: OpenField,
  decided: readonly { readonly atom: Atom & { kind: "range" }; readonly holds: boolean }[],
): Assumption {
  const name = field === "source" ? "the source" : "the source port";
  const yes = decided.filter(({ holds }) => holds).map(({ atom }) => atom.ranges);
  // Of nested classes only the narrowest is worth a word, and of those denied only what lies in it.
  const narrowest = yes.find((one) => yes.every((other) => isSubset(one, other))) ?? yes.at(-1);
  const no = decided
    .filter(({ holds }) => !holds)
    .map(({ atom }) => atom.ranges)
    .filter((one) => narrowest === undefined || intersect(one, narrowest).length > 0);
  const is = narrowest === undefined ? "" : printRanges(narrowest);
  const isNot = no.map(printRanges).join(", ");
  const single = narrowest?.length === 1 && narrowest[0]?.from === narrowest[0]?.to;
  const words =
    is === ""
      ? `${name} is not ${no.length > 1 ? "any of" : "in"} ${isNot}`
      : `${name} is ${single ? "" : "in "}${is}${isNot === "" ? "" : `, but not ${isNot}`}`;
  return { key: `${field} ${is}${isNot === "" ? "" : ` not ${isNot}`}`, words };
}

/** Ranges of addresses as CIDRs where they are one. */
export function printRanges(ranges: readonly Range[]): string {
  return ranges.map(printRange).join(", ");
}

function printRange({ from, to }: Range): string {
  if (typeof from === "number" && from <= 65535 && Number(to) <= 65535)
    return from === to ? `${from}` : `${from}-${to}`;
  if (from === to) return printAddress(from);
  const size = BigInt(to) - BigInt(from) + 1n;
  const bits = size.toString(2).length - 1;
  const isNetwork = size === 1n << BigInt(bits) && BigInt(from) % size === 0n;
  const length = (typeof from === "number" ? 32 : 128) - bits;
  return isNetwork ? `${printAddress(from)}/${length}` : `${printAddress(from)}-${printAddress(to)}`;
}
