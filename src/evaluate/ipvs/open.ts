/**
 * A connection comes to a node with IPVS, ends, and is forgotten: which virtual server takes it, which real server it may
 * get, and what of it the table remembers. Facts: Linux 6.1, ip_vs_core.c (ip_vs_in, ip_vs_schedule, ip_vs_sched_persist),
 * ip_vs_conn.c, ip_vs_ctl.c (ip_vs_service_find).
 */
import { type Address, familyOf, maskAddress } from "../../../grammar/address.js";
import { PROTOCOL } from "../../../grammar/protocols.js";
import type { Client, LongRun, Moment, Scheduler } from "../../../grammar/schedulers/description.js";
import { equally, ORDER_UNKNOWN, sharedBy } from "../../../grammar/schedulers/long-run.js";
import type { FirstPacket } from "../../state/ipvs-events.js";
import { type Belief, choicesBy, firstBelief, restsOn } from "./belief.js";
import {
  type Connection,
  type Holder,
  type IpvsTable,
  loadName,
  loadOf,
  type Server,
  type Service,
  schedulerOf,
  serviceName,
  type Template,
} from "./table.js";

/** One way that a new connection may go. */
export interface Way extends Holder {
  /** The scheduler's memory afterwards. */
  readonly memory: unknown;
  /** What is believed afterwards, in a table that is followed. */
  readonly belief?: Belief;
}

/** What becomes of a first packet. Undefined: no virtual server takes it, and it goes on as if there were no IPVS. */
export interface Opening {
  readonly service: Service;
  /** At least one; those without a server are refused. */
  readonly ways: readonly Way[];
  /** It belongs to a connection that is there, and goes where that goes. */
  readonly joins: boolean;
  /** What the shares rest on. */
  readonly assuming: readonly string[];
}

const FTP = 21;
const FTP_DATA = 20;
/** From here on ports need no privilege, and may be those of passive FTP (net.ipv4.ip_unprivileged_port_start). */
const UNPRIVILEGED = 1024;

/** The parts of a packet that tell who takes it. */
type Destined = Pick<FirstPacket, "protocol" | "destination" | "destinationPort" | "mark">;

/** The virtual server that takes a first packet: by mark, then by address and port, then that of all ports. */
export function serviceFor({ services }: IpvsTable, packet: Destined): Service | undefined {
  const { protocol, destination, destinationPort, mark = 0 } = packet;
  if (mark !== 0) {
    const marked = services.get(serviceName({ kind: "mark", mark, family: familyOf(destination) }));
    if (marked !== undefined) return marked;
  }
  const on = (port: number) =>
    services.get(serviceName({ kind: "address", protocol, address: destination, port }));
  const exact = on(destinationPort);
  if (exact !== undefined) return exact;
  const mayBeData = destinationPort === FTP_DATA || destinationPort >= UNPRIVILEGED;
  const ftp = protocol === PROTOCOL.tcp && mayBeData ? on(FTP) : undefined;
  // A data connection has a server only by the template of its control connection.
  if (ftp !== undefined) return ftp.scheduling?.persistence === undefined ? undefined : ftp;
  return on(0);
}

export function tupleOf(packet: FirstPacket): string {
  const { protocol, source, sourcePort, destination, destinationPort } = packet;
  return `${protocol} ${source}:${sourcePort} ${destination}:${destinationPort}`;
}

/** All that may become of a first packet; changes nothing. */
export function openingOf(table: IpvsTable, packet: FirstPacket): Opening | undefined {
  const known = table.connections.get(tupleOf(packet));
  const owner = known === undefined ? undefined : table.services.get(known.service);
  if (known !== undefined && owner !== undefined && staysWith(table, owner, known)) {
    const ways = known.holders.map((holder) => ({ ...holder, memory: owner.memory }));
    return { service: owner, ways, joins: true, assuming: [] };
  }
  const service = serviceFor(table, packet);
  if (service === undefined) return undefined;
  const template = table.templates.get(templateName(service, packet) ?? "");
  const held = template?.holders ?? [];
  const isWith = (holder: Holder): boolean => isStillWith(table, service, holder);
  if (held.length > 0 && held.every(isWith)) {
    const ways = held.map((holder) => ({ ...holder, memory: service.memory }));
    return { service, ways, joins: false, assuming: [] };
  }
  const { ways, assuming } = scheduled(table, service, packet);
  const kept = held.filter(isWith);
  if (kept.length === 0) return { service, ways, joins: false, assuming };
  // A part of the possible servers is gone: the clients that were there are shared out anew.
  const total = (holders: readonly Holder[]): bigint => holders.reduce((sum, { weight }) => sum + weight, 0n);
  const all = total(ways);
  const lost = total(held) - total(kept);
  const merged = [
    ...kept.map(({ server, weight }) => ({ server, weight: weight * all, memory: service.memory })),
    ...ways.map((way) => ({ ...way, weight: way.weight * lost })),
  ];
  return { service, ways: joined(merged), joins: false, assuming };
}

/** Ways to one server as one. Only where turns are not known do several ways lead to one. */
function joined(ways: readonly Way[]): readonly Way[] {
  const byServer = new Map<string | undefined, Way>();
  for (const way of ways) {
    const before = byServer.get(way.server);
    byServer.set(way.server, before === undefined ? way : { ...way, weight: before.weight + way.weight });
  }
  return [...byServer.values()];
}

/** Whether packets with the addresses and ports of a known connection go on with it. */
function staysWith(table: IpvsTable, service: Service, connection: Connection): boolean {
  const servers = connection.holders.map((holder) => serverOf(service, holder));
  if (servers.includes(undefined)) return false;
  if (connection.protocol !== PROTOCOL.tcp || connection.active) return true;
  // A SYN after the end begins a new connection, but for a client that a template holds (conn_reuse_mode 1).
  const quiesced = table.settings.expireNodestConn && servers.some((server) => server?.weight === 0);
  return connection.template !== undefined && !quiesced;
}

/** Whether a client's template still counts. */
function isStillWith({ settings }: IpvsTable, service: Service, holder: Holder): boolean {
  const server = serverOf(service, holder);
  return server !== undefined && !(settings.expireQuiescentTemplate && server.weight === 0);
}

function serverOf({ servers }: Service, { server }: Holder): Server | undefined {
  return server === undefined ? undefined : servers.find(({ name }) => name === server);
}

/** The choice of the scheduler. Without a client: that for all clients. */
export function scheduled(
  table: IpvsTable,
  service: Service,
  client: Client | undefined,
): Pick<Opening, "ways" | "assuming"> {
  const scheduler = schedulerOf(service);
  const moment: Moment = {
    servers: service.servers,
    flags: service.scheduling?.flags ?? [],
    loadOf: ({ name }) => loadOf(table, service, name),
    now: table.now,
  };
  if (table.isKnown && scheduler !== undefined && client !== undefined) {
    const choices = scheduler.choose(moment, client, service.memory);
    const ways = choices.map(({ server, weight, memory }) => ({
      server: server?.name,
      weight: BigInt(weight),
      memory,
    }));
    return { ways, assuming: [] };
  }
  const { memory } = service;
  const believed =
    table.isFollowed && scheduler !== undefined && client !== undefined
      ? believedWays(table, service, scheduler, moment, client)
      : undefined;
  if (believed !== undefined) return believed;
  const { ways, assuming } =
    scheduler === undefined
      ? anyServer(service)
      : (byCounts(table, service, scheduler, moment) ?? scheduler.inTheLongRun(moment, client));
  return {
    ways: joined(
      ways.map(({ server, weight }) => ({ server: server?.name, weight: BigInt(weight), memory })),
    ),
    assuming,
  };
}

/** The choice by what the ones before it tell. */
function believedWays(
  table: IpvsTable,
  service: Service,
  scheduler: Scheduler,
  moment: Moment,
  client: Client,
): Pick<Opening, "ways" | "assuming"> | undefined {
  const { servers, memory } = service;
  const isLimited = servers.some(({ upperThreshold }) => upperThreshold > 0);
  if ((scheduler.counts || isLimited) && !isCounted(table, service)) return undefined;
  const belief =
    service.belief ??
    (isLimited && scheduler.takesTurns?.(servers) === true
      ? undefined
      : firstBelief(servers, scheduler, moment, table.isNew));
  if (belief === undefined) return undefined;
  const choices = choicesBy(belief, scheduler, moment, client);
  return {
    ways: choices.map((choice) => ({ ...choice, memory })),
    assuming: choices.length > 1 ? restsOn(scheduler, moment, client) : [],
  };
}

/** Whether it is known what each real server has to do. */
export function isCounted(table: IpvsTable, { name, servers }: Pick<Service, "name" | "servers">): boolean {
  return servers.every((server) => table.loads.has(loadName({ name }, server.name)));
}

/** The choice by the counts of a listing: only where several are equal, the order of the list decides. */
function byCounts(
  table: IpvsTable,
  { name, servers }: Service,
  scheduler: Scheduler,
  moment: Moment,
): LongRun | undefined {
  const isLimited = servers.some(({ upperThreshold }) => upperThreshold > 0);
  const memory = scheduler.start(servers);
  if (!scheduler.counts || isLimited || !isCounted(table, { name, servers }) || memory !== null)
    return undefined;
  const client: Client = { source: 0, sourcePort: 0, destination: 0 };
  const winners = servers.filter((first) => {
    const others = servers.filter((server) => server !== first);
    const choices = scheduler.choose({ ...moment, servers: [first, ...others] }, client, memory);
    return choices.length === 1 && choices[0]?.server === first;
  });
  return winners.length === 0 ? undefined : sharedBy(winners, equally, ORDER_UNKNOWN);
}

function anyServer({ servers }: Service): LongRun {
  return sharedBy(servers, equally, "how the virtual server schedules is not known");
}

/** The client network that a persistent service keeps together; undefined: it is not persistent. */
export function templateName(service: Service, { source }: FirstPacket): string | undefined {
  const persistence = service.scheduling?.persistence;
  return persistence === undefined
    ? undefined
    : `${service.name} from ${maskAddress(source, persistence.mask)}`;
}

/** Where a connection with a real server goes: the port is the one that was asked for, unless the server names one. */
export function endOf(
  service: Service,
  server: string,
  { destinationPort }: Pick<FirstPacket, "destinationPort">,
): { readonly address: Address; readonly port: number } | undefined {
  const real = serverOf(service, { server, weight: 1n });
  if (real === undefined) return undefined;
  const servicePort = service.key.kind === "mark" ? 0 : service.key.port;
  const isMapped = service.scheduling?.persistence === undefined || destinationPort === servicePort;
  return { address: real.address, port: isMapped && real.port !== 0 ? real.port : destinationPort };
}

/** Makes the connection; `ways` are one of the opening's, or all where turns are not known. */
export function enter(
  table: IpvsTable,
  packet: FirstPacket,
  { service, joins }: Opening,
  ways: readonly Way[],
): void {
  const tuple = tupleOf(packet);
  const before = table.connections.get(tuple);
  if (joins) {
    if (before?.protocol === PROTOCOL.tcp && !before.active) setActive(table, tuple, before, true);
    return;
  }
  const [first] = ways;
  if (table.isFollowed && first?.belief !== undefined)
    table.services.set(service.name, { ...service, belief: first.belief });
  else if (!table.isKnown && !table.isFollowed)
    for (const { name } of service.servers) table.loads.delete(loadName(service, name));
  else if (table.isKnown && first !== undefined)
    table.services.set(service.name, { ...service, memory: first.memory });
  // A connection that this one replaces has counted until now.
  if (before !== undefined) expire(table, tuple);
  const holders = ways.map(({ server, weight }) => ({ server, weight }));
  if (holders.every(({ server }) => server === undefined)) return;
  const name = templateName(service, packet);
  const onePacket = service.scheduling?.onePacket === true && packet.protocol === PROTOCOL.udp;
  if (name !== undefined) {
    const known = table.templates.get(name);
    const isKept = known?.holders.every((holder) => isStillWith(table, service, holder)) === true;
    const timeoutSeconds = isKept
      ? known.timeoutSeconds
      : (service.scheduling?.persistence?.timeoutSeconds ?? 0);
    table.templates.set(name, {
      service: service.name,
      holders,
      timeoutSeconds,
      deadline: table.now + timeoutSeconds,
      connections: (isKept ? known.connections : 0) + (onePacket ? 0 : 1),
    });
  }
  const connection: Connection = {
    service: service.name,
    protocol: packet.protocol,
    holders,
    // Each begins as inactive; only protocols with states make it active. So UDP never is.
    active: packet.protocol !== PROTOCOL.udp,
    template: name,
    until: undefined,
  };
  const counts = connection.active ? { active: 1, inactive: 0 } : { active: 0, inactive: 1 };
  count(table, connection, counts);
  if (onePacket) count(table, connection, { active: -counts.active, inactive: -counts.inactive });
  else table.connections.set(tuple, connection);
}

/** Seconds in TIME_WAIT. */
const TIME_WAIT_SECONDS = 120;

/** A TCP connection ends in order; UDP knows no end. */
export function close(table: IpvsTable, tuple: string): void {
  const connection = table.connections.get(tuple);
  if (connection === undefined || connection.protocol === PROTOCOL.udp || !connection.active) return;
  setActive(table, tuple, connection, false, TIME_WAIT_SECONDS);
}

/** It is forgotten after `seconds`, if any are given. */
export function setActive(
  table: IpvsTable,
  tuple: string,
  connection: Connection,
  active: boolean,
  seconds?: number,
): void {
  const until = seconds === undefined ? undefined : table.now + seconds;
  table.connections.set(tuple, { ...connection, active, until });
  count(table, connection, active ? { active: 1, inactive: -1 } : { active: -1, inactive: 1 });
}

/** The table forgets a connection. */
export function expire(table: IpvsTable, tuple: string): void {
  const connection = table.connections.get(tuple);
  if (connection === undefined) return;
  table.connections.delete(tuple);
  count(table, connection, connection.active ? { active: -1, inactive: 0 } : { active: 0, inactive: -1 });
  const { template: name = "" } = connection;
  const template = table.templates.get(name);
  if (template !== undefined)
    table.templates.set(name, { ...template, connections: Math.max(0, template.connections - 1) });
}

/** Counts a connection at its real server, and asks the thresholds: ip_vs_bind_dest, ip_vs_unbind_dest. */
function count(
  table: IpvsTable,
  { service: name, holders }: Connection,
  by: { readonly active: number; readonly inactive: number },
): void {
  const [holder] = holders;
  // With several possible servers there is no count to keep, and nothing to add to one that is not known.
  if (holder?.server === undefined) return;
  if (!table.isKnown && !(table.isFollowed && table.loads.has(loadName({ name }, holder.server)))) return;
  const service = table.services.get(name);
  const server = service === undefined ? undefined : serverOf(service, holder);
  const load = loadOf(table, { name }, holder.server);
  const active = load.active + by.active;
  const inactive = load.inactive + by.inactive;
  const change = by.active + by.inactive;
  const overloaded = overload(load.overloaded, active + inactive, change, server);
  table.loads.set(loadName({ name }, holder.server), { active, inactive, overloaded });
}

function overload(before: boolean, total: number, change: number, server: Server | undefined): boolean {
  const { upperThreshold = 0, lowerThreshold = 0 } = server ?? {};
  if (change > 0) return before || (upperThreshold !== 0 && total >= upperThreshold);
  if (change === 0) return before;
  if (lowerThreshold !== 0) return before && total >= lowerThreshold;
  // Without a lower threshold, three quarters of the upper one are.
  return before && upperThreshold !== 0 && total * 4 >= upperThreshold * 3;
}

/** Time goes by: connections that have ended are forgotten, and templates without connections run out. */
export function wait(table: IpvsTable, seconds: number): void {
  const now = table.now + seconds;
  const ended = [...table.connections].filter(([, { until }]) => until !== undefined && until <= now);
  ended.sort(([, left], [, right]) => (left.until ?? 0) - (right.until ?? 0));
  for (const [tuple, { until = now, template: name }] of ended) {
    table.now = until;
    const template = table.templates.get(name ?? "");
    if (name !== undefined && template !== undefined) rearm(table, name, template);
    expire(table, tuple);
  }
  table.now = now;
  for (const [name, template] of table.templates) rearm(table, name, template);
}

/** Seconds to which the timer of a template is set that runs out while connections hold it. */
const HELD_SECONDS = 60;

/** What became of a template's timer until now. */
function rearm({ templates, now }: IpvsTable, name: string, template: Template): void {
  if (template.deadline > now) return;
  if (template.connections === 0) templates.delete(name);
  else {
    const missed = Math.floor((now - template.deadline) / HELD_SECONDS) + 1;
    const deadline = template.deadline + missed * HELD_SECONDS;
    templates.set(name, { ...template, deadline, timeoutSeconds: HELD_SECONDS });
  }
}
