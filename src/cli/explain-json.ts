/** Explanations as JSON, schema landfall/explain@1. */
import type { Family } from "../../grammar/address.js";
import type { Start } from "../explain/mermaid.js";
import { jumpsTo, overviewOf } from "../explain/overview.js";
import { ownerOf } from "../explain/owners.js";
import { isFragment, lineOf, otherRules } from "../explain/sections.js";
import type { RuleAt, ServicePort, ServicesFound } from "../explain/service-model.js";
import type { VirtualOverview } from "../explain/virtual-overview.js";
import { ruleWords } from "../explain/words.js";
import type { NodeState } from "../state/nodestate.js";
import { chainOf, type Ruleset, rulesOf } from "../state/rules.js";
import { printRule } from "../text/save.js";
import type { CodeDocument } from "./explain-codes.js";
import type { ExplainDocument } from "./schemas/explain.js";
import { serviceDocument } from "./services-json.js";

/** What is explained. */
export interface Explained {
  readonly state: NodeState;
  readonly found: ServicesFound;
  /** Nothing was named: rules as a whole. */
  readonly rulesets: readonly Ruleset[];
  /** The IPVS table as a whole; undefined: none, or something was named. */
  readonly virtual?: VirtualOverview | undefined;
  readonly services: readonly ServicePort[];
  readonly chains: readonly Start[];
  readonly rules: readonly { readonly ruleset: Ruleset; readonly at: RuleAt }[];
}

export function explainDocument(
  explained: Explained | undefined,
  codes: readonly CodeDocument[],
): ExplainDocument {
  const { rulesets = [], services = [], chains = [], rules = [], found, virtual } = explained ?? {};
  return {
    schema: "landfall/explain@1",
    overviews: rulesets.map(overviewRecord),
    ipvs: virtual === undefined ? null : virtualRecord(virtual),
    services: services.map(serviceDocument),
    chains: chains.map(({ ruleset, table, chain: name }) => {
      const chain = chainOf(ruleset, table, name);
      const own = chain === undefined ? [] : rulesOf(chain);
      return {
        family: ruleset.family,
        table,
        chain: name,
        owner: ownerOf(name) ?? null,
        policy: chain?.policy ?? null,
        usedBy: jumpsTo(ruleset, table, name).map(({ chain: user, number, rule }) => ({
          table,
          chain: user,
          rule: number,
          line: lineOf(rule) ?? null,
        })),
        rules: own.map((rule, index) =>
          ruleRecord({ table, chain: name, number: index + 1, rule }, ruleset.family),
        ),
      };
    }),
    rules: [
      ...rules.map(({ ruleset, at }) => ruleRecord(at, ruleset.family)),
      ...rulesets
        .filter(isFragment)
        .flatMap((ruleset) => otherRules(ruleset, []).map((at) => ruleRecord(at, ruleset.family))),
    ],
    assumed: [...(found?.assumed ?? [])],
    codes: [...codes],
  };
}

function overviewRecord(ruleset: Ruleset): ExplainDocument["overviews"][number] {
  const { family, tables, owners, proxyVersions, policies, refusals } = overviewOf(ruleset);
  const minor = (version: number | undefined) => (version === undefined ? null : `1.${version}`);
  return {
    family,
    tables: tables.map(({ name, chains, rules, isFragment: fragment }) => ({
      name,
      chains,
      rules,
      fragment,
    })),
    owners: owners.map(({ name, chains, rules }) => ({ name: name ?? null, chains, rules })),
    kubeProxy:
      proxyVersions === undefined
        ? null
        : { since: minor(proxyVersions.since), until: minor(proxyVersions.until) },
    policies: policies.map(({ packets, ...one }) => ({
      ...one,
      packets: packets === undefined ? null : `${packets}`,
    })),
    refusals: refusals.map((at) => ruleRecord(at, family)),
  };
}

function virtualRecord({ schedulers, lacks, ...counts }: VirtualOverview): ExplainDocument["ipvs"] {
  return {
    ...counts,
    schedulers: schedulers.map(({ name, virtualServers }) => ({ name: name ?? null, virtualServers })),
    lacks: [...lacks],
  };
}

function ruleRecord(at: RuleAt, family: Family): ExplainDocument["rules"][number] {
  const { table, chain, number, rule } = at;
  return {
    table,
    chain,
    rule: number,
    line: lineOf(rule) ?? null,
    text: printRule(rule, chain, family),
    words: ruleWords(rule, family),
    packets: rule.counters === undefined ? null : `${rule.counters.packets}`,
  };
}
