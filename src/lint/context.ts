/** What the checks look at, made once for all of them. */
import type { Family } from "../../grammar/address.js";
import type { Flavour } from "../../grammar/description.js";
import type { RuleAt, ServicesFound } from "../explain/service-model.js";
import { servicesOf } from "../explain/services.js";
import { backEndOf } from "../state/back-end.js";
import type { NodeState } from "../state/nodestate.js";
import { mergeStates } from "../state/nodestate.js";
import { BUILT_IN_CHAINS, isTableName, type Ruleset, rulesOf, type Table } from "../state/rules.js";

/** One dump's rules of one family, with its graph of chains. */
export interface RulesView {
  readonly ruleset: Ruleset;
  readonly family: Family;
  /** The program that saved it; undefined: the text does not tell. */
  readonly flavour: Flavour | undefined;
  /** All rules, table by table and chain by chain. */
  readonly rules: readonly RuleAt[];
  /** Of a table. */
  rulesIn(table: string): readonly RuleAt[];
  /** Of a chain. */
  rulesOf(table: string, chain: string): readonly RuleAt[];
  /** Rules that jump to a chain. */
  callersOf(table: string, chain: string): readonly RuleAt[];
  /** Whether a built-in chain leads to it. */
  isReached(table: string, chain: string): boolean;
  /** Whether the text holds the table as a whole, so that what is not there is nowhere. */
  isWhole(table: string): boolean;
  /** Whether the text holds the table as iptables-save prints it: a payload of kube-proxy lacks the built-in chains. */
  isSaved(table: string): boolean;
}

export interface LintContext {
  readonly state: NodeState;
  readonly views: readonly RulesView[];
  /** The Services in the rules; found when first asked for. */
  services(): ServicesFound;
}

/** `parts` are what single texts tell of the node: rules that come twice are looked at one by one. */
export function contextOf(parts: readonly NodeState[]): LintContext {
  const state = mergeStates(parts);
  let services: ServicesFound | undefined;
  return {
    state,
    views: parts.flatMap(({ rulesets }) =>
      [rulesets.ipv4, rulesets.ipv6].flatMap((ruleset) => (ruleset === undefined ? [] : [viewOf(ruleset)])),
    ),
    services() {
      services ??= servicesOf(state);
      return services;
    },
  };
}

function viewOf(ruleset: Ruleset): RulesView {
  const rules: RuleAt[] = [];
  const byTable = new Map<string, RuleAt[]>();
  const byChain = new Map<string, RuleAt[]>();
  const callers = new Map<string, RuleAt[]>();
  for (const { name: table, chains } of ruleset.tables.values()) {
    const ofTable: RuleAt[] = [];
    byTable.set(table, ofTable);
    for (const chain of chains.values()) {
      const own: RuleAt[] = [];
      byChain.set(`${table}:${chain.name}`, own);
      for (const [index, rule] of rulesOf(chain).entries()) {
        const at = { table, chain: chain.name, number: index + 1, rule };
        rules.push(at);
        ofTable.push(at);
        own.push(at);
        if (rule.target?.kind !== "chain") continue;
        const key = `${table}:${rule.target.chain}`;
        const known = callers.get(key);
        if (known === undefined) callers.set(key, [at]);
        else known.push(at);
      }
    }
  }
  const reached = reachedChains(ruleset, byChain);
  return {
    ruleset,
    family: ruleset.family,
    flavour: backEndOf(ruleset),
    rules,
    rulesIn: (table) => byTable.get(table) ?? [],
    rulesOf: (table, chain) => byChain.get(`${table}:${chain}`) ?? [],
    callersOf: (table, chain) => callers.get(`${table}:${chain}`) ?? [],
    isReached: (table, chain) => reached.has(`${table}:${chain}`),
    isSaved: (table) => isSaved(ruleset.tables.get(table)),
    isWhole: (table) => isWhole(ruleset.tables.get(table)),
  };
}

function isWhole(table: Table | undefined): boolean {
  return table !== undefined && table.fragment === undefined && table.cutOff === undefined;
}

/** Built-in chains that no line tells of have no counters. */
function isSaved(table: Table | undefined): boolean {
  if (table === undefined || !isWhole(table) || !isTableName(table.name)) return false;
  return BUILT_IN_CHAINS[table.name].some((name) => table.chains.get(name)?.counters !== undefined);
}

function reachedChains(
  { tables }: Ruleset,
  byChain: ReadonlyMap<string, readonly RuleAt[]>,
): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting: string[] = [];
  for (const { name } of tables.values())
    for (const chain of isTableName(name) ? BUILT_IN_CHAINS[name] : []) waiting.push(`${name}:${chain}`);
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    if (reached.has(key)) continue;
    reached.add(key);
    for (const { table, rule } of byChain.get(key) ?? [])
      if (rule.target?.kind === "chain") waiting.push(`${table}:${rule.target.chain}`);
  }
  return reached;
}
