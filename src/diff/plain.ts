/**
 * A ruleset in the form in which two are compared: what programs and kernels count or order for themselves is left out
 * (counters, `#` lines, the order of tables and of user chains), and each rule is a text as iptables-save prints it.
 */
import type { Family } from "../../grammar/address.js";
import { matchNamed } from "../../grammar/extensions.js";
import {
  BUILT_IN_CHAINS,
  type Counters,
  isTableName,
  type MatchTerm,
  type Rule,
  type Ruleset,
  rulesOf,
} from "../state/rules.js";
import { printRule } from "../text/save.js";

export interface PlainRule {
  readonly rule: Rule;
  /** The line of iptables-save behind `-A CHAIN `. */
  readonly text: string;
  /** The same without comments. */
  readonly core: string;
}

export interface PlainChain {
  readonly table: string;
  readonly name: string;
  /** Of a built-in chain. */
  readonly policy: string | undefined;
  readonly counters: Counters | undefined;
  readonly rules: readonly PlainRule[];
}

export interface PlainTable {
  readonly name: string;
  /** Built-in chains by hook, then user chains by name. */
  readonly chains: ReadonlyMap<string, PlainChain>;
}

export interface PlainRuleset {
  readonly family: Family;
  readonly tables: ReadonlyMap<string, PlainTable>;
}

/** Tables in the order in which packets meet them; those that no kernel has come last. */
const TABLE_ORDER: readonly string[] = ["raw", "mangle", "nat", "filter", "security"];

export function plainRuleset({ family, tables }: Ruleset): PlainRuleset {
  const names = [...tables.keys()].sort((left, right) => placeOfTable(left) - placeOfTable(right));
  const plain = new Map<string, PlainTable>();
  for (const table of names) {
    const chains = [...(tables.get(table)?.chains.values() ?? [])].map((chain): PlainChain => {
      const rules = rulesOf(chain).map((rule) => plainRule(rule, family));
      const { name, policy, counters } = chain;
      return { table, name, policy, counters, rules };
    });
    plain.set(table, { name: table, chains: byName(table, chains) });
  }
  return { family, tables: plain };
}

/** The chains of a table in the order of `PlainTable`. */
export function byName(table: string, chains: readonly PlainChain[]): ReadonlyMap<string, PlainChain> {
  const hooks = isTableName(table) ? BUILT_IN_CHAINS[table] : [];
  const place = ({ name }: PlainChain) => {
    const at = hooks.indexOf(name);
    return at < 0 ? hooks.length : at;
  };
  const sorted = [...chains].sort(
    (one, other) => place(one) - place(other) || (one.name < other.name ? -1 : Number(one.name > other.name)),
  );
  return new Map(sorted.map((chain) => [chain.name, chain]));
}

/** All chains, table by table. */
export function chainsOf(ruleset: PlainRuleset): readonly PlainChain[] {
  return [...ruleset.tables.keys()].flatMap((table) => chainsIn(ruleset, table));
}

export function chainsIn({ tables }: PlainRuleset, table: string): readonly PlainChain[] {
  return [...(tables.get(table)?.chains.values() ?? [])];
}

export function plainChain(ruleset: PlainRuleset, table: string, name: string): PlainChain | undefined {
  return ruleset.tables.get(table)?.chains.get(name);
}

/** The user chain that a rule jumps or goes to. */
export function targetChain({ rule }: PlainRule): string | undefined {
  return rule.target?.kind === "chain" ? rule.target.chain : undefined;
}

function placeOfTable(name: string): number {
  const place = TABLE_ORDER.indexOf(name);
  return place < 0 ? TABLE_ORDER.length : place;
}

const PREFIX = "-A - ";

function plainRule(rule: Rule, family: Family): PlainRule {
  const print = (one: Rule) => printRule(one, "-", family).slice(PREFIX.length);
  const text = print(rule);
  const asking = rule.matches.filter((term) => !isComment(term));
  const core = asking.length === rule.matches.length ? text : print({ ...rule, matches: asking });
  return { rule, text, core };
}

export function isComment(term: MatchTerm): boolean {
  // Whether a match is a remark does not hang on the family.
  return term.kind === "match" && matchNamed(term.name, "ipv4")?.remark !== undefined;
}
