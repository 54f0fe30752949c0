/**
 * Two answers about one packet, compared case by case: what each side assumes is put together, and where both can hold at
 * once, the outcomes and their exact shares must be equal.
 */
import type { Address } from "../../grammar/address.js";
import type { Case, Distribution, Landing, Share } from "../evaluate/outcome.js";
import { isSameShare, NOTHING, plus, toNumber } from "../evaluate/share.js";

export type Comparison =
  | { readonly kind: "same" }
  /** The same outcomes, and shares that differ by the rounding of probabilities alone. */
  | { readonly kind: "rounding" }
  /** Not all could be compared. */
  | { readonly kind: "undecided"; readonly why: string }
  | Difference;

export interface Difference {
  readonly kind: "differs";
  /** What the packets land on differs; `source`: only what is seen there as their source. */
  readonly what: "destination" | "source";
  /** Of the cases that differ the one that assumes least, with what both sides assume in it. */
  readonly assuming: readonly string[];
  readonly left: readonly Landing[];
  readonly right: readonly Landing[];
  /** How many cases differ. */
  readonly cases: number;
}

export interface CompareOptions {
  /** The sides are of nodes with other addresses and interfaces: those of each are "the node's". */
  readonly own?: { readonly left: ReadonlySet<Address>; readonly right: ReadonlySet<Address> };
  /** What the right side calls the chains, and with them the xt_recent lists, of the left side that it has renamed. */
  readonly renamed?: ReadonlyMap<string, string>;
}

/** Shares are written with five decimals at least (kube-proxy before 1.17), and fewer digits are no other intention. */
export const ROUNDING = 1e-5;

/** Pairs of cases that are looked at. */
const PAIRS_MAX = 200_000;

export function compareDistributions(
  left: Distribution,
  right: Distribution,
  { own, renamed = NO_NAMES }: CompareOptions = {},
): Comparison {
  if (left.cases.length === 0 || right.cases.length === 0) {
    if (left.cases.length === right.cases.length && left.notes.at(-1) === right.notes.at(-1)) {
      const gaveUp = left.notes.find((note) => note.startsWith("gave up"));
      return gaveUp === undefined ? { kind: "same" } : { kind: "undecided", why: gaveUp };
    }
    const [why = ""] = [left, right].flatMap(({ cases, notes }) =>
      cases.length === 0 ? notes.slice(-1) : [],
    );
    return { kind: "undecided", why };
  }
  if (left.cases.length * right.cases.length > PAIRS_MAX)
    return { kind: "undecided", why: "there are too many cases to compare" };
  let rounding = false;
  let first: Difference | undefined;
  let cases = 0;
  const views = {
    left: left.cases.map((one) => viewOf(one, own?.left, renamed)),
    right: right.cases.map((one) => viewOf(one, own?.right, NO_NAMES)),
  };
  for (const one of views.left) {
    for (const other of views.right) {
      if (!areCompatible(one.holds, other.holds)) continue;
      const whole = compareShares(one.whole, other.whole);
      if (whole === "same") continue;
      if (whole === "rounding") {
        rounding = true;
        continue;
      }
      cases++;
      const assuming = jointAssumptions(one.of, other.of, renamed);
      if (first !== undefined && weight(first.assuming) <= weight(assuming)) continue;
      const what = compareShares(one.ends, other.ends) === "differs" ? "destination" : "source";
      first = { kind: "differs", what, assuming, left: one.of.landings, right: other.of.landings, cases };
    }
  }
  if (first !== undefined) return { ...first, cases };
  return { kind: rounding ? "rounding" : "same" };
}

/** A case with what is compared of it: shares by outcome, with and without what the receiver sees as the source. */
interface View {
  readonly of: Case;
  readonly holds: ReadonlyMap<string, boolean>;
  readonly whole: ReadonlyMap<string, Share>;
  readonly ends: ReadonlyMap<string, Share>;
}

function viewOf(of: Case, own: ReadonlySet<Address> | undefined, renamed: ReadonlyMap<string, string>): View {
  const whole = new Map<string, Share>();
  const ends = new Map<string, Share>();
  const add = (map: Map<string, Share>, key: string, share: Share) =>
    map.set(key, plus(map.get(key) ?? NOTHING, share));
  for (const landing of of.landings) {
    const end = endKey(landing, own);
    add(ends, end, landing.share);
    add(whole, `${end} ${sourceKey(landing, own)}`, landing.share);
  }
  const holds = new Map<string, boolean>();
  for (const assumption of of.assuming) {
    const key = translated(assumption.key, renamed);
    if (key.startsWith(NOT)) holds.set(key.slice(NOT.length), false);
    else holds.set(key, true);
  }
  return { of, holds, whole, ends };
}

const NO_NAMES: ReadonlyMap<string, string> = new Map();

function translated(text: string, names: ReadonlyMap<string, string>): string {
  if (names.size === 0) return text;
  return text.replace(/[^\s()]+/g, (word) => names.get(word) ?? word);
}

/** How the key of an assumption that something does not hold begins. */
const NOT = "not ";

/** Where a packet ends; equal for landings that nobody can tell apart but by the source. */
export function endKey(landing: Landing, own?: ReadonlySet<Address>): string {
  const { verdict, dport, answered, processSees, out } = landing;
  const sees = processSees ?? "";
  switch (verdict) {
    case "drop":
      return `drop ${sees}`;
    case "reject":
    case "error":
      return `${verdict} ${landing.with} ${addressKey(landing.from, own)} ${answered} ${sees}`;
    default:
      // Another node has other interfaces.
      return `${verdict} ${addressKey(landing.dst, own)} ${dport} ${own === undefined ? out : ""}`;
  }
}

/** What the receiver can tell landings apart by; of a difference in the end alone, the end. */
export function receivedKey(landing: Landing, what: Difference["what"]): string {
  return what === "destination" ? endKey(landing) : `${endKey(landing)} ${sourceKey(landing)}`;
}

function sourceKey(
  { verdict, src, sport, sportKept, masqueraded }: Landing,
  own?: ReadonlySet<Address>,
): string {
  if (verdict !== "forward" && verdict !== "local" && verdict !== "queue") return "";
  return `${addressKey(src, own)} ${sport} ${sportKept} ${masqueraded}`;
}

function addressKey(address: Address | null, own?: ReadonlySet<Address>): string {
  return address !== null && own?.has(address) ? "the node" : String(address);
}

function areCompatible(left: ReadonlyMap<string, boolean>, right: ReadonlyMap<string, boolean>): boolean {
  for (const [key, holds] of left) if ((right.get(key) ?? holds) !== holds) return false;
  return true;
}

function compareShares(
  left: ReadonlyMap<string, Share>,
  right: ReadonlyMap<string, Share>,
): Comparison["kind"] {
  if (left.size !== right.size) return "differs";
  let result: Comparison["kind"] = "same";
  for (const [key, share] of left) {
    const other = right.get(key);
    if (other === undefined || Math.abs(toNumber(share) - toNumber(other)) >= ROUNDING) return "differs";
    if (!isSameShare(share, other)) result = "rounding";
  }
  return result;
}

function jointAssumptions(left: Case, right: Case, renamed: ReadonlyMap<string, string>): readonly string[] {
  const words = new Map(left.assuming.map((one) => [translated(one.key, renamed), one.words]));
  for (const one of right.assuming) if (!words.has(one.key)) words.set(one.key, one.words);
  return [...words.values()];
}

/** What is assumed to be so weighs more than what is assumed not to be, as it commonly isn't. */
function weight(assuming: readonly string[]): number {
  return assuming.reduce((sum, words) => sum + (/\bnot\b/.test(words) ? 1 : 100), 0);
}
