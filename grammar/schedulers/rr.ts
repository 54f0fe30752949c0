/** Round robin: the next open server of the list. */
import { isOpen, type Scheduler, surely } from "./description.js";
import { equally, sharedBy, TURN_UNKNOWN } from "./long-run.js";

interface Turn {
  /** The name of the server that was chosen last; null: the next is the first of the list. */
  readonly last: string | null;
}

export const rr: Scheduler<Turn> = {
  name: "rr",
  summary: "one server after the other, from the newest to the oldest, weights ignored",
  counts: false,
  start: () => ({ last: null }),
  changed({ last }, after, before) {
    const gone = last !== null && !after.some(({ name }) => name === last);
    if (!gone) return { last };
    // The pointer steps back to the one before, so that its successor is next.
    const at = before.findIndex(({ name }) => name === last);
    return { last: before[at - 1]?.name ?? null };
  },
  choose(moment, _client, memory) {
    const { servers } = moment;
    const last = servers.findIndex(({ name }) => name === memory.last);
    for (let step = 1; step <= servers.length; step++) {
      const server = servers[(last + step) % servers.length];
      if (server !== undefined && isOpen(server, moment)) return surely(server, { last: server.name });
    }
    return surely(undefined, memory);
  },
  takesTurns: () => true,
  inTheLongRun: ({ servers }) => sharedBy(servers, equally, TURN_UNKNOWN),
};
