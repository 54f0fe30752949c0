/** A ruleset at a glance: its tables, whose rules they are, its policies, and what refuses packets. */
import type { Family } from "../../grammar/address.js";
import { meaningOf } from "../state/meaning.js";
import { BUILT_IN_CHAINS, isTableName, type Ruleset, rulesOf } from "../state/rules.js";
import { ownerOf } from "./owners.js";
import { proxyVersionsOf, type VersionRange } from "./proxy-version.js";
import type { RuleAt } from "./service-model.js";

export interface Overview {
  readonly family: Family;
  readonly tables: readonly {
    readonly name: string;
    readonly chains: number;
    readonly rules: number;
    /** Only some of its lines were given. */
    readonly isFragment: boolean;
  }[];
  /** Programs, with the rules that stand in their chains or lead there; `name` undefined: nobody that is known. */
  readonly owners: readonly {
    readonly name: string | undefined;
    readonly chains: number;
    readonly rules: number;
  }[];
  readonly proxyVersions: VersionRange | undefined;
  /** Built-in chains whose policy is not ACCEPT. */
  readonly policies: readonly {
    readonly table: string;
    readonly chain: string;
    readonly policy: string;
    /** Packets that met it, where the text has counters. */
    readonly packets: bigint | undefined;
  }[];
  /** Rules that drop or reject, in chains that a packet can come to. */
  readonly refusals: readonly RuleAt[];
}

export function overviewOf(ruleset: Ruleset): Overview {
  const owners = new Map<string | undefined, { chains: number; rules: number }>();
  const tables: Overview["tables"][number][] = [];
  const policies: Overview["policies"][number][] = [];
  const refusals: RuleAt[] = [];
  for (const { name: table, chains, fragment } of ruleset.tables.values()) {
    const reached = reachedChains(ruleset, table);
    let count = 0;
    for (const chain of chains.values()) {
      const rules = rulesOf(chain);
      count += rules.length;
      const isBuiltIn = isTableName(table) && BUILT_IN_CHAINS[table].includes(chain.name);
      const owner = isBuiltIn ? undefined : ownerOf(chain.name);
      if (!isBuiltIn) tally(owners, owner, 1, rules.length);
      if (isBuiltIn && chain.policy !== undefined && chain.policy !== "ACCEPT") {
        policies.push({
          table,
          chain: chain.name,
          policy: chain.policy,
          packets: chain.counters?.packets || undefined,
        });
      }
      for (const [index, rule] of rules.entries()) {
        if (isBuiltIn) {
          const to = rule.target?.kind === "chain" ? ownerOf(rule.target.chain) : undefined;
          tally(owners, to, 0, 1);
        }
        const { effect } = meaningOf(rule, ruleset.family);
        const refuses = effect.kind === "reject" || (effect.kind === "verdict" && effect.verdict === "drop");
        if (refuses && (fragment || reached.has(chain.name)))
          refusals.push({ table, chain: chain.name, number: index + 1, rule });
      }
    }
    tables.push({ name: table, chains: chains.size, rules: count, isFragment: fragment === true });
  }
  return {
    family: ruleset.family,
    tables,
    owners: [...owners]
      .map(([name, counts]) => ({ name, ...counts }))
      .sort((left, right) => Number(left.name === undefined) - Number(right.name === undefined)),
    proxyVersions: proxyVersionsOf(ruleset),
    policies,
    refusals,
  };
}

function tally(
  owners: Map<string | undefined, { chains: number; rules: number }>,
  name: string | undefined,
  chains: number,
  rules: number,
): void {
  const known = owners.get(name) ?? { chains: 0, rules: 0 };
  owners.set(name, { chains: known.chains + chains, rules: known.rules + rules });
}

/** Chains that packets can come to from the built-in ones. */
function reachedChains(ruleset: Ruleset, table: string): ReadonlySet<string> {
  const chains = ruleset.tables.get(table)?.chains;
  const reached = new Set<string>(isTableName(table) ? BUILT_IN_CHAINS[table] : []);
  const waiting = [...reached];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const chain = chains?.get(name);
    for (const { target } of chain === undefined ? [] : rulesOf(chain)) {
      if (target?.kind !== "chain" || reached.has(target.chain)) continue;
      reached.add(target.chain);
      waiting.push(target.chain);
    }
  }
  return reached;
}

/** The rules that jump to a chain. */
export function jumpsTo(ruleset: Ruleset, table: string, name: string): readonly RuleAt[] {
  return [...(ruleset.tables.get(table)?.chains.values() ?? [])].flatMap((chain) =>
    rulesOf(chain).flatMap((rule, index): readonly RuleAt[] =>
      rule.target?.kind === "chain" && rule.target.chain === name
        ? [{ table, chain: chain.name, number: index + 1, rule }]
        : [],
    ),
  );
}
