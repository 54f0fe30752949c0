/**
 * What a single question of a rule comes to for one packet: yes, no, or an atom where nothing given says which.
 */
import { type Address, ALL_ONES, maskAddress, printAddress } from "../../grammar/address.js";
import type { Condition, EntryField, NumberField, Range } from "../../grammar/meaning.js";
import { PORT_PROTOCOLS } from "../../grammar/protocols.js";
import { membership } from "../state/sets.js";
import { printRanges } from "./cases.js";
import type { EvaluationContext, RulePlace } from "./context.js";
import { type Stamp, seenBy, type Tuple } from "./memory.js";
import { contains, placeIn } from "./ranges.js";
import { addressType, isOnInterface } from "./route.js";
import { connectionOf } from "./tracking.js";
import { type Atom, type LivePacket, patternTakes, type World } from "./world.js";

type Simple = Exclude<Condition, { kind: "always" | "not" | "all" | "any" | "chance" | "counted" }>;

/** An answer, an open question, or the opposite of one. */
export type Answer = boolean | Atom | { readonly kind: "not"; readonly of: Atom };

export function ask(condition: Simple, world: World, place: RulePlace, context: EvaluationContext): Answer {
  const { packet } = world;
  switch (condition.kind) {
    case "within": {
      const value = numberOf(packet, condition.field);
      if (value === "none") return false;
      if (value !== undefined) return contains(condition.ranges, value);
      return openNumber(condition.field, condition.ranges, packet, context);
    }
    case "masked": {
      const { field, value, mask } = condition;
      const own = numberOf(packet, field);
      if (own === "none") return false;
      if (own === undefined) return question(`${FIELD_WORDS[field]} & ${mask} is ${value}${context.which}`);
      return maskAddress(own, mask) === value;
    }
    case "oneOf":
      return askWord(condition, packet, place, context);
    case "member":
      return askMember(condition, packet, context);
    case "remembered":
      return askRemembered(condition, world, context);
    case "unmodelled": {
      const own = condition.perRule ? ` (rule ${place.table}:${place.chain}:${place.number})` : "";
      return question(`${condition.question}${own}${context.which}`);
    }
  }
}

/** Whether an address is one of the node's. */
export function localQuestion(address: Address): Atom {
  const atom = question(`${printAddress(address)} is an address of the node`, [" is an ", " is not an "]);
  return { ...atom, kind: "question", decidesRoute: true };
}

/** The entry of an xt_recent list that a packet is about. */
export function listedAddress(
  { side, mask }: { readonly side: "source" | "destination"; readonly mask: Address },
  packet: LivePacket,
): string {
  const address = packet[side];
  return address === undefined || address === null
    ? packet.unknown[side]
    : printAddress(maskAddress(address, mask));
}

export function question(words: string, negation?: readonly [string, string]): Atom {
  const wordsNot = negation === undefined ? `it is not so that ${words}` : words.replace(...negation);
  return { kind: "question", key: words, words, wordsNot };
}

function askMember(
  { set, directions }: Extract<Condition, { kind: "member" }>,
  packet: LivePacket,
  { state: { sets = new Map() }, which }: EvaluationContext,
): Answer {
  const hasPorts = PORT_PROTOCOLS.includes(packet.protocol);
  const answer = membership(sets, set, directions, {
    family: packet.family,
    protocol: packet.protocol,
    ...present("source", packet.source ?? undefined),
    ...present("destination", packet.destination ?? undefined),
    ...present("sourcePort", hasPorts ? (packet.sourcePort ?? undefined) : null),
    ...present("destinationPort", hasPorts ? (packet.destinationPort ?? undefined) : null),
    ...present("icmpType", packet.icmpType ?? null),
    ...present("icmpCode", packet.icmpCode ?? null),
    ...present("inInterface", packet.inInterface),
    ...present("outInterface", packet.outInterface),
    mark: packet.mark,
  });
  if (answer !== "open") return answer === "yes";
  return question(`the packet's ${directions.join(" and ")} is in set ${set}${which}`, [
    " is in ",
    " is not in ",
  ]);
}

function present<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}

function askRemembered(
  condition: Extract<Condition, { kind: "remembered" }>,
  { packet, memory }: World,
  { which }: EvaluationContext,
): Answer {
  const { list, side, seconds = Number.POSITIVE_INFINITY, hits, mask } = condition;
  const { stamps, before } = seenBy(memory, list, listedAddress(condition, packet));
  const among = (age: (stamp: Stamp) => number) =>
    stamps.filter((stamp) => age(stamp) <= seconds).length >= (hits ?? 1);
  if (among(({ from }) => memory.now - from)) return true;
  if (!before && !among(({ to }) => memory.now - to)) return false;
  const who = side === "source" ? "the client" : "the destination";
  const often = hits === undefined ? "" : ` at least ${hits} times`;
  const lately = condition.seconds === undefined ? "" : ` in the last ${seconds} s`;
  const network = mask === ALL_ONES[packet.family] ? "" : ` (mask ${printAddress(mask)})`;
  return question(`${who}${network} was seen${often} by list ${list}${lately}${which}`, [
    " was seen",
    " was not seen",
  ]);
}

/** The value of a number field; `none` when such a packet has no such field, undefined when it is open. */
function numberOf(packet: LivePacket, field: NumberField): number | bigint | "none" | undefined {
  switch (field) {
    case "protocol":
      return packet.protocol;
    case "source":
      return packet.source ?? undefined;
    case "destination":
      return packet.destination ?? undefined;
    case "sourcePort":
    case "destinationPort":
      return PORT_PROTOCOLS.includes(packet.protocol) ? (packet[field] ?? undefined) : "none";
    case "mark":
      return packet.mark;
    case "connmark":
      return packet.connmark;
    case "tcpFlags":
      return packet.tcpFlags ?? "none";
    case "icmpType":
      return packet.icmpType ?? "none";
    case "icmpCode":
      return packet.icmpCode ?? "none";
    case "fragmentOffset":
      // With connection tracking packets are put together again before any rule sees them.
      return 0;
    case "length":
    case "ttl":
    case "dscp":
      return undefined;
    default:
      return numberOfEntry(packet, field);
  }
}

const ENTRY_PARTS: Readonly<
  Record<
    Exclude<EntryField, "connectionProtocol" | "entryEndsIn">,
    readonly ["original" | "reply", keyof Tuple]
  >
> = {
  originalSource: ["original", "source"],
  originalDestination: ["original", "destination"],
  originalSourcePort: ["original", "sourcePort"],
  originalDestinationPort: ["original", "destinationPort"],
  replySource: ["reply", "source"],
  replyDestination: ["reply", "destination"],
  replySourcePort: ["reply", "sourcePort"],
  replyDestinationPort: ["reply", "destinationPort"],
};

/** A part of the connection's entry; `none` for packets without one. */
function numberOfEntry(packet: LivePacket, field: EntryField): number | bigint | "none" | undefined {
  const connection = connectionOf(packet);
  // What was said to be established or related has an entry that is not known.
  if (connection === undefined)
    return packet.state === "ESTABLISHED" || packet.state === "RELATED" ? undefined : "none";
  if (field === "connectionProtocol") return connection.protocol;
  if (field === "entryEndsIn") return undefined;
  const [side, part] = ENTRY_PARTS[field];
  const value = connection[side][part];
  return value === null ? "none" : typeof value === "string" ? undefined : value;
}

const FIELD_WORDS: Readonly<Record<NumberField, string>> = {
  protocol: "the protocol",
  source: "the source",
  destination: "the destination",
  sourcePort: "the source port",
  destinationPort: "the destination port",
  mark: "the mark",
  connmark: "the connection's mark",
  icmpType: "the ICMP type",
  icmpCode: "the ICMP code",
  tcpFlags: "the TCP flags",
  length: "the packet's length",
  ttl: "the packet's TTL",
  dscp: "the packet's DSCP",
  fragmentOffset: "the fragment offset",
  connectionProtocol: "the connection's protocol",
  originalSource: "the connection's original source",
  originalDestination: "the connection's original destination",
  originalSourcePort: "the connection's original source port",
  originalDestinationPort: "the connection's original destination port",
  replySource: "the connection's reply source",
  replyDestination: "the connection's reply destination",
  replySourcePort: "the connection's reply source port",
  replyDestinationPort: "the connection's reply destination port",
  entryEndsIn: "the number of seconds until the connection's entry ends",
};

/** What clients take for source ports, unless told otherwise; what the kernel draws for them lies there too. */
const HIGH_PORTS: Range = { from: 1024, to: 65535 };

/** An open field: one that the question left out is narrowed, one that the kernel has drawn is only asked about. */
function openNumber(
  field: NumberField,
  ranges: readonly Range[],
  packet: LivePacket,
  { which, notes }: EvaluationContext,
): Answer {
  const where = printRanges(ranges);
  const isPort = field === "sourcePort" || field === "destinationPort";
  if (which !== "" && (isPort || field === "source")) {
    const place = isPort ? placeIn([HIGH_PORTS], ranges) : "part";
    if (place !== "part") {
      notes.add("source ports that were not given are taken to be 1024 or higher");
      return place === "inside";
    }
    // The same part of several packets is one question.
    return question(`${packet.unknown[field]} is in ${where}`, [" is in ", " is not in "]);
  }
  const narrowed = (field === "source" || field === "sourcePort") && packet[field] === undefined;
  if (!narrowed) {
    const chosen =
      (field === "source" || field === "sourcePort") && packet[field] === null
        ? ", which the kernel chooses,"
        : "";
    return question(`${FIELD_WORDS[field]}${chosen} is in ${where}${which}`, [" is in ", " is not in "]);
  }
  return {
    kind: "range",
    field,
    ranges,
    key: `${field} ${where}`,
    words: `${FIELD_WORDS[field]} is in ${where}`,
    wordsNot: `${FIELD_WORDS[field]} is not in ${where}`,
  };
}

function askWord(
  condition: Extract<Condition, { kind: "oneOf" }>,
  packet: LivePacket,
  place: RulePlace,
  context: EvaluationContext,
): Answer {
  const { field, words } = condition;
  switch (field) {
    case "inInterface":
    case "outInterface": {
      const name = packet[field];
      if (name === null) return false;
      if (name !== undefined) return words.some((pattern) => patternTakes(pattern, name));
      const [pattern = ""] = words;
      const how = field === "inInterface" ? "comes in by" : "leaves by";
      const which = pattern.endsWith("+") ? `an interface named ${pattern.slice(0, -1)}…` : pattern;
      return {
        kind: "word",
        field,
        pattern,
        key: `${field} ${pattern}`,
        words: `the packet ${how} ${which}`,
        wordsNot: `the packet ${how} another interface than ${which}`,
      };
    }
    case "connectionState":
      return askState(words, packet, place);
    case "connectionStatus":
      return askStatus(words, packet);
    case "connectionDirection":
      if (packet.flow !== undefined) return words.includes(packet.flow.direction);
      if (hasNoEntry(packet)) return false;
      return question(`the packet goes in the connection's direction ${words.join(" or ")}`);
    case "sourceType":
    case "destinationType":
      return askType(condition, packet, context);
  }
}

function hasNoEntry({ state }: LivePacket): boolean {
  return state !== "ESTABLISHED" && state !== "RELATED";
}

/** An entry that is being made has none of the bits that can be asked for; NONE never holds, as a mask of no bits. */
function askStatus(words: readonly string[], packet: LivePacket): Answer {
  const { flow } = packet;
  if (flow === undefined && !hasNoEntry(packet))
    return question(`the connection's status has ${words.join(" or ")}`);
  if (flow === undefined || flow.isNew) return false;
  const { seenReply, assured } = flow.connection;
  return (
    words.includes("CONFIRMED") ||
    (words.includes("SEEN_REPLY") && seenReply) ||
    (words.includes("ASSURED") && assured)
  );
}

function askState(words: readonly string[], packet: LivePacket, place: RulePlace): Answer {
  // raw comes before connection tracking; only what came over lo was seen by it on its way out.
  if (place.table === "raw" && packet.inInterface !== "lo") return words.includes("INVALID");
  if (words.includes(packet.state ?? "INVALID")) return true;
  if (packet.destinationTranslated && words.includes("DNAT")) return true;
  if (packet.sourceTranslated && words.includes("SNAT")) return true;
  const translations = words.filter((word) => word === "SNAT" || word === "DNAT");
  if (hasNoEntry(packet) || packet.flow !== undefined || translations.length === 0) return false;
  return question(`the connection has gone through ${translations.join(" or ")}`, [
    " has gone ",
    " has not gone ",
  ]);
}

function askType(
  { field, words, onInterface }: Extract<Condition, { kind: "oneOf" }>,
  packet: LivePacket,
  context: EvaluationContext,
): Answer {
  const { network } = context.state;
  const isSource = field === "sourceType";
  const address = isSource ? packet.source : packet.destination;
  if (address === undefined || address === null) {
    // Packets from outside with one of the node's addresses are dropped by routing, so theirs is some other address;
    // what MASQUERADE puts in is the node's.
    return words.includes(context.fromNode || address === null ? "LOCAL" : "UNICAST");
  }
  if (onInterface !== undefined && words.includes("LOCAL")) {
    const name = onInterface === "in" ? packet.inInterface : packet.outInterface;
    if (name === null) return false;
    const own = name === undefined ? undefined : isOnInterface(address, name, network);
    return (
      own ?? question(`${printAddress(address)} is an address of the interface`, [" is an ", " is not an "])
    );
  }
  const type = addressType(address, network);
  if (type !== undefined) return words.includes(type);
  if (isSource) return words.includes(context.fromNode ? "LOCAL" : "UNICAST");
  if (words.includes("LOCAL")) return words.includes("UNICAST") || localQuestion(address);
  if (words.includes("UNICAST")) return { kind: "not", of: localQuestion(address) };
  // The broadcast address of a subnet ends in two bits at least that are set.
  if (!words.includes("BROADCAST") || typeof address !== "number" || (address & 3) !== 3) return false;
  return question(`${printAddress(address)} is a broadcast address of the node's networks`, [
    " is a ",
    " is not a ",
  ]);
}
