/**
 * The language in which one says what is expected of a packet: `lands on default/web:http and never masqueraded`,
 * `share of 10.244.1.5:8080 about 1/3`. docs/expectations.md describes it.
 *
 * A claim (`dropped`, `lands on …`) speaks of one way that a packet can go. Where nothing else is said, it has to be so
 * on every way of every case; `never`, `sometimes`, `share of`, `in some case` say otherwise.
 */
import P from "parsimmon";
import { ALL_ONES, familyOf, type Network, printAddress, printNetwork, readNetwork } from "./address.js";
import { parseWhole } from "./parse.js";

export type Expectation =
  | { readonly kind: "all" | "any"; readonly parts: readonly Expectation[] }
  | { readonly kind: "not"; readonly of: Expectation }
  /** On every way of the case, on some, on none. */
  | { readonly kind: "always" | "sometimes" | "never"; readonly of: Expectation }
  | { readonly kind: "every case" | "some case"; readonly of: Expectation }
  /** Of a conversation: what its step comes to, from 1. */
  | { readonly kind: "step"; readonly step: number; readonly of: Expectation }
  /** The share of the ways on which it is so. */
  | { readonly kind: "share"; readonly of: Expectation; readonly is: Bound }
  /** The share of each endpoint that packets land on (of a service port); there must be one. */
  | { readonly kind: "each share"; readonly service: string | undefined; readonly is: Bound }
  | Claim;

/** What can be said of one way. */
export type Claim =
  /** It ends there, on this node or elsewhere. */
  | { readonly kind: "lands"; readonly on: Target }
  /** It ends where that step of the conversation, from 1, has ended on the same way. */
  | { readonly kind: "lands again"; readonly step: number }
  | { readonly kind: "delivered" | "dropped" | "queued" | "masqueraded" }
  /** Answered by a RST or an ICMP error: the word of `--reject-with`. */
  | { readonly kind: "rejected"; readonly with: string | undefined }
  /** The sending process gets an error at once: its name. */
  | { readonly kind: "fails"; readonly with: string | undefined }
  | { readonly kind: "leaves"; readonly by: string }
  | { readonly kind: "source"; readonly is: End };

export type Target =
  | { readonly kind: "end"; readonly end: End }
  /** An endpoint of the named service port; without name, of the one that the packet is for. */
  | { readonly kind: "endpoint"; readonly service: string | undefined }
  | { readonly kind: "node" };

/** Addresses; all ports unless one is named. */
export interface End {
  readonly network: Network;
  readonly port?: number;
}

/** A number as it is written: `about` hangs on its last digit. */
export type Quantity =
  | { readonly kind: "fraction"; readonly numerator: bigint; readonly denominator: bigint }
  | { readonly kind: "decimal"; readonly digits: bigint; readonly places: number; readonly percent: boolean };

export type Bound =
  | { readonly kind: "=" | ">=" | ">" | "<=" | "<" | "about"; readonly value: Quantity }
  | { readonly kind: "between"; readonly from: Quantity; readonly to: Quantity };

export type ExpectationRead =
  | { readonly ok: true; readonly expectation: Expectation }
  /** `offset`: where in the text reading stopped; `words`: those of `expected` that stand in texts as they are. */
  | {
      readonly ok: false;
      readonly offset: number;
      readonly expected: readonly string[];
      readonly words: readonly string[];
    };

/** Longer texts, and deeper parentheses, are not read: nobody writes them. */
const LENGTH_MAX = 4000;
const DEPTH_MAX = 50;

/** Reads an expectation; never throws. */
export function readExpectation(text: string): ExpectationRead {
  const tooMuch = beyondLimits(text);
  if (tooMuch !== undefined) return { ok: false, words: [], ...tooMuch };
  const result = parseWhole(language.expectation.trim(P.optWhitespace), text);
  return result.ok ? { ok: true, expectation: result.value } : failure(result.offset, result.expected);
}

/** Reads what may stand behind `lands on`. */
export function readTarget(text: string): Target | undefined {
  const result = text.length > LENGTH_MAX ? undefined : parseWhole(target.trim(P.optWhitespace), text);
  return result?.ok ? result.value : undefined;
}

/** Reads a share: `1/3`, `0.33`, `33.3 %`. */
export function readQuantity(text: string): Quantity | undefined {
  const result = text.length > LENGTH_MAX ? undefined : parseWhole(quantity.trim(P.optWhitespace), text);
  return result?.ok ? result.value : undefined;
}

function beyondLimits(text: string): { offset: number; expected: readonly string[] } | undefined {
  if (text.length > LENGTH_MAX)
    return { offset: LENGTH_MAX, expected: [`the end: at most ${LENGTH_MAX} characters are read`] };
  let depth = 0;
  for (let offset = 0; offset < text.length; offset++) {
    if (text[offset] === "(") depth++;
    if (text[offset] === ")") depth--;
    if (depth > DEPTH_MAX) return { offset, expected: [`at most ${DEPTH_MAX} parentheses in each other`] };
  }
  return undefined;
}

/** What many words could begin is told as one thing. */
function failure(offset: number, expected: readonly string[]): ExpectationRead {
  const all = [...new Set(expected)].filter((one) => one !== BLANK);
  const isCondition = all.includes(quoted("dropped")) && all.includes(quoted("never"));
  const told = isCondition ? [CONDITION] : all.map((one) => (one === "EOF" ? "the end" : one));
  return {
    ok: false,
    offset,
    expected: told.length === 0 ? ["more words"] : told.sort(),
    words: all.flatMap((one) => /^`(\w+)/.exec(one)?.[1] ?? []),
  };
}

const CONDITION = "a condition, such as `lands on …`, `never dropped` or `share of …`";

const BLANK = "a blank";
const blanks = P.regexp(/\s+/).desc(BLANK);

/** Words of the language as messages show them. */
function quoted(text: string): string {
  return `\`${text}\``;
}

/** A word of the language, whole. */
function word<const W extends string>(text: W, expects: string = text): P.Parser<W> {
  return P((input, at) => {
    WORD_AT.lastIndex = at;
    const isIt = WORD_AT.exec(input)?.[0] === text;
    return isIt ? P.makeSuccess(at + text.length, text) : P.makeFailure(at, quoted(expects));
  });
}

const WORD_AT = /[A-Za-z][\w-]*/y;

/** Words one after another. */
function words(text: string): P.Parser<string> {
  const [first = "", ...more] = text.split(" ");
  return more
    .reduce((before: P.Parser<string>, next) => before.skip(blanks).then(word(next)), word(first, text))
    .result(text);
}

/** What stands behind some words. */
function after<T>(text: string, what: P.Parser<T>): P.Parser<T> {
  return words(text).then(blanks).then(what);
}

/** ` with X`, which may be left out. */
function maybeAfter<T>(text: string, what: P.Parser<T>): P.Parser<T | undefined> {
  return blanks.then(after(text, what)).or(P.of(undefined));
}

function token<T>(pattern: RegExp, expects: string, read: (text: string) => T | undefined): P.Parser<T> {
  const sticky = new RegExp(pattern, "y");
  return P((input, at) => {
    sticky.lastIndex = at;
    const text = sticky.exec(input)?.[0];
    const value = text === undefined ? undefined : read(text);
    return text === undefined || value === undefined
      ? P.makeFailure(at, expects)
      : P.makeSuccess(at + text.length, value);
  });
}

const address = token(
  /(?:\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:.]+\]|[0-9a-fA-F]*:[0-9a-fA-F:.]*)(?:\/\d+)?/,
  "an address or network",
  (text) => readNetwork(text.replace(/[[\]]/g, "")),
);
const port = token(/\d+/, "a port from 0 to 65535", (text) =>
  text.length <= 5 && Number(text) <= 65535 ? Number(text) : undefined,
);
const end: P.Parser<End> = P.seqMap(
  address,
  P.string(":").then(port).or(P.of(undefined)),
  (network, named): End => ({ network, ...(named === undefined ? {} : { port: named }) }),
);
const service = token(
  /[a-z0-9][-a-z0-9]*\/[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?(?::[a-z0-9-]+)?/,
  "a service port NAMESPACE/NAME:PORT",
  (text) => text,
);
const interfaceName = token(/[^\s()]{1,15}(?![^\s()])/, "the name of an interface", (text) => text);
const answerName = token(
  /[A-Za-z0-9][\w-]*/,
  "a word such as icmp-port-unreachable or EPERM",
  (text) => text,
);
const stepNumber = token(/[1-9]\d{0,5}(?!\d)/, "the number of a step, from 1", Number);

const target: P.Parser<Target> = P.alt<Target>(
  words("an endpoint")
    .then(maybeAfter("of", service))
    .map((name) => ({ kind: "endpoint", service: name })),
  words("the node").result({ kind: "node" }),
  end.map((own) => ({ kind: "end", end: own })),
  service.map((name) => ({ kind: "endpoint", service: name })),
);

const QUANTITY = "a share from 0 to 1, such as 1/3, 0.33 or 33.3 %";
const quantity = token(
  /\d{1,18}(?:\/\d{1,18}(?![\d.])|(?:\.\d{1,18})?(?![\d./])(?:\s*%)?)/,
  QUANTITY,
  (text) => {
    const [, whole = "", denominator, decimals = "", percent] =
      /^(\d+)(?:\/(\d+))?(?:\.(\d+))?(\s*%)?$/.exec(text) ?? [];
    const read: Quantity =
      denominator === undefined
        ? {
            kind: "decimal",
            digits: BigInt(whole + decimals),
            places: decimals.length,
            percent: percent !== undefined,
          }
        : { kind: "fraction", numerator: BigInt(whole), denominator: BigInt(denominator) };
    const value = ratioOf(read);
    return value.denominator > 0n && value.numerator <= value.denominator ? read : undefined;
  },
);

const BOUND = "a bound such as `>= 1/3`, `about 33 %` or `between 1/3 and 1/2`";
const SIGNS = ["=", ">=", ">", "<=", "<"] as const;
const bound: P.Parser<Bound> = P.alt<Bound>(
  P.seqMap(
    P.optWhitespace.then(token(/[<>=]+/, BOUND, (text) => SIGNS.find((sign) => sign === text))),
    P.optWhitespace.then(quantity),
    (kind, value) => ({ kind, value }),
  ),
  blanks.then(after("about", quantity)).map((value) => ({ kind: "about", value })),
  P.seqMap(
    blanks.then(after("between", quantity)),
    P.optWhitespace.then(after("and", quantity)),
    (from, to) => ({ kind: "between", from, to }),
  ),
);

const claim: P.Parser<Claim> = P.alt<Claim>(
  after(
    "lands",
    P.alt<Claim>(
      after("on", target).map((on) => ({ kind: "lands", on })),
      after("where step", stepNumber)
        .skip(blanks)
        .skip(word("did"))
        .map((step) => ({ kind: "lands again", step })),
    ),
  ),
  ...(["delivered", "dropped", "queued", "masqueraded"] as const).map((kind) => word(kind).result({ kind })),
  ...(["rejected", "fails"] as const).map((kind) =>
    word(kind)
      .then(maybeAfter("with", answerName))
      .map((how): Claim => ({ kind, with: how })),
  ),
  after("leaves by", interfaceName).map((by) => ({ kind: "leaves", by })),
  after("source is", end).map((is) => ({ kind: "source", is })),
);

/** Words that may stand before a condition, and speak of it alone. */
type Prefix = (of: Expectation) => Expectation;
const prefix: P.Parser<Prefix> = P.alt<Prefix>(
  ...(["not", "always", "sometimes", "never"] as const).map((kind) =>
    word(kind).result((of: Expectation): Expectation => ({ kind, of })),
  ),
  ...(["every case", "some case"] as const).map((kind) =>
    words(`in ${kind}`).result((of: Expectation): Expectation => ({ kind, of })),
  ),
  after("step", stepNumber).map(
    (step): Prefix =>
      (of) => ({ kind: "step", step, of }),
  ),
);

/** A condition, and whether an `or` behind it could be taken to belong to what its prefix speaks of. */
interface Part {
  readonly expectation: Expectation;
  readonly isOpen: boolean;
}

const OPEN = "parentheses around what the word before speaks of: `never (… or …)`, `(never …) or …`";

const language = P.createLanguage<{
  expectation: Expectation;
  conjunction: Part;
  part: Part;
  plain: Expectation;
  share: Expectation;
  nested: Expectation;
}>({
  expectation: ({ conjunction }) => {
    const more = ({ isOpen }: Part): P.Parser<Part> =>
      isOpen
        ? blanks.then(P.lookahead(word("or"))).then(P.fail(OPEN))
        : blanks.then(word("or")).then(blanks).then(conjunction);
    const rest = (parts: readonly Part[]): P.Parser<readonly Part[]> =>
      more(parts.at(-1) as Part)
        .chain((next) => rest([...parts, next]))
        .or(P.of(parts));
    return conjunction.chain((first) => rest([first])).map((parts) => joined("any", parts));
  },
  conjunction: ({ part }) =>
    P.sepBy1(part, blanks.then(word("and")).then(blanks)).map((parts) => ({
      expectation: joined("all", parts),
      isOpen: parts.at(-1)?.isOpen === true,
    })),
  part: ({ plain }) =>
    P.seqMap(prefix.skip(blanks).many(), plain, (prefixes, of) => ({
      expectation: prefixes.reduceRight((inner, wrap) => wrap(inner), of),
      isOpen: prefixes.length > 0,
    })),
  plain: ({ nested, share }) => P.alt(nested, share, claim),
  share: ({ nested }) =>
    after(
      "share of",
      P.alt(
        P.seqMap(
          words("each endpoint").then(maybeAfter("of", service)),
          bound,
          (name, is): Expectation => ({ kind: "each share", service: name, is }),
        ),
        P.seqMap(
          P.alt(
            nested,
            target.map((on): Expectation => ({ kind: "lands", on })),
            claim,
          ),
          bound,
          (of, is): Expectation => ({ kind: "share", of, is }),
        ),
      ),
    ),
  nested: ({ expectation }) =>
    P.string("(")
      .desc("(")
      .then(expectation.trim(P.optWhitespace))
      .skip(P.string(")").desc(quoted(")"))),
});

function joined(kind: "all" | "any", parts: readonly Part[]): Expectation {
  const [first] = parts;
  return parts.length === 1 && first !== undefined
    ? first.expectation
    : { kind, parts: parts.map(({ expectation }) => expectation) };
}

/** The value of a quantity; not in lowest terms. */
export function ratioOf(quantity: Quantity): Ratio {
  if (quantity.kind === "fraction") return quantity;
  const places = quantity.places + (quantity.percent ? 2 : 0);
  return { numerator: quantity.digits, denominator: 10n ** BigInt(places) };
}

export interface Ratio {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** The canonical text: what is read from it prints the same. */
export function printExpectation(expectation: Expectation): string {
  switch (expectation.kind) {
    case "all":
      return expectation.parts.map((part) => inside(part, isJoined(part))).join(" and ");
    case "any":
      return expectation.parts
        .map((part) => inside(part, part.kind === "any" || endsOpen(part)))
        .join(" or ");
    case "not":
    case "always":
    case "sometimes":
    case "never":
      return `${expectation.kind} ${operand(expectation.of)}`;
    case "every case":
    case "some case":
      return `in ${expectation.kind} ${operand(expectation.of)}`;
    case "step":
      return `step ${expectation.step} ${operand(expectation.of)}`;
    case "share": {
      const { of, is } = expectation;
      const what = of.kind === "lands" ? printTarget(of.on) : inside(of, !isClaim(of));
      return `share of ${what} ${printBound(is)}`;
    }
    case "each share": {
      const of = expectation.service === undefined ? "" : ` of ${expectation.service}`;
      return `share of each endpoint${of} ${printBound(expectation.is)}`;
    }
    case "lands":
      return `lands on ${printTarget(expectation.on)}`;
    case "lands again":
      return `lands where step ${expectation.step} did`;
    case "rejected":
    case "fails":
      return expectation.with === undefined
        ? expectation.kind
        : `${expectation.kind} with ${expectation.with}`;
    case "leaves":
      return `leaves by ${expectation.by}`;
    case "source":
      return `source is ${printEnd(expectation.is)}`;
    default:
      return expectation.kind;
  }
}

function inside(part: Expectation, needsParentheses: boolean): string {
  return needsParentheses ? `(${printExpectation(part)})` : printExpectation(part);
}

function operand(of: Expectation): string {
  return inside(of, isJoined(of));
}

function isJoined({ kind }: Expectation): boolean {
  return kind === "all" || kind === "any";
}

/** A prefix stands so that an `or` behind would be in doubt. */
function endsOpen(part: Expectation): boolean {
  if (part.kind === "all") return endsOpen(part.parts.at(-1) as Expectation);
  return PREFIXES.has(part.kind);
}

const PREFIXES: ReadonlySet<Expectation["kind"]> = new Set([
  "not",
  "always",
  "sometimes",
  "never",
  "every case",
  "some case",
  "step",
]);

/** Whether it speaks of one way, and of nothing that hangs on others. */
function isClaim(of: Expectation): of is Claim {
  return !isJoined(of) && !PREFIXES.has(of.kind) && of.kind !== "share" && of.kind !== "each share";
}

function printTarget(on: Target): string {
  if (on.kind === "node") return "the node";
  if (on.kind === "endpoint") return on.service ?? "an endpoint";
  return printEnd(on.end);
}

/** An IPv6 address stands in brackets when a port follows. */
function printEnd({ network, port: named }: End): string {
  const { address: own, mask } = network;
  const isHost = mask === ALL_ONES[familyOf(own)];
  const length = isHost ? "" : printNetwork(network).slice(printAddress(own).length);
  if (named === undefined) return `${printAddress(own)}${length}`;
  return `${typeof own === "bigint" ? `[${printAddress(own)}]` : printAddress(own)}${length}:${named}`;
}

function printBound(is: Bound): string {
  return is.kind === "between"
    ? `between ${printQuantity(is.from)} and ${printQuantity(is.to)}`
    : `${is.kind} ${printQuantity(is.value)}`;
}

function printQuantity(quantity: Quantity): string {
  if (quantity.kind === "fraction") return `${quantity.numerator}/${quantity.denominator}`;
  const { digits, places, percent } = quantity;
  const text = `${digits}`.padStart(places + 1, "0");
  const point = text.length - places;
  return `${text.slice(0, point)}${places > 0 ? `.${text.slice(point)}` : ""}${percent ? " %" : ""}`;
}
