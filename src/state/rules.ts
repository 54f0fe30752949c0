/**
 * Rulesets: tables, chains and rules of one family, as plain readonly data. What was written is kept in terms, so that
 * it prints back exactly; what it means is made from the terms (meaning.ts in this folder).
 *
 * The rules of a chain are reached through `rulesOf` only, so that a ruleset may read a chain when it is first walked.
 */
import type { Family } from "../../grammar/address.js";
import type { Given } from "../../grammar/description.js";
import type { Place } from "../problems/problem.js";

export type TableName = "raw" | "mangle" | "nat" | "filter" | "security";

/** Packets and bytes. Strings of digits would lose nothing; counters are 64 bits wide, hence bigint. */
export interface Counters {
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** A match of a rule: described in grammar/matches and given options, or the raw words of one that is unknown. */
export type MatchTerm =
  | { readonly kind: "match"; readonly name: string; readonly given: Given }
  | { readonly kind: "unknown-match"; readonly name: string; readonly words: readonly string[] };

/** The target of a rule. `chain` is a user chain of the same table, reached by `-j` or `-g`. */
export type TargetTerm =
  | { readonly kind: "target"; readonly name: string; readonly given: Given }
  | { readonly kind: "chain"; readonly chain: string; readonly goto: boolean }
  | { readonly kind: "unknown-target"; readonly name: string; readonly words: readonly string[] };

export interface Rule {
  /** `-s -d -i -o -p -f`, by the names of grammar/header.ts. */
  readonly header: Given;
  readonly matches: readonly MatchTerm[];
  /** Absent: the rule only counts. */
  readonly target?: TargetTerm;
  readonly counters?: Counters;
  /** `#` lines that stood right above the rule. */
  readonly remarks?: readonly string[];
  /** Where it was read; absent for rules that were made. */
  readonly place?: Place;
}

/** A chain. Built-in chains have a policy, user chains have none. */
export interface Chain {
  readonly name: string;
  readonly policy?: string;
  readonly counters?: Counters;
  readonly remarks?: readonly string[];
  readonly [RULES]: readonly Rule[] | (() => readonly Rule[]);
}

export interface Table {
  readonly name: string;
  /** By name, in the order in which they print: built-in chains by hook, then user chains by bytes. */
  readonly chains: ReadonlyMap<string, Chain>;
  /** Only some of its lines were given, without the line that begins a table: other rules may be there. */
  readonly fragment?: true;
  /** The text ended before its COMMIT: rules behind those that are here may be lacking. */
  readonly cutOff?: true;
  /** `#` lines before `*name`, before `COMMIT` and after it. */
  readonly remarks?: {
    readonly before?: readonly string[];
    readonly inside?: readonly string[];
    readonly after?: readonly string[];
  };
}

export interface Ruleset {
  readonly family: Family;
  /** By name, in the order in which they were read or made. */
  readonly tables: ReadonlyMap<string, Table>;
}

const RULES: unique symbol = Symbol("rules");

/** Makes a chain; `rules` may be a function that is called once, when the chain is first walked. */
export function makeChain(
  chain: { name: string; policy?: string; counters?: Counters; remarks?: readonly string[] },
  rules: readonly Rule[] | (() => readonly Rule[]),
): Chain {
  return { ...chain, [RULES]: rules };
}

/** The rules of a chain, in the order in which the kernel visits them. Rule numbers are index + 1. */
export function rulesOf(chain: Chain): readonly Rule[] {
  const rules = chain[RULES];
  if (typeof rules !== "function") return rules;
  const read = rules();
  (chain as { [RULES]: readonly Rule[] })[RULES] = read;
  return read;
}

/** The chain of that name, if the ruleset has the table and the table the chain. */
export function chainOf(ruleset: Ruleset | undefined, table: string, chain: string): Chain | undefined {
  return ruleset?.tables.get(table)?.chains.get(chain);
}

/** Built-in chains by table, in hook order, as Linux has had them since 2.6.36 (nat INPUT). */
export const BUILT_IN_CHAINS: Readonly<Record<TableName, readonly string[]>> = {
  raw: ["PREROUTING", "OUTPUT"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  security: ["INPUT", "FORWARD", "OUTPUT"],
};

export function isTableName(name: string): name is TableName {
  return Object.hasOwn(BUILT_IN_CHAINS, name);
}
