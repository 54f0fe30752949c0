/** Shares of schedulers when only the servers and their weights are known. */
import type { LongRun, RealServer, Way } from "./description.js";

const REFUSED: readonly Way[] = [{ server: undefined, weight: 1 }];

/** Shares by `weightOf`; nobody has one: refused. */
export function sharedBy(
  servers: readonly RealServer[],
  weightOf: (server: RealServer) => number,
  ...assuming: readonly string[]
): LongRun {
  const ways = servers.flatMap((server) =>
    server.weight > 0 && weightOf(server) > 0 ? [{ server, weight: weightOf(server) }] : [],
  );
  // A single way rests on nothing.
  return { ways: ways.length === 0 ? REFUSED : ways, assuming: ways.length > 1 ? assuming : [] };
}

/**
 * Shares by slots of a hash table, for a client of which no more is known: closed servers own some too, whose clients are
 * refused unless they `fall` to the others.
 */
export function slotsShared(
  servers: readonly RealServer[],
  slotsOf: (server: RealServer) => number,
  fall: boolean,
  ...assuming: readonly string[]
): LongRun {
  const falls = fall && servers.some(({ weight }) => weight > 0);
  const ways = servers.flatMap((server) => {
    const weight = slotsOf(server);
    if (weight === 0 || (falls && server.weight === 0)) return [];
    return [{ server: server.weight > 0 ? server : undefined, weight }];
  });
  return { ways: ways.length === 0 ? REFUSED : ways, assuming: ways.length > 1 ? assuming : [] };
}

export const equally = (): number => 1;
export const byWeight = ({ weight }: RealServer): number => weight;

export const TURN_UNKNOWN = "whose turn it is, is not known";
export const COUNTS_UNKNOWN = "how many connections each real server has, is not known";
export const ORDER_UNKNOWN = "in which order the real servers were added, is not known";
