/**
 * What a single question of a rule comes to for one packet: yes, no, or an atom where nothing given says which.
 */
import { type Address, ALL_ONES, maskAddress, printAddress } from "../../grammar/address.js";
import type { Condition, NumberField, Range } from "../../grammar/meaning.js";
import { PORT_PROTOCOLS } from "../../grammar/protocols.js";
import { printRanges } from "./cases.js";
import type { EvaluationContext, RulePlace } from "./context.js";
import { contains } from "./ranges.js";
import { addressType, isOnInterface } from "./route.js";
import { type Atom, type LivePacket, patternTakes } from "./world.js";

type Simple = Exclude<Condition, { kind: "always" | "not" | "all" | "any" | "chance" }>;

/** An answer, an open question, or the opposite of one. */
export type Answer = boolean | Atom | { readonly kind: "not"; readonly of: Atom };

export function ask(
  condition: Simple,
  packet: LivePacket,
  place: RulePlace,
  context: EvaluationContext,
): Answer {
  switch (condition.kind) {
    case "within": {
      const value = numberOf(packet, condition.field);
      if (value === "none") return false;
      if (value !== undefined) return contains(condition.ranges, value);
      return openNumber(condition.field, condition.ranges, packet);
    }
    case "masked": {
      const { field, value, mask } = condition;
      const own = numberOf(packet, field);
      if (own === "none") return false;
      if (own === undefined) return question(`${FIELD_WORDS[field]} & ${mask} is ${value}`);
      return maskAddress(own, mask) === value;
    }
    case "oneOf":
      return askWord(condition, packet, place, context);
    case "member":
      return question(`the packet's ${condition.directions.join(" and ")} is in set ${condition.set}`);
    case "remembered":
      return askRemembered(condition, packet, context);
    case "unmodelled": {
      const own = condition.perRule ? ` (rule ${place.table}:${place.chain}:${place.number})` : "";
      return question(`${condition.question}${own}`);
    }
  }
}

/** Whether an address is one of the node's. */
export function localQuestion(address: Address): Atom {
  const atom = question(`${printAddress(address)} is an address of the node`, [" is an ", " is not an "]);
  return { ...atom, kind: "question", decidesRoute: true };
}

/** The entry of an xt_recent list that a packet is about. */
export function entryKey(
  { list, side, mask }: { list: string; side: "source" | "destination"; mask: Address },
  packet: LivePacket,
): string {
  const address = packet[side];
  return `${list} ${address === undefined || address === null ? "?" : maskAddress(address, mask)}`;
}

function question(words: string, negation?: readonly [string, string]): Atom {
  const wordsNot = negation === undefined ? `it is not so that ${words}` : words.replace(...negation);
  return { kind: "question", key: words, words, wordsNot };
}

function askRemembered(
  condition: Extract<Condition, { kind: "remembered" }>,
  packet: LivePacket,
  { fresh }: EvaluationContext,
): Answer {
  const { list, side, seconds, hits, mask } = condition;
  const own = packet.remembered.get(entryKey(condition, packet));
  if (own !== undefined && own.stamps >= (hits ?? 1)) return true;
  if (fresh || own?.cleared) return false;
  const who = side === "source" ? "the client" : "the destination";
  const often = hits === undefined ? "" : ` at least ${hits} times`;
  const lately = seconds === undefined ? "" : ` in the last ${seconds} s`;
  const network = mask === ALL_ONES[packet.family] ? "" : ` (mask ${printAddress(mask)})`;
  return question(`${who}${network} was seen${often} by list ${list}${lately}`, [
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
      return packet.destination;
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
  }
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
};

/** An open field: one that the question left out is narrowed, one that the kernel has drawn is only asked about. */
function openNumber(field: NumberField, ranges: readonly Range[], packet: LivePacket): Atom {
  const where = printRanges(ranges);
  const narrowed = (field === "source" || field === "sourcePort") && packet[field] === undefined;
  if (!narrowed) {
    const chosen = field === "source" || field === "sourcePort" ? ", which the kernel chooses," : "";
    return question(`${FIELD_WORDS[field]}${chosen} is in ${where}`, [" is in ", " is not in "]);
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
      // An entry that is being made has none of the bits that can be asked for, and not none of all bits either.
      if (hasNoEntry(packet)) return false;
      return question(`the connection's status has ${words.join(" or ")}`);
    case "connectionDirection":
      if (packet.state === "NEW") return words.includes("ORIGINAL");
      if (hasNoEntry(packet)) return false;
      return question(`the packet goes in the connection's direction ${words.join(" or ")}`);
    case "sourceType":
    case "destinationType":
      return askType(condition, packet, context);
  }
}

function hasNoEntry({ state }: LivePacket): boolean {
  return state === "NEW" || state === "INVALID" || state === "UNTRACKED";
}

function askState(words: readonly string[], packet: LivePacket, place: RulePlace): Answer {
  // raw comes before connection tracking; only what came over lo was seen by it on its way out.
  if (place.table === "raw" && packet.inInterface !== "lo") return words.includes("INVALID");
  if (words.includes(packet.state)) return true;
  if (packet.destinationTranslated && words.includes("DNAT")) return true;
  if (packet.sourceTranslated && words.includes("SNAT")) return true;
  const translations = words.filter((word) => word === "SNAT" || word === "DNAT");
  if (hasNoEntry(packet) || translations.length === 0) return false;
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
