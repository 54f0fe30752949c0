/**
 * Locality-based least connections with replication: a destination address has a set of servers, of which the least busy
 * is taken; when that is overloaded, another joins the set. A set that has not grown for a day (`lblcr_expiration`) loses
 * its busiest server with the next connection.
 */
import { type Moment, type RealServer, type Scheduler, surely } from "./description.js";
import { isMore, least, overhead, shouldLeave } from "./load.js";
import { COUNTS_UNKNOWN, equally, sharedBy } from "./long-run.js";

interface Replicas {
  /** Names, the newest member first. */
  readonly names: readonly string[];
  /** Seconds (of `Moment.now`) at which the last one joined or left. */
  readonly since: number;
}

/** By destination address, as text. */
type Remembered = ReadonlyMap<string, Replicas>;

/** Seconds; net.ipv4.vs.lblcr_expiration. */
const EXPIRATION = 24 * 60 * 60;

export const lblcr: Scheduler<Remembered> = {
  name: "lblcr",
  summary: "as lblc, with several servers for a destination address when one is overloaded",
  counts: true,
  start: () => new Map(),
  changed: (memory) => memory,
  choose(moment, { destination }, memory) {
    const key = String(destination);
    const known = memory.get(key);
    const members =
      known?.names.flatMap((one) => moment.servers.find(({ name }) => name === one) ?? []) ?? [];
    const replicas = known === undefined ? { names: [], since: moment.now } : shrunk(known, members, moment);
    const keep = (kept: Replicas): Remembered => (kept === known ? memory : new Map(memory).set(key, kept));
    const best = least(moment, overhead, members);
    if (best !== undefined && !shouldLeave(best, moment)) return surely(best, keep(replicas));
    const server = least(moment, overhead);
    if (server === undefined) return surely(server, known === undefined ? memory : keep(replicas));
    if (replicas.names.includes(server.name)) return surely(server, keep(replicas));
    return surely(server, keep({ names: [server.name, ...replicas.names], since: moment.now }));
  },
  inTheLongRun: ({ servers }) => sharedBy(servers, equally, COUNTS_UNKNOWN),
};

function shrunk(replicas: Replicas, members: readonly RealServer[], moment: Moment): Replicas {
  if (replicas.names.length < 2 || moment.now <= replicas.since + EXPIRATION) return replicas;
  let busiest: RealServer | undefined;
  for (const server of members) {
    if (server.weight > 0 && (busiest === undefined || isMore(server, busiest, moment))) busiest = server;
  }
  if (busiest === undefined) return replicas;
  return { names: replicas.names.filter((name) => name !== busiest.name), since: moment.now };
}
