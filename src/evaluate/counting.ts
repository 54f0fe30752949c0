/**
 * Questions of how far something has been counted: a rule's quota, a connection's packets and bytes, connections of one
 * client, the counters of an ipset's entry. Dumps tell where it stood, and packets of the question count on.
 */
import { maskAddress, printAddress } from "../../grammar/address.js";
import type { Condition, Counts, Range } from "../../grammar/meaning.js";
import type { SetEntry } from "../state/sets.js";
import { ask, hiddenQuestion, shortest } from "./ask.js";
import { assume, type Tested } from "./assume.js";
import { type EvaluationContext, type RulePlace, ruleKey } from "./context.js";
import { entryOf } from "./listed.js";
import { living, type Memory, type Tracked, withMember } from "./memory.js";
import { askedSoFar, matchedSoFar } from "./rule-counters.js";
import { connectionOf } from "./tracking.js";
import type { World } from "./world.js";

type Counting = Extract<Condition, { kind: "hidden" }> & { readonly counts: Counts };

export function hasCounts(condition: Extract<Condition, { kind: "hidden" }>): condition is Counting {
  return condition.counts !== undefined;
}

/** The answer that counts give; where they are not known, both. */
export function askCounts(
  condition: Counting,
  world: World,
  place: RulePlace,
  context: EvaluationContext,
): readonly Tested[] {
  const { counts } = condition;
  const open = (one: World) => assume(hiddenQuestion(condition, place, context), one, context);
  switch (counts.kind) {
    case "quota":
      return askQuota(condition, counts.bytes, world, place, context);
    case "transferred": {
      const asked = askTransferred(counts, world);
      return asked === undefined ? open(world) : compared(asked, counts, world, place, context, open);
    }
    case "entry": {
      const asked = askEntry(counts, world, context);
      if (asked === "all") return [{ world, holds: true }];
      return asked === undefined ? open(world) : compared(asked, counts, world, place, context, open);
    }
    case "connections":
      return askConnections(counts, world, place, context, open);
  }
}

/** The longest IP packet. */
const LENGTH_MAX = 65535;

/** A count of which the packet's own length may be the part that is not known. */
interface Amount {
  readonly known: bigint;
  /** Packets without a known length are among those counted: this one, or others. */
  readonly open: "none" | "this" | "others";
  /** What the count is divided by. */
  readonly by: bigint;
}

function compared(
  { known, open, by }: Amount,
  { from, to }: { readonly from: bigint; readonly to: bigint },
  world: World,
  place: RulePlace,
  context: EvaluationContext,
  otherwise: (world: World) => readonly Tested[],
): readonly Tested[] {
  if (open === "others") return otherwise(world);
  if (open === "none") {
    const count = known / by;
    return [{ world, holds: count >= from && count <= to }];
  }
  const least = from * by - known;
  const most = to * by + by - 1n - known;
  if (most < 0n || least > BigInt(LENGTH_MAX)) return [{ world, holds: false }];
  const range = {
    from: Number(least < 0n ? 0n : least),
    to: Number(most > BigInt(LENGTH_MAX) ? BigInt(LENGTH_MAX) : most),
  };
  return askLength(range, world, place, context);
}

function askLength(
  range: Range,
  world: World,
  place: RulePlace,
  context: EvaluationContext,
): readonly Tested[] {
  const answer = ask({ kind: "within", field: "length", ranges: [range] }, world, place, context);
  if (typeof answer === "boolean") return [{ world, holds: answer }];
  const [atom, turned] = answer.kind === "not" ? [answer.of, true] : [answer, false];
  return assume(atom, world, context).map((one) => ({ world: one.world, holds: one.holds !== turned }));
}

/**
 * xt_quota: a packet passes if the bytes that are left are enough for it, and takes them; the first that is too long takes
 * all (measured). So of a known sum of bytes that came, what is left follows.
 */
function askQuota(
  condition: Counting,
  bytes: bigint,
  world: World,
  place: RulePlace,
  context: EvaluationContext,
): readonly Tested[] {
  const { memory, packet } = world;
  const key = `quota ${ruleKey(place)}`;
  const known = memory.counters.get(key);
  const left = known
    ? { least: known.asked, most: known.position ?? known.asked }
    : leftAtFirst(condition, bytes, memory, place, context);
  const [short, long] =
    typeof packet.length === "number" ? [packet.length, packet.length] : [shortest(packet), LENGTH_MAX];
  const after = ({ world: one, holds }: Tested): Tested => {
    const [least, most] = holds ? [Math.max(0, left.least - long), Math.max(0, left.most - short)] : [0, 0];
    const counters = new Map(memory.counters).set(key, { position: most, asked: least });
    return { world: { ...one, memory: { ...memory, counters } }, holds };
  };
  if (long <= left.least) return [after({ world, holds: true })];
  if (short > left.most) return [after({ world, holds: false })];
  const asked =
    left.least === left.most && packet.length !== null
      ? askLength({ from: 0, to: left.most }, world, place, context)
      : assume(hiddenQuestion(condition, place, context), world, context);
  return asked.map(after);
}

function leftAtFirst(
  condition: Counting,
  bytes: bigint,
  memory: Memory,
  place: RulePlace,
  context: EvaluationContext,
): { readonly least: number; readonly most: number } {
  const rest = (taken: bigint) => Number(taken > bytes ? 0n : bytes - taken);
  if (memory.countersFresh) return { least: Number(bytes), most: Number(bytes) };
  // As long as all that came was not more than the quota, all of it has passed.
  const asked = askedSoFar(condition, place, context, (all) =>
    all.bytes <= bytes ? all.packets : undefined,
  );
  if (asked !== undefined) return { least: rest(asked.bytes), most: rest(asked.bytes) };
  const matched = matchedSoFar(condition, place, context);
  return { least: 0, most: matched === undefined ? Number(bytes) : rest(matched.bytes) };
}

/** What the packet's connection has transferred, with the packet itself. */
function askTransferred(
  { unit, direction }: Extract<Counts, { kind: "transferred" }>,
  { packet }: World,
): Amount | undefined {
  const amounts = packet.flow?.connection.amounts;
  if (packet.flow === undefined || amounts === undefined) return undefined;
  const ways = [
    ...(direction === "reply" ? [] : [amounts.ORIGINAL]),
    ...(direction === "original" ? [] : [amounts.REPLY]),
  ];
  const sum = (part: "packets" | "bytes" | "open") => ways.reduce((all, one) => all + one[part], 0);
  const packets = BigInt(sum("packets"));
  if (unit === "packets") return { known: packets, open: "none", by: 1n };
  // Bytes by no packets are none.
  const by = unit === "bytes" || packets === 0n ? 1n : packets;
  const own = packet.flow.direction === "ORIGINAL" ? "original" : "reply";
  const isOpen = packet.length === undefined && (direction === "both" || direction === own);
  const open = sum("open") === 0 ? "none" : sum("open") === 1 && isOpen ? "this" : "others";
  return { known: BigInt(sum("bytes")), open, by };
}

/** What the entry of an ipset has counted; `all`: the set counts nothing, and then the kernel lets all pass (measured). */
function askEntry(
  { set, directions, unit }: Extract<Counts, { kind: "entry" }>,
  world: World,
  context: EvaluationContext,
): Amount | "all" | undefined {
  const { sets } = context.state;
  const asked = sets?.get(set);
  if (asked === undefined) return undefined;
  if (asked.options.counters !== true) return "all";
  const found = entryOf(set, directions, world, context);
  if (found === undefined) return undefined;
  const { packets = 0n, bytes = 0n } = found.extensions;
  const more = world.memory.counters.get(entryKey(set, found));
  if (unit === "packets") return { known: packets + BigInt(more?.asked ?? 0), open: "none", by: 1n };
  if (more?.position === undefined && more !== undefined) return undefined;
  return { known: bytes + BigInt(more?.position ?? 0), open: "none", by: 1n };
}

function entryKey(set: string, { parts }: SetEntry): string {
  const text = (part: unknown): string =>
    typeof part === "object" && part !== null ? Object.values(part).map(String).join(":") : String(part);
  return `entry ${set} ${parts.map(text).join()}`;
}

/** The world after a packet was found in a set: the entry has counted it. */
export function countedByEntry(
  { set, directions, silent }: Extract<Condition, { kind: "member" }>,
  world: World,
  context: EvaluationContext,
): World {
  if (silent || context.state.sets?.get(set)?.options.counters !== true) return world;
  const found = entryOf(set, directions, world, context);
  if (found === undefined) return world;
  const { memory, packet } = world;
  const key = entryKey(set, found);
  const before = memory.counters.get(key) ?? { position: 0, asked: 0 };
  const bytes =
    before.position === undefined || typeof packet.length !== "number"
      ? undefined
      : before.position + packet.length;
  const counters = new Map(memory.counters).set(key, { position: bytes, asked: before.asked + 1 });
  return { ...world, memory: { ...memory, counters } };
}

/**
 * xt_connlimit: each rule keeps the connections that it was asked about, by the packet's address, and counts those that
 * live. The connection table bounds them from above, those that were asked about in the question from below.
 */
function askConnections(
  { above, side, mask }: Extract<Counts, { kind: "connections" }>,
  world: World,
  place: RulePlace,
  context: EvaluationContext,
  otherwise: (world: World) => readonly Tested[],
): readonly Tested[] {
  const { packet, memory } = world;
  const own = connectionOf(packet);
  const address = packet[side];
  if (own === undefined || address === undefined || address === null) return otherwise(world);
  const network = maskAddress(address, mask);
  const isOfNetwork = (one: unknown) =>
    typeof one === typeof network && maskAddress(one as typeof network, mask) === network;
  const name = `connections of ${printAddress(network)} at ${ruleKey(place)}`;
  const asked = memory.members.get(name);
  const ownName = nameOf(own);
  const others = living(memory).filter(
    (one) => one.family === packet.family && !isOver(one) && nameOf(one) !== ownName,
  );
  const least = 1 + others.filter((one) => asked?.has(nameOf(one))).length;
  const after: World = { ...world, memory: withMember(memory, name, ownName, Number.POSITIVE_INFINITY) };
  if (least > above) return [{ world: after, holds: true }];
  // Only when it adds a connection does the kernel look which of the others have gone.
  const isKnown = memory.countersFresh || context.state.connections !== undefined;
  if (!isKnown || !packet.flow?.isNew) return otherwise(after);
  // Before and after translations a packet may have had any of the four addresses.
  const most =
    1 +
    others.filter(({ original, reply }) =>
      [original.source, original.destination, reply.source, reply.destination].some(isOfNetwork),
    ).length;
  if (most > above) return otherwise(after);
  context.notes.add(
    "connlimit is taken to count no connection that was just refused or has ended: the kernel forgets eight of those at a time",
  );
  return [{ world: after, holds: false }];
}

/** The kernel does not count TCP connections that both ends have left. */
function isOver({ tcp }: Tracked): boolean {
  return tcp === "TIME_WAIT" || tcp === "CLOSE";
}

function nameOf({ protocol, original }: Tracked): string {
  const { source, sourcePort, destination, destinationPort } = original;
  return [protocol, source, sourcePort, destination, destinationPort].join(" ");
}
