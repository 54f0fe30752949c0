/**
 * What the rules of a node say of Services: every service port that can be found in them, where it is reached, and what
 * becomes of packets that go there. Names come from comments and from the hashes in chain names; endpoints, shares, drops
 * and lost sources come from the evaluator, which is asked about kube-proxy's rules alone (proxy-view.ts).
 */
import { type Address, ALL_ONES, type Family, familyOf, readAddress } from "../../grammar/address.js";
import { PROTOCOL, protocolName, protocolNumber } from "../../grammar/protocols.js";
import { chainHash } from "../cluster/names.js";
import { evaluate } from "../evaluate/evaluate.js";
import type { Landing, Step } from "../evaluate/outcome.js";
import { lowestTerms } from "../evaluate/share.js";
import { appendAll } from "../problems/append.js";
import { meaningOf } from "../state/meaning.js";
import type { Network } from "../state/network.js";
import type { NodeState } from "../state/nodestate.js";
import {
  BUILT_IN_CHAINS,
  type Chain,
  chainOf,
  isTableName,
  type Rule,
  type Ruleset,
  rulesOf,
} from "../state/rules.js";
import { completeFragment, isAssumed, isGiven, missingChainOf } from "./complete.js";
import { asksForLocal, type End, proxyView, selfRuleOf, singleValue, translationOf } from "./proxy-view.js";
import {
  addressKey,
  type Clients,
  type Counted,
  type Entrance,
  type EntranceKind,
  type KnownNames,
  NO_NAMES,
  type Outcome,
  type RuleAt,
  type ServiceEndpoint,
  type ServicePort,
  type ServicesFound,
  type TrafficPolicy,
} from "./service-model.js";
import {
  belongsToService,
  commentOf,
  ENDPOINT_CHAIN,
  type HashedName,
  hashOf,
  type NamedInComment,
  namedIn,
  namesByHash,
  SERVICE_PROTOCOLS,
  withoutColon,
} from "./service-names.js";
import { virtualServicePorts } from "./virtual-services.js";

/**
 * All service ports of a node, from its rules and its IPVS table. `names` are `namespace/name:port` of Services that
 * are known from elsewhere, `namesByAddress` the same by `address port protocol`: they name what the texts do not.
 */
export function servicesOf(state: NodeState, known: KnownNames = NO_NAMES): ServicesFound {
  const services: ServicePort[] = [];
  const assumed = new Set<string>();
  for (const family of ["ipv4", "ipv6"] as const) {
    const ruleset = state.rulesets[family];
    if (ruleset === undefined) continue;
    const completed = completeFragment(ruleset);
    for (const sentence of completed.assumed) assumed.add(sentence);
    appendAll(services, servicesIn(completed.ruleset, state.network, known));
  }
  appendAll(services, virtualServicePorts(state, known));
  services.sort(
    (left, right) =>
      compare(left.name ?? "\uffff", right.name ?? "\uffff") ||
      compare(left.family, right.family) ||
      (left.protocol ?? 0) - (right.protocol ?? 0) ||
      compare(left.chains[0] ?? "", right.chains[0] ?? ""),
  );
  return { services, assumed: [...assumed] };
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** What is found of one service port before anything is asked. */
interface Group {
  readonly hash: string | undefined;
  readonly names: Set<string>;
  readonly entries: Entry[];
  protocol: number | undefined;
  healthCheckNodePort: number | undefined;
  /** Endpoints whose chains name it, and that nothing leads to. */
  readonly loose: ServiceEndpoint[];
}

/** A rule that leads to a service port, or refuses what is for it, and the ends at which packets meet it. */
interface Entry {
  readonly at: RuleAt;
  readonly said: NamedInComment["said"];
  readonly ends: readonly EntryEnd[];
  /** The chain that the rule goes to; undefined for a refusal. */
  readonly chain: string | undefined;
}

interface EntryEnd {
  /** Undefined: any address of the node. */
  readonly address: Address | undefined;
  readonly port: number;
  readonly protocol: number;
}

function servicesIn(ruleset: Ruleset, network: Network | undefined, known: KnownNames): ServicePort[] {
  const finding: Finding = {
    ruleset,
    groups: new Map(),
    byEnd: new Map(),
    callers: callersIn(ruleset),
    addresses: new Map(),
    proven: new Map(),
    known: namesByHash(known.names),
  };
  findInNat(finding);
  findInFilter(finding);
  return [...finding.groups.values()].map((group) => describe(group, finding, network, known));
}

interface Finding {
  readonly ruleset: Ruleset;
  /** By hash, or by address where there is none. */
  readonly groups: Map<string, Group>;
  /** The groups that packets to an end come to, by the end's key. */
  readonly byEnd: Map<string, Group>;
  /** Rules that jump to a chain which belongs to no service port, by `table:chain`. */
  readonly callers: ReadonlyMap<string, readonly RuleAt[]>;
  /** The addresses of packets that come to a chain, by `table:chain`. */
  readonly addresses: Map<string, ReadonlySet<Address | undefined>>;
  /** Names that a hash has proven, by `hash name`. */
  readonly proven: Map<string, string | undefined>;
  readonly known: ReadonlyMap<string, HashedName>;
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
  findLooseEndpoints(finding);
}

/** Endpoint chains that nothing goes to: their comments name the service port, whose chains a fragment may lack. */
function findLooseEndpoints(finding: Finding): void {
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
      group.loose.push(endpointOf(end.address, end.port, chain, rule, family));
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

function groupOf(finding: Finding, hash: string | undefined, key = hash ?? ""): Group {
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
function groupNamed(name: string | undefined, rule: Rule, { ruleset, groups }: Finding): Group | undefined {
  const { effect } = meaningOf(rule, ruleset.family);
  const isHealthCheck = effect.kind === "verdict" && effect.verdict === "accept";
  const protocol = singleValue(rule, "protocol", ruleset.family);
  const own = protocol === undefined ? [] : [protocolName(Number(protocol))];
  return (name === undefined ? [] : isHealthCheck ? SERVICE_PROTOCOLS : own)
    .map((one) => groups.get(chainHash(name + one)))
    .find((group) => group !== undefined);
}

/** Without endpoints kube-proxy writes no chain, but by its name the service port has a hash all the same. */
function newGroup(name: string | undefined, end: EntryEnd | undefined, finding: Finding): Group | undefined {
  if (end === undefined) return undefined;
  return name === undefined
    ? groupOf(finding, undefined, endKey(end))
    : groupOf(finding, chainHash(name + protocolName(end.protocol)));
}

function addEntry(group: Group, entry: Entry, { byEnd }: Finding): void {
  group.entries.push(entry);
  for (const end of entry.ends) {
    group.protocol ??= end.protocol;
    if (!byEnd.has(endKey(end))) byEnd.set(endKey(end), group);
  }
}

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

const CHAIN_ORDER: readonly string[] = ["SVC", "SVL", "EXT", "XLB", "FW"];

function describe(
  group: Group,
  { ruleset, known: hashed, proven }: Finding,
  network: Network | undefined,
  known: KnownNames,
): ServicePort {
  const { family } = ruleset;
  const { hash } = group;
  const chains =
    hash === undefined
      ? []
      : CHAIN_ORDER.map((kind) => `KUBE-${kind}-${hash}`).flatMap((name) => {
          const chain = chainOf(ruleset, "nat", name);
          return chain !== undefined && rulesOf(chain).length > 0 ? [chain] : [];
        });
  const found = nameOf(group, hashed, proven, known);
  const protocol = found.protocol ?? group.protocol ?? protocolOfEndpoints(chains, ruleset);
  const asking: Asking = { ruleset, network, protocol: protocol ?? PROTOCOL.tcp, endpoints: new Map() };
  const entrances = entrancesOf(group, chains, asking);
  const affinity = chains.flatMap((chain) => affinityOf(chain, family));
  const endpoints = [...asking.endpoints.values(), ...group.loose];
  return {
    family,
    ...(found.name === undefined ? {} : { name: found.name }),
    nameProven: found.isProven,
    ...(protocol === undefined ? {} : { protocol }),
    chains: chains.filter(isGiven).map(({ name }) => name),
    entrances,
    endpoints,
    ...(affinity[0] === undefined ? {} : { affinitySeconds: affinity[0] }),
    ...policiesOf(entrances, chains),
    ...(group.healthCheckNodePort === undefined ? {} : { healthCheckNodePort: group.healthCheckNodePort }),
    counted: chains.flatMap((chain) => countedBy(chain, endpoints)),
  };
}

function nameOf(
  { hash, names, entries }: Group,
  hashed: ReadonlyMap<string, HashedName>,
  proven: Finding["proven"],
  known: KnownNames,
): { name: string | undefined; protocol: number | undefined; isProven: boolean } {
  for (const name of names) {
    const key = `${hash} ${name}`;
    if (!proven.has(key))
      proven.set(
        key,
        SERVICE_PROTOCOLS.find((protocol) => chainHash(name + protocol) === hash),
      );
    const protocol = proven.get(key);
    if (protocol !== undefined)
      return { name: withoutColon(name), protocol: protocolNumber(protocol), isProven: true };
  }
  const byHash = hash === undefined ? undefined : hashed.get(hash);
  if (byHash !== undefined) {
    const { name, protocol } = byHash;
    return { name: withoutColon(name), protocol: protocolNumber(protocol), isProven: true };
  }
  const [named] = names;
  const addressed = entries
    .flatMap(({ ends }) => ends)
    .flatMap(({ address, port, protocol }) =>
      address === undefined ? [] : (known.byAddress.get(addressKey(address, port, protocol)) ?? []),
    );
  const name = addressed[0] ?? (named === undefined ? undefined : withoutColon(named));
  return { name, protocol: undefined, isProven: false };
}

/** The protocol that the translating rules behind a chain ask for. */
function protocolOfEndpoints(chains: readonly Chain[], ruleset: Ruleset): number | undefined {
  for (const chain of chains) {
    for (const { target } of rulesOf(chain)) {
      const to = target?.kind === "chain" ? chainOf(ruleset, "nat", target.chain) : undefined;
      if (to === undefined || !ENDPOINT_CHAIN.test(to.name)) continue;
      for (const rule of rulesOf(to)) {
        const protocol = singleValue(rule, "protocol", ruleset.family);
        if (protocol !== undefined) return Number(protocol);
      }
    }
  }
  return undefined;
}

function affinityOf(chain: Chain, family: Family): readonly number[] {
  return rulesOf(chain).flatMap((rule) =>
    meaningOf(rule, family).matches.flatMap(({ condition }) =>
      condition.kind === "remembered" && condition.seconds !== undefined ? [condition.seconds] : [],
    ),
  );
}

/** A local policy shows by a chain of its own, and where no endpoint is local by the rule that refuses. */
function policiesOf(
  entrances: readonly Entrance[],
  chains: readonly Chain[],
): Pick<ServicePort, "internalPolicy" | "externalPolicy"> {
  const isLocal = (chain: string | undefined) => /^KUBE-(?:SVL|XLB)-/.test(chain ?? "");
  const external = chains.filter(({ name }) => /^KUBE-(?:EXT|FW)-/.test(name));
  const leadsToLocal = external.some((chain) =>
    rulesOf(chain).some(({ target }) => target?.kind === "chain" && isLocal(target.chain)),
  );
  const policyOf = (all: readonly Entrance[], viaExternal: boolean): TrafficPolicy | undefined => {
    if (all.length === 0) return undefined;
    const refused = all
      .flatMap(({ rules }) => rules)
      .some(({ rule }) => namedIn(commentOf(rule) ?? "")?.said === "no local endpoints");
    return refused || viaExternal || all.some(({ chain }) => isLocal(chain)) ? "Local" : "Cluster";
  };
  const internalPolicy = policyOf(
    entrances.filter(({ kind }) => kind === "cluster IP"),
    false,
  );
  const externalPolicy = policyOf(
    entrances.filter(({ kind }) => kind !== "cluster IP" && kind !== "unknown"),
    leadsToLocal,
  );
  return {
    ...(internalPolicy === undefined ? {} : { internalPolicy }),
    ...(externalPolicy === undefined ? {} : { externalPolicy }),
  };
}

/** What the questions about one service port share. */
interface Asking {
  readonly ruleset: Ruleset;
  readonly network: Network | undefined;
  readonly protocol: number;
  /** Found so far, by address and port. */
  readonly endpoints: Map<string, ServiceEndpoint>;
}

function entrancesOf(group: Group, chains: readonly Chain[], asking: Asking): readonly Entrance[] {
  const byKey = new Map<string, { end: EntryEnd; entries: Entry[] }>();
  for (const entry of group.entries) {
    for (const end of entry.ends) {
      const known = byKey.get(endKey(end));
      if (known === undefined) byKey.set(endKey(end), { end, entries: [entry] });
      else known.entries.push(entry);
    }
  }
  const entrances = [...byKey.values()].map(({ end, entries }, index): Entrance => {
    const chain = entries.find((entry) => entry.chain !== undefined)?.chain;
    return {
      kind: kindOf(end, entries),
      ...(end.address === undefined ? {} : { address: end.address }),
      port: end.port,
      rules: entries.map(({ at }) => at),
      ...(chain === undefined ? {} : { chain }),
      clients: index < ASKED_MAX ? ask(end, proxyView(asking.ruleset, inView(end, asking)), asking) : [],
    };
  });
  entrances.sort((left, right) => KINDS.indexOf(left.kind) - KINDS.indexOf(right.kind));
  if (entrances.some(({ chain }) => chain !== undefined)) return entrances;
  const [chain] = chains;
  if (chain === undefined) return entrances;
  const view = proxyView(asking.ruleset, {}, chain.name);
  const end = { address: undefined, port: UNKNOWN_PORT, protocol: asking.protocol };
  return [...entrances, { kind: "unknown", rules: [], chain: chain.name, clients: ask(end, view, asking) }];
}

/** No Service has so many addresses; a text made to take long may. */
const ASKED_MAX = 100;

const KINDS: readonly EntranceKind[] = [
  "cluster IP",
  "external IP",
  "load balancer IP",
  "external address",
  "node port",
  "unknown",
  "virtual server",
];

/** A port that is in no rule of a Service, for questions in which none is known. */
const UNKNOWN_PORT = 0;

function kindOf({ address }: EntryEnd, entries: readonly Entry[]): EntranceKind {
  for (const { said } of entries)
    if (said === "cluster IP" || said === "external IP" || said === "load balancer IP") return said;
  const nodePort = entries.some(({ at }) => at.chain === "KUBE-NODEPORTS" || at.chain === "KUBE-NODE-PORT");
  if (address === undefined || nodePort) return "node port";
  const external = entries.some(
    ({ at, chain }) => at.chain === "KUBE-EXTERNAL-SERVICES" || /^KUBE-(?:EXT|FW|XLB)-/.test(chain ?? ""),
  );
  return external ? "external address" : "cluster IP";
}

/** Addresses for documentation (RFC 5737, RFC 3849), for a node whose own are not known. */
const STAND_IN: Readonly<Record<Family, Address>> = {
  ipv4: readAddress("192.0.2.1") ?? 0,
  ipv6: readAddress("2001:db8::1") ?? 0n,
};

/** Addresses of the node, or one that stands for them. */
function nodeAddresses({ network, ruleset }: Asking): readonly Address[] {
  const known = (network?.interfaces ?? [])
    .flatMap(({ addresses }) => addresses.map(({ address }) => address))
    .filter((address) => familyOf(address) === ruleset.family && !isLoopback(address));
  return known.length > 0 ? known : [STAND_IN[ruleset.family]];
}

function isLoopback(address: Address): boolean {
  return typeof address === "number" ? address >>> 24 === 127 : address === 1n;
}

function inView({ address, port }: EntryEnd, asking: Asking): End {
  return { address: address ?? nodeAddresses(asking)[0], port };
}

/** What becomes of packets from outside to an end, by kinds of client. */
function ask(end: EntryEnd, view: Ruleset, asking: Asking): readonly Clients[] {
  const { ruleset } = asking;
  const { family } = ruleset;
  const addresses = nodeAddresses(asking);
  const own = addresses.map((address) => ({ address, subnet: { address, mask: ALL_ONES[family] } }));
  const network: Network = { interfaces: [{ name: "", addresses: own }], sysctls: new Map() };
  const destination = end.address ?? addresses[0] ?? STAND_IN[family];
  const packet = { family, protocol: end.protocol, destination, destinationPort: end.port };
  const { cases } = evaluate({ rulesets: { [family]: view }, network }, packet, { fresh: true });
  return cases.map(({ assuming, open, landings }) => ({
    who: assuming.map(({ words }) => words),
    sources: open.source,
    outcomes: landings.map((landing) => outcomeOf(landing, asking)),
  }));
}

function outcomeOf(landing: Landing, asking: Asking): Outcome {
  const share = lowestTerms(landing.share);
  const { masqueraded } = landing;
  switch (landing.verdict) {
    case "forward":
    case "local": {
      const step = translationIn(landing);
      const whole = asking.ruleset.tables.get("nat")?.fragment !== true;
      if (step === undefined) return { kind: whole ? "passed" : "unknown", share, masqueraded };
      const lacks = missingChainOf(step);
      if (lacks !== undefined && !ENDPOINT_CHAIN.test(lacks))
        return { kind: "unknown", share, masqueraded, lacks };
      return { kind: "endpoint", share, endpoint: endpointAt(step, landing, asking), masqueraded };
    }
    case "reject":
      return { kind: "reject", share, masqueraded, ...(landing.with === null ? {} : { with: landing.with }) };
    default:
      return { kind: "drop", share, masqueraded };
  }
}

/** The rule that sent the packet elsewhere. */
function translationIn(landing: Landing): Step | undefined {
  for (let step = landing.lastStep; step !== undefined; step = step.previous) {
    if (step.rule !== undefined && translationOf(step.rule, step.headers.family) !== undefined) return step;
  }
  return undefined;
}

function endpointAt(
  { chain: name, rule }: Step,
  { dst, dport }: Landing,
  { ruleset, endpoints }: Asking,
): ServiceEndpoint {
  const key = `${dst} ${dport} ${name}`;
  let endpoint = endpoints.get(key);
  if (endpoint === undefined) {
    const chain = chainOf(ruleset, "nat", name);
    endpoint =
      rule === undefined || dst === null || chain === undefined || missingChainOf({ chain: name, rule })
        ? { chain: name }
        : endpointOf(dst, dport ?? undefined, chain, rule, ruleset.family);
    endpoints.set(key, endpoint);
  }
  return endpoint;
}

function endpointOf(
  address: Address,
  port: number | undefined,
  chain: Chain,
  rule: Rule,
  family: Family,
): ServiceEndpoint {
  return {
    address,
    ...(port === undefined ? {} : { port }),
    chain: chain.name,
    ...(rule.place === undefined || isAssumed(rule) ? {} : { line: rule.place.line }),
    selfMasqueraded: selfRuleOf(rulesOf(chain), family) !== undefined,
  };
}

/** Connections by endpoint, where the dump has counters. */
function countedBy(chain: Chain, endpoints: readonly ServiceEndpoint[]): readonly Counted[] {
  const counts = new Map<string, bigint>();
  let total = 0n;
  for (const { target, counters } of rulesOf(chain)) {
    if (target?.kind !== "chain" || !ENDPOINT_CHAIN.test(target.chain) || counters === undefined) continue;
    total += counters.packets;
    counts.set(target.chain, (counts.get(target.chain) ?? 0n) + counters.packets);
  }
  if (counts.size === 0) return [];
  const counted = endpoints.flatMap((endpoint) => {
    const connections = counts.get(endpoint.chain ?? "");
    return connections === undefined ? [] : [{ endpoint, connections }];
  });
  return [{ chain: chain.name, total, endpoints: counted }];
}
