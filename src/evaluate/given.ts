/** What the node remembers at the start of a question: what its dumps show of connections and xt_recent lists. */
import { familyOf, printAddress } from "../../grammar/address.js";
import { PROTOCOL } from "../../grammar/protocols.js";
import type { Connection } from "../state/connections.js";
import type { NodeState } from "../state/nodestate.js";
import { newestStamp, type RecentList } from "../state/recent.js";
import { shownByEntry } from "./ipvs-hook.js";
import { type Memory, type Seen, servedEntries, startMemory, type Tracked, type Tuple } from "./memory.js";
import type { Question } from "./send.js";
import type { TcpState } from "./tcp-states.js";

/** Jiffies a second that kernels are built with. */
const HZ_MIN = 100;
const HZ_MAX = 1000;

/** `fresh`: nothing is remembered, whatever the dumps show. */
export function rememberedBy(state: NodeState, fresh: boolean, question: Question): Memory {
  if (fresh) return startMemory(true);
  const shown = (state.connections ?? []).flatMap(trackedOf).map((entry) => shownByEntry(entry, state));
  const entries = shown.map(({ entry }) => entry);
  const served = shown.flatMap((one) =>
    one.served === undefined ? [] : servedEntries(one.entry.family, one.served),
  );
  const memory = { ...startMemory(false, entries), served: new Map(served) };
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

/** Entries of zones are for packets that a CT target puts there; others cannot meet them. */
function trackedOf(connection: Connection): readonly Tracked[] {
  const { protocol, original, reply, zone = 0 } = connection;
  if (zone !== 0 || original.zone !== undefined || reply.zone !== undefined) return [];
  return [
    {
      family: familyOf(original.source),
      protocol,
      original: tupleOf(original),
      reply: tupleOf(reply),
      seenReply: connection.unreplied === undefined,
      assured: connection.standing !== undefined,
      tcp: protocol === PROTOCOL.tcp ? tcpState(connection.state) : undefined,
      ignoredSyn: undefined,
      mark: connection.mark ?? 0,
      answeredAt: connection.unreplied === undefined ? Number.NEGATIVE_INFINITY : undefined,
      endsAt: connection.timeoutSeconds ?? Number.POSITIVE_INFINITY,
    },
  ];
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
