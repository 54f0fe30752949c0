/**
 * Maglev hashing (Eisenbud and others, 2016): a table of 4093 slots in which each server takes slots along a permutation of
 * its own. Weights of 0 leave the table as it is, so that the clients of the others stay where they are.
 */
import {
  type Client,
  FORGETFUL,
  isOpen,
  type Moment,
  type NoMemory,
  type RealServer,
  type Scheduler,
  surely,
} from "./description.js";
import { fold, sipHash } from "./hashes.js";
import { ORDER_UNKNOWN, slotsShared } from "./long-run.js";
import { gcd } from "./numbers.js";

/** The default size (CONFIG_IP_VS_MH_TAB_INDEX = 12); kernels can be built with others. */
export const MH_SLOTS = 4093;
/** Bits to which the heaviest weight is shortened, so that no server takes the whole table in a turn. */
const WEIGHT_BITS = 6;

const FIRST_KEY = 2654435761n;
const SECOND_KEY = 2654446892n;

/** Slots that a server takes in one round. */
function turnsOf(servers: readonly RealServer[]): (server: RealServer) => number {
  const divisor = servers.reduce((all, { lastWeight }) => gcd(all, lastWeight), 0);
  const heaviest = servers.reduce((most, { lastWeight }) => Math.max(most, lastWeight), 0);
  const bits = divisor === 0 ? 0 : 32 - Math.clz32(heaviest / divisor);
  const shift = Math.max(0, bits - WEIGHT_BITS);
  return ({ lastWeight }) => (lastWeight === 0 ? 0 : Math.max(1, (lastWeight / divisor) >> shift));
}

const tables = new WeakMap<readonly RealServer[], readonly number[]>();

/** Which server (by its place in the list) owns which slot; empty when none has had a weight. */
export function mhTable(servers: readonly RealServer[]): readonly number[] {
  let table = tables.get(servers);
  if (table === undefined) {
    table = fill(servers);
    tables.set(servers, table);
  }
  return table;
}

function fill(servers: readonly RealServer[]): readonly number[] {
  const turns = turnsOf(servers);
  const takers = servers.flatMap((server, index) => {
    if (turns(server) === 0) return [];
    const hashed = fold(server.address) + server.port;
    return [
      {
        index,
        turns: turns(server),
        next: sipHash(hashed, FIRST_KEY) % MH_SLOTS,
        skip: (sipHash(hashed, SECOND_KEY) % (MH_SLOTS - 1)) + 1,
      },
    ];
  });
  if (takers.length === 0) return [];
  const table = new Array<number>(MH_SLOTS).fill(-1);
  for (let taken = 0; taken < MH_SLOTS; ) {
    for (const taker of takers) {
      for (let turn = 0; turn < taker.turns && taken < MH_SLOTS; turn++) {
        while (table[taker.next] !== -1) taker.next = (taker.next + taker.skip) % MH_SLOTS;
        table[taker.next] = taker.index;
        taken++;
      }
    }
  }
  return table;
}

function choose(moment: Moment, client: Client): RealServer | undefined {
  const { servers, flags } = moment;
  const table = mhTable(servers);
  const hashed = fold(client.source) + (flags.includes("mh-port") ? client.sourcePort : 0);
  const slotOf = (value: number): number => sipHash(value, FIRST_KEY) % MH_SLOTS;
  const slot = slotOf(hashed);
  const owner = servers[table[slot] ?? -1];
  if (owner === undefined || isOpen(owner, moment)) return owner;
  if (!flags.includes("mh-fallback") || !servers.some((server) => isOpen(server, moment))) return undefined;
  for (let offset = 0; offset < MH_SLOTS; offset++) {
    const other = servers[table[slotOf(hashed + ((offset + slot) % MH_SLOTS))] ?? -1];
    if (other !== undefined && isOpen(other, moment)) return other;
  }
  return undefined;
}

export const mh: Scheduler<NoMemory> = {
  name: "mh",
  summary: "a consistent hash of the source address (with mh-port: and port) decides",
  counts: false,
  ...FORGETFUL,
  choose: (moment, client) => surely(choose(moment, client), null),
  inTheLongRun({ servers, flags }) {
    const slots = new Map<RealServer | undefined, number>();
    for (const index of mhTable(servers)) {
      const owner = servers[index];
      slots.set(owner, (slots.get(owner) ?? 0) + 1);
    }
    const slotsOf = (server: RealServer): number => slots.get(server) ?? 0;
    return slotsShared(servers, slotsOf, flags.includes("mh-fallback"), ORDER_UNKNOWN);
  },
};
