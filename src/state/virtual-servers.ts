/**
 * The IPVS table of a node: virtual servers, how each schedules, and the real servers behind them. From ipvsadm's text,
 * or made as kube-proxy in IPVS mode makes it. What a text does not say is absent, never a default.
 */
import { type Address, type Family, familyOf } from "../../grammar/address.js";
import { IPVS_SCHEDULERS } from "../../grammar/schedulers.js";

/** Names of the schedulers of the Linux kernel. */
export const SCHEDULERS: readonly string[] = IPVS_SCHEDULERS.map(({ name }) => name);

/** The scheduler that ipvsadm takes when none is named (ipvsadm(8)). */
export const DEFAULT_SCHEDULER = "wlc";

/** Persistence engines of the kernel: only `ip_vs_pe_sip`. */
export const PERSISTENCE_ENGINES: readonly string[] = ["sip"];

/** Seconds of `-p` without a number. ipvsadm(8) says 300; ipvsadm 1.31 sets 360. */
export const DEFAULT_PERSISTENCE_SECONDS = 360;

/**
 * The three flags of a service that are its scheduler's own (`IP_VS_SVC_F_SCHED1` to `3`), by the names that ipvsadm
 * prints: two schedulers have names for the first two.
 */
export type SchedulerFlag =
  | "flag-1"
  | "flag-2"
  | "flag-3"
  | "sh-fallback"
  | "sh-port"
  | "mh-fallback"
  | "mh-port";

const PLAIN_FLAGS: readonly SchedulerFlag[] = ["flag-1", "flag-2", "flag-3"];
const NAMED_FLAGS: ReadonlyMap<string, readonly SchedulerFlag[]> = new Map([
  ["sh", ["sh-fallback", "sh-port", "flag-3"]],
  ["mh", ["mh-fallback", "mh-port", "flag-3"]],
]);

/** The flags of a scheduler, in the order in which ipvsadm prints them. */
export function flagsOfScheduler(scheduler: string): readonly SchedulerFlag[] {
  return NAMED_FLAGS.get(scheduler) ?? PLAIN_FLAGS;
}

/** The flag of a scheduler by any of its names: `flag-1` of sh is `sh-fallback`. Undefined: it has none of that name. */
export function schedulerFlag(scheduler: string, name: string): SchedulerFlag | undefined {
  const flags = flagsOfScheduler(scheduler);
  return flags.find((flag) => flag === name) ?? flags[PLAIN_FLAGS.indexOf(name as SchedulerFlag)];
}

/** What a virtual server is for: a protocol, address and port, or a firewall mark. No two of a node are equal. */
export type ServiceKey =
  | {
      readonly kind: "address";
      /** PROTOCOL.tcp, udp or sctp. */
      readonly protocol: number;
      readonly address: Address;
      /** 0: all ports, of a persistent service only. */
      readonly port: number;
    }
  | { readonly kind: "mark" /** 1 to 2^32 - 1. */; readonly mark: number; readonly family: Family };

/** The IP version of the packets that a virtual server takes. */
export function familyOfService(key: ServiceKey): Family {
  return key.kind === "mark" ? key.family : familyOf(key.address);
}

export interface Persistence {
  readonly timeoutSeconds: number;
  /** Clients with the same address under this mask are one; IPv4 masks may have holes, IPv6 ones are prefixes. */
  readonly mask: Address;
}

export interface Scheduling {
  /** As the kernel names it; mostly one of SCHEDULERS. */
  readonly scheduler: string;
  /** In the order of `flagsOfScheduler`. */
  readonly flags: readonly SchedulerFlag[];
  /** Absent: not persistent. */
  readonly persistence?: Persistence;
  readonly persistenceEngine?: string;
  /** One-packet scheduling: each packet is scheduled anew (UDP, or marks). */
  readonly onePacket: boolean;
}

/** How packets get to a real server. */
export type Forwarding =
  | { readonly kind: "masquerade" }
  /** Direct routing: `-g`, ipvsadm's default. */
  | { readonly kind: "route" }
  /** The real server is the node itself, as older kernels list it. ipvsadm -S prints `-g` for it. */
  | { readonly kind: "local" }
  /** `tunnel` absent: a listing without `--tun-info` does not show it. */
  | { readonly kind: "tunnel"; readonly tunnel?: Tunnel };

/** Checksums of the outer packet; `remote` is remote checksum offload. */
export type TunnelChecksum = "none" | "full" | "remote";

export type Tunnel =
  | { readonly type: "ipip" }
  | { readonly type: "gue"; readonly port: number; readonly checksum: TunnelChecksum }
  | { readonly type: "gre"; readonly checksum: Exclude<TunnelChecksum, "remote"> };

/** A real server. Numbers that are absent were not in the text that it comes from. */
export interface Destination {
  readonly address: Address;
  /** 0: the port that the client asked for. */
  readonly port: number;
  readonly forwarding?: Forwarding;
  /** 0 to 2^31 - 1; 0 takes no new connections. */
  readonly weight?: number;
  /** Connections above which it takes no new ones, and below which it takes them again; 0: none set. `-S` never shows them. */
  readonly upperThreshold?: number;
  readonly lowerThreshold?: number;
  readonly activeConnections?: number;
  readonly inactiveConnections?: number;
  readonly persistentConnections?: number;
}

export interface VirtualServer {
  readonly key: ServiceKey;
  /** Absent: a listing with `--stats` or `--rate` does not show it. */
  readonly scheduling?: Scheduling;
  /**
   * In the order in which they were added, as far as the text tells it: `ipvsadm -S` and `-L` sort them. The kernel walks
   * them from the newest to the oldest.
   */
  readonly destinations: readonly Destination[];
}

/** Timeouts of IPVS connections in seconds: TCP, TCP after a FIN, UDP. */
export interface ConnectionTimeouts {
  readonly tcp: number;
  readonly tcpFin: number;
  readonly udp: number;
}

/** A command that changes the table, as ipvsadm gives it to the kernel. */
export type VirtualServerChange =
  | {
      readonly kind: "add-service" | "edit-service";
      readonly key: ServiceKey;
      readonly scheduling: Scheduling;
    }
  | { readonly kind: "delete-service"; readonly key: ServiceKey }
  | {
      readonly kind: "add-server" | "edit-server";
      readonly key: ServiceKey;
      readonly destination: Destination;
    }
  | {
      readonly kind: "delete-server";
      readonly key: ServiceKey;
      readonly address: Address;
      readonly port: number;
    }
  | { readonly kind: "clear" }
  | { readonly kind: "set"; readonly timeouts: Partial<ConnectionTimeouts> };

export interface Endpoint {
  readonly address: Address;
  readonly port: number;
}

/** An entry of the table of connections that `ipvsadm -Lc` shows. */
export interface VirtualConnection {
  /** 0 for templates of a firewall mark. */
  readonly protocol: number;
  readonly secondsLeft: number;
  /** Of IPVS's own: `ESTABLISHED`, `FIN_WAIT`, `UDP` …; of templates `NONE` or `ASSURED`. */
  readonly state: string;
  /** Port 0: the template of a client, or of its network, at a persistent virtual server. */
  readonly source: Endpoint;
  readonly virtual: Endpoint;
  readonly server: Endpoint;
}

/** The table. `timeouts` absent: unknown. */
export interface VirtualServers {
  readonly services: readonly VirtualServer[];
  readonly timeouts?: Partial<ConnectionTimeouts>;
  /**
   * The commands that made it from an empty one, in their order, without those that the kernel refuses: schedulers remember
   * more of them than the table shows. Absent: from a listing, which does not tell.
   */
  readonly changes?: readonly VirtualServerChange[];
  /** All that IPVS knows. Absent: not told. */
  readonly connections?: readonly VirtualConnection[];
}

/** Texts of one node together: of the virtual servers the later counts, of their connections the later too. */
export function joinVirtualServers(all: readonly VirtualServers[]): VirtualServers | undefined {
  const told = all.findLast(({ services }) => services.length > 0) ?? all.at(-1);
  const connections = all.findLast((one) => one.connections !== undefined)?.connections;
  return told === undefined || connections === undefined ? told : { ...told, connections };
}
