/** Weighted least connections, ipvsadm's default. */
import { FORGETFUL, type NoMemory, type Scheduler, surely } from "./description.js";
import { least, overhead } from "./load.js";
import { byWeight, COUNTS_UNKNOWN, sharedBy } from "./long-run.js";

export const wlc: Scheduler<NoMemory> = {
  name: "wlc",
  summary: "the server with the fewest connections for its weight",
  counts: true,
  ...FORGETFUL,
  choose: (moment) => surely(least(moment, overhead), null),
  inTheLongRun: ({ servers }) => sharedBy(servers, byWeight, COUNTS_UNKNOWN),
};
