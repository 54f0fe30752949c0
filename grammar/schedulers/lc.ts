/** Least connections: an active connection counts as 256 inactive ones; weights do not count. */
import { FORGETFUL, type NoMemory, type Scheduler, surely } from "./description.js";
import { least, overhead } from "./load.js";
import { COUNTS_UNKNOWN, equally, sharedBy } from "./long-run.js";

export const lc: Scheduler<NoMemory> = {
  name: "lc",
  summary: "the server with the fewest connections, weights ignored",
  counts: true,
  ...FORGETFUL,
  choose(moment) {
    const alike = moment.servers.map((server) => ({ ...server, weight: Math.min(server.weight, 1) }));
    const best = least(moment, overhead, alike);
    return surely(
      moment.servers.find(({ name }) => name === best?.name),
      null,
    );
  },
  inTheLongRun: ({ servers }) => sharedBy(servers, equally, COUNTS_UNKNOWN),
};
