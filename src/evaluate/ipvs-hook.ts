/**
 * IPVS on a packet's way: after the tables of INPUT, for the node's own packets after nat OUTPUT, and for answers after
 * the tables of FORWARD. What comes for a virtual server gets a real one, and leaves through OUTPUT and POSTROUTING without
 * ever passing FORWARD; its answers get the virtual server's address back. Measured on Linux 6.1 (fixtures/kernel-ipvs);
 * net/netfilter/ipvs, ip_vs_core.c (the hooks' places), ip_vs_xmit.c and ip_vs_nfct.c (the connection's entry).
 */
import { type Address, ALL_ONES, familyOf, printAddress } from "../../grammar/address.js";
import type { Hook } from "../../grammar/meaning.js";
import { PORT_PROTOCOLS, PROTOCOL, protocolName } from "../../grammar/protocols.js";
import type { Route } from "../state/network.js";
import type { NodeState } from "../state/nodestate.js";
import type { Forwarding, VirtualServer, VirtualServers } from "../state/virtual-servers.js";
import { isLoopback, knownInterfaces } from "./addresses.js";
import { question } from "./ask.js";
import { assume } from "./assume.js";
import type { EvaluationContext } from "./context.js";
import { enterListed, type Listed } from "./ipvs/listed.js";
import {
  endOf,
  enter,
  tupleOf as entryName,
  expire,
  type Opening,
  openingOf,
  scheduled,
  serviceFor,
  setActive,
  type Way,
  wait,
} from "./ipvs/open.js";
import {
  copyOf,
  type IpvsOptions,
  type IpvsTable,
  ipvsSettings,
  ipvsTable,
  type Service,
  serverName,
  serviceName,
} from "./ipvs/table.js";
import { type IpvsTcpState, isActive, isOver, nextState, secondsIn } from "./ipvs/tcp-states.js";
import {
  inverse,
  type Memory,
  type Served,
  type ServedMethod,
  servedBy,
  type Tracked,
  withServed,
} from "./memory.js";
import { onWay, type RoutedWorld, waysOf } from "./routing.js";
import { product, ratio } from "./share.js";
import { sysctl } from "./sysctls.js";
import { tupleOf } from "./tracking.js";
import { type LivePacket, type World, withPacket } from "./world.js";

/** What IPVS does with a packet. */
export type Met =
  /** It goes on in its hook: it is not for IPVS, is an answer, or its real server is the node itself. */
  | { readonly kind: "on"; readonly world: World }
  /** It is sent to a real server elsewhere. */
  | { readonly kind: "sent"; readonly world: World }
  | { readonly kind: "refused"; readonly world: World; readonly with: string }
  | { readonly kind: "dropped"; readonly world: World };

/** All that IPVS may do with a packet in a hook; shares add up to the world's. */
export function meetIpvs(hook: Hook, world: World, context: EvaluationContext): readonly Met[] {
  const { packet } = world;
  if (context.state.virtualServers === undefined || packet.handled !== undefined)
    return [{ kind: "on", world }];
  const answer = answered(world, context);
  if (answer !== undefined) return [{ kind: "on", world: answer }];
  // What is forwarded was never for a virtual server.
  return hook === "FORWARD" ? [{ kind: "on", world }] : requested(world, context);
}

/** An answer from a real server, or an ICMP error about a request: it comes from the virtual server then. */
function answered(world: World, context: EvaluationContext): World | undefined {
  const { packet, memory } = world;
  const { family, quoted, unknown } = packet;
  const served =
    quoted === undefined
      ? servedBy(memory, family, packet.protocol, tupleOf(packet), "answer")
      : servedBy(memory, family, quoted.protocol, inverse(quoted.protocol, quoted.tuple), "answer");
  if (served?.method !== "MASQ") return undefined;
  const { destination, destinationPort } = served.request;
  const changes: Partial<LivePacket> = {
    source: known(destination),
    unknown: { ...unknown, ...(typeof destination === "string" ? { source: destination } : {}) },
    handled: { connection: served, isRequest: false },
  };
  const turned: Partial<LivePacket> =
    quoted === undefined
      ? { sourcePort: known(destinationPort) }
      : { quoted: { ...quoted, tuple: { ...quoted.tuple, destination, destinationPort } } };
  return used(withPacket(world, { ...changes, ...turned, ...tracking(packet, served, context) }), context);
}

function known<T>(part: T | string): T | null {
  return typeof part === "string" ? null : part;
}

const SYN = 2;

/** A packet that may be for a virtual server. */
function requested(world: World, context: EvaluationContext): readonly Met[] {
  const { packet, memory } = world;
  const { family, protocol, quoted, tcpFlags = SYN } = packet;
  if (quoted !== undefined) {
    const about = servedBy(
      memory,
      family,
      quoted.protocol,
      inverse(quoted.protocol, quoted.tuple),
      "request",
    );
    return about === undefined ? [{ kind: "on", world }] : toServer(world, about, context);
  }
  const served = servedBy(memory, family, protocol, tupleOf(packet), "request");
  if (served !== undefined && !isAnew(served, packet)) return toServer(world, served, context);
  const { destination, destinationPort, mark, markHidden } = packet;
  if (!PORT_PROTOCOLS.includes(protocol) || destination === null || typeof destinationPort !== "number")
    return [{ kind: "on", world }];
  const table = tableNow(context.state, memory);
  const service = serviceFor(table, {
    protocol,
    destination,
    destinationPort,
    mark: markHidden === 0 ? mark : 0,
  });
  if (service === undefined) {
    if (isLoopback(destination)) noteElsewhere(table, protocol, destinationPort, context);
    return [{ kind: "on", world }];
  }
  const isSloppy = sysctl(context.state.network, "net.ipv4.vs.sloppy_tcp") === "1";
  if (protocol !== PROTOCOL.tcp || (tcpFlags & SYN) !== 0 || isSloppy)
    return opened(world, table, service, context);
  // Of a connection that is under way IPVS must know the server: it is not scheduled now.
  return knowsConnection(world, service, context).flatMap(({ world: one, holds }) =>
    holds ? opened(one, table, service, context) : [{ kind: "on", world: one }],
  );
}

/** Who asks a node port at a loopback address finds no virtual server, and gets what a process of the node answers. */
function noteElsewhere(table: IpvsTable, protocol: number, port: number, { notes }: EvaluationContext): void {
  for (const { key } of table.services.values()) {
    if (key.kind !== "address" || key.protocol !== protocol || key.port !== port) continue;
    notes.add(`IPVS serves port ${port} at ${printAddress(key.address)}, and never at loopback addresses`);
    return;
  }
}

/** A SYN with the ends of a connection that is over: whether it joins that, or begins another, the table tells. */
function isAnew({ entry, tcp }: Served, { tcpFlags = SYN }: LivePacket): boolean {
  return entry !== undefined && tcp !== undefined && isOver(tcp) && (tcpFlags & SYN) !== 0;
}

function knowsConnection(world: World, service: Service, context: EvaluationContext) {
  const { packet, memory } = world;
  if (packet.flow === undefined && packet.state === "ESTABLISHED") return [{ world, holds: true }];
  if (memory.countersFresh || context.state.connections !== undefined) return [{ world, holds: false }];
  const words = `IPVS knows a connection with these addresses and ports (${wordsOf(service)})${context.which}`;
  return assume(question(words, [" knows a ", " knows no "]), world, context);
}

/** The first packet of a connection: each server with its share. */
function opened(
  world: World,
  table: IpvsTable,
  service: Service,
  context: EvaluationContext,
): readonly Met[] {
  const { packet } = world;
  const { source, family } = packet;
  const first = {
    protocol: packet.protocol,
    source: source ?? undefined,
    sourcePort: knownPort(packet, table, service),
    destination: packet.destination as Address,
    destinationPort: packet.destinationPort as number,
    mark: packet.markHidden === 0 ? packet.mark : 0,
  };
  const client =
    first.source === undefined || first.sourcePort === undefined
      ? undefined
      : { ...first, source: first.source, sourcePort: first.sourcePort };
  const opening: Opening =
    (client && openingOf(table, client)) ??
    ({ service, joins: false, ...scheduled(table, service, undefined) } satisfies Opening);
  note(opening, world, context);
  const total = opening.ways.reduce((sum, { weight }) => sum + weight, 0n);
  return opening.ways.flatMap((way): readonly Met[] => {
    const share = total === way.weight ? world.share : product(world.share, ratio(way.weight, total));
    const one = { ...world, share };
    const end = way.server === undefined ? undefined : endOf(service, way.server, first);
    if (end === undefined || way.server === undefined)
      return [{ kind: "refused", world: one, with: UNREACHABLE_PORT[family] }];
    const memory: Memory =
      client === undefined ? one.memory : { ...one.memory, ipvs: entered(table, client, opening, way) };
    const served: Served = {
      service: wordsOf(service),
      scheduler: service.scheduling?.scheduler,
      protocol: packet.protocol,
      request: tupleOf(packet),
      server: end,
      method: methodOf(service, way.server, context),
      ...(client === undefined ? {} : { entry: entryName(client) }),
      ...(packet.protocol === PROTOCOL.tcp ? { tcp: "NONE" } : {}),
      endsAt: 0,
    };
    return toServer({ ...one, memory }, served, context);
  });
}

const UNREACHABLE_PORT = { ipv4: "icmp-port-unreachable", ipv6: "icmp6-port-unreachable" } as const;
const UNREACHABLE_HOST = { ipv4: "icmp-host-unreachable", ipv6: "icmp6-addr-unreachable" } as const;
const TTL_EXCEEDED = { ipv4: "icmp-ttl-exceeded", ipv6: "icmp6-hop-limit-exceeded" } as const;

/** The source port, where the choice hangs on it. Else any will do, which no other connection has. */
function knownPort({ sourcePort }: LivePacket, table: IpvsTable, service: Service): number | undefined {
  if (typeof sourcePort === "number") return sourcePort;
  const hangsOnPort = service.scheduling?.flags.some((flag) => flag.endsWith("-port")) ?? false;
  return hangsOnPort ? undefined : -1 - table.connections.size;
}

function entered(
  table: IpvsTable,
  client: Parameters<typeof enter>[1],
  opening: Opening,
  way: Way,
): IpvsTable {
  const after = copyOf(table);
  enter(after, client, opening, [way]);
  return after;
}

/** What the shares rest on. */
function note({ service, assuming }: Opening, { memory }: World, { notes, state }: EvaluationContext): void {
  const scheduler = service.scheduling?.scheduler ?? "its scheduler";
  const { persistence } = service.scheduling ?? {};
  for (const one of assuming)
    notes.add(`IPVS ${wordsOf(service)}, ${scheduler}: ${one}: shares are those of the long run`);
  const isTold = memory.countersFresh || state.virtualServers?.connections !== undefined;
  if (persistence !== undefined && !isTold && assuming.length > 0)
    notes.add(
      `IPVS ${wordsOf(service)} keeps a client with its server for ${persistence.timeoutSeconds} s: one that was there before goes where it went`,
    );
  if (!state.network?.sysctls.has(CONNTRACK))
    notes.add(`${CONNTRACK} is taken to be 1, as kube-proxy sets it`);
}

const CONNTRACK = "net.ipv4.vs.conntrack";

/** A packet of a connection on its way to the real server. */
function toServer(start: World, served: Served, context: EvaluationContext): readonly Met[] {
  const { packet } = start;
  const { family, quoted, unknown, mark, markHidden, inInterface } = packet;
  const { server, method, request } = served;
  const moved: Partial<LivePacket> =
    method !== "MASQ"
      ? {}
      : quoted === undefined
        ? { destination: server.address, destinationPort: server.port }
        : {
            destination: server.address,
            quoted: {
              ...quoted,
              tuple: { ...quoted.tuple, source: server.address, sourcePort: server.port },
            },
          };
  if (method !== "MASQ")
    context.notes.add(
      `IPVS ${served.service} forwards packets as they are, ${method === "GATE" ? "to the link address of" : "in a tunnel to"} ${printAddress(server.address)}`,
    );
  if (packet.state === "INVALID" && method === "MASQ")
    context.notes.add(
      `IPVS ${served.service}: behind IPVS a packet that connection tracking takes for invalid begins a connection of its own, which may get another source port`,
    );
  const world = used(
    withPacket(start, { handled: { connection: served, isRequest: true }, unknown }),
    context,
  );
  // The kernel looks up the way to the server alone: no source, no mark, as for a packet of its own.
  const asked = withPacket(world, {
    destination: server.address,
    destinationTranslated: true,
    mark: 0,
    markHidden: 0,
    inInterface: null,
  });
  return waysOf(asked, context, { source: null }).map(({ world: routed, way }): Met => {
    const back = withPacket(routed, {
      destination: packet.destination,
      destinationTranslated: packet.destinationTranslated,
      mark,
      markHidden,
      inInterface,
    });
    const one = withPacket(back, { ...moved, ...tracking(packet, served, context) });
    if (way.kind === "local") return { kind: "on", world: one };
    if (way.kind === "none" || way.kind === "refused")
      return { kind: "refused", world: back, with: UNREACHABLE_HOST[family] };
    const isOwn = inInterface === null || inInterface === "lo";
    if (isOwn && typeof request.source !== "string" && isLoopback(request.source)) {
      context.notes.add("IPVS sends nothing off the node that comes from a loopback address");
      return { kind: "dropped", world: back };
    }
    if (packet.ttl <= 1) return { kind: "refused", world: back, with: TTL_EXCEEDED[family] };
    return { kind: "sent", world: leavingBy({ world: one, way }, packet.ttl - 1) };
  });
}

function leavingBy(routed: RoutedWorld, ttl: number): World {
  return withPacket(onWay(routed), { ttl });
}

/** With vs.conntrack the connection's entry expects answers from the real server; without it, packets are tracked no more. */
function tracking(
  { flow }: LivePacket,
  { method }: Served,
  { state: { network } }: EvaluationContext,
): Partial<LivePacket> {
  if (sysctl(network, CONNTRACK) === "0") return { flow: undefined, state: "UNTRACKED" };
  if (flow === undefined || !flow.isNew || method !== "MASQ") return {};
  return { flow: { ...flow, connection: { ...flow.connection, served: true } } };
}

/** Seconds, where the listing does not say (ip_vs_proto_udp.c, ip_vs_proto_sctp.c: an association that an INIT has begun). */
const UDP_SECONDS = 300;
const SCTP_OPENING_SECONDS = 60;

/** The connection has seen one more packet. */
function used(world: World, { state }: EvaluationContext): World {
  const { packet, memory } = world;
  const { handled, family, protocol, tcpFlags = SYN } = packet;
  if (handled === undefined || packet.quoted !== undefined) return world;
  const timeouts = state.virtualServers?.timeouts ?? {};
  const tcp =
    protocol === PROTOCOL.tcp
      ? nextState(handled.connection.tcp ?? "ESTABLISHED", tcpFlags, handled.isRequest)
      : undefined;
  const others = protocol === PROTOCOL.sctp ? SCTP_OPENING_SECONDS : (timeouts.udp ?? UDP_SECONDS);
  const connection = {
    ...handled.connection,
    ...(tcp === undefined ? {} : { tcp }),
    endsAt: memory.now + (tcp === undefined ? others : secondsIn(tcp, timeouts)),
  };
  const counted = counting(memory, connection, tcp !== undefined && isActive(tcp));
  return withPacket(
    { ...world, memory: withServed(counted, family, connection) },
    { handled: { ...handled, connection } },
  );
}

/** Schedulers count the connection as active or not; how long it stays, its packets tell. */
function counting(memory: Memory, { entry = "" }: Served, active: boolean): Memory {
  const known = memory.ipvs?.connections.get(entry);
  if (memory.ipvs === undefined || known === undefined || known.active === active) return memory;
  const after = copyOf(memory.ipvs);
  setActive(after, entry, known, active);
  return { ...memory, ipvs: after };
}

/** What was made once of a listing: the table, and its virtual servers by their names. */
interface Known {
  readonly table: IpvsTable;
  readonly services: ReadonlyMap<string, VirtualServer>;
}

const tables = new WeakMap<VirtualServers, Known>();
const NO_SERVERS: VirtualServers = { services: [] };

function knownOf({ virtualServers = NO_SERVERS, network }: NodeState): Known {
  let one = tables.get(virtualServers);
  if (one === undefined) {
    // `ipvsadm -S` sorts, and no text tells whose turn it is.
    const table = ipvsTable(virtualServers, { settings: ipvsSettings(network?.sysctls), sorted: true });
    const services = new Map(virtualServers.services.map((service) => [serviceName(service.key), service]));
    one = { table, services };
    tables.set(virtualServers, one);
  }
  return one;
}

/** The table at the start of a question that needs one of its own, and the connections that a listing shows in it. */
export function startingTable(
  state: NodeState,
  options: Pick<IpvsOptions, "sorted" | "followed" | "fresh">,
): { readonly table: IpvsTable | undefined; readonly served: readonly Served[] } {
  const { virtualServers, network } = state;
  if (virtualServers === undefined) return { table: undefined, served: [] };
  const table = ipvsTable(virtualServers, { settings: ipvsSettings(network?.sysctls), ...options });
  const { connections } = virtualServers;
  if (connections === undefined || options.fresh === true) return { table, served: [] };
  return { table, served: enterListed(table, connections).map((one) => servedOf(one, state)) };
}

function servedOf({ service, packet, connection }: Listed, state: NodeState): Served {
  const { protocol, server, secondsLeft } = connection;
  const { source, sourcePort, destination, destinationPort } = packet;
  return {
    service: wordsOf(service),
    scheduler: service.scheduling?.scheduler,
    protocol,
    request: { source, sourcePort, destination, destinationPort },
    server,
    method: METHODS[forwardingOf(service, serverName(server), state) ?? "masquerade"],
    entry: entryName(packet),
    ...(protocol === PROTOCOL.tcp ? { tcp: connection.state as IpvsTcpState } : {}),
    endsAt: secondsLeft,
  };
}

/** The table as packets of the question have left it, now. */
function tableNow(state: NodeState, { ipvs, served, now }: Memory): IpvsTable {
  const table = ipvs ?? knownOf(state).table;
  if (table.now >= now) return table;
  const later = copyOf(table);
  const ended = [...new Set(served.values())].filter(({ endsAt }) => endsAt > table.now && endsAt <= now);
  ended.sort((left, right) => left.endsAt - right.endsAt);
  for (const { entry, endsAt } of ended) {
    wait(later, endsAt - later.now);
    if (entry !== undefined) expire(later, entry);
  }
  wait(later, now - later.now);
  return later;
}

function methodOf(service: Service, server: string, { state, notes }: EvaluationContext): ServedMethod {
  const kind = forwardingOf(service, server, state);
  if (kind === undefined)
    notes.add(`how IPVS ${wordsOf(service)} forwards is not told: taken to be masquerading`);
  return METHODS[kind ?? "masquerade"];
}

const METHODS: Readonly<Record<Forwarding["kind"], ServedMethod>> = {
  masquerade: "MASQ",
  route: "GATE",
  local: "GATE",
  tunnel: "IPIP",
};

function forwardingOf({ name }: Service, server: string, state: NodeState): Forwarding["kind"] | undefined {
  const destinations = knownOf(state).services.get(name)?.destinations ?? [];
  return destinations.find((one) => serverName(one) === server)?.forwarding?.kind;
}

/** `10.96.0.10:80/tcp`, `mark 1`. */
function wordsOf({ key }: Pick<Service, "key">): string {
  return key.kind === "mark" ? `mark ${key.mark}` : `${serverName(key)}/${protocolName(key.protocol)}`;
}

const completed = new WeakMap<NodeState, NodeState>();

/**
 * The state in which the addresses of virtual servers are the node's own, where its addresses are not known: IPVS meets
 * only what is for the node itself.
 */
export function withVirtualAddresses(state: NodeState, notes: Set<string>): NodeState {
  const { virtualServers, network } = state;
  const addresses = new Set(
    virtualServers?.services.flatMap(({ key }) =>
      key.kind === "address" && knownInterfaces(network, familyOf(key.address)) === undefined
        ? [key.address]
        : [],
    ),
  );
  if (addresses.size === 0) return state;
  notes.add("the addresses of virtual servers are taken to be the node's own");
  let one = completed.get(state);
  if (one === undefined) {
    const own = [...addresses].map((address): Route => {
      const to = { address, mask: ALL_ONES[familyOf(address)] };
      return { type: "local", to, table: "local" };
    });
    const routes = [...(network?.routes ?? []), ...own];
    one = { ...state, network: { sysctls: new Map(), ...network, routes } };
    completed.set(state, one);
  }
  return one;
}

/** An entry of the connection table as what it is on a node with IPVS, and the connection of IPVS that it shows. */
export function shownByEntry(
  entry: Tracked,
  state: NodeState,
): { readonly entry: Tracked; readonly served?: Served } {
  const { protocol, original, reply, mark, endsAt, seenReply } = entry;
  const { destination, destinationPort } = original;
  const address = reply.source;
  const port = reply.sourcePort;
  const parts = [destination, destinationPort, address, port];
  if (state.virtualServers === undefined || parts.some((part) => part === null || typeof part === "string"))
    return { entry };
  if (address === destination && port === destinationPort) return { entry };
  const { table, services } = knownOf(state);
  const service = serviceFor(table, {
    protocol,
    destination: destination as Address,
    destinationPort: destinationPort as number,
    mark,
  });
  if (service === undefined) return { entry };
  const server = { address: address as Address, port: port as number };
  const owned = services
    .get(service.name)
    ?.destinations.some((one) => serverName(one) === serverName(server));
  const shown: Tracked = { ...entry, served: true };
  if (!owned) return { entry: shown };
  const tcp = seenReply ? "ESTABLISHED" : "SYN_RECV";
  const served: Served = {
    service: wordsOf(service),
    scheduler: service.scheduling?.scheduler,
    protocol,
    request: original,
    server,
    method: "MASQ",
    ...(protocol === PROTOCOL.tcp ? { tcp } : {}),
    endsAt: Math.min(endsAt, seenReply ? Number.POSITIVE_INFINITY : secondsIn("SYN_RECV", {})),
  };
  return { entry: shown, served };
}
