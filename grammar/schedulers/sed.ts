/** Shortest expected delay. */
import { FORGETFUL, type Load, type NoMemory, type Scheduler, surely } from "./description.js";
import { least } from "./load.js";
import { byWeight, COUNTS_UNKNOWN, sharedBy } from "./long-run.js";

/** The active connections that a server will have; inactive ones do not count. */
export const nextActive = ({ active }: Load): number => active + 1;

export const sed: Scheduler<NoMemory> = {
  name: "sed",
  summary: "the server that will have the fewest active connections for its weight",
  counts: true,
  ...FORGETFUL,
  choose: (moment) => surely(least(moment, nextActive), null),
  inTheLongRun: ({ servers }) => sharedBy(servers, byWeight, COUNTS_UNKNOWN),
};
