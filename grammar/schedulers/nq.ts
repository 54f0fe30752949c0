/** Never queue. */
import { FORGETFUL, isOpen, type NoMemory, type Scheduler, surely } from "./description.js";
import { least } from "./load.js";
import { byWeight, COUNTS_UNKNOWN, sharedBy } from "./long-run.js";
import { nextActive } from "./sed.js";

export const nq: Scheduler<NoMemory> = {
  name: "nq",
  summary: "a server without active connections, else as sed",
  counts: true,
  ...FORGETFUL,
  choose(moment) {
    const idle = moment.servers.find(
      (server) => isOpen(server, moment) && moment.loadOf(server).active === 0,
    );
    return surely(idle ?? least(moment, nextActive), null);
  },
  inTheLongRun: ({ servers }) => sharedBy(servers, byWeight, COUNTS_UNKNOWN),
};
