/**
 * What is believed of a virtual server of which only a listing is known, while a conversation goes on: `ipvsadm -S` sorts
 * the real servers and does not tell whose turn it is, but each choice that was made tells something of both. All orders are
 * taken to be equally likely, for kube-proxy adds the endpoints of a Service in random order, and nobody else to connect
 * between the packets.
 */
import type { Client, Moment, RealServer, Scheduler } from "../../../grammar/schedulers/description.js";
import { ORDER_UNKNOWN } from "../../../grammar/schedulers/long-run.js";

export type Belief =
  /** Each gets a connection in turn: those that had theirs, the one that has waited longest first. */
  | { readonly kind: "turns"; readonly met: readonly string[] }
  /** All that may be, as far as it fits what has happened. */
  | { readonly kind: "guesses"; readonly guesses: readonly Guess[] };

interface Guess {
  /** The list, and the scheduler's memory. */
  readonly servers: readonly RealServer[];
  readonly memory: unknown;
  readonly weight: bigint;
}

/** A choice, and what is believed once it was made. */
export interface Believed {
  readonly server: string | undefined;
  readonly weight: bigint;
  readonly belief: Belief;
}

/** Orders of more servers than these are too many to go through: their number is that of permutations. */
const SERVERS_MAX = 5;
const GUESSES_MAX = 1000;

/** What is believed at first; undefined: too much may be. `isNew`: nobody has ever connected. */
export function firstBelief(
  servers: readonly RealServer[],
  scheduler: Scheduler,
  moment: Moment,
  isNew: boolean,
): Belief | undefined {
  if (scheduler.takesTurns?.(servers) === true) return { kind: "turns", met: [] };
  if (servers.length > SERVERS_MAX) return undefined;
  const guesses: Guess[] = [];
  for (const order of ordersOf(servers)) {
    const start = scheduler.start(order);
    const memories =
      scheduler.round?.({ ...moment, servers: order }) ?? (isNew || start === null ? [start] : undefined);
    if (memories === undefined || guesses.length + memories.length > GUESSES_MAX) return undefined;
    for (const memory of memories) guesses.push({ servers: order, memory, weight: 1n });
  }
  return { kind: "guesses", guesses };
}

function ordersOf<T>(list: readonly T[]): readonly (readonly T[])[] {
  if (list.length < 2) return [list];
  return list.flatMap((first, at) =>
    ordersOf([...list.slice(0, at), ...list.slice(at + 1)]).map((rest) => [first, ...rest]),
  );
}

/** All ways that the next choice may go. */
export function choicesBy(
  belief: Belief,
  scheduler: Scheduler,
  moment: Moment,
  client: Client,
): readonly Believed[] {
  return belief.kind === "turns"
    ? nextTurns(belief.met, moment)
    : guessed(belief.guesses, scheduler, moment, client);
}

function nextTurns(met: readonly string[], { servers }: Moment): readonly Believed[] {
  const open = servers.filter(({ weight }) => weight > 0).map(({ name }) => name);
  const known = met.filter((name) => open.includes(name));
  const others = open.filter((name) => !known.includes(name));
  const [longest] = known;
  const next = others.length > 0 ? others : longest === undefined ? [] : [longest];
  if (next.length === 0) return [{ server: undefined, weight: 1n, belief: { kind: "turns", met } }];
  return next.map((server) => ({
    server,
    weight: 1n,
    belief: { kind: "turns", met: [...known.filter((name) => name !== server), server] },
  }));
}

function guessed(
  guesses: readonly Guess[],
  scheduler: Scheduler,
  moment: Moment,
  client: Client,
): readonly Believed[] {
  const choices = guesses.map((guess) =>
    scheduler.choose({ ...moment, servers: guess.servers }, client, guess.memory),
  );
  const totals = choices.map((ways) => ways.reduce((sum, { weight }) => sum + BigInt(weight), 0n));
  // Draws of one scheduler have the same number of outcomes, in whatever order the servers are.
  const byServer = new Map<string | undefined, Guess[]>();
  for (const [at, { servers, weight }] of guesses.entries()) {
    for (const choice of choices[at] ?? []) {
      const name = choice.server?.name;
      const kept = byServer.get(name) ?? [];
      const part = (weight * BigInt(choice.weight) * (totals[0] ?? 1n)) / (totals[at] ?? 1n);
      kept.push({ servers, memory: choice.memory, weight: part });
      byServer.set(name, kept);
    }
  }
  return [...byServer].map(([server, kept]) => ({
    server,
    weight: kept.reduce((sum, { weight }) => sum + weight, 0n),
    belief: { kind: "guesses", guesses: kept },
  }));
}

/** What the shares rest on. */
export function restsOn(scheduler: Scheduler, moment: Moment, client: Client): readonly string[] {
  return scheduler.counts ? [ORDER_UNKNOWN] : scheduler.inTheLongRun(moment, client).assuming;
}
