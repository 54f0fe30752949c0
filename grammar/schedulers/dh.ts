/** Destination hashing: 256 slots that the servers of the list share in turn, by the address that the client asked for. */
import { FORGETFUL, isOpen, type NoMemory, type Scheduler, surely } from "./description.js";
import { fold, goldenHash } from "./hashes.js";
import { ORDER_UNKNOWN, slotsShared } from "./long-run.js";

export const dh: Scheduler<NoMemory> = {
  name: "dh",
  summary: "a hash of the destination address decides",
  counts: false,
  ...FORGETFUL,
  choose(moment, { destination }) {
    const owner = moment.servers[goldenHash(fold(destination)) % moment.servers.length];
    return surely(owner !== undefined && isOpen(owner, moment) ? owner : undefined, null);
  },
  inTheLongRun: ({ servers }) => slotsShared(servers, () => 1, false, ORDER_UNKNOWN),
};
