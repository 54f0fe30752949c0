/** Weighted round robin: rounds through the list with a threshold that falls by the common divisor of the weights. */
import { isOpen, type RealServer, type Scheduler, surely } from "./description.js";
import { byWeight, sharedBy, TURN_UNKNOWN } from "./long-run.js";
import { gcd } from "./numbers.js";

interface Round {
  /** The name of the server that was chosen last; null: before the first of the list. */
  readonly last: string | null;
  /** The threshold of this pass (`cw` in the kernel); it outlives changes of the servers. */
  readonly threshold: number;
}

/** More connections in a round than these are not gone through. */
const ROUND_MAX = 1001;

/** The highest threshold (`mw`) and the step (`di`). */
function rangeOf(servers: readonly RealServer[]): { readonly top: number; readonly step: number } {
  const step = servers.reduce((divisor, { weight }) => gcd(divisor, weight), 0) || 1;
  const heaviest = servers.reduce((most, { weight }) => Math.max(most, weight), 0);
  return { top: heaviest - (step - 1), step };
}

export const wrr: Scheduler<Round> = {
  name: "wrr",
  summary: "one server after the other, each as often in a round as its weight",
  counts: false,
  start: (servers) => ({ last: null, threshold: rangeOf(servers).top }),
  changed({ threshold }, after) {
    const { top, step } = rangeOf(after);
    if (threshold > top || threshold === 0) return { last: null, threshold: top };
    return { last: null, threshold: step > 1 ? Math.floor(threshold / step) * step + 1 : threshold };
  },
  choose(moment, _client, memory) {
    const { servers } = moment;
    const { top, step } = rangeOf(servers);
    if (top === 0) return surely(undefined, memory);
    let at = servers.findIndex(({ name }) => name === memory.last);
    // Passes whose threshold no open server reaches are skipped at once: weights go up to 2^31.
    const reach = servers.reduce(
      (most, server) => (isOpen(server, moment) ? Math.max(most, server.weight) : most),
      0,
    );
    const highest = reach === 0 ? 0 : top - Math.max(0, Math.ceil((top - reach) / step)) * step;
    // From the lowest threshold the kernel's search ends where it began, from others at the end of a round.
    if (highest <= 0)
      return surely(
        undefined,
        memory.last !== null && memory.threshold <= step ? memory : { last: null, threshold: top },
      );
    let { threshold } = memory;
    for (;;) {
      for (at++; at < servers.length; at++) {
        const server = servers[at] as RealServer;
        if (isOpen(server, moment) && server.weight >= threshold)
          return surely(server, { last: server.name, threshold });
      }
      at = -1;
      threshold = threshold - step <= 0 ? highest : Math.min(threshold - step, highest);
    }
  },
  takesTurns: (servers) => new Set(servers.flatMap(({ weight }) => (weight > 0 ? [weight] : []))).size < 2,
  round(moment) {
    const { top, step } = rangeOf(moment.servers);
    const size = moment.servers.reduce((sum, { weight }) => sum + weight, 0) / step;
    const client = { source: 0, sourcePort: 0, destination: 0 };
    const memories: Round[] = [];
    let memory: Round = { last: null, threshold: top };
    for (let at = 0; at < Math.min(size, ROUND_MAX); at++) {
      memory = wrr.choose(moment, client, memory)[0]?.memory ?? memory;
      memories.push(memory);
    }
    return memories;
  },
  inTheLongRun: ({ servers }) => sharedBy(servers, byWeight, TURN_UNKNOWN),
};
