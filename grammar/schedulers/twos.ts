/**
 * Power of two choices (Linux 5.13 and newer): two draws, and the less busy of the two. Each draw is one of 0 … W, where W
 * is the sum of the weights, so that the first server of the list has one chance more than its weight. (A draw is the
 * remainder of 32 random bits: the kernel's own shares differ from these by less than W in 2^32.) By the source, not measured.
 */
import { type Choice, FORGETFUL, isOpen, type NoMemory, type Scheduler, surely } from "./description.js";
import { isMore } from "./load.js";
import { byWeight, COUNTS_UNKNOWN, sharedBy } from "./long-run.js";

export const twos: Scheduler<NoMemory> = {
  name: "twos",
  summary: "two servers drawn by weight, and of them the one with fewer connections for its weight",
  counts: true,
  ...FORGETFUL,
  choose(moment) {
    const open = moment.servers.filter((server) => isOpen(server, moment));
    if (open.length === 0) return surely(undefined, null);
    const chances = open.map(({ weight }, index) => (index === 0 ? weight + 1 : weight));
    const won = new Array<number>(open.length).fill(0);
    for (const [one, first] of open.entries()) {
      for (const [other, second] of open.entries()) {
        const winner = isMore(first, second, moment) ? other : one;
        won[winner] = (won[winner] ?? 0) + (chances[one] ?? 0) * (chances[other] ?? 0);
      }
    }
    return open.flatMap((server, index): readonly Choice<NoMemory>[] => {
      const weight = won[index] ?? 0;
      return weight === 0 ? [] : [{ server, weight, memory: null }];
    });
  },
  inTheLongRun: ({ servers }) => sharedBy(servers, byWeight, COUNTS_UNKNOWN),
};
