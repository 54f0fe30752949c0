/**
 * Ends of paths → cases. Each path carries only the assumptions that it met; here they are refined until every case
 * answers all questions that its paths asked, so that the shares of a case add up to exactly 1.
 */
import { printAddress } from "../../grammar/address.js";
import type { Range } from "../../grammar/meaning.js";
import { appendAll } from "../problems/append.js";
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

/** That some cases, perhaps all, were left out. */
export function leftOutNote({ cases }: Cases<unknown>): string {
  return cases.length === 0
    ? "gave up: there are too many ways through these rules"
    : `more than ${cases.length} cases: the others are left out`;
}

const CASES_MAX = 256;

/** Answers along one branch of the refinement. */
const DEPTH_MAX = 2000;

/** Ways looked at, over all branches, before the refinement stops; the first case is made whatever it takes. */
const WORK_MAX = 8_000_000;

interface Decided {
  readonly atom: Atom;
  readonly holds: boolean;
}

/** Answers of a branch, last first. */
interface Branch extends Decided {
  readonly previous: Branch | undefined;
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
  const begin: Point<T> = { waiting: [treeOf(ends)], settled: undefined, narrowed: start, branch: undefined };
  const newSearch = (left: number): Search<T> => ({
    kind,
    answers: new Map(),
    left,
    truncated: false,
    work: WORK_MAX,
  });
  const search = newSearch(CASES_MAX);
  let cases = split(begin, search);
  if (search.truncated) {
    // Of too many, the first that are met are told, and the one in which nothing special holds, if it was made.
    const first = firstCases(begin, newSearch(CASES_MAX - 1));
    const last = cases.at(-1);
    cases = last?.decided.every(({ holds }) => !holds) ? [...first, last] : first;
  }
  return {
    cases: cases.map(({ decided, open, outcomes }) => ({ assuming: wordsOf(decided), open, outcomes })),
    truncated: search.truncated,
  };
}

/** Paths that have gone the same way so far, and so have assumed the same. */
interface Way<T> {
  /** What was assumed last; undefined: nothing yet. */
  readonly last: Decided | undefined;
  /** Those that have ended, by their place among all. */
  readonly ended: { readonly place: number; readonly outcome: T }[];
  /** The place of the first path. */
  readonly first: number;
  readonly goOn: Way<T>[];
}

function treeOf<T>(ends: readonly PathEnd<T>[]): Way<T> {
  const root: Way<T> = { last: undefined, ended: [], first: 0, goOn: [] };
  const ways = new Map<Assumed | undefined, Way<T>>([[undefined, root]]);
  for (const [place, { outcome, assumed }] of ends.entries()) {
    const isNew: Assumed[] = [];
    let one = assumed;
    for (; one !== undefined && !ways.has(one); one = one.previous) isNew.push(one);
    let way = ways.get(one) ?? root;
    for (const last of isNew.reverse()) {
      const next: Way<T> = { last, ended: [], first: place, goOn: [] };
      way.goOn.push(next);
      ways.set(last, next);
      way = next;
    }
    way.ended.push({ place, outcome });
  }
  return root;
}

/** What is possible after some answers. */
interface Point<T> {
  /** Ways that hang on a question without an answer yet. */
  readonly waiting: readonly Way<T>[];
  /** Paths that are in every case from here on. */
  readonly settled: Settled<T> | undefined;
  readonly narrowed: Narrowed;
  readonly branch: Branch | undefined;
}

interface Settled<T> {
  readonly previous: Settled<T> | undefined;
  readonly ended: Way<T>["ended"];
}

interface Search<T> {
  readonly kind: OutcomeKind<T & { readonly share: Share }>;
  /** Answers of the branch that is being looked at, by the atom's key. */
  readonly answers: Map<string, boolean>;
  /** Cases that may still be made. */
  left: number;
  /** Some were left out. */
  truncated: boolean;
  work: number;
}

/**
 * All cases from a point on. "No" goes first, without recursion: what is left out, if there are too many, is not the case
 * in which nothing special holds. A question whose answer changes nothing is not told.
 */
function split<T extends { readonly share: Share }>(
  start: Point<T>,
  search: Search<T>,
): readonly Unnamed<T>[] {
  const asked: { readonly at: Point<T>; readonly atom: Atom }[] = [];
  let point = start;
  let cases: readonly Unnamed<T>[] = [];
  for (;;) {
    if (isTired(point, search, CASES_MAX)) break;
    point = advanced(point, search);
    const atom = nextQuestion(point);
    if (atom === undefined) {
      search.left--;
      cases = [caseAt(point, search)];
      break;
    }
    asked.push({ at: point, atom });
    point = answered(point, atom, false, search);
  }
  for (const { at, atom } of asked.reverse()) {
    const yes = split(answered(at, atom, true, search), search);
    search.answers.delete(atom.key);
    if (!search.truncated && isSameButFor(atom, yes, cases, search.kind)) {
      search.left += yes.length;
      cases = yes.map((one) => ({ ...one, decided: one.decided.filter((other) => other.atom !== atom) }));
    } else cases = [...yes, ...cases];
  }
  return cases;
}

/** The first cases in the order of the walk, "yes" before "no", until there are enough. */
function firstCases<T extends { readonly share: Share }>(
  start: Point<T>,
  search: Search<T>,
): readonly Unnamed<T>[] {
  const cases: Unnamed<T>[] = [];
  const asked: Atom[] = [];
  for (let point = start; !isTired(point, search, CASES_MAX - 1); ) {
    point = advanced(point, search);
    const atom = nextQuestion(point);
    if (atom === undefined) {
      search.left--;
      cases.push(caseAt(point, search));
      break;
    }
    asked.push(atom);
    cases.push(...firstCases(answered(point, atom, true, search), search));
    point = answered(point, atom, false, search);
  }
  for (const { key } of asked) search.answers.delete(key);
  return cases;
}

/** Whether the search ends here, without a case. */
function isTired<T>({ waiting }: Point<T>, search: Search<T>, most: number): boolean {
  search.work -= waiting.length + 1;
  const stops =
    search.left <= 0 || search.answers.size > DEPTH_MAX || (search.work < 0 && search.left < most);
  if (stops) search.truncated = true;
  return stops;
}

/** Further on all ways whose questions have answers; those that are not possible are gone. */
function advanced<T>(point: Point<T>, { answers }: Search<T>): Point<T> {
  const waiting: Way<T>[] = [];
  let { settled } = point;
  const open = [...point.waiting].reverse();
  for (let way = open.pop(); way !== undefined; way = open.pop()) {
    const { last, ended, goOn } = way;
    const answer = last && (answers.get(last.atom.key) ?? impliedAnswer(last.atom, point.narrowed));
    if (last !== undefined && answer === undefined) waiting.push(way);
    else if (answer === last?.holds) {
      if (ended.length > 0) settled = { previous: settled, ended };
      for (let index = goOn.length - 1; index >= 0; index--) open.push(goOn[index] as Way<T>);
    }
  }
  return { ...point, waiting, settled };
}

/** What the first path that waits hangs on. */
function nextQuestion<T>({ waiting }: Point<T>): Atom | undefined {
  let next: Way<T> | undefined;
  for (const way of waiting) if (next === undefined || way.first < next.first) next = way;
  return next?.last?.atom;
}

function answered<T>(point: Point<T>, atom: Atom, holds: boolean, { answers }: Search<T>): Point<T> {
  answers.set(atom.key, holds);
  const branch: Branch = { previous: point.branch, atom, holds };
  return { ...point, narrowed: narrow(point.narrowed, atom, holds), branch };
}

function caseAt<T extends { readonly share: Share }>(
  { settled, narrowed, branch }: Point<T>,
  { kind }: Search<T>,
): Unnamed<T> {
  const ended: { readonly place: number; readonly outcome: T }[] = [];
  for (let one = settled; one !== undefined; one = one.previous) appendAll(ended, one.ended);
  ended.sort((left, right) => left.place - right.place);
  const outcomes = ended.map(({ outcome }) => outcome);
  return { decided: listOf(branch), open: narrowed.sets, outcomes: mergeOutcomes(outcomes, kind) };
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

/** Assumptions in the order in which they were made. */
function listOf(last: Branch | Assumed | undefined): readonly Decided[] {
  const list: Decided[] = [];
  for (let one = last; one !== undefined; one = one.previous) list.push({ atom: one.atom, holds: one.holds });
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
