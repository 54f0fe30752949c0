/**
 * Locality-based least connections: a destination address stays with its server, until that is overloaded. (The kernel
 * also forgets addresses that were not asked for in a day; a virtual server with an address of its own has only that one.)
 */
import { type Scheduler, surely } from "./description.js";
import { least, overhead, shouldLeave } from "./load.js";
import { COUNTS_UNKNOWN, equally, sharedBy } from "./long-run.js";

/** Names of servers by destination address, as text. */
type Remembered = ReadonlyMap<string, string>;

export const lblc: Scheduler<Remembered> = {
  name: "lblc",
  summary:
    "all connections for a destination address to one server, chosen as wlc does, until it is overloaded",
  counts: true,
  start: () => new Map(),
  changed: (memory) => memory,
  choose(moment, { destination }, memory) {
    const key = String(destination);
    const known = moment.servers.find(({ name }) => name === memory.get(key));
    // Its thresholds are not asked here, its weight is.
    if (known !== undefined && known.weight > 0 && !shouldLeave(known, moment)) return surely(known, memory);
    const server = least(moment, overhead);
    return surely(server, server === undefined ? memory : new Map(memory).set(key, server.name));
  },
  inTheLongRun: ({ servers }) => sharedBy(servers, equally, COUNTS_UNKNOWN),
};
