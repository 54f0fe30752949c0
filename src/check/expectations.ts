/**
 * The file of expectations that `landfall check` runs: which inputs, which facts, and what is expected of which packets.
 * Since no other program defines the form, fields that it does not have are errors: what stands under a slip in a name
 * would never be checked. docs/expectations.md describes it.
 */
import * as z from "zod/mini";
import { readAddress } from "../../grammar/address.js";
import {
  type Bound,
  type Expectation,
  type Quantity,
  readExpectation,
  readQuantity,
  readTarget,
  type Target,
} from "../../grammar/expectation.js";
import { checked, checkFieldNames } from "../documents/check.js";
import type { Document, Path } from "../documents/document.js";
import { appendAll } from "../problems/append.js";
import { nearest } from "../problems/nearest.js";
import { type Place, type Problem, placeInText } from "../problems/problem.js";

export interface Suite {
  /** Names of input files, relative to the file of expectations. */
  readonly inputs: readonly string[];
  readonly facts: SuiteFacts;
  readonly items: readonly Item[];
}

/** As the flags of the same names. */
export interface SuiteFacts {
  readonly node?: string;
  readonly kubeProxy?: string;
  readonly localIps: readonly string[];
  readonly set: ReadonlyMap<string, string>;
  readonly fresh: boolean;
  readonly place: Place;
}

export interface Item {
  readonly name: string | undefined;
  readonly place: Place;
  readonly asked: AskedInFile;
  readonly expectation: Expectation;
  /** Where the expectation stands. */
  readonly expectationPlace: Place;
}

/** A packet in words, or a record as `--packets` takes them: a packet, or a conversation with `steps`. */
export type AskedInFile =
  | { readonly kind: "words"; readonly text: string; readonly place: Place }
  | { readonly kind: "record"; readonly value: object; readonly place: Place };

const absent = <T extends z.ZodMiniType>(schema: T) => z.optional(z.nullable(schema));
const text = z.string();
const someText = z.string().check(z.minLength(1));
const address = z.string().check(z.refine((value) => readAddress(value) !== undefined, "is no IP address"));

const SHARE = "is no share from 0 to 1, such as 1/3, 0.33 or 33.3 %";
const share = z
  .union([z.string(), z.number()], SHARE)
  .check(z.refine((value) => shareOf(value) !== undefined, SHARE));
const shares = z.union(
  [
    share,
    z
      .strictObject({ min: absent(share), max: absent(share), about: absent(share) })
      .check(z.refine((bounds) => Object.keys(bounds).length > 0)),
  ],
  `${SHARE}, and no mapping of min, max and about`,
);
const TARGET = "is no address, network, NAMESPACE/NAME:PORT, endpoints or node";
const target = z.string(TARGET).check(z.refine((value) => targetOf(value) !== undefined, TARGET));
const often = absent(z.enum(["never", "sometimes", "always"]));
const record = z.record(z.string(), z.unknown());

const itemSchema = z.strictObject({
  name: absent(text),
  packet: absent(z.union([someText, record], "must be a packet in words, or a mapping")),
  steps: absent(z.array(record)),
  expect: absent(someText),
  lands: absent(
    z.strictObject({
      on: absent(z.union([target, z.array(target)], `${TARGET}, and no list of them`)),
      share: absent(shares),
    }),
  ),
  snat: often,
  dropped: often,
  rejected: often,
});

/** A whole file. */
export const suiteSchema = z.strictObject({
  version: z.literal(1),
  inputs: absent(z.array(someText)),
  facts: absent(
    z.strictObject({
      node: absent(text),
      kubeProxy: absent(text),
      localIps: absent(z.array(address)),
      set: absent(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()], "must be a text"))),
      fresh: absent(z.boolean()),
    }),
  ),
  expect: z.array(itemSchema),
});

type ItemFields = z.infer<typeof itemSchema>;

/** The expectations of a document; undefined when it has faults, which are added to the problems. */
export function readSuite(document: Document, problems: Problem[]): Suite | undefined {
  const own: Problem[] = [];
  checkFieldNames(document, suiteSchema, { who: "expectations", effect: "", every: true }, own);
  // What a field with a slip in its name would have said is not missed as well.
  if (own.length > 0) {
    appendAll(
      problems,
      own.map((one): Problem => ({ ...one, severity: "error" })),
    );
    return undefined;
  }
  const read = checked(document, suiteSchema, "expectations", own);
  const items = (read?.expect ?? []).flatMap((fields, index) => readItem(fields, index, document, own) ?? []);
  appendAll(problems, own);
  if (read === undefined || own.some(({ severity }) => severity === "error")) return undefined;
  const { node, kubeProxy, localIps, set, fresh } = read.facts ?? {};
  return {
    inputs: read.inputs ?? [],
    facts: {
      ...(node ? { node } : {}),
      ...(kubeProxy ? { kubeProxy } : {}),
      localIps: localIps ?? [],
      set: new Map(Object.entries(set ?? {}).map(([key, value]) => [key, String(value)])),
      fresh: fresh ?? false,
      place: document.placeOf(["facts"]),
    },
    items,
  };
}

function readItem(
  fields: ItemFields,
  index: number,
  document: Document,
  problems: Problem[],
): Item | undefined {
  const at = (...path: Path): Place => document.placeOf(["expect", index, ...path]);
  const complain = (message: string, help: string): undefined => {
    problems.push({
      code: "LF5002",
      severity: "error",
      message: `expectations: expect[${index}] ${message}`,
      place: at(),
      help,
    });
    return undefined;
  };
  const { packet, steps } = fields;
  if ((packet ?? null) !== null && (steps ?? null) !== null)
    return complain("has both packet and steps", "make two expectations of it");
  const asked: AskedInFile | undefined =
    typeof packet === "string"
      ? { kind: "words", text: packet, place: at("packet") }
      : packet
        ? { kind: "record", value: packet, place: at("packet") }
        : steps
          ? { kind: "record", value: { steps }, place: at("steps") }
          : undefined;
  if (asked === undefined)
    return complain("asks about no packet", "write packet: 10.1.2.3 to 10.96.0.10:53/udp");
  const written = fields.expect ? readWords(fields.expect, at("expect"), problems) : undefined;
  if (fields.expect && written === undefined) return undefined;
  const parts = [...structured(fields), ...(written === undefined ? [] : [written])];
  const [first] = parts;
  if (first === undefined) return complain("expects nothing", "write expect: never dropped");
  return {
    name: fields.name ?? undefined,
    place: at(),
    asked,
    expectation: parts.length === 1 ? first : { kind: "all", parts: parts.flatMap(partsOf) },
    expectationPlace: fields.expect ? at("expect") : at(),
  };
}

function partsOf(expectation: Expectation): readonly Expectation[] {
  return expectation.kind === "all" ? expectation.parts : [expectation];
}

/** The expectation that fields other than `expect` make up. */
function structured({ lands, snat, dropped, rejected }: ItemFields): readonly Expectation[] {
  const parts: Expectation[] = [];
  const targets = [lands?.on ?? []].flat().flatMap((one) => targetOf(one) ?? []);
  const bounds = lands?.share === undefined || lands.share === null ? [] : boundsOf(lands.share);
  const onEndpoints = targets.every(({ kind }) => kind === "endpoint");
  if (targets.length > 0 && (bounds.length === 0 || onEndpoints)) {
    const claims = targets.map((on): Expectation => ({ kind: "lands", on }));
    parts.push(claims.length === 1 ? (claims[0] as Expectation) : { kind: "any", parts: claims });
  }
  for (const is of bounds) {
    if (targets.length === 0) parts.push({ kind: "each share", service: undefined, is });
    for (const on of targets) {
      if (on.kind === "endpoint") parts.push({ kind: "each share", service: on.service, is });
      else parts.push({ kind: "share", of: { kind: "lands", on }, is });
    }
  }
  if (snat) parts.push({ kind: snat, of: { kind: "masqueraded" } });
  if (dropped) parts.push({ kind: dropped, of: { kind: "dropped" } });
  if (rejected) parts.push({ kind: rejected, of: { kind: "rejected", with: undefined } });
  return parts;
}

function targetOf(written: string): Target | undefined {
  if (written === "endpoints") return { kind: "endpoint", service: undefined };
  if (written === "node") return { kind: "node" };
  return readTarget(written);
}

function shareOf(written: string | number): Quantity | undefined {
  return readQuantity(String(written));
}

function boundsOf(written: NonNullable<NonNullable<ItemFields["lands"]>["share"]>): readonly Bound[] {
  if (typeof written !== "object") {
    const value = shareOf(written);
    return value === undefined ? [] : [{ kind: "about", value }];
  }
  const bound = (kind: ">=" | "<=" | "about", one: string | number | null | undefined): readonly Bound[] => {
    const value = one === null || one === undefined ? undefined : shareOf(one);
    return value === undefined ? [] : [{ kind, value }];
  };
  return [...bound(">=", written.min), ...bound("<=", written.max), ...bound("about", written.about)];
}

/** An expectation in words that stands at `place`; problems LF1052 are added. */
export function readWords(words: string, place: Place, problems: Problem[]): Expectation | undefined {
  const read = readExpectation(words);
  if (read.ok) return read.expectation;
  const found = /^[\w-]+/.exec(words.slice(read.offset))?.[0];
  const near =
    found === undefined || read.words.includes(found) ? undefined : nearest(found.toLowerCase(), read.words);
  problems.push({
    code: "LF1052",
    severity: "error",
    message: words.trim() === "" ? "this expectation is empty" : "this expectation cannot be read",
    ...(words === "" ? {} : { place: placeInText(place, words, read.offset, found?.length ?? 1) }),
    label: near === undefined ? `here should be ${read.expected.join(", or ")}` : `did you mean ${near}?`,
    help: "docs/expectations.md describes the language; for example `lands on default/web:http and never masqueraded`",
  });
  return undefined;
}
