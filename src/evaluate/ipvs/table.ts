/**
 * The IPVS table of a node at work: virtual servers with the memory of their schedulers, what each real server has to do,
 * connections, and templates of persistent services. Unlike most data here it changes in place, since a replay makes
 * thousands of steps on one table; `copyOf` parts two futures. Facts: Linux 6.1, net/netfilter/ipvs (ip_vs_ctl.c,
 * ip_vs_conn.c, ip_vs_core.c).
 */
import { type Address, printAddress, withPort } from "../../../grammar/address.js";
import type { Load, RealServer } from "../../../grammar/schedulers/description.js";
import { ipvsScheduler } from "../../../grammar/schedulers.js";
import {
  type Destination,
  familyOfService,
  type Scheduling,
  type ServiceKey,
  type VirtualServerChange,
  type VirtualServers,
} from "../../state/virtual-servers.js";
import type { Belief } from "./belief.js";

/** A real server in the table. */
export interface Server extends RealServer {
  /** 0: none. */
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
}

export interface Service {
  /** Tells it from all others. */
  readonly name: string;
  readonly key: ServiceKey;
  /** Absent: a listing did not show it. */
  readonly scheduling: Scheduling | undefined;
  /** Newest first. A list is never changed, but replaced. */
  readonly servers: readonly Server[];
  /** Of its scheduler. */
  readonly memory: unknown;
  /** Of a table that is followed: what the choices until now tell of what is not known. */
  readonly belief?: Belief;
}

/** A real server that a connection or client is with, and its share where several are possible. Absent: none. */
export interface Holder {
  readonly server: string | undefined;
  readonly weight: bigint;
}

export interface Connection {
  readonly service: string;
  readonly protocol: number;
  /** One, unless the table's turns are not known. */
  readonly holders: readonly Holder[];
  readonly active: boolean;
  /** The template that it came by. */
  readonly template: string | undefined;
  /** Second at which it goes away by itself. Undefined: it is in use until it is closed. */
  readonly until: number | undefined;
}

/** The memory of a persistent service for one client network. */
export interface Template {
  readonly service: string;
  readonly holders: readonly Holder[];
  /** Second at which its timer runs out. */
  readonly deadline: number;
  /** To which each new connection sets the timer. */
  readonly timeoutSeconds: number;
  /** Connections that came by it and still are there: with them it stays. */
  readonly connections: number;
}

export interface IpvsTable {
  readonly services: Map<string, Service>;
  /** By names of service and real server. Where turns are not known: as a listing has counted, until the first event. */
  readonly loads: Map<string, Load>;
  readonly connections: Map<string, Connection>;
  readonly templates: Map<string, Template>;
  readonly settings: IpvsSettings;
  /**
   * Whether it is known how the table came to be: the order of the lists, whose turn it is, and all connections. Else
   * answers are shares in the long run.
   */
  readonly isKnown: boolean;
  /** Each way that a connection may go is followed by itself, so that it tells something of what is not known. */
  readonly isFollowed: boolean;
  /** Nobody has connected before what the table shows. */
  readonly isNew: boolean;
  /** Seconds since the beginning. */
  now: number;
}

/** Sysctls below net.ipv4.vs. */
export interface IpvsSettings {
  /** A client of a persistent service leaves a server whose weight has become 0. */
  readonly expireQuiescentTemplate: boolean;
  /** Connections of a server that is deleted end. */
  readonly expireNodestConn: boolean;
}

/** As kube-proxy sets them; the kernel itself begins with both off. */
const KUBE_PROXY_SETTINGS: IpvsSettings = { expireQuiescentTemplate: true, expireNodestConn: true };

/** The settings that `sysctls` tell (by their full names), the rest as kube-proxy sets it. */
export function ipvsSettings(sysctls: ReadonlyMap<string, string> = new Map()): IpvsSettings {
  const told = (name: string, otherwise: boolean): boolean => {
    const value = sysctls.get(`net.ipv4.vs.${name}`);
    return value === undefined ? otherwise : value !== "0";
  };
  return {
    expireQuiescentTemplate: told("expire_quiescent_template", KUBE_PROXY_SETTINGS.expireQuiescentTemplate),
    expireNodestConn: told("expire_nodest_conn", KUBE_PROXY_SETTINGS.expireNodestConn),
  };
}

export interface IpvsOptions {
  readonly settings?: IpvsSettings;
  /** The order of the text is not that in which servers were added: `ipvsadm -S` has sorted it. */
  readonly sorted?: boolean;
  readonly followed?: boolean;
  /** Nobody has ever connected. */
  readonly fresh?: boolean;
}

/** The table that was just made by these commands; of a listing, or a sorted text, one whose turns are not known. */
export function ipvsTable({ services, changes }: VirtualServers, options: IpvsOptions = {}): IpvsTable {
  const table: IpvsTable = {
    services: new Map(),
    loads: new Map(),
    connections: new Map(),
    templates: new Map(),
    settings: options.settings ?? KUBE_PROXY_SETTINGS,
    isKnown: changes !== undefined && options.sorted !== true,
    isFollowed: options.followed === true,
    isNew: options.fresh === true,
    now: 0,
  };
  if (changes !== undefined) for (const one of changes) change(table, one);
  else {
    for (const { key, scheduling, destinations } of services) {
      addService(table, key, scheduling);
      for (const destination of destinations) {
        addServer(table, key, destination);
        const { activeConnections: active, inactiveConnections: inactive } = destination;
        const name = loadName({ name: serviceName(key) }, serverName(destination));
        if (active !== undefined && inactive !== undefined)
          table.loads.set(name, { active, inactive, overloaded: false });
      }
    }
  }
  if (options.fresh === true) {
    for (const service of table.services.values())
      for (const { name } of service.servers) table.loads.set(loadName(service, name), NO_LOAD);
  }
  return table;
}

/** A table of its own, which changes apart from the first. */
export function copyOf(table: IpvsTable): IpvsTable {
  return {
    ...table,
    services: new Map(table.services),
    loads: new Map(table.loads),
    connections: new Map(table.connections),
    templates: new Map(table.templates),
  };
}

/** What ipvsadm's command does to the table; what the kernel refuses does nothing. */
export function change(table: IpvsTable, one: VirtualServerChange): void {
  switch (one.kind) {
    case "clear":
      for (const service of [...table.services.values()]) deleteService(table, service.name);
      return;
    case "set":
      // Timeouts of connections that are in use: those do not run out here.
      return;
    case "add-service":
      addService(table, one.key, one.scheduling);
      return;
    case "edit-service":
      editService(table, one.key, one.scheduling);
      return;
    case "delete-service":
      deleteService(table, serviceName(one.key));
      return;
    case "add-server":
      addServer(table, one.key, one.destination);
      return;
    case "edit-server":
      editServer(table, one.key, one.destination);
      return;
    case "delete-server": {
      const name = serverName(one);
      replaceServers(table, one.key, (servers) => servers.filter((server) => server.name !== name));
      forgetServer(table, serviceName(one.key), name);
      return;
    }
  }
}

function deleteService(table: IpvsTable, name: string): void {
  const service = table.services.get(name);
  table.services.delete(name);
  for (const server of service?.servers ?? []) forgetServer(table, name, server.name);
}

/**
 * With expire_nodest_conn, the connections and templates of a server that is deleted are deleted a moment later (since
 * Linux 5.9; before, each with its next packet). Else the server has them still when it is added again.
 */
function forgetServer(table: IpvsTable, service: string, server: string): void {
  if (!table.settings.expireNodestConn || !table.isKnown) return;
  table.loads.delete(loadName({ name: service }, server));
  const isIts = (one: { readonly service: string; readonly holders: readonly Holder[] }): boolean =>
    one.service === service && one.holders.some((holder) => holder.server === server);
  for (const [tuple, connection] of table.connections) if (isIts(connection)) table.connections.delete(tuple);
  for (const [name, template] of table.templates) if (isIts(template)) table.templates.delete(name);
}

function addService(table: IpvsTable, key: ServiceKey, scheduling: Scheduling | undefined): void {
  const name = serviceName(key);
  if (table.services.has(name)) return;
  const memory = schedulerOf({ scheduling })?.start([]);
  table.services.set(name, { name, key, scheduling, servers: [], memory });
}

function editService(table: IpvsTable, key: ServiceKey, scheduling: Scheduling): void {
  const service = table.services.get(serviceName(key));
  if (service === undefined) return;
  // The scheduler starts anew only when it is another one.
  const isSame = service.scheduling?.scheduler === scheduling.scheduler;
  const memory = isSame ? service.memory : schedulerOf({ scheduling })?.start(service.servers);
  table.services.set(service.name, { ...service, scheduling, memory });
}

function addServer(table: IpvsTable, key: ServiceKey, destination: Destination): void {
  const { address, port, weight = 1, upperThreshold = 0, lowerThreshold = 0 } = destination;
  const name = serverName(destination);
  const added: Server = { name, address, port, weight, lastWeight: weight, upperThreshold, lowerThreshold };
  replaceServers(table, key, (servers, service) => {
    if (servers.some((server) => server.name === name)) return servers;
    if (mayLiftOverload(added, undefined)) lift(table, service, added);
    return [added, ...servers];
  });
}

function editServer(table: IpvsTable, key: ServiceKey, destination: Destination): void {
  const name = serverName(destination);
  const { weight = 1, upperThreshold = 0, lowerThreshold = 0 } = destination;
  replaceServers(table, key, (servers, service) =>
    servers.map((server) => {
      if (server.name !== name) return server;
      const lastWeight = weight === 0 ? server.lastWeight : weight;
      const edited: Server = { ...server, weight, lastWeight, upperThreshold, lowerThreshold };
      if (mayLiftOverload(edited, server)) lift(table, service, edited);
      return edited;
    }),
  );
}

/** A command that takes the threshold away or raises it makes the server open again, whatever it has to do. */
function mayLiftOverload({ upperThreshold }: Server, before: Server | undefined): boolean {
  return upperThreshold === 0 || upperThreshold > (before?.upperThreshold ?? 0);
}

function lift(table: IpvsTable, service: Service, server: Server): void {
  const load = loadOf(table, service, server.name);
  if (load.overloaded) table.loads.set(loadName(service, server.name), { ...load, overloaded: false });
}

function replaceServers(
  table: IpvsTable,
  key: ServiceKey,
  replace: (servers: readonly Server[], service: Service) => readonly Server[],
): void {
  const service = table.services.get(serviceName(key));
  if (service === undefined) return;
  const servers = replace(service.servers, service);
  if (servers === service.servers) return;
  const memory = schedulerOf(service)?.changed(service.memory, servers, service.servers);
  const { belief: _, ...rest } = service;
  table.services.set(service.name, { ...rest, servers, memory });
}

/** The description of a service's scheduler; undefined: not known which. */
export function schedulerOf({ scheduling }: Pick<Service, "scheduling">) {
  return scheduling === undefined ? undefined : ipvsScheduler(scheduling.scheduler);
}

const NO_LOAD: Load = { active: 0, inactive: 0, overloaded: false };

export function loadOf(table: IpvsTable, service: Pick<Service, "name">, server: string): Load {
  return table.loads.get(loadName(service, server)) ?? NO_LOAD;
}

export function loadName({ name }: Pick<Service, "name">, server: string): string {
  return `${name} ${server}`;
}

export function serviceName(key: ServiceKey): string {
  return key.kind === "mark"
    ? `mark ${key.mark} ${familyOfService(key)}`
    : `${key.protocol} ${serverName(key)}`;
}

/** `10.244.1.10:8080`, `[fd00::1]:8080`. */
export function serverName({ address, port }: { readonly address: Address; readonly port: number }): string {
  return withPort(printAddress(address), port);
}
