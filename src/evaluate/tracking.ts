/** Connection tracking: whether it is active, which entry a packet belongs to, the state it gives, what it leaves behind. */
import { PORT_PROTOCOLS, PROTOCOL } from "../../grammar/protocols.js";
import { meaningOf } from "../state/meaning.js";
import type { Network } from "../state/network.js";
import { type Ruleset, rulesOf } from "../state/rules.js";
import { NO_AMOUNTS, withPacketCounted } from "./amounts.js";
import type { EvaluationContext } from "./context.js";
import {
  type Found,
  forget,
  inverse,
  living,
  lookUp,
  type Memory,
  NO_ZONES,
  type Tracked,
  type Tuple,
  translations,
  tupleKey,
  withConnection,
  type Zones,
} from "./memory.js";
import { sysctl } from "./sysctls.js";
import { areValidFlags, opensConnection, TCP_TIMEOUTS, tcpMove, tcpStart } from "./tcp-states.js";
import { type LivePacket, type World, withPacket } from "./world.js";

const active = new WeakMap<Ruleset, boolean>();

/**
 * Whether connection tracking runs: the kernel starts it only while some loaded rule asks for it. Without it, the nat
 * table is not consulted at all.
 */
function tracksConnections(ruleset: Ruleset): boolean {
  let known = active.get(ruleset);
  if (known === undefined) {
    known = false;
    search: for (const table of ruleset.tables.values()) {
      for (const chain of table.chains.values()) {
        if (rulesOf(chain).some((rule) => meaningOf(rule, ruleset.family).tracksConnections)) {
          known = true;
          break search;
        }
      }
    }
    active.set(ruleset, known);
  }
  return known;
}

/** Whether it runs with the rules of a question; those of both back ends count. */
export function isTracking({ ruleset, otherRuleset }: EvaluationContext): boolean {
  return [ruleset, otherRuleset].some((one) => one !== undefined && tracksConnections(one));
}

const SYN = 2;
const RST = 4;
const ACK = 16;

/** ICMP types that open a connection entry: queries. Anything else without an entry is INVALID. */
const ICMP_QUERIES = [8, 13, 15, 17];
const ICMPV6_QUERIES = [128, 139];
/** Neighbour discovery and multicast listener messages are not tracked. */
const ICMPV6_UNTRACKED = [130, 131, 132, 133, 134, 135, 136, 137, 143];

/** The state of a packet that has no entry. */
function firstState(packet: LivePacket, network: Network | undefined): LivePacket["state"] {
  switch (packet.protocol) {
    case PROTOCOL.tcp: {
      // A connection may be picked up in mid-stream, unless the kernel was told not to.
      const pickUp = sysctl(network, "net.netfilter.nf_conntrack_tcp_loose") !== "0";
      return opensConnection(packet.tcpFlags ?? SYN, pickUp) ? "NEW" : "INVALID";
    }
    case PROTOCOL.icmp:
      return ICMP_QUERIES.includes(packet.icmpType ?? 8) ? "NEW" : "INVALID";
    case PROTOCOL.ipv6Icmp: {
      const type = packet.icmpType ?? 128;
      return ICMPV6_UNTRACKED.includes(type)
        ? "UNTRACKED"
        : ICMPV6_QUERIES.includes(type)
          ? "NEW"
          : "INVALID";
    }
    case PROTOCOL.sctp:
      return packet.answers ? "INVALID" : "NEW";
    default:
      return "NEW";
  }
}

/** What the packet's headers are as a tuple; parts that are not known go by their names. */
export function tupleOf(packet: LivePacket): Tuple {
  const { protocol, unknown } = packet;
  const isICMP = protocol === PROTOCOL.icmp || protocol === PROTOCOL.ipv6Icmp;
  const hasPorts = PORT_PROTOCOLS.includes(protocol);
  return {
    source: packet.source ?? unknown.source,
    sourcePort: hasPorts || isICMP ? (packet.sourcePort ?? unknown.sourcePort) : null,
    destination: packet.destination ?? unknown.destination,
    destinationPort: isICMP
      ? (packet.icmpType ?? null)
      : hasPorts
        ? (packet.destinationPort ?? unknown.destinationPort)
        : null,
  };
}

/**
 * The packet as connection tracking hands it on, between raw and mangle: with its connection, or none, and its state.
 * Whoever asked may have said the state; then nothing is known of the connection.
 */
export function track(world: World, context: EvaluationContext): World {
  const { packet, memory } = world;
  if (packet.state !== undefined || context.ruleset === undefined) return world;
  const zones = zonesOf(packet);
  const found =
    packet.quoted === undefined
      ? lookUp(memory, packet.family, packet.protocol, tupleOf(packet), zones)
      : aboutWhat(packet.quoted, memory, packet.family, zones);
  if (!isTracking(context)) return withPacket(world, { state: "NEW" });
  if (found !== undefined) {
    const { connection, direction } = found;
    const flow = { connection, direction, isNew: false } as const;
    const translated = translations(connection);
    const known = {
      flow,
      connmark: connection.mark,
      destinationTranslated: translated.destination,
      sourceTranslated: translated.source,
    };
    if (packet.quoted !== undefined) return withPacket(world, { ...known, state: "RELATED" });
    const next = seen(found, packet, memory, context.state.network);
    if (next === "invalid") return withPacket(world, { state: "INVALID" });
    if (next !== "new") {
      const state = direction === "REPLY" || connection.seenReply ? "ESTABLISHED" : "NEW";
      const now = withAmounts(next === "gone" ? connection : next, packet, direction);
      const kept = next === "gone" ? forget(memory, connection) : withConnection(memory, now);
      return withPacket({ ...world, memory: kept }, { ...known, flow: { ...flow, connection: now }, state });
    }
  }
  const state = packet.quoted === undefined ? firstState(packet, context.state.network) : "INVALID";
  if (state !== "NEW") return withPacket(world, { state });
  const original = tupleOf(packet);
  const connection: Tracked = {
    family: packet.family,
    zones,
    protocol: packet.protocol,
    original,
    reply: inverse(packet.protocol, original),
    seenReply: false,
    assured: false,
    tcp: packet.protocol === PROTOCOL.tcp ? tcpStart(packet.tcpFlags ?? SYN) : undefined,
    ignoredSyn: undefined,
    mark: 0,
    answeredAt: undefined,
    endsAt: 0,
    // Accounting is on wherever it matters: the first rule that asks for it switches it on.
    amounts: NO_AMOUNTS,
  };
  const counted = withAmounts(connection, packet, "ORIGINAL");
  return withPacket(world, { state, flow: { connection: counted, direction: "ORIGINAL", isNew: true } });
}

function withAmounts(connection: Tracked, packet: LivePacket, direction: Found["direction"]): Tracked {
  const amounts = withPacketCounted(connection.amounts, packet, direction);
  return amounts === undefined ? connection : { ...connection, amounts };
}

/** The connection that an ICMP error is about: the packet quoted in it, turned round, is one of its tuples. */
function aboutWhat(
  quoted: NonNullable<LivePacket["quoted"]>,
  memory: Memory,
  family: LivePacket["family"],
  zones: Zones,
): Found | undefined {
  return lookUp(memory, family, quoted.protocol, inverse(quoted.protocol, quoted.tuple), zones);
}

/** Where a CT target wants the packet looked up. */
function zonesOf({ zone, mark }: LivePacket): Zones {
  if (zone === undefined) return NO_ZONES;
  const number = zone.zone === "mark" ? mark & 0xffff : zone.zone;
  return {
    ORIGINAL: zone.directions === "reply" ? 0 : number,
    REPLY: zone.directions === "original" ? 0 : number,
  };
}

/** An entry after one more packet; `gone`: this packet ends it, `new`: it opens another in its place. */
function seen(
  { connection, direction }: Found,
  packet: LivePacket,
  memory: Memory,
  network: Network | undefined,
): Tracked | "invalid" | "gone" | "new" {
  const { protocol, tcp, ignoredSyn } = connection;
  const isReply = direction === "REPLY";
  const answered = {
    seenReply: connection.seenReply || isReply,
    answeredAt: connection.answeredAt ?? (isReply ? memory.now : undefined),
  };
  if (protocol !== PROTOCOL.tcp || tcp === undefined) {
    // A stream of datagrams: answered, and going on for more than two seconds after.
    const assured =
      connection.assured ||
      (protocol === PROTOCOL.udp && answered.seenReply && memory.now - (answered.answeredAt ?? 0) > 2);
    const next = { ...connection, ...answered, assured };
    return { ...next, endsAt: memory.now + timeout(next, network) };
  }
  const flags = packet.tcpFlags ?? SYN;
  if (!areValidFlags(flags)) return "invalid";
  const isOver = tcp === "TIME_WAIT" || tcp === "CLOSE";
  if (isOver && !isReply && (flags & (SYN | ACK | RST)) === SYN) return "new";
  const syn = flags & (SYN | ACK | RST);
  // The answer to a SYN that did not fit: both ends are at the start of a connection, and so is tracking again.
  const answersSyn = syn === (SYN | ACK) && ignoredSyn !== undefined && ignoredSyn !== direction;
  const moved = answersSyn ? "SYN_RECV" : tcpMove(tcp, direction, flags);
  if (moved === "invalid") return "invalid";
  // A reset in place of the first answer.
  if (flags & RST && !connection.seenReply) return "gone";
  const assured =
    connection.assured ||
    (connection.seenReply && (tcp === "SYN_RECV" || tcp === "ESTABLISHED") && moved === "ESTABLISHED");
  const isIgnored = syn === SYN && tcp !== "SYN_SENT" && moved === tcp;
  const next = {
    ...connection,
    ...answered,
    tcp: moved,
    ignoredSyn: isIgnored ? direction : undefined,
    assured,
  };
  return { ...next, endsAt: memory.now + timeout(next, network) };
}

/** Seconds that an entry lives without a packet: the sysctl of its protocol and state, or the kernel's default. */
function timeout({ protocol, tcp, seenReply, assured }: Tracked, network: Network | undefined): number {
  const set = (name: string, byDefault: number) =>
    Number(sysctl(network, `net.netfilter.nf_conntrack_${name}`) ?? byDefault);
  switch (protocol) {
    case PROTOCOL.tcp: {
      const [name, byDefault] = TCP_TIMEOUTS[tcp ?? "ESTABLISHED"];
      const own = set(`tcp_timeout_${name}`, byDefault);
      // Until an answer is seen, no entry waits longer than for one.
      return seenReply ? own : Math.min(own, set("tcp_timeout_unacknowledged", 300));
    }
    case PROTOCOL.udp:
      return seenReply && assured ? set("udp_timeout_stream", 120) : set("udp_timeout", 30);
    case PROTOCOL.icmp:
      return set("icmp_timeout", 30);
    case PROTOCOL.ipv6Icmp:
      return set("icmpv6_timeout", 30);
    default:
      return set("generic_timeout", 600);
  }
}

/** The connection of a first packet as its translations so far have made it. */
export function connectionOf(packet: LivePacket): Tracked | undefined {
  const { flow } = packet;
  if (flow === undefined || !flow.isNew) return flow?.connection;
  return { ...flow.connection, reply: inverse(packet.protocol, tupleOf(packet)), mark: packet.connmark };
}

/**
 * A first packet leaves the node, or arrives at a process of it: its connection is entered.
 */
export function confirm(world: World, context: EvaluationContext): World {
  const { packet, memory } = world;
  const connection = connectionOf(packet);
  if (connection === undefined || !packet.flow?.isNew) return world;
  // Without nat it goes on as a packet of the connection that is there.
  if (isOwnReverse(packet, memory)) return world;
  const entered = { ...connection, endsAt: memory.now + timeout(connection, context.state.network) };
  return withPacket(
    { ...world, memory: withConnection(memory, entered) },
    { flow: { ...packet.flow, connection: entered, isNew: false } },
  );
}

/** The mark of a connection that is entered changes at once, whatever becomes of the packet. */
export function withMark(world: World): World {
  const { memory, packet } = world;
  const { flow, connmark, family } = packet;
  if (flow === undefined || flow.isNew || flow.connection.mark === connmark) return world;
  const connection = { ...flow.connection, mark: connmark };
  const { protocol, original, zones } = connection;
  const lives = lookUp(memory, family, protocol, original, zones) !== undefined;
  return withPacket(lives ? { ...world, memory: withConnection(memory, connection) } : world, {
    flow: { ...flow, connection },
  });
}

/** Whether the answers that a new connection would get already belong to another. */
export function isTaken(packet: LivePacket, memory: Memory): boolean {
  return clashing(packet, memory) !== undefined;
}

function clashing(packet: LivePacket, memory: Memory): Tracked | undefined {
  const reply = inverse(packet.protocol, tupleOf(packet));
  return lookUp(memory, packet.family, packet.protocol, reply, packet.flow?.connection.zones)?.connection;
}

/**
 * Whether the clash is with the same connection seen from its other end, which zones keep apart. Without a translation of
 * that one nat does not look for another port, and the packet is dropped (since Linux 6.12).
 */
export function isOwnReverse(packet: LivePacket, memory: Memory): boolean {
  const { family, protocol, flow } = packet;
  const other = clashing(packet, memory);
  if (other === undefined || flow === undefined) return false;
  const { destination, source } = translations(other);
  const key = (tuple: Tuple) => tupleKey(family, protocol, tuple);
  return !destination && !source && key(flow.connection.original) === key(other.reply);
}

/** What living connections of the same client address and port were translated to, the newest first. */
export function earlierSources(
  packet: LivePacket,
  memory: Memory,
): readonly Pick<Tuple, "source" | "sourcePort">[] {
  const { source, sourcePort } = tupleOf(packet);
  const zone = packet.flow?.connection.zones.ORIGINAL ?? 0;
  return living(memory)
    .filter(
      ({ protocol, family, original, zones }) =>
        protocol === packet.protocol &&
        family === packet.family &&
        zones.ORIGINAL === zone &&
        original.source === source &&
        original.sourcePort === sourcePort,
    )
    .map(({ protocol, reply }) => inverse(protocol, reply));
}
