/**
 * Which service ports a ruleset holds, and where packets come to them: told by the hashes in chain names, by comments, and
 * by the addresses and ports that rules ask for. Nothing is evaluated here; services.ts does that, and names for packet
 * questions need no more (services-in-rules.ts).
 */
import type { Address } from "../../grammar/address.js";
import { protocolName } from "../../grammar/protocols.js";
import { chainHash } from "../cluster/names.js";
import { meaningOf } from "../state/meaning.js";
import {
  BUILT_IN_CHAINS,
  type Chain,
  isTableName,
  type Rule,
  type Ruleset,
  rulesOf,
} from "../state/rules.js";
import { asksForLocal, singleValue, translationOf } from "./proxy-view.js";
import type { EntranceKind, RuleAt } from "./service-model.js";
import {
  belongsToService,
  commentOf,
  ENDPOINT_CHAIN,
  hashOf,
  type NamedInComment,
  namedIn,
  SERVICE_PROTOCOLS,
} from "./service-names.js";

/** The service ports of nat and filter, in the order in which their rules stand. */
export function findServices(ruleset: Ruleset): readonly FoundService[] {
  const finding: Finding = {
    ruleset,
    groups: new Map(),
    byEnd: new Map(),
    callers: callersIn(ruleset),
    addresses: new Map(),
  };
  findInNat(finding);
  findInFilter(finding);
  return [...finding.groups.values()];
}

/** What is found of one service port before anything is asked. */
export interface FoundService {
  readonly hash: string | undefined;
  /** As comments have them. */
  readonly names: Set<string>;
  readonly entries: Entry[];
  protocol: number | undefined;
  healthCheckNodePort: number | undefined;
  /** Endpoints whose chains name it, and that nothing leads to. */
  readonly loose: EndpointRule[];
}

/** A rule that leads to a service port, or refuses what is for it, and the ends at which packets meet it. */
export interface Entry {
  readonly at: RuleAt;
  readonly said: NamedInComment["said"];
  readonly ends: readonly EntryEnd[];
  /** The chain that the rule goes to; undefined for a refusal. */
  readonly chain: string | undefined;
}

export interface EntryEnd {
  /** Undefined: any address of the node. */
  readonly address: Address | undefined;
  readonly port: number;
  readonly protocol: number;
}

/** A rule of an endpoint chain, and where it sends packets. */
export interface EndpointRule {
  readonly chain: Chain;
  readonly rule: Rule;
  readonly address: Address;
  readonly port: number | undefined;
}

interface Finding {
  readonly ruleset: Ruleset;
  /** By hash, or by address where there is none. */
  readonly groups: Map<string, FoundService>;
  /** The groups that packets to an end come to, by the end's key. */
  readonly byEnd: Map<string, FoundService>;
  /** Rules that jump to a chain which belongs to no service port, by `table:chain`. */
  readonly callers: ReadonlyMap<string, readonly RuleAt[]>;
  /** The addresses of packets that come to a chain, by `table:chain`. */
  readonly addresses: Map<string, ReadonlySet<Address | undefined>>;
}

function callersIn(ruleset: Ruleset): ReadonlyMap<string, readonly RuleAt[]> {
  const callers = new Map<string, RuleAt[]>();
  for (const { name: table, chains } of ruleset.tables.values()) {
    if (table !== "nat" && table !== "filter") continue;
    for (const chain of chains.values()) {
      for (const [index, rule] of rulesOf(chain).entries()) {
        const to = rule.target?.kind === "chain" ? rule.target.chain : undefined;
        if (to === undefined || belongsToService(to)) continue;
        const key = `${table}:${to}`;
        const at = { table, chain: chain.name, number: index + 1, rule };
        const known = callers.get(key);
        if (known === undefined) callers.set(key, [at]);
        else known.push(at);
      }
    }
  }
  return callers;
}

function findInNat(finding: Finding): void {
  const { ruleset } = finding;
  for (const chain of ruleset.tables.get("nat")?.chains.values() ?? []) {
    const own = hashOf(chain.name);
    const rules = rulesOf(chain);
    if (own !== undefined) groupOf(finding, own);
    for (const [index, rule] of rules.entries()) {
      const to = rule.target?.kind === "chain" ? rule.target.chain : undefined;
      const hash = to === undefined ? undefined : hashOf(to);
      if (own === undefined && hash === undefined) continue;
      const named = namedIn(commentOf(rule) ?? "");
      const group = groupOf(finding, own ?? hash ?? "");
      if (named !== undefined) group.names.add(named.name);
      if (own !== undefined || to === undefined) continue;
      const at = { table: "nat", chain: chain.name, number: index + 1, rule };
      addEntry(group, { at, said: named?.said ?? "", ends: endsOf(at, finding), chain: to }, finding);
    }
  }
  findEndpointRules(finding);
}

/** Endpoint chains that nothing goes to: their comments name the service port, whose chains a fragment may lack. */
function findEndpointRules(finding: Finding): void {
  const { ruleset } = finding;
  const { family } = ruleset;
  const reached = new Set<string>();
  const chains = ruleset.tables.get("nat")?.chains ?? new Map<string, Chain>();
  for (const chain of chains.values())
    for (const { target } of rulesOf(chain)) if (target?.kind === "chain") reached.add(target.chain);
  for (const chain of chains.values()) {
    if (!ENDPOINT_CHAIN.test(chain.name) || reached.has(chain.name)) continue;
    for (const rule of rulesOf(chain)) {
      const named = namedIn(commentOf(rule) ?? "");
      const protocol = singleValue(rule, "protocol", family);
      const end = translationOf(rule, family);
      if (named === undefined || protocol === undefined || end?.address === undefined) continue;
      const group = groupOf(finding, chainHash(named.name + protocolName(Number(protocol))));
      group.names.add(named.name);
      group.protocol = Number(protocol);
      group.loose.push({ chain, rule, address: end.address, port: end.port });
    }
  }
}

function findInFilter(finding: Finding): void {
  const { ruleset, byEnd } = finding;
  const { family } = ruleset;
  for (const chain of ruleset.tables.get("filter")?.chains.values() ?? []) {
    if (!chain.name.startsWith("KUBE-")) continue;
    for (const [index, rule] of rulesOf(chain).entries()) {
      const port = singleValue(rule, "destinationPort", family);
      if (port === undefined) continue;
      const named = namedIn(commentOf(rule) ?? "");
      const { effect } = meaningOf(rule, family);
      const refuses = effect.kind === "reject" || (effect.kind === "verdict" && effect.verdict === "drop");
      if (!refuses && named?.said !== "health check") continue;
      const at = { table: "filter", chain: chain.name, number: index + 1, rule };
      const ends = endsOf(at, finding);
      const [end] = ends;
      const group =
        groupNamed(named?.name, rule, finding) ??
        ends.map((one) => byEnd.get(endKey(one))).find((one) => one !== undefined) ??
        newGroup(named?.name, end, finding);
      if (group === undefined) continue;
      if (named !== undefined) group.names.add(named.name);
      if (named?.said === "health check") group.healthCheckNodePort = Number(port);
      else addEntry(group, { at, said: named?.said ?? "", ends, chain: undefined }, finding);
    }
  }
}

function groupOf(finding: Finding, hash: string | undefined, key = hash ?? ""): FoundService {
  let group = finding.groups.get(key);
  if (group === undefined) {
    group = {
      hash,
      names: new Set(),
      entries: [],
      protocol: undefined,
      healthCheckNodePort: undefined,
      loose: [],
    };
    finding.groups.set(key, group);
  }
  return group;
}

/** The group that has the hash of this name; a health check's own protocol says nothing. */
function groupNamed(
  name: string | undefined,
  rule: Rule,
  { ruleset, groups }: Finding,
): FoundService | undefined {
  const { effect } = meaningOf(rule, ruleset.family);
  const isHealthCheck = effect.kind === "verdict" && effect.verdict === "accept";
  const protocol = singleValue(rule, "protocol", ruleset.family);
  const own = protocol === undefined ? [] : [protocolName(Number(protocol))];
  return (name === undefined ? [] : isHealthCheck ? SERVICE_PROTOCOLS : own)
    .map((one) => groups.get(chainHash(name + one)))
    .find((group) => group !== undefined);
}

/** Without endpoints kube-proxy writes no chain, but by its name the service port has a hash all the same. */
function newGroup(
  name: string | undefined,
  end: EntryEnd | undefined,
  finding: Finding,
): FoundService | undefined {
  if (end === undefined) return undefined;
  return name === undefined
    ? groupOf(finding, undefined, endKey(end))
    : groupOf(finding, chainHash(name + protocolName(end.protocol)));
}

function addEntry(group: FoundService, entry: Entry, { byEnd }: Finding): void {
  group.entries.push(entry);
  for (const end of entry.ends) {
    group.protocol ??= end.protocol;
    if (!byEnd.has(endKey(end))) byEnd.set(endKey(end), group);
  }
}

/** A key for an end. */
function endKey({ address, port, protocol }: EntryEnd): string {
  return `${address ?? "local"} ${port} ${protocol}`;
}

/** The ends that packets to a rule must have: what it asks for itself, else what the rules that lead to it ask for. */
function endsOf(at: RuleAt, finding: Finding): readonly EntryEnd[] {
  const { family } = finding.ruleset;
  const port = singleValue(at.rule, "destinationPort", family);
  const protocol = singleValue(at.rule, "protocol", family);
  if (port === undefined || protocol === undefined) return [];
  return [...addressesFor(at, finding)].map((address) => ({
    address,
    port: Number(port),
    protocol: Number(protocol),
  }));
}

/** Chains that lead to a rule, one after another, that are looked at; kube-proxy has two. */
const CALLERS_DEPTH = 20;

/** The addresses of packets that can meet a rule; undefined stands for any address of the node. */
function addressesFor(at: RuleAt, finding: Finding, depth = 0): ReadonlySet<Address | undefined> {
  const { family } = finding.ruleset;
  const own = singleValue(at.rule, "destination", family);
  if (own !== undefined) return new Set([own]);
  if (asksForLocal(at.rule, family)) return new Set([undefined]);
  const key = `${at.table}:${at.chain}`;
  const known = finding.addresses.get(key);
  if (known !== undefined) return known;
  const found = new Set<Address | undefined>();
  // Known before it is filled, so that chains that lead to each other end.
  finding.addresses.set(key, found);
  const isBuiltIn = isTableName(at.table) && BUILT_IN_CHAINS[at.table].includes(at.chain);
  for (const caller of isBuiltIn || depth > CALLERS_DEPTH ? [] : (finding.callers.get(key) ?? []))
    for (const address of addressesFor(caller, finding, depth + 1)) found.add(address);
  return found;
}

/** The ends at which packets meet a service port, each with the rules that lead on or refuse from there. */
export function endsOfService({ entries }: FoundService): readonly {
  readonly end: EntryEnd;
  readonly entries: readonly Entry[];
}[] {
  const byKey = new Map<string, { end: EntryEnd; entries: Entry[] }>();
  for (const entry of entries) {
    for (const end of entry.ends) {
      const known = byKey.get(endKey(end));
      if (known === undefined) byKey.set(endKey(end), { end, entries: [entry] });
      else known.entries.push(entry);
    }
  }
  return [...byKey.values()];
}

/** What kind of address an end is, as the rules there tell. */
export function kindOf({ address }: EntryEnd, entries: readonly Entry[]): EntranceKind {
  for (const { said } of entries)
    if (said === "cluster IP" || said === "external IP" || said === "load balancer IP") return said;
  const nodePort = entries.some(({ at }) => at.chain === "KUBE-NODEPORTS" || at.chain === "KUBE-NODE-PORT");
  if (address === undefined || nodePort) return "node port";
  const external = entries.some(
    ({ at, chain }) => at.chain === "KUBE-EXTERNAL-SERVICES" || /^KUBE-(?:EXT|FW|XLB)-/.test(chain ?? ""),
  );
  return external ? "external address" : "cluster IP";
}
