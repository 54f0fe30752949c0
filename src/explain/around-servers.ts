/**
 * What stands around the virtual servers of a node: rules and sets that keep or masquerade the client's source, or refuse
 * it. The evaluator is asked with all of them, once for each virtual server; which sets know an address tells what kind of
 * address it is (../cluster/ipvs-names.ts).
 */
import { type Address, type Family, printAddress } from "../../grammar/address.js";
import type { Condition } from "../../grammar/meaning.js";
import type { Packet } from "../../grammar/packet.js";
import { protocolName } from "../../grammar/protocols.js";
import { setTypeNamed } from "../../grammar/sets/types.js";
import { DUMMY_INTERFACE, fullName, type SetName } from "../cluster/ipvs-names.js";
import { knownInterfaces } from "../evaluate/addresses.js";
import { evaluate } from "../evaluate/evaluate.js";
import { withVirtualAddresses } from "../evaluate/ipvs-hook.js";
import type { Landing } from "../evaluate/outcome.js";
import { lowestTerms } from "../evaluate/share.js";
import { meaningOf } from "../state/meaning.js";
import type { Network } from "../state/network.js";
import type { NodeState } from "../state/nodestate.js";
import { type Chain, makeChain, type Rule, type Ruleset, rulesOf } from "../state/rules.js";
import { contextOf, type IpSets, membership } from "../state/sets.js";
import { familyOfService, type VirtualServer } from "../state/virtual-servers.js";
import { printElement } from "../text/ipset/save.js";
import type {
  Clients,
  Entrance,
  EntranceKind,
  LetIn,
  Outcome,
  ServiceEndpoint,
  TrafficPolicy,
} from "./service-model.js";

/** One family's rules and sets, as questions about its virtual servers need them. */
export interface Around {
  readonly state: NodeState;
  readonly family: Family;
  /** A rule masquerades what an endpoint sends to itself, by kube-proxy's set for that. */
  readonly hasLoopBack: boolean;
  /** What is not here, and what that leaves open, in sentences. */
  readonly lacks: readonly string[];
  /** Nothing is asked without the rules, or without the sets that they ask for. */
  readonly isAsked: boolean;
  /** The sources of sets with the dimensions address, port, source: by set, then by `address,protocol:port`. */
  readonly sources: Map<string, ReadonlyMap<string, readonly string[]>>;
}

export function aroundServers(given: NodeState, family: Family): Around {
  const { connections: _connections, recentLists: _lists, ...state } = withVirtualAddresses(given, new Set());
  const ruleset = state.rulesets[family];
  const loopBack = fullName("LOOP-BACK", family);
  const asked = ruleset === undefined ? new Set<string>() : setsAskedBy(ruleset);
  const lacks = lacksOf(given, family, asked);
  const rulesets = ruleset === undefined ? {} : { [family]: withoutSet(ruleset, loopBack) };
  return {
    state: { ...state, rulesets },
    family,
    hasLoopBack: asked.has(loopBack),
    lacks: [...lacks.deciding, ...lacks.others],
    isAsked: lacks.deciding.length === 0,
    sources: new Map(),
  };
}

function lacksOf(
  { rulesets, sets, network }: NodeState,
  family: Family,
  asked: ReadonlySet<string>,
): { readonly deciding: readonly string[]; readonly others: readonly string[] } {
  const tool = family === "ipv4" ? "iptables" : "ip6tables";
  const nat = rulesets[family]?.tables.get("nat");
  const open = [...asked].filter((name) => sets?.get(name)?.entries === undefined);
  return {
    deciding: [
      ...(nat === undefined || nat.fragment === true
        ? [`the rules of nat are not here (${tool}-save): whose source is masqueraded is not known`]
        : []),
      ...(open.length === 0
        ? []
        : [
            `members of ${open.slice(0, 3).join(", ")}${open.length > 3 ? ` and ${open.length - 3} more sets` : ""} are not here (ipset save): whom rules masquerade or refuse by them is not known`,
          ]),
    ],
    others:
      knownInterfaces(network, family) === undefined
        ? [
            "addresses of the node are not here (ip addr): those of virtual servers are taken to be its own, as they are on kube-ipvs0",
          ]
        : [],
  };
}

function setsAskedBy({ tables, family }: Ruleset): ReadonlySet<string> {
  const asked = new Set<string>();
  for (const { chains } of tables.values())
    for (const chain of chains.values())
      for (const rule of rulesOf(chain)) for (const name of setsOf(rule, family, true)) asked.add(name);
  return asked;
}

/** The sets that a rule asks for; without `any` those that a packet has to be in. */
function setsOf(rule: Rule, family: Family, any: boolean): readonly string[] {
  return meaningOf(rule, family).matches.flatMap(({ condition }) => membersIn(condition, any));
}

function membersIn(condition: Condition, any: boolean): readonly string[] {
  switch (condition.kind) {
    case "member":
      return [condition.set];
    case "all":
      return condition.of.flatMap((part) => membersIn(part, any));
    case "any":
      return any ? condition.of.flatMap((part) => membersIn(part, any)) : [];
    case "not":
      return any ? membersIn(condition.of, any) : [];
    default:
      return [];
  }
}

/** Without the rules for what an endpoint sends to itself, which would give each endpoint a case of its own. */
function withoutSet({ family, tables }: Ruleset, set: string): Ruleset {
  const others = (rule: Rule) => !setsOf(rule, family, false).includes(set);
  const left = (chain: Chain) => makeChain(chain, rulesOf(chain).filter(others));
  return {
    family,
    tables: new Map(
      [...tables].map(([name, table]) => [
        name,
        { ...table, chains: new Map([...table.chains].map(([own, chain]) => [own, left(chain)])) },
      ]),
    ),
  };
}

/** What becomes of packets to a virtual server, where `outcomes` are its shares of all clients. */
export function askAround(
  server: VirtualServer,
  outcomes: readonly Outcome[],
  around: Around,
): Pick<Entrance, "clients" | "ownClients"> {
  const { key } = server;
  if (!around.isAsked || key.kind === "mark")
    return { clients: [{ who: [], sources: [], outcomes }], ownClients: [] };
  const { state, family } = around;
  // Shares are those of the long run, whatever connections each has now.
  const destinations = server.destinations.map(
    ({ activeConnections: _active, inactiveConnections: _inactive, ...one }) => one,
  );
  const { network } = state;
  const asked = {
    ...state,
    ...(network === undefined ? {} : { network: withOneBound(network, key.address) }),
    virtualServers: { services: [{ ...server, destinations }] },
  };
  const from = (place: Pick<Packet, "in">): readonly Clients[] => {
    const { address: destination, port: destinationPort, protocol } = key;
    const packet = { ...place, family, protocol, destination, destinationPort };
    return evaluate(asked, packet, { fresh: true }).cases.map(({ assuming, open, landings }) => ({
      who: assuming.map(({ words }) => words),
      sources: open.source,
      sets: setsMet(landings, family),
      outcomes: outcomesOf(landings, outcomes),
    }));
  };
  const isOwnKnown = knownInterfaces(state.network, family) !== undefined;
  return { clients: from({}), ownClients: isOwnKnown ? from({ in: "local" }) : [] };
}

/** Of the addresses of virtual servers this one alone: there are thousands, and nobody sends from the others. */
function withOneBound(network: Network, address: Address): Network {
  if (network.interfaces === undefined) return network;
  const interfaces = network.interfaces.map((one) =>
    one.name === DUMMY_INTERFACE
      ? { ...one, addresses: one.addresses.filter((own) => own.address === address) }
      : one,
  );
  return { ...network, interfaces };
}

/** The sets by which rules of nat knew the packet, in the order in which it met them. */
function setsMet(landings: readonly Landing[], family: Family): readonly string[] {
  const met: string[] = [];
  for (let step = landings[0]?.lastStep; step !== undefined; step = step.previous)
    if (step.table === "nat" && step.rule !== undefined) met.push(...setsOf(step.rule, family, false));
  return [...new Set(met.reverse())];
}

/** The long run's outcomes as rules leave them. */
function outcomesOf(landings: readonly Landing[], longRun: readonly Outcome[]): readonly Outcome[] {
  const served = new Map<string, Landing>();
  for (const landing of landings)
    if (landing.served !== null) served.set(endKey(landing.served.server), landing);
  const isEmpty = !longRun.some(({ kind }) => kind === "endpoint");
  // No real server is open: IPVS itself refuses, unless a rule did before.
  if (served.size === 0)
    return isEmpty && landings.every(({ verdict }) => verdict === "reject") ? longRun : refusals(landings);
  const [any] = served.values();
  const told = longRun.map((outcome): Outcome => {
    const { endpoint } = outcome;
    const landing = endpoint === undefined ? undefined : (served.get(endKey(endpoint)) ?? any);
    if (landing === undefined) return outcome;
    const { masqueraded, verdict } = landing;
    if (verdict === "forward" || verdict === "local") return { ...outcome, masqueraded };
    const { endpoint: _endpoint, ...rest } = outcome;
    return { ...rest, ...refusalIn(landing), masqueraded };
  });
  const [first] = told;
  const isOne = told.every(({ kind, with: how }) => kind === first?.kind && how === first.with);
  return first === undefined || first.kind === "endpoint" || !isOne
    ? told
    : [{ ...first, share: { numerator: 1n, denominator: 1n } }];
}

function endKey({ address, port }: { readonly address?: Address; readonly port?: number }): string {
  return `${address} ${port}`;
}

function refusals(landings: readonly Landing[]): readonly Outcome[] {
  return landings.map((landing) => ({
    ...refusalIn(landing),
    share: lowestTerms(landing.share),
    masqueraded: landing.masqueraded,
  }));
}

function refusalIn({ verdict, with: how }: Landing): Pick<Outcome, "kind" | "with"> {
  if (verdict === "forward" || verdict === "local") return { kind: "passed" };
  if (verdict !== "reject") return { kind: "drop" };
  return { kind: "reject", ...(how === null ? {} : { with: how }) };
}

/** kube-proxy's sets of addresses and ports, and of ports alone, by what their members are. */
const KINDS: readonly {
  readonly set: SetName;
  readonly kind: EntranceKind;
  readonly external?: TrafficPolicy;
}[] = [
  { set: "CLUSTER-IP", kind: "cluster IP" },
  { set: "LOAD-BALANCER-LOCAL", kind: "load balancer IP", external: "Local" },
  { set: "LOAD-BALANCER", kind: "load balancer IP", external: "Cluster" },
  { set: "EXTERNAL-IP-LOCAL", kind: "external IP", external: "Local" },
  { set: "EXTERNAL-IP", kind: "external IP", external: "Cluster" },
  { set: "NODE-PORT-LOCAL-TCP", kind: "node port", external: "Local" },
  { set: "NODE-PORT-TCP", kind: "node port", external: "Cluster" },
  { set: "NODE-PORT-LOCAL-UDP", kind: "node port", external: "Local" },
  { set: "NODE-PORT-UDP", kind: "node port", external: "Cluster" },
  { set: "NODE-PORT-LOCAL-SCTP-HASH", kind: "node port", external: "Local" },
  { set: "NODE-PORT-SCTP-HASH", kind: "node port", external: "Cluster" },
];

/** What kind of address a virtual server has, by the set of kube-proxy that holds it. */
export function kindOfServer(
  { key }: VirtualServer,
  sets: IpSets | undefined,
): { readonly kind: EntranceKind; readonly external?: TrafficPolicy } {
  if (sets === undefined || key.kind === "mark") return { kind: "virtual server" };
  const family = familyOfService(key);
  const { address: destination, port: destinationPort, protocol } = key;
  const packet = { family, protocol, destination, destinationPort };
  const found = KINDS.find(({ set }) => {
    const ofProtocol = /-(TCP|UDP)$/.exec(set)?.[1]?.toLowerCase() ?? protocolName(protocol);
    return (
      ofProtocol === protocolName(protocol) &&
      membership(sets, fullName(set, family), ["dst", "dst"], packet) === "yes"
    );
  });
  return found ?? { kind: "virtual server" };
}

/** Whether an endpoint that asks its own virtual server gets its answer, since kube-proxy's rule masquerades it. */
export function reachesItself(
  { address, port }: ServiceEndpoint,
  protocol: number,
  { state, family, hasLoopBack }: Around,
): boolean {
  if (!hasLoopBack || state.sets === undefined || address === undefined) return false;
  const packet = {
    family,
    protocol,
    source: address,
    destination: address,
    ...(port === undefined ? {} : { destinationPort: port }),
  };
  return membership(state.sets, fullName("LOOP-BACK", family), ["dst", "dst", "src"], packet) === "yes";
}

/** Sets of sources that a load balancer's address lets in; they count for members of LOAD-BALANCER-FW alone. */
const LET_IN: readonly SetName[] = ["LOAD-BALANCER-SOURCE-CIDR", "LOAD-BALANCER-SOURCE-IP"];

/** Whom kube-proxy's firewall lets in; undefined: it does not look at the virtual server. */
export function sourcesLetIn({ key }: VirtualServer, around: Around): readonly LetIn[] | undefined {
  const { state, family, sources } = around;
  const { sets } = state;
  if (sets === undefined || key.kind === "mark") return undefined;
  const { address: destination, port: destinationPort, protocol } = key;
  const packet = { family, protocol, destination, destinationPort };
  if (membership(sets, fullName("LOAD-BALANCER-FW", family), ["dst", "dst"], packet) !== "yes")
    return undefined;
  return LET_IN.flatMap((name): readonly LetIn[] => {
    const set = fullName(name, family);
    let known = sources.get(set);
    if (known === undefined) {
      known = sourcesByEnd(sets, set);
      sources.set(set, known);
    }
    const own = known.get(`${printAddress(destination)},${protocolName(protocol)}:${destinationPort}`);
    return own === undefined ? [] : [{ set, sources: own }];
  });
}

function sourcesByEnd(sets: IpSets, name: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const set = sets.get(name);
  const type = set && setTypeNamed(set.type);
  if (set === undefined || type === undefined) return found;
  for (const { parts } of set.entries ?? []) {
    const [address, port, source] = parts;
    if (address === undefined || port === undefined || source === undefined) continue;
    const end = printElement(type, [address, port], set.options);
    const known = found.get(end) ?? [];
    known.push(type.dimensions[2]?.print(source, contextOf(set.options)) ?? "");
    found.set(end, known);
  }
  return found;
}
