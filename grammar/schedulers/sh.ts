/** Source hashing: 256 slots that the servers of the list fill in turn, each as many in a row as its weight. */
import {
  type Client,
  FORGETFUL,
  isOpen,
  type NoMemory,
  type RealServer,
  type Scheduler,
  surely,
} from "./description.js";
import { fold, goldenHash } from "./hashes.js";
import { ORDER_UNKNOWN, slotsShared } from "./long-run.js";

const SLOTS = 256;

/** A server of weight 0 has a slot too: its clients are refused. */
const slotsOf = ({ weight }: RealServer): number => Math.max(weight, 1);

/** Who owns which slot. */
function tableOf(servers: readonly RealServer[]): readonly (RealServer | undefined)[] {
  const table: (RealServer | undefined)[] = [];
  while (table.length < SLOTS) {
    if (servers.length === 0) table.push(undefined);
    for (const server of servers)
      for (let count = slotsOf(server); count > 0 && table.length < SLOTS; count--) table.push(server);
  }
  return table;
}

function hashOf({ source, sourcePort }: Client, flags: readonly string[]): number {
  return goldenHash(fold(source) + (flags.includes("sh-port") ? sourcePort : 0));
}

export const sh: Scheduler<NoMemory> = {
  name: "sh",
  summary: "a hash of the source address (with sh-port: and port) decides",
  counts: false,
  ...FORGETFUL,
  choose(moment, client) {
    const { servers, flags } = moment;
    const table = tableOf(servers);
    const hash = hashOf(client, flags);
    const owner = table[hash];
    if (owner === undefined || isOpen(owner, moment)) return surely(owner, null);
    if (!flags.includes("sh-fallback")) return surely(undefined, null);
    for (let offset = 0; offset < SLOTS; offset++) {
      const other = table[(offset + hash + hash) % SLOTS];
      if (other !== undefined && isOpen(other, moment)) return surely(other, null);
    }
    return surely(undefined, null);
  },
  inTheLongRun: ({ servers, flags }) =>
    slotsShared(servers, slotsOf, flags.includes("sh-fallback"), ORDER_UNKNOWN),
};
