/**
 * Ends of paths → cases. Each path carries only the assumptions that it met; here they are refined until every case
 * answers all questions that its paths asked, so that the shares of a case add up to exactly 1.
 */
import { printAddress } from "../../grammar/address.js";
import type { Range } from "../../grammar/meaning.js";
import { answerOf, type Facts, withAnswer } from "./facts.js";
import type { Assumption, Case, Landing } from "./outcome.js";
import { isSubset } from "./ranges.js";
import { plus } from "./share.js";
import { type Assumed, type Atom, atomKey } from "./world.js";

/** A path's end. */
export interface End {
  readonly landing: Landing;
  readonly assumed: Assumed | undefined;
}

export interface Cases {
  readonly cases: readonly Case[];
  /** There were more than `CASES_MAX`; the rest was left out. */
  readonly truncated: boolean;
}

const CASES_MAX = 256;

interface Decided {
  readonly atom: Atom;
  readonly holds: boolean;
}

interface Unnamed {
  readonly decided: readonly Decided[];
  readonly landings: readonly Landing[];
}

export function casesOf(ends: readonly End[], facts: Facts): Cases {
  const paths = ends.map(({ landing, assumed }) => ({ landing, decided: listOf(assumed) }));
  const counter = { left: CASES_MAX };
  const cases = split(paths, facts, [], counter);
  return {
    cases: cases.map(({ decided, landings }) => ({ assuming: wordsOf(decided), landings })),
    truncated: counter.left < 0,
  };
}

interface Path {
  readonly landing: Landing;
  /** What is not yet answered by the facts of the case. */
  readonly decided: readonly Decided[];
}

function split(
  paths: readonly Path[],
  facts: Facts,
  decided: readonly Decided[],
  counter: { left: number },
): readonly Unnamed[] {
  if (counter.left < 0) return [];
  const open: Path[] = [];
  let question: Atom | undefined;
  for (const path of paths) {
    const rest: Decided[] = [];
    let possible = true;
    for (const one of path.decided) {
      const answer = answerOf(one.atom, facts);
      if (answer === undefined) rest.push(one);
      else if (answer !== one.holds) {
        possible = false;
        break;
      }
    }
    if (!possible) continue;
    question ??= rest[0]?.atom;
    open.push({ landing: path.landing, decided: rest });
  }
  if (question === undefined) {
    counter.left--;
    return counter.left < 0 ? [] : [{ decided, landings: mergeLandings(open.map(({ landing }) => landing)) }];
  }
  const atom = question;
  const branch = (holds: boolean) =>
    split(open, withAnswer(facts, atom, holds), [...decided, { atom, holds }], counter);
  const yes = branch(true);
  const no = branch(false);
  // A question whose answer changes nothing is not told.
  if (yes.length === no.length && yes.every((one, index) => sameButFor(atom, one, no[index]))) {
    counter.left += yes.length;
    return yes.map((one) => ({ ...one, decided: one.decided.filter((other) => other.atom !== atom) }));
  }
  return [...yes, ...no];
}

/** One landing for each outcome; shares add up, the first path's steps stand for all. */
function mergeLandings(landings: readonly Landing[]): readonly Landing[] {
  const merged = new Map<string, Landing>();
  for (const landing of landings) {
    const key = landingKey(landing);
    const known = merged.get(key);
    merged.set(key, known === undefined ? landing : { ...known, share: plus(known.share, landing.share) });
  }
  return [...merged.values()];
}

function landingKey(landing: Landing): string {
  const { share: _share, lastStep: _lastStep, ...outcome } = landing;
  return Object.values(outcome).map(String).join(" ");
}

function sameButFor(atom: Atom, left: Unnamed, right: Unnamed | undefined): boolean {
  if (right === undefined || left.landings.length !== right.landings.length) return false;
  const rest = ({ decided }: Unnamed) =>
    decided
      .filter((one) => one.atom !== atom)
      .map((one) => `${one.holds} ${atomKey(one.atom)}`)
      .join("\n");
  if (rest(left) !== rest(right)) return false;
  return left.landings.every((landing, index) => {
    const other = right.landings[index];
    if (other === undefined || landingKey(landing) !== landingKey(other)) return false;
    const exponent = BigInt(Math.max(landing.share.exponent, other.share.exponent));
    const lift = ({ share }: Landing) => share.numerator << (exponent - BigInt(share.exponent));
    return lift(landing) === lift(other);
  });
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
        key: `${holds ? "" : "not "}${atomKey(atom)}`,
        words: holds ? atom.words : atom.wordsNot,
      });
    }
  }
  return assumptions;
}

function rangeWords(
  field: "source" | "sourcePort",
  decided: readonly { readonly atom: Atom & { kind: "range" }; readonly holds: boolean }[],
): Assumption {
  const name = field === "source" ? "the source" : "the source port";
  const yes = decided.filter(({ holds }) => holds).map(({ atom }) => atom.ranges);
  // Of nested classes only the narrowest is worth a word, and of those denied only what lies in it.
  const narrowest = yes.find((one) => yes.every((other) => isSubset(one, other))) ?? yes.at(-1);
  const no = decided
    .filter(({ holds }) => !holds)
    .map(({ atom }) => atom.ranges)
    .filter((one) => narrowest === undefined || isSubset(one, narrowest));
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
