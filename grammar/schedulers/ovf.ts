/** Weighted overflow: the weight is also the number of active connections up to which a server is used. */
import { FORGETFUL, isOpen, type NoMemory, type RealServer, type Scheduler, surely } from "./description.js";
import { COUNTS_UNKNOWN, equally, sharedBy } from "./long-run.js";

export const ovf: Scheduler<NoMemory> = {
  name: "ovf",
  summary: "the server of the highest weight, until its active connections are more than that; then the next",
  counts: true,
  ...FORGETFUL,
  choose(moment) {
    let best: RealServer | undefined;
    for (const server of moment.servers) {
      if (!isOpen(server, moment) || moment.loadOf(server).active > server.weight) continue;
      if (best === undefined || server.weight > best.weight) best = server;
    }
    return surely(best, null);
  },
  inTheLongRun: ({ servers }) => sharedBy(servers, equally, COUNTS_UNKNOWN),
};
