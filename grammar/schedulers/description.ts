/**
 * What a description of an IPVS scheduler is: how it picks a real server for a new connection. All is plain data and pure
 * functions; a scheduler's memory is plain data (maps included), so that two states of a table can be compared.
 *
 * Facts: Linux 6.1, net/netfilter/ipvs, measured with real connections (fixtures/ipvs-packets).
 */
import type { Address } from "../address.js";

/** A real server of a virtual server. */
export interface RealServer {
  /** Tells it from the others of its virtual server: address and port as ipvsadm prints them. */
  readonly name: string;
  readonly address: Address;
  readonly port: number;
  /** 0 takes no new connections. */
  readonly weight: number;
  /** Its last weight that was not 0; 0 for one that was added with 0 and not changed since. */
  readonly lastWeight: number;
}

/** What a real server has to do. */
export interface Load {
  readonly active: number;
  readonly inactive: number;
  /** It has as many connections as its upper threshold, and has not fallen below the lower one since. */
  readonly overloaded: boolean;
}

/** A virtual server at the moment at which a connection comes. */
export interface Moment {
  /** The kernel's list: the newest first. */
  readonly servers: readonly RealServer[];
  /** Flags of the scheduler, by ipvsadm's names: `sh-port`, `mh-fallback`. */
  readonly flags: readonly string[];
  loadOf(server: RealServer): Load;
  /** Seconds since the table was made. */
  readonly now: number;
}

/** The parts of a first packet that schedulers look at. */
export interface Client {
  readonly source: Address;
  /** 0 for protocols without ports. */
  readonly sourcePort: number;
  readonly destination: Address;
}

/** One way that a choice may go; its share is `weight` of the sum of all. `server` absent: nobody, the client is refused. */
export interface Way {
  readonly server: RealServer | undefined;
  readonly weight: number;
}

export interface Choice<Memory> extends Way {
  /** The scheduler's memory afterwards. */
  readonly memory: Memory;
}

export interface Scheduler<Memory = unknown> {
  /** As ipvsadm -s names it. */
  readonly name: string;
  /** What it does, in a sentence. */
  readonly summary: string;
  /** It counts connections. */
  readonly counts: boolean;
  /** Its memory when a virtual server begins to use it. */
  start(servers: readonly RealServer[]): Memory;
  /** Its memory after one server was added, deleted or changed. */
  changed(memory: Memory, after: readonly RealServer[], before: readonly RealServer[]): Memory;
  /** All ways that the choice for a new connection may go: one, unless chance decides. */
  choose(moment: Moment, client: Client, memory: Memory): readonly Choice<Memory>[];
  /** Whether each server with a weight gets a connection in turn, in whatever order they are. */
  takesTurns?(servers: readonly RealServer[]): boolean;
  /** All memories that it may come to have again and again, each as often as it has it; absent: it has but one. */
  round?(moment: Moment): readonly Memory[];
  /** The choice when neither its memory, nor the order of the list, nor the connections are known; nor perhaps who asks. */
  inTheLongRun(moment: Pick<Moment, "servers" | "flags">, client: Client | undefined): LongRun;
}

export interface LongRun {
  readonly ways: readonly Way[];
  /** What the shares rest on; empty: on nothing. */
  readonly assuming: readonly string[];
}

/** Memory of schedulers that have none. */
export type NoMemory = null;

/** The parts of schedulers that keep nothing. */
export const FORGETFUL = { start: (): NoMemory => null, changed: (): NoMemory => null };

/** The only way. */
export function surely<Memory>(server: RealServer | undefined, memory: Memory): readonly [Choice<Memory>] {
  return [{ server, weight: 1, memory }];
}

/** Whether a server takes new connections. */
export function isOpen(server: RealServer, { loadOf }: Moment): boolean {
  return server.weight > 0 && !loadOf(server).overloaded;
}
