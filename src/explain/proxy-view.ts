/**
 * The part of a ruleset that packets to one address and port can meet in kube-proxy's own rules: what the evaluator is
 * asked about a service port. Rules of other programs, and policies, are left out; so are endpoint chains' rules for the
 * endpoint as a client of itself, which would give each endpoint a case of its own.
 */
import type { Address, Family } from "../../grammar/address.js";
import type { Condition, NumberField } from "../../grammar/meaning.js";
import { meaningOf } from "../state/meaning.js";
import {
  BUILT_IN_CHAINS,
  type Chain,
  isTableName,
  makeChain,
  type Rule,
  type Ruleset,
  rulesOf,
  type Table,
} from "../state/rules.js";

/** An address and port; either may be absent. */
export interface End {
  readonly address?: Address | undefined;
  readonly port?: number | undefined;
}

/** Where rules of built-in chains may lead; KUBE-PORTALS chains are those of kube-proxy's former userspace mode. */
const PROXY_CHAINS =
  /^KUBE-(?:SERVICES|EXTERNAL-SERVICES|NODEPORTS|POSTROUTING|PROXY-FIREWALL|FIREWALL|FORWARD|NODEPORT-NON-LOCAL)$/;

/** The rules of nat and filter for packets to `end`; with `start`, they go to that chain of nat and to no other. */
export function proxyView(ruleset: Ruleset, end: End, start?: string): Ruleset {
  const nat = ruleset.tables.get("nat");
  const filter = ruleset.tables.get("filter");
  const { family } = ruleset;
  const translated: End[] = [end];
  const tables = new Map<string, Table>();
  if (nat !== undefined) {
    const view = viewOf(nat, family, [end], start);
    tables.set("nat", view);
    for (const chain of view.chains.values()) {
      for (const rule of rulesOf(chain)) {
        const target = translationOf(rule, family);
        if (target !== undefined) translated.push(target);
      }
    }
  }
  if (filter !== undefined) tables.set("filter", viewOf(filter, family, translated));
  return { family, tables };
}

function viewOf(table: Table, family: Family, ends: readonly End[], start?: string): Table {
  const chains = new Map<string, Chain>();
  const waiting: string[] = [];
  const put = (chain: Chain, rules: readonly Rule[]): void => {
    const { policy: _policy, ...rest } = chain;
    const isBuiltIn = isTableName(table.name) && BUILT_IN_CHAINS[table.name].includes(chain.name);
    chains.set(chain.name, makeChain({ ...rest, ...(isBuiltIn ? { policy: "ACCEPT" } : {}) }, rules));
    for (const { target } of rules) if (target?.kind === "chain") waiting.push(target.chain);
  };
  for (const name of isTableName(table.name) ? BUILT_IN_CHAINS[table.name] : []) {
    const chain = table.chains.get(name);
    const own = ({ target }: Rule) => target?.kind === "chain" && PROXY_CHAINS.test(target.chain);
    if (start !== undefined && name === "PREROUTING") put(makeChain({ name }, []), [jumpTo(start)]);
    else if (chain !== undefined) put(chain, rulesOf(chain).filter(own));
  }
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const chain = table.chains.get(name);
    if (chain !== undefined && !chains.has(name)) put(chain, relevantRules(chain, family, ends));
  }
  return { name: table.name, chains };
}

function jumpTo(chain: string): Rule {
  return { header: {}, matches: [], target: { kind: "chain", chain, goto: false } };
}

/** For each chain, its rules by the single address and port that they ask for; `*` where they ask for none. */
const indexes = new WeakMap<Chain, ReadonlyMap<string, readonly number[]>>();

/** The rules that ask for no other address or port than one of these, in their order. */
function relevantRules(chain: Chain, family: Family, ends: readonly End[]): readonly Rule[] {
  const rules = rulesOf(chain);
  let index = indexes.get(chain);
  if (index === undefined) {
    const made = new Map<string, number[]>();
    const own = selfRuleOf(rules, family);
    for (const [at, rule] of rules.entries()) {
      if (rule === own) continue;
      const key = `${singleValue(rule, "destination", family) ?? "*"} ${singleValue(rule, "destinationPort", family) ?? "*"}`;
      const known = made.get(key);
      if (known === undefined) made.set(key, [at]);
      else known.push(at);
    }
    indexes.set(chain, made);
    index = made;
  }
  const keys = new Set(["* *"]);
  for (const { address, port } of ends) {
    if (address !== undefined) keys.add(`${address} *`);
    if (port !== undefined) keys.add(`* ${port}`);
    if (address !== undefined && port !== undefined) keys.add(`${address} ${port}`);
  }
  const found: number[] = [];
  for (const key of keys) for (const at of index.get(key) ?? []) found.push(at);
  return found.sort((left, right) => left - right).map((at) => rules[at] as Rule);
}

/** The rule of an endpoint chain for packets that the endpoint itself sends. */
export function selfRuleOf(rules: readonly Rule[], family: Family): Rule | undefined {
  const to = rules
    .map((rule) => translationOf(rule, family)?.address)
    .find((address) => address !== undefined);
  if (to === undefined) return undefined;
  return rules.find((rule) => rule.target?.kind === "chain" && singleValue(rule, "source", family) === to);
}

/** Where a DNAT rule sends packets, when that is one address. */
export function translationOf(rule: Rule, family: Family): End | undefined {
  const { effect } = meaningOf(rule, family);
  if (effect.kind !== "rewrite" || effect.side !== "destination") return undefined;
  const { addresses, ports } = effect.to;
  return {
    ...(addresses === undefined || addresses.from !== addresses.to ? {} : { address: addresses.from }),
    ...(ports === undefined || ports.from !== ports.to ? {} : { port: Number(ports.from) }),
  };
}

/** The one value that a rule's conditions leave of a field; undefined if they leave more. */
export function singleValue(rule: Rule, field: NumberField, family: Family): Address | undefined {
  for (const { condition } of meaningOf(rule, family).matches) {
    const value = valueIn(condition, field);
    if (value !== undefined) return value;
  }
  return undefined;
}

function valueIn(condition: Condition, field: NumberField): Address | undefined {
  if (condition.kind === "all") {
    for (const part of condition.of) {
      const value = valueIn(part, field);
      if (value !== undefined) return value;
    }
  }
  if (condition.kind !== "within" || condition.field !== field || condition.ranges.length !== 1)
    return undefined;
  const [range] = condition.ranges;
  return range !== undefined && range.from === range.to ? range.from : undefined;
}

/** Whether a rule asks for an address of the node itself (`addrtype --dst-type LOCAL`). */
export function asksForLocal(rule: Rule, family: Family): boolean {
  const asks = (condition: Condition): boolean =>
    condition.kind === "all"
      ? condition.of.some(asks)
      : condition.kind === "oneOf" &&
        condition.field === "destinationType" &&
        condition.words.includes("LOCAL");
  return meaningOf(rule, family).matches.some(({ condition }) => asks(condition));
}
