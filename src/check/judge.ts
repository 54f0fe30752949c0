/**
 * An expectation × an answer → whether it is met, and where it is not. Three answers: what nothing given determines is
 * `open`, and an expectation that is open is not met.
 */
import { type Address, familyOf, inNetwork } from "../../grammar/address.js";
import type { Bound, Claim, End, Expectation, Ratio, Target } from "../../grammar/expectation.js";
import { networkRange } from "../../grammar/values.js";
import type { Courses } from "../evaluate/conversation.js";
import type { Assumption, Distribution, Landing, OpenParts, Share } from "../evaluate/outcome.js";
import { placeIn } from "../evaluate/ranges.js";
import { lowestTerms, NOTHING, plus } from "../evaluate/share.js";
import { boundRange, isAbove, isBelow } from "./bounds.js";

export type Truth = "yes" | "no" | "open";

/** One way that a packet, or all of a conversation, can go. */
export interface Way {
  readonly share: Share;
  /** One for each step; null for those that send nothing. A single packet is one step. */
  readonly steps: readonly (Landing | null)[];
}

export interface AnsweredCase {
  readonly assuming: readonly Assumption[];
  /** Of a single packet. */
  readonly open?: OpenParts;
  readonly ways: readonly Way[];
}

/** What the names in expectations stand for. */
export interface Names {
  /** The service ports whose endpoint it is. */
  of(landing: Landing): readonly string[];
  /** The service port that the packet is for; undefined when it is for none, or that is not known. */
  readonly asked: string | undefined;
}

/** Where an expectation is not met. */
export interface Unmet {
  /** The part that is not met, of those that `and` joins. */
  readonly part: Expectation;
  readonly truth: "no" | "open";
  /** Undefined: there is no case, since the evaluation gave up. */
  readonly inCase: AnsweredCase | undefined;
  /** From 0. */
  readonly step: number;
  /** Undefined when it hangs on all ways together. */
  readonly way: Way | undefined;
  /** What a share is, where one was asked for; `of` names the endpoint. */
  readonly found?: { readonly share: Share; readonly of?: Landing };
  /** What was said of the way, and is not so (or, under a `never` or `not`, is so). */
  readonly claim?: Claim;
}

export function casesOfDistribution({ cases }: Distribution): readonly AnsweredCase[] {
  return cases.map(({ assuming, open, landings }) => ({
    assuming,
    open,
    ways: landings.map((landing) => ({ share: landing.share, steps: [landing] })),
  }));
}

export function casesOfCourses({ cases }: Courses): readonly AnsweredCase[] {
  return cases.map(({ assuming, courses }) => ({ assuming, ways: courses }));
}

/** The parts of an expectation that are not met, each where that was found first; none: it is met. */
export function unmetParts(
  expectation: Expectation,
  cases: readonly AnsweredCase[],
  names: Names,
): readonly Unmet[] {
  const context: Context = { cases, names, known: new Map() };
  const parts = expectation.kind === "all" ? expectation.parts : [expectation];
  return parts.flatMap((part) => firstUnmet(part, context) ?? []);
}

interface Context {
  readonly cases: readonly AnsweredCase[];
  readonly names: Names;
  /** Of what hangs on all ways of a case: its truth, by case and step. */
  readonly known: Map<Expectation, Map<AnsweredCase, Truth[]>>;
}

/** Of what is a truth asked: a way of a case, at a step. */
interface Point {
  readonly inCase: AnsweredCase;
  readonly way: Way;
  readonly step: number;
}

function firstUnmet(part: Expectation, context: Context): Unmet | undefined {
  const [first] = context.cases;
  if (first === undefined) return { part, truth: "open", inCase: undefined, step: 0, way: undefined };
  let open: Unmet | undefined;
  for (const point of pointsOf(context.cases)) {
    const truth = truthOf(part, point, context);
    if (truth === "yes" || (truth === "open" && open !== undefined)) continue;
    const unmet: Unmet = { part, truth, ...blamed(part, point, true, context) };
    // What is surely not so tells more than what may not be so.
    if (truth === "no") return unmet;
    open = unmet;
  }
  return open;
}

/** All ways of all cases, at all steps that send something. */
function* pointsOf(cases: readonly AnsweredCase[]): Iterable<Point> {
  for (const inCase of cases)
    for (const way of inCase.ways)
      for (const [step, landing] of way.steps.entries()) if (landing !== null) yield { inCase, way, step };
}

function truthOf(expectation: Expectation, point: Point, context: Context): Truth {
  switch (expectation.kind) {
    case "all":
      return every(expectation.parts, (part) => truthOf(part, point, context));
    case "any":
      return some(expectation.parts, (part) => truthOf(part, point, context));
    case "not":
      return opposite(truthOf(expectation.of, point, context));
    case "step":
      return truthOf(expectation.of, { ...point, step: expectation.step - 1 }, context);
    case "always":
    case "sometimes":
    case "never":
    case "every case":
    case "some case":
    case "share":
    case "each share":
      return remembered(expectation, point, context);
    default:
      return claimed(expectation, point, context);
  }
}

type OfAllWays = Extract<
  Expectation,
  { kind: "always" | "sometimes" | "never" | "every case" | "some case" | "share" | "each share" }
>;

function remembered(expectation: OfAllWays, point: Point, context: Context): Truth {
  const { inCase, step } = point;
  const cases = context.known.get(expectation) ?? new Map<AnsweredCase, Truth[]>();
  const steps = cases.get(inCase) ?? [];
  context.known.set(expectation, cases.set(inCase, steps));
  steps[step] ??= truthOfAll(expectation, point, context);
  return steps[step];
}

function truthOfAll(expectation: OfAllWays, { inCase, step }: Point, context: Context): Truth {
  const at = (one: AnsweredCase, of: Expectation) => (way: Way) =>
    truthOf(of, { inCase: one, way, step }, context);
  switch (expectation.kind) {
    case "always":
      return every(inCase.ways, at(inCase, expectation.of));
    case "sometimes":
      return some(inCase.ways, at(inCase, expectation.of));
    case "never":
      return opposite(some(inCase.ways, at(inCase, expectation.of)));
    case "every case":
      return every(context.cases, (one) => every(one.ways, at(one, expectation.of)));
    case "some case":
      return some(context.cases, (one) => every(one.ways, at(one, expectation.of)));
    case "share": {
      const { sure, open } = shareOf(expectation.of, inCase, step, context);
      return lies(sure, plus(sure, open), expectation.is);
    }
    case "each share": {
      const shares = [...endpointShares(expectation.service, inCase, step, context).values()];
      return shares.length === 0 ? "no" : every(shares, ({ share }) => lies(share, share, expectation.is));
    }
  }
}

/** The share of the ways on which it is so, and of those of which that is open. */
function shareOf(
  of: Expectation,
  inCase: AnsweredCase,
  step: number,
  context: Context,
): { readonly sure: Share; readonly open: Share } {
  let [sure, open] = [NOTHING, NOTHING];
  for (const way of inCase.ways) {
    const truth = truthOf(of, { inCase, way, step }, context);
    if (truth === "yes") sure = plus(sure, way.share);
    else if (truth === "open") open = plus(open, way.share);
  }
  return { sure, open };
}

interface EndpointShare {
  readonly share: Share;
  readonly way: Way;
}

function endpointShares(
  service: string | undefined,
  inCase: AnsweredCase,
  step: number,
  context: Context,
): ReadonlyMap<string, EndpointShare> {
  const shares = new Map<string, EndpointShare>();
  const claim: Claim = { kind: "lands", on: { kind: "endpoint", service } };
  for (const way of inCase.ways) {
    const landing = way.steps[step];
    if (!landing || claimed(claim, { inCase, way, step }, context) !== "yes") continue;
    const key = `${landing.dst} ${landing.dport}`;
    const before = shares.get(key);
    shares.set(key, { share: plus(before?.share ?? NOTHING, way.share), way: before?.way ?? way });
  }
  return shares;
}

/** Whether a share between `low` and `high` is in the bound. */
function lies(low: Share, high: Share, bound: Bound): Truth {
  const [least, most] = [ratio(low), ratio(high)];
  const { from, to } = boundRange(bound);
  if (isBelow(most, from) || isAbove(least, to)) return "no";
  return isBelow(least, from) || isAbove(most, to) ? "open" : "yes";
}

function ratio({ numerator, exponent }: Share): Ratio {
  return { numerator, denominator: 1n << BigInt(exponent) };
}

function isDelivered({ verdict }: Landing): boolean {
  return verdict === "forward" || verdict === "local";
}

function claimed(claim: Claim, { inCase, way, step }: Point, { names }: Context): Truth {
  const landing = way.steps[step];
  if (!landing) return "no";
  switch (claim.kind) {
    case "lands":
      return isDelivered(landing) ? landsOn(claim.on, landing, names) : "no";
    case "lands again": {
      const other = way.steps[claim.step - 1];
      if (!other || !isDelivered(other) || !isDelivered(landing)) return "no";
      if (landing.dst === null || other.dst === null) return "open";
      return yesIf(landing.dst === other.dst && landing.dport === other.dport);
    }
    case "delivered":
      return yesIf(isDelivered(landing));
    case "dropped":
      return yesIf(landing.verdict === "drop");
    case "queued":
      return yesIf(landing.verdict === "queue");
    case "masqueraded":
      return yesIf(landing.masqueraded);
    case "rejected":
      return yesIf(landing.verdict === "reject" && (claim.with === undefined || claim.with === landing.with));
    case "fails":
      return yesIf(
        landing.processSees !== null && (claim.with === undefined || claim.with === landing.processSees),
      );
    case "leaves":
      if (landing.verdict !== "forward") return "no";
      return landing.out === null ? "open" : yesIf(landing.out === claim.by);
    case "source":
      return isDelivered(landing) ? comesFrom(claim.is, landing, inCase) : "no";
  }
}

function landsOn(on: Target, landing: Landing, names: Names): Truth {
  switch (on.kind) {
    case "node":
      return yesIf(landing.verdict === "local");
    case "endpoint": {
      const service = on.service ?? names.asked;
      const own = names.of(landing);
      return yesIf(service === undefined ? own.length > 0 : own.includes(service));
    }
    case "end":
      return isEnd(on.end, landing.dst, landing.dport);
  }
}

/** The source that a packet leaves with; that of a class of sources is known if all of it is. */
function comesFrom(end: End, landing: Landing, { open }: AnsweredCase): Truth {
  const range = networkRange(end.network);
  if (landing.src !== null || landing.masqueraded || open === undefined || range === undefined)
    return isEnd(end, landing.src, landing.sport);
  const [first] = open.source;
  if (first === undefined || familyOf(first.from) !== familyOf(range.from)) return "no";
  const place = placeIn(open.source, [range]);
  if (place === "outside") return "no";
  return place === "part" ? "open" : isEnd(end, end.network.address, landing.sport);
}

function isEnd({ network, port }: End, address: Address | null, own: number | null): Truth {
  if (address === null) return "open";
  if (familyOf(address) !== familyOf(network.address) || !inNetwork(address, network)) return "no";
  if (port === undefined) return "yes";
  return own === null ? "open" : yesIf(own === port);
}

/** The way that is to blame for a truth that is not what was wanted; undefined when it hangs on all of them. */
function blamed(
  expectation: Expectation,
  point: Point,
  wanted: boolean,
  context: Context,
): Omit<Unmet, "part" | "truth"> {
  const { inCase, step } = point;
  const isWanted = (truth: Truth) => truth === (wanted ? "yes" : "no");
  const within = (of: Expectation, want: boolean, one: AnsweredCase) => {
    const way = one.ways.find(
      (own) => truthOf(of, { inCase: one, way: own, step }, context) !== (want ? "yes" : "no"),
    );
    return way === undefined ? undefined : blamed(of, { inCase: one, way, step }, want, context);
  };
  const whole = { inCase, step, way: undefined };
  switch (expectation.kind) {
    case "all":
    case "any": {
      const part = expectation.parts.find((one) => !isWanted(truthOf(one, point, context)));
      const hangsOnOne = (expectation.kind === "all") === wanted;
      return hangsOnOne && part !== undefined ? blamed(part, point, wanted, context) : { ...point };
    }
    case "not":
      return blamed(expectation.of, point, !wanted, context);
    case "step":
      return blamed(expectation.of, { ...point, step: expectation.step - 1 }, wanted, context);
    case "always":
      return (wanted ? within(expectation.of, true, inCase) : undefined) ?? whole;
    case "never":
      return (wanted ? within(expectation.of, false, inCase) : undefined) ?? whole;
    case "sometimes":
      return (wanted ? undefined : within(expectation.of, false, inCase)) ?? whole;
    case "every case": {
      if (!wanted) return whole;
      for (const one of context.cases) {
        const found = within(expectation.of, true, one);
        if (found !== undefined) return found;
      }
      return whole;
    }
    case "some case":
      return whole;
    case "share":
      return { ...whole, found: { share: shareOf(expectation.of, inCase, step, context).sure } };
    case "each share": {
      const shares = [...endpointShares(expectation.service, inCase, step, context).values()];
      const one = shares.find(({ share }) => !isWanted(lies(share, share, expectation.is)));
      const landing = one?.way.steps[step];
      if (one === undefined || !landing) return whole;
      return { ...whole, found: { share: one.share, of: landing } };
    }
    default:
      return { ...point, claim: expectation };
  }
}

/** What a share is, in lowest terms: `1431655765/4294967296`. */
export function shareWords(share: Share): string {
  const { numerator, denominator } = lowestTerms(share);
  return denominator === 1n ? `${numerator}` : `${numerator}/${denominator}`;
}

function yesIf(holds: boolean): Truth {
  return holds ? "yes" : "no";
}

function opposite(truth: Truth): Truth {
  return truth === "open" ? "open" : yesIf(truth === "no");
}

function every<T>(all: Iterable<T>, truth: (one: T) => Truth): Truth {
  let result: Truth = "yes";
  for (const one of all) {
    const own = truth(one);
    if (own === "no") return "no";
    if (own === "open") result = "open";
  }
  return result;
}

function some<T>(all: Iterable<T>, truth: (one: T) => Truth): Truth {
  return opposite(every(all, (one) => opposite(truth(one))));
}

/** Whether an exact share is missed by no more than the rounding of kube-proxy and the kernel. */
export function isMetByRounding({ part, found }: Unmet): boolean {
  if (found === undefined || !("is" in part) || part.kind === "source" || part.is.kind !== "=") return false;
  return lies(found.share, found.share, { kind: "about", value: part.is.value }) === "yes";
}
