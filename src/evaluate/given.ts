/** What the node remembers at the start of a question: what its dumps show of connections and xt_recent lists. */

import { familyOf, printAddress } from "../../grammar/address.js";
import { PROTOCOL } from "../../grammar/protocols.js";
import { type Connection, zoneOf } from "../state/connections.js";
import type { NodeState } from "../state/nodestate.js";
import { newestStamp, type RecentList } from "../state/recent.js";
import { shownAmounts } from "./amounts.js";
import { shownByEntry, startingTable } from "./ipvs-hook.js";
import { type Memory, type Seen, servedEntries, startMemory, type Tracked, type Tuple } from "./memory.js";
import type { EvaluateOptions } from "./options.js";
import { withSeenClients } from "./seen-clients.js";
import type { Question } from "./send.js";
import type { TcpState } from "./tcp-states.js";

/** Jiffies a second that kernels are built with. */
const HZ_MIN = 100;
const HZ_MAX = 1000;

/**
 * `fresh`: nothing is remembered, whatever the dumps show. `several`: of packets one after another, which tell something of
 * what no dump tells of virtual servers.
 */
export function rememberedBy(
  state: NodeState,
  options: EvaluateOptions,
  question: Question,
  several: boolean,
): Memory {
  return withSeenClients(shownBy(state, options, question, several), state, options, question);
}

function shownBy(
  state: NodeState,
  { fresh = false, serversInOrder = false }: EvaluateOptions,
  question: Question,
  several: boolean,
): Memory {
  const sorted = !serversInOrder;
  const isListed = state.virtualServers?.connections !== undefined;
  const { table: ipvs, served: listed } =
    several || serversInOrder || isListed
      ? startingTable(state, { sorted, followed: several && sorted, fresh })
      : { table: undefined, served: [] };
  if (fresh) return { ...startMemory(true), ipvs };
  const shown = (state.connections ?? []).map((one) => shownByEntry(trackedOf(one), state));
  const entries = shown.map(({ entry }) => entry);
  const served = shown.flatMap((one) =>
    one.served === undefined ? [] : servedEntries(one.entry.family, one.served),
  );
  // IPVS's own listing tells more of them than connection tracking does.
  for (const one of listed) served.push(...servedEntries(familyOf(one.server.address), one));
  const memory = { ...startMemory(false, entries), served: new Map(served), ipvs };
  const { recentLists } = state;
  if (recentLists === undefined) return memory;
  question.notes.add(
    "xt_recent lists are taken to have been read when their newest stamp was made, on a kernel of 100 to 1000 jiffies a second",
  );
  const newest = newestStamp(recentLists) ?? 0n;
  const lists = new Map(
    recentLists.flatMap((list) =>
      list.name === undefined ? [] : [[list.name, entriesOf(list, newest)] as const],
    ),
  );
  return { ...memory, lists, knownLists: new Set(lists.keys()) };
}

/** The least recently set first, as the kernel keeps them. */
function entriesOf({ entries }: RecentList, newest: bigint): ReadonlyMap<string, Seen> {
  const order = [...entries].sort((left, right) => Number(left.lastSeen - right.lastSeen));
  return new Map(
    order.map(({ address, stamps }) => {
      const ages = stamps.map((stamp) => Number(newest - stamp));
      const seen = ages.map((jiffies) => ({ from: -jiffies / HZ_MIN, to: -jiffies / HZ_MAX }));
      return [printAddress(address), { stamps: seen, before: false }];
    }),
  );
}

function trackedOf(connection: Connection): Tracked {
  const { protocol, original, reply } = connection;
  return {
    family: familyOf(original.source),
    zones: { ORIGINAL: zoneOf(connection, "original"), REPLY: zoneOf(connection, "reply") },
    protocol,
    original: tupleOf(original),
    reply: tupleOf(reply),
    seenReply: connection.unreplied === undefined,
    assured: connection.standing !== undefined,
    tcp: protocol === PROTOCOL.tcp ? tcpState(connection.state) : undefined,
    ignoredSyn: undefined,
    mark: connection.mark ?? 0,
    amounts: shownAmounts(original, reply),
    answeredAt: connection.unreplied === undefined ? Number.NEGATIVE_INFINITY : undefined,
    endsAt: connection.timeoutSeconds ?? Number.POSITIVE_INFINITY,
  };
}

function tupleOf({ source, destination, ports, icmp }: Connection["original"]): Tuple {
  return {
    source,
    sourcePort: ports?.source ?? icmp?.id ?? null,
    destination,
    destinationPort: ports?.destination ?? icmp?.type ?? null,
  };
}

/** Offloaded connections show no state; they are established. */
function tcpState(name: string | undefined): TcpState {
  return name === undefined || name === "NONE" ? "ESTABLISHED" : (name as TcpState);
}
