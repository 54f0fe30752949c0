/**
 * What the rules of a node say of Services: every service port that can be found in them, where it is reached, and what
 * becomes of packets that go there. Names come from comments and from the hashes in chain names; endpoints, shares, drops
 * and lost sources come from the evaluator, which is asked about kube-proxy's rules alone (proxy-view.ts).
 */
import type { Family } from "../../grammar/address.js";
import { PROTOCOL, protocolNumber } from "../../grammar/protocols.js";
import { chainHash } from "../cluster/names.js";
import { appendAll } from "../problems/append.js";
import { meaningOf } from "../state/meaning.js";
import type { Network } from "../state/network.js";
import type { NodeState } from "../state/nodestate.js";
import { type Chain, chainOf, type Ruleset, rulesOf } from "../state/rules.js";
import { completeFragment, isGiven } from "./complete.js";
import { endsOfService, type FoundService, findServices, kindOf } from "./find-services.js";
import { proxyView, singleValue } from "./proxy-view.js";
import { type Asking, ask, endpointOf, inView } from "./service-clients.js";
import {
  addressKey,
  type Counted,
  ENTRANCE_KINDS,
  type Entrance,
  type KnownNames,
  NO_NAMES,
  type ServiceEndpoint,
  type ServicePort,
  type ServicesFound,
  type TrafficPolicy,
} from "./service-model.js";
import {
  commentOf,
  ENDPOINT_CHAIN,
  type HashedName,
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

function servicesIn(ruleset: Ruleset, network: Network | undefined, known: KnownNames): ServicePort[] {
  const naming: Naming = { hashed: namesByHash(known.names), proven: new Map(), known };
  return findServices(ruleset).map((group) => describe(group, ruleset, network, naming));
}

/** What names are told by. */
interface Naming {
  readonly hashed: ReadonlyMap<string, HashedName>;
  /** Names that a hash has proven, by `hash name`. */
  readonly proven: Map<string, string | undefined>;
  readonly known: KnownNames;
}

const CHAIN_ORDER: readonly string[] = ["SVC", "SVL", "EXT", "XLB", "FW"];

function describe(
  group: FoundService,
  ruleset: Ruleset,
  network: Network | undefined,
  naming: Naming,
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
  const found = nameOf(group, naming);
  const protocol = found.protocol ?? group.protocol ?? protocolOfEndpoints(chains, ruleset);
  const asking: Asking = { ruleset, network, protocol: protocol ?? PROTOCOL.tcp, endpoints: new Map() };
  const entrances = entrancesOf(group, chains, asking);
  const affinity = chains.flatMap((chain) => affinityOf(chain, family));
  const endpoints = [...asking.endpoints.values(), ...group.loose.map((one) => endpointOf(one, family))];
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
  { hash, names, entries }: FoundService,
  { hashed, proven, known }: Naming,
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

function entrancesOf(group: FoundService, chains: readonly Chain[], asking: Asking): readonly Entrance[] {
  const entrances = endsOfService(group).map(({ end, entries }, index): Entrance => {
    const chain = entries.find((entry) => entry.chain !== undefined)?.chain;
    return {
      kind: kindOf(end, entries),
      ...(end.address === undefined ? {} : { address: end.address }),
      port: end.port,
      rules: entries.map(({ at }) => at),
      ...(chain === undefined ? {} : { chain }),
      ...(index < ASKED_MAX ? ask(end, proxyView(asking.ruleset, inView(end, asking)), asking) : UNASKED),
    };
  });
  entrances.sort((left, right) => ENTRANCE_KINDS.indexOf(left.kind) - ENTRANCE_KINDS.indexOf(right.kind));
  if (entrances.some(({ chain }) => chain !== undefined)) return entrances;
  const [chain] = chains;
  if (chain === undefined) return entrances;
  const view = proxyView(asking.ruleset, {}, chain.name);
  const end = { address: undefined, port: UNKNOWN_PORT, protocol: asking.protocol };
  const { clients } = ask(end, view, asking);
  return [...entrances, { kind: "unknown", rules: [], chain: chain.name, clients, ownClients: [] }];
}

/** No Service has so many addresses; a text made to take long may. */
const ASKED_MAX = 100;

const UNASKED: Pick<Entrance, "clients" | "ownClients"> = { clients: [], ownClients: [] };

/** A port that is in no rule of a Service, for questions in which none is known. */
const UNKNOWN_PORT = 0;

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
