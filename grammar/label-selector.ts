/** Label selectors as kubectl's `-l` takes them: `app=web,tier!=db,zone in (a, b),!canary`. */
import P from "parsimmon";
import { matched, type Parsed, parseWhole } from "./parse.js";

/** One requirement; an object has to meet all of them. */
export interface LabelRequirement {
  readonly key: string;
  /** Whether the label is there with one of the values, or, without values, at all. */
  readonly values: readonly string[] | undefined;
  /** It must not be so; an object without the label then meets the requirement too. */
  readonly negated: boolean;
}

export type LabelSelector = readonly LabelRequirement[];

/** Reads a selector; never throws. Empty, it selects all. */
export function readLabelSelector(text: string): Parsed<LabelSelector> {
  return parseWhole(grammar, text);
}

/** Whether an object with these labels is selected. */
export function selectsLabels(selector: LabelSelector, labels: ReadonlyMap<string, string>): boolean {
  return selector.every(({ key, values, negated }) => {
    const value = labels.get(key);
    const meets = value !== undefined && (values === undefined || values.includes(value));
    return meets !== negated;
  });
}

// Names have up to 63 characters and begin and end with a letter or digit; a key may have a DNS name before its slash.
const NAME = "[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";
const key = matched(
  new RegExp(`(?:[a-z0-9][-a-z0-9.]{0,252}/)?${NAME}`, "y"),
  (text) => text,
  "the key of a label",
);
const value = matched(new RegExp(`(?:${NAME})?`, "y"), (text) => text, "the value of a label");
const token = <T>(parser: P.Parser<T>) => parser.skip(P.optWhitespace);
const mark = (text: string) => token(P.string(text));

const list = token(value).sepBy1(mark(",")).wrap(mark("("), mark(")"));

/** `values` and whether they are refused; without values the label only has to be there. */
const condition: P.Parser<Pick<LabelRequirement, "values" | "negated">> = P.alt(
  P.alt(mark("!=").result(true), mark("==").result(false), mark("=").result(false)).chain((negated) =>
    token(value).map((one) => ({ values: [one], negated })),
  ),
  P.alt(token(P.regexp(/notin\b/)).result(true), token(P.regexp(/in\b/)).result(false)).chain((negated) =>
    list.map((values) => ({ values, negated })),
  ),
  P.of({ values: undefined, negated: false }),
).desc("=, ==, !=, in (…), notin (…) or a comma");

const requirement: P.Parser<LabelRequirement> = P.alt(
  mark("!")
    .then(token(key))
    .map((own) => ({ key: own, values: undefined, negated: true })),
  P.seqMap(token(key), condition, (own, rest) => ({ key: own, ...rest })),
);

const grammar: P.Parser<LabelSelector> = P.optWhitespace.then(requirement.sepBy(mark(",")));
