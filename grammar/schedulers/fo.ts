/** Weighted failover. */
import { FORGETFUL, isOpen, type NoMemory, type RealServer, type Scheduler, surely } from "./description.js";
import { ORDER_UNKNOWN, sharedBy } from "./long-run.js";

export const fo: Scheduler<NoMemory> = {
  name: "fo",
  summary: "the server of the highest weight takes all",
  counts: false,
  ...FORGETFUL,
  choose(moment) {
    let best: RealServer | undefined;
    for (const server of moment.servers)
      if (isOpen(server, moment) && server.weight > (best?.weight ?? 0)) best = server;
    return surely(best, null);
  },
  inTheLongRun({ servers }) {
    const top = servers.reduce((most, { weight }) => Math.max(most, weight), 0);
    return sharedBy(servers, ({ weight }) => (weight === top ? 1 : 0), ORDER_UNKNOWN);
  },
};
