/**
 * Tables under construction: what iptables-restore's commands do, one function each. `finish` makes the readonly ruleset,
 * with chains in the order in which iptables-save prints them.
 */
import type { Family } from "../../grammar/address.js";
import {
  BUILT_IN_CHAINS,
  type Chain,
  type Counters,
  isTableName,
  makeChain,
  type Rule,
  type Ruleset,
  rulesOf,
  type Table,
} from "../state/rules.js";
import {
  indexOfText,
  insertRule,
  type RuleList,
  removeRule,
  replaceEach,
  replaceRule,
  ruleList,
  rulesIn,
  type TextNumbers,
} from "./rule-list.js";
import { printRule } from "./save.js";

interface DraftChain {
  policy: string | undefined;
  counters: Counters | undefined;
  remarks: readonly string[];
  rules: RuleList;
}

export interface DraftTable {
  readonly name: string;
  readonly chains: Map<string, DraftChain>;
  /** The text declared its built-in chains, as a whole dump does and a payload for `--noflush` does not. */
  complete: boolean;
  /** Made from lines that stood in no table. */
  fragment: boolean;
  /** No COMMIT was read. */
  cutOff?: true;
  /** Chains that were deleted since the table began. */
  readonly deleted: Set<string>;
  readonly texts: TextNumbers;
  /** Chains and rules that commands have gone through which ask all of them. */
  walked: number;
  readonly remarks: { before: string[]; inside: string[]; after: string[] };
}

export type DraftTables = Map<string, DraftTable>;

/** A table as a node has it before anything is loaded: built-in chains with policy ACCEPT. */
export function emptyTable(name: string): DraftTable {
  const builtIn = isTableName(name) ? BUILT_IN_CHAINS[name] : [];
  return {
    name,
    chains: new Map(builtIn.map((chain) => [chain, draftChain("ACCEPT")])),
    complete: false,
    fragment: false,
    deleted: new Set(),
    texts: new Map(),
    walked: 0,
    remarks: { before: [], inside: [], after: [] },
  };
}

/** Drafts of a finished ruleset's tables, to be changed. */
export function draftsOf(ruleset: Ruleset): DraftTables {
  const draft = (table: Table): DraftTable => ({
    name: table.name,
    chains: new Map(
      [...table.chains].map(([name, chain]) => [
        name,
        {
          policy: chain.policy,
          counters: chain.counters,
          remarks: chain.remarks ?? [],
          rules: ruleList(rulesOf(chain)),
        },
      ]),
    ),
    complete: true,
    fragment: table.fragment === true,
    deleted: new Set(),
    texts: new Map(),
    walked: 0,
    remarks: {
      before: [...(table.remarks?.before ?? [])],
      inside: [...(table.remarks?.inside ?? [])],
      after: [...(table.remarks?.after ?? [])],
    },
  });
  return new Map([...ruleset.tables].map(([name, table]) => [name, draft(table)]));
}

/** `:NAME POLICY [p:b]`: a user chain is made, or emptied if it is there; a built-in one gets its policy. */
export function declareChain(
  table: DraftTable,
  name: string,
  policy: string | undefined,
  counters: Counters | undefined,
  remarks: readonly string[],
): void {
  const known = table.chains.get(name);
  if (known?.policy !== undefined) {
    known.policy = policy ?? known.policy;
    known.counters = counters;
    known.remarks = remarks;
    table.complete = true;
  } else {
    table.chains.set(name, { ...draftChain(undefined), counters, remarks });
  }
}

/** Why a command could not be carried out, as iptables would refuse it. */
export type Refused = string | undefined;

/** `-A` (`index` undefined), `-I` (index from 0) and `-R`. */
export function putRule(
  table: DraftTable,
  chain: string,
  rule: Rule,
  index?: number,
  replace = false,
): Refused {
  const rules = table.chains.get(chain)?.rules;
  if (rules === undefined) return noChain(chain);
  const last = replace ? rules.length - 1 : rules.length;
  if (index !== undefined && (index < 0 || index > last)) return `chain ${chain} has no rule ${index + 1}`;
  (replace ? replaceRule : insertRule)(rules, index ?? rules.length, rule);
  return undefined;
}

/** `-D CHAIN NUMBER` (a number from 1) or `-D CHAIN rule`: the first rule that prints alike. */
export function deleteRule(table: DraftTable, chain: string, which: number | Rule, family: Family): Refused {
  const rules = table.chains.get(chain)?.rules;
  if (rules === undefined) return noChain(chain);
  // Without the chain's name, which may change.
  const print = (rule: Rule) => printRule(rule, "", family);
  const index = typeof which === "number" ? which - 1 : indexOfText(rules, print(which), table.texts, print);
  if (index < 0 || index >= rules.length) return `chain ${chain} has no such rule`;
  removeRule(rules, index);
  return undefined;
}

/** `-X NAME`: an empty user chain that no rule of the table names goes. */
export function deleteChain(table: DraftTable, name: string): Refused {
  const chain = table.chains.get(name);
  if (chain === undefined) return noChain(name);
  if (chain.policy !== undefined) return `${name} is a built-in chain`;
  if (chain.rules.length > 0) return `chain ${name} still has rules`;
  table.chains.delete(name);
  table.deleted.add(name);
  return undefined;
}

/** A rule that still jumps to a chain that was deleted: iptables then refuses the whole table. */
export function danglingJump(table: DraftTable): { from: string; to: string } | undefined {
  const gone = [...table.deleted].filter((name) => !table.chains.has(name));
  if (gone.length === 0) return undefined;
  const names = new Set(gone);
  for (const [from, { rules }] of table.chains) {
    for (const { target } of rulesIn(rules)) {
      if (target?.kind === "chain" && names.has(target.chain)) return { from, to: target.chain };
    }
  }
  return undefined;
}

/** A way from a built-in chain that comes back to a chain it has passed: the kernel refuses the table. */
export function loopIn(table: DraftTable): readonly string[] | undefined {
  const done = new Set<string>();
  for (const [name, { policy }] of table.chains) {
    if (policy === undefined || done.has(name)) continue;
    const path: { readonly chain: string; readonly targets: readonly string[]; next: number }[] = [];
    const on = new Set<string>();
    const enter = (chain: string): void => {
      const rules = table.chains.get(chain)?.rules;
      const targets = (rules === undefined ? [] : rulesIn(rules)).flatMap(({ target }) =>
        target?.kind === "chain" ? [target.chain] : [],
      );
      path.push({ chain, targets: [...new Set(targets)], next: 0 });
      on.add(chain);
    };
    enter(name);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = top.targets[top.next++];
      if (target === undefined) {
        done.add(top.chain);
        on.delete(top.chain);
        path.pop();
      } else if (on.has(target)) {
        const chains = path.map(({ chain }) => chain);
        return [...chains.slice(chains.indexOf(target)), target];
      } else if (!done.has(target) && table.chains.has(target)) enter(target);
    }
  }
  return undefined;
}

/** Chains that rules go to and that the table has not, in the order in which they are met. */
export function missingChains(table: DraftTable): readonly string[] {
  const missing = new Set<string>();
  for (const { rules } of table.chains.values()) {
    for (const { target } of rulesIn(rules)) {
      if (target?.kind === "chain" && !table.chains.has(target.chain)) missing.add(target.chain);
    }
  }
  return [...missing];
}

/** `-E OLD NEW`. */
export function renameChain(table: DraftTable, from: string, to: string): Refused {
  const chain = table.chains.get(from);
  if (chain === undefined || chain.policy !== undefined) return noChain(from);
  if (table.chains.has(to)) return `chain ${to} exists`;
  if (table.walked > WALKED_MAX) return TOO_MUCH;
  for (const { rules } of table.chains.values()) table.walked += 1 + rules.length;
  table.chains.delete(from);
  table.chains.set(to, chain);
  for (const other of table.chains.values()) {
    replaceEach(other.rules, (rule) =>
      rule.target?.kind === "chain" && rule.target.chain === from
        ? { ...rule, target: { ...rule.target, chain: to } }
        : rule,
    );
  }
  return undefined;
}

/** `-F` without a name: all chains lose their rules. */
export function flushAll(table: DraftTable): Refused {
  if (table.walked > WALKED_MAX) return TOO_MUCH;
  table.walked += table.chains.size;
  for (const chain of table.chains.values()) chain.rules = ruleList();
  return undefined;
}

/** `-X` without a name: all empty chains of users go. */
export function deleteAllChains(table: DraftTable): Refused {
  if (table.walked > WALKED_MAX) return TOO_MUCH;
  table.walked += table.chains.size;
  for (const [name, { policy, rules }] of table.chains)
    if (policy === undefined && rules.length === 0) table.chains.delete(name);
  return undefined;
}

/** Hundreds of such commands on a big table: a text of nothing else must end too. */
const WALKED_MAX = 3_000_000;
const TOO_MUCH = "too many commands of this text go through the whole table";

/** The readonly ruleset. */
export function finish(drafts: DraftTables, family: Family): Ruleset {
  return { family, tables: new Map([...drafts].map(([name, draft]) => [name, finishTable(draft)])) };
}

function finishTable(draft: DraftTable): Table {
  const builtIn: readonly string[] = isTableName(draft.name) ? BUILT_IN_CHAINS[draft.name] : [];
  const names = [...draft.chains.keys()];
  const user = names.filter((name) => !builtIn.includes(name));
  // Chain names are sorted by their bytes; for the characters they have, UTF-16 units give the same order.
  user.sort((left, right) => (left < right ? -1 : 1));
  const order = [...builtIn.filter((name) => draft.chains.has(name)), ...user];
  const chains = new Map<string, Chain>();
  for (const name of order) {
    const { policy, counters, remarks, rules } = draft.chains.get(name) as DraftChain;
    chains.set(
      name,
      makeChain(
        {
          name,
          ...(policy === undefined ? {} : { policy }),
          ...(counters === undefined ? {} : { counters }),
          ...(remarks.length === 0 ? {} : { remarks }),
        },
        rulesIn(rules),
      ),
    );
  }
  const { before, inside, after } = draft.remarks;
  const silent = before.length + inside.length + after.length === 0;
  const fragment = {
    ...(draft.fragment ? { fragment: true as const } : {}),
    ...(draft.cutOff ? { cutOff: true as const } : {}),
  };
  return { name: draft.name, chains, ...fragment, ...(silent ? {} : { remarks: { before, inside, after } }) };
}

function draftChain(policy: string | undefined): DraftChain {
  return { policy, counters: undefined, remarks: [], rules: ruleList() };
}

function noChain(name: string): string {
  return `there is no chain ${name} in this table`;
}
