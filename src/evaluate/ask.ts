/**
 * What a single question of a rule comes to for one packet: yes, no, or an atom where nothing given says which.
 */
import {
  type Address,
  ALL_ONES,
  maskAddress,
  printAddress,
  printNetwork,
  readAddress,
} from "../../grammar/address.js";
import type { Condition, EntryField, NumberField, Range, WordField } from "../../grammar/meaning.js";
import { PORT_PROTOCOLS, PROTOCOL } from "../../grammar/protocols.js";
import type { Network } from "../state/network.js";
import { fitsTypes } from "./address-types.js";
import { addressType, isMulticast, isOnInterface, localDevice } from "./addresses.js";
import { printRanges } from "./cases.js";
import { type EvaluationContext, type RulePlace, ruleKey } from "./context.js";
import { targetOfList } from "./list-targets.js";
import { isListed } from "./listed.js";
import { type Memory, type Stamp, seenBy, type Tuple } from "./memory.js";
import { cameByPort, egressPort, ingressPort, isEthernet } from "./ports.js";
import { contains, placeIn } from "./ranges.js";
import { wayTo } from "./route.js";
import { connectionOf } from "./tracking.js";
import { type Atom, type LivePacket, patternTakes, type World } from "./world.js";

/** Conditions that are asked of a packet, without parts. */
export type Simple = Exclude<
  Condition,
  { kind: "always" | "not" | "all" | "any" | "chance" | "counted" | "hidden" }
>;

/** An answer, an open question, or the opposite of one. */
export type Answer = boolean | Atom | { readonly kind: "not"; readonly of: Atom };

export function ask(condition: Simple, world: World, place: RulePlace, context: EvaluationContext): Answer {
  const { packet } = world;
  switch (condition.kind) {
    case "within": {
      const value = numberOf(packet, condition.field, place);
      if (value === "none") return false;
      if (condition.field === "ttl" && packet.ttlTaken) context.notes.add(TTL_NOTE);
      if (value !== undefined) return contains(condition.ranges, value);
      return openNumber(condition.field, condition.ranges, packet, place, context);
    }
    case "masked":
      return askMasked(condition, packet, place, context);
    case "reversePath":
      return askReversePath(condition, packet, context);
    case "oneOf":
      return askWord(condition, packet, place, context);
    case "member":
      return askMember(condition, world, context);
    case "remembered":
      return askRemembered(condition, world, context);
    case "unmodelled": {
      const own = condition.perRule ? ofRule(place) : "";
      return question(`${condition.question}${own}${context.which}`);
    }
  }
}

/** The question that a hidden state is. */
export function hiddenQuestion(
  { yes, no, perRule }: Extract<Condition, { kind: "hidden" }>,
  place: RulePlace,
  { which }: EvaluationContext,
): Atom {
  const where = `${perRule ? ofRule(place) : ""}${which}`;
  return { kind: "question", key: `${yes}${where}`, words: `${yes}${where}`, wordsNot: `${no}${where}` };
}

function ofRule(place: RulePlace): string {
  return ` (rule ${ruleKey(place)})`;
}

const TTL_NOTE = "the packet's TTL was not given: it is taken to be 64 as it comes in or is sent";

/** Bits of a number, of which only some may be known. */
function askMasked(
  { field, value, mask }: Extract<Condition, { kind: "masked" }>,
  packet: LivePacket,
  place: RulePlace,
  context: EvaluationContext,
): Answer {
  const own = numberOf(packet, field, place);
  if (own === "none") return false;
  if (field === "mark" || field === "connmark")
    return askMark(field, Number(value), Number(mask), packet, context);
  if (own !== undefined) return maskAddress(own, mask) === value;
  const whole = NUMBERS[field as HiddenField]?.whole;
  if ((field === "dscp" || field === "ecn") && whole !== undefined) {
    const fitting = Array.from({ length: Number(whole.to) + 1 }, (_, one) => one).filter(
      (one) => (one & Number(mask)) === value,
    );
    if (fitting.length === 0) return false;
    return openNumber(field, joinedRanges(fitting), packet, place, context);
  }
  const is = bitWords(value, mask, typeof value === "bigint" || isAddressField(field));
  return question(`${FIELD_WORDS[field]} is ${is}${context.which}`, [" is ", " is not "]);
}

function isAddressField(field: NumberField): boolean {
  return /(?:source|destination|Source|Destination)$/.test(field);
}

/** `0x1`, `0x1/0xff`, `10.0.0.0/8`. */
function bitWords(value: Address, mask: Address, isAddress: boolean): string {
  if (isAddress) return printNetwork({ address: value, mask });
  const whole = typeof mask === "number" && mask >>> 0 === 0xffffffff;
  return `0x${value.toString(16)}${whole ? "" : `/0x${mask.toString(16)}`}`;
}

/** Ascending numbers as ranges. */
function joinedRanges(numbers: readonly number[]): readonly Range[] {
  const ranges: { from: number; to: number }[] = [];
  for (const one of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to === one - 1) last.to = one;
    else ranges.push({ from: one, to: one });
  }
  return ranges;
}

/** The bits that are known may decide; the rest is asked about where it was taken from. */
function askMark(
  field: "mark" | "connmark",
  value: number,
  mask: number,
  packet: LivePacket,
  { which }: EvaluationContext,
): Answer {
  const hidden = (packet[field === "mark" ? "markHidden" : "connmarkHidden"] & mask) >>> 0;
  const different = ((packet[field] & mask) ^ value) >>> 0;
  if ((different & ~hidden) >>> 0 !== 0) return false;
  if (hidden === 0) return true;
  const origin = packet[field === "mark" ? "markOrigin" : "connmarkOrigin"];
  return question(`${origin} is ${bitWords((different & hidden) >>> 0, hidden, false)}${which}`, [
    " is ",
    " is not ",
  ]);
}

/** What xt_rpfilter finds: the route to the source, as if an answer were sent. */
function askReversePath(
  { loose, acceptLocal }: Extract<Condition, { kind: "reversePath" }>,
  packet: LivePacket,
  { state: { network }, which }: EvaluationContext,
): Answer {
  const { source, destination, inInterface, family } = packet;
  if (inInterface === null || inInterface === "lo") return true;
  const open = question(
    loose
      ? `a route leads back to the source${which}`
      : `the route back to the source leads out of the interface that the packet came in by${which}`,
    loose ? ["a route leads", "no route leads"] : [" leads out ", " does not lead out "],
  );
  if (source === undefined || source === null) return open;
  // Who has no address yet may talk to all.
  if (source === 0n) return true;
  if (source === 0) return addressType(destination, network) !== "UNICAST" && !isOwn(destination, network);
  const type = addressType(source, network);
  if (type === "BROADCAST" && source !== 0xffffffff) return false;
  if (type === "LOCAL") {
    if (!acceptLocal) return false;
    if (loose || family === "ipv6") return true;
    return (inInterface === undefined ? undefined : isOnInterface(source, inInterface, network)) ?? open;
  }
  // Of a link-local address only the link that it came by is asked.
  if (typeof source === "bigint" && source >> 118n === 0x3fan) return true;
  const back = wayTo(source, network);
  if (back.kind === "none" || back.kind === "refused") return false;
  if (back.kind !== "out" || type === undefined) return open;
  return loose || (inInterface === undefined ? open : back.dev === inInterface);
}

function isOwn(address: Address | null, network: Network | undefined): boolean {
  return addressType(address, network) === "LOCAL";
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
  world: World,
  context: EvaluationContext,
): Answer {
  const answer = isListed(set, directions, world, context);
  if (answer !== "open") return answer === "yes";
  return question(`the packet's ${directions.join(" and ")} is in set ${set}${context.which}`, [
    " is in ",
    " is not in ",
  ]);
}

/** Whether a list holds an address that is known: a packet whose own is not may have come from there. */
function holdsAddress({ lists }: Memory, list: string): boolean {
  for (const [address, { stamps }] of lists.get(list) ?? [])
    if (stamps.length > 0 && readAddress(address) !== undefined) return true;
  return false;
}

function askRemembered(
  condition: Extract<Condition, { kind: "remembered" }>,
  { packet, memory }: World,
  { ruleset, which }: EvaluationContext,
): Answer {
  const { list, side, seconds = Number.POSITIVE_INFINITY, hits, mask } = condition;
  const { stamps, before } = seenBy(memory, list, listedAddress(condition, packet));
  const among = (age: (stamp: Stamp) => number) =>
    stamps.filter((stamp) => age(stamp) <= seconds).length >= (hits ?? 1);
  if (among(({ from }) => memory.now - from)) return true;
  const address = packet[side] ?? undefined;
  const isOpen = before || (address === undefined && holdsAddress(memory, list));
  if (!isOpen && !among(({ to }) => memory.now - to)) return false;
  const who = side === "source" ? "the client" : "the destination";
  const often = hits === undefined ? "" : ` at least ${hits} times`;
  const lately = condition.seconds === undefined ? "" : ` in the last ${timeWords(seconds)}`;
  const target = targetOfList(list, ruleset);
  const where = target === undefined ? `by list ${list}` : `on ${target}`;
  const named = target === undefined ? "" : ` (list ${list})`;
  const network = mask === ALL_ONES[packet.family] ? "" : ` (mask ${printAddress(mask)})`;
  return question(`${who}${network} was seen${often} ${where}${lately}${named}${which}`, [
    " was seen",
    " was not seen",
  ]);
}

/** `3 h`, `10 min`, `90 s`: whole units of time. */
function timeWords(seconds: number): string {
  if (seconds >= 3600 && seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds >= 60 && seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** The value of a number field; `none` when such a packet has no such field, undefined when it is open. */
function numberOf(
  packet: LivePacket,
  field: NumberField,
  place: RulePlace,
): number | bigint | "none" | undefined {
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
    case "ttl":
      return packet.ttl;
    case "length":
    case "dscp":
    case "ecn":
      return packet[field] ?? undefined;
    case "user":
    case "group":
      return packet.sender === "process" ? packet[field] : "none";
    case "spi":
      return SECURED.includes(packet.protocol) ? undefined : "none";
    case "mss":
      return packet.protocol === PROTOCOL.tcp ? undefined : "none";
    case "inGroup":
      return packet.inInterface === null ? "none" : undefined;
    case "outGroup":
      return packet.outInterface === null ? "none" : undefined;
    case "cpu":
    case "realm":
      return undefined;
    default:
      return hasTemplate(packet, place) ? templateNumber(packet, field) : numberOfEntry(packet, field);
  }
}

/** ESP, AH and IPComp. */
const SECURED = [50, 51, 108];

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

/**
 * Whether a CT target of raw has given the packet a template, which passes for a connection until tracking looks the packet
 * up: new, confirmed, and all zero.
 */
function hasTemplate({ zone, inInterface }: LivePacket, { table }: RulePlace): boolean {
  return table === "raw" && inInterface !== "lo" && zone !== undefined;
}

function templateNumber({ family }: LivePacket, field: EntryField): number | bigint {
  return family === "ipv6" && /(?:Source|Destination)$/.test(field) ? 0n : 0;
}

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

/** What fields are called in questions. */
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
  ecn: "the packet's ECN field",
  mss: "the MSS that the packet announces",
  spi: "the packet's SPI",
  user: "the user of the process that sends the packet",
  group: "the group of the process that sends the packet",
  cpu: "the processor that handles the packet",
  realm: "the realm of the packet's route",
  inGroup: "the device group of the interface that the packet comes in by",
  outGroup: "the device group of the interface that the packet leaves by",
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

type HiddenField = "length" | "dscp" | "ecn" | "mss" | "spi" | "user" | "group" | "cpu" | "ttl";

/** Fields that a question may leave open, and all values that they can have. */
const NUMBERS: Readonly<Partial<Record<NumberField, { readonly whole: Range }>>> = {
  length: { whole: { from: 20, to: 65535 } },
  dscp: { whole: { from: 0, to: 63 } },
  ecn: { whole: { from: 0, to: 3 } },
  mss: { whole: { from: 0, to: 65535 } },
  spi: { whole: { from: 0, to: 0xffffffff } },
  user: { whole: { from: 0, to: 0xfffffffe } },
  group: { whole: { from: 0, to: 0xfffffffe } },
  cpu: { whole: { from: 0, to: 0xffffffff } },
};

/** Bytes of the IP header and the one behind it. */
export function shortest({ family, protocol }: LivePacket): number {
  const header = family === "ipv4" ? 20 : 40;
  const behind: Readonly<Record<number, number>> = {
    [PROTOCOL.tcp]: 20,
    [PROTOCOL.udp]: 8,
    [PROTOCOL.sctp]: 12,
    [PROTOCOL.icmp]: 8,
    [PROTOCOL.ipv6Icmp]: 8,
  };
  return header + (behind[protocol] ?? 0);
}

/** A field that has its own ways to be narrowed: equal questions of one packet, and what follows from them. */
function openField(
  field: NumberField,
  known: Range,
  ranges: readonly Range[],
  packet: LivePacket,
  { which }: EvaluationContext,
): Answer {
  const whole = field === "length" ? { ...known, from: shortest(packet) } : known;
  const where = placeIn([whole], ranges);
  if (where !== "part") return where === "inside";
  const shown = printNumbers(ranges);
  const [is, isNot] = shown.includes("-") || shown.includes(",") ? ["in", "not in"] : ["", "not"];
  const words = (how: string) => `${FIELD_WORDS[field]} is ${how}${how === "" ? "" : " "}${shown}${which}`;
  return {
    kind: "number",
    field: `${field}${which}`,
    whole,
    ranges,
    key: words(is),
    words: words(is),
    wordsNot: words(isNot),
  };
}

function printNumbers(ranges: readonly Range[]): string {
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(", ");
}

/** An open field: one that the question left out is narrowed, one that the kernel has drawn is only asked about. */
function openNumber(
  field: NumberField,
  ranges: readonly Range[],
  packet: LivePacket,
  place: RulePlace,
  context: EvaluationContext,
): Answer {
  const { which, notes } = context;
  const whole = NUMBERS[field]?.whole;
  if (whole !== undefined) {
    const isChanged = (field === "length" || field === "dscp" || field === "ecn") && packet[field] === null;
    if (!isChanged) return openField(field, whole, ranges, packet, context);
    const at = `at ${place.table}:${place.chain}${which}`;
    return question(`${FIELD_WORDS[field]} is in ${printNumbers(ranges)} ${at}`, [" is in ", " is not in "]);
  }
  const where = printRanges(ranges);
  const isPort = field === "sourcePort" || field === "destinationPort";
  if (which !== "" && (isPort || field === "source")) {
    const high = isPort ? placeIn([HIGH_PORTS], ranges) : "part";
    if (high !== "part") {
      notes.add("source ports that were not given are taken to be 1024 or higher");
      return high === "inside";
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
    case "inPort":
    case "outPort":
      return askPort(field, words, packet, context);
    case "sourceMac":
      return askMac(words, packet, context);
    case "frame":
      return askFrame(words, packet, context);
    case "sender":
      return words.includes(packet.sender);
    case "extraHeader":
      context.notes.add(PLAIN_NOTE[words.includes("ipsec") ? "ipsec" : "headers"]);
      return false;
    case "connectionState":
      return askState(words, packet, place);
    case "connectionStatus":
      return hasTemplate(packet, place) ? words.includes("CONFIRMED") : askStatus(words, packet);
    case "connectionDirection":
      if (hasTemplate(packet, place)) return words.includes("ORIGINAL");
      if (packet.flow !== undefined) return words.includes(packet.flow.direction);
      if (hasNoEntry(packet)) return false;
      return question(`the packet goes in the connection's direction ${words.join(" or ")}`);
    case "sourceType":
    case "destinationType":
      return askType(condition, packet, context);
  }
}

const PLAIN_NOTE = {
  ipsec: "no IPsec is taken to apply to the packet",
  headers: "the packet is taken to have no IPv6 extension headers",
} as const;

function askPort(
  field: "inPort" | "outPort",
  words: readonly string[],
  packet: LivePacket,
  { state: { network }, which }: EvaluationContext,
): Answer {
  const port = (field === "inPort" ? ingressPort : egressPort)(packet, network);
  if (port === null) return false;
  if (port !== undefined) return words.some((pattern) => patternTakes(pattern, port));
  const [pattern = ""] = words;
  const isBridged = field === "inPort" ? cameByPort(packet, network) : packet.bridged;
  if (pattern === "+" && isBridged) return true;
  const how = field === "inPort" ? "comes in by" : "is bridged and leaves by";
  const what =
    pattern === "+"
      ? "a port of a bridge"
      : pattern.endsWith("+")
        ? `a bridge port named ${pattern.slice(0, -1)}…`
        : `the bridge port ${pattern}`;
  return wordQuestion(
    field,
    pattern,
    `the packet ${how} ${what}`,
    `the packet does not ${how.replace("comes", "come").replace("is bridged and leaves", "stay on a bridge and leave")} ${what}`,
    which,
  );
}

/** About one word of a field; of one packet, the answers follow from each other. */
function wordQuestion(
  field: WordField,
  pattern: string,
  words: string,
  wordsNot: string,
  which: string,
): Atom {
  const texts = { key: `${words}${which}`, words: `${words}${which}`, wordsNot: `${wordsNot}${which}` };
  return which === "" ? { kind: "word", field, pattern, ...texts } : { kind: "question", ...texts };
}

function askMac(
  words: readonly string[],
  packet: LivePacket,
  { state: { network }, which }: EvaluationContext,
): Answer {
  const { sourceMac, inInterface } = packet;
  if (sourceMac === null) return false;
  if (sourceMac !== undefined) return words.some((pattern) => patternTakes(pattern, sourceMac));
  const ethernet = isEthernet(inInterface, network);
  const [pattern = ""] = words;
  if (ethernet === false) return false;
  // Nearly all that a node has are.
  if (pattern === "+") return true;
  return wordQuestion(
    "sourceMac",
    pattern,
    `the packet comes from the MAC address ${pattern}`,
    `the packet does not come from the MAC address ${pattern}`,
    which,
  );
}

/** To whom the frame was addressed, by the destination that the sender wrote. What leaves counts as unicast. */
function askFrame(words: readonly string[], packet: LivePacket, context: EvaluationContext): Answer {
  const { state, asked, fromNode, which } = context;
  if (fromNode || packet.inInterface === null || packet.inInterface === "lo")
    return words.includes("unicast");
  const type = addressType(asked, state.network);
  const mayBeBroadcast = type === undefined && typeof asked === "number" && (asked & 3) === 3;
  const ethernet = isEthernet(packet.inInterface, state.network);
  if ((type !== "BROADCAST" && type !== "MULTICAST" && !mayBeBroadcast) || ethernet === false)
    return words.includes("unicast");
  if (ethernet && type !== undefined) return words.includes(type.toLowerCase());
  const [word = ""] = words;
  if (word === "otherhost") return false;
  return wordQuestion(
    "frame",
    word,
    `the frame was addressed as ${word}`,
    `the frame was not addressed as ${word}`,
    which,
  );
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
  if (place.table === "raw" && packet.inInterface !== "lo") {
    if (hasTemplate(packet, place)) return words.includes("NEW");
    return words.includes(packet.state === "UNTRACKED" ? "UNTRACKED" : "INVALID");
  }
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

/** Types that IPv6 sees by the address itself. */
const BY_ADDRESS: readonly string[] = ["UNICAST", "MULTICAST", "UNSPEC"];

/** Whether the type of an IPv4 address hangs on the interface that it is asked of: it is one of the node's networks. */
function isOfInterface(address: Address, network: Network | undefined): boolean {
  const type = addressType(address, network);
  return type === "LOCAL" || (type === "BROADCAST" && address !== 0 && address !== 0xffffffff);
}

/** Asked of one interface, IPv4 addresses that are local to others, and their broadcast addresses, are UNICAST. */
function askTypeOn(
  address: number,
  name: string | undefined,
  { words }: Extract<Condition, { kind: "oneOf" }>,
  { state: { network } }: EvaluationContext,
): Answer {
  const type = addressType(address, network);
  if (type !== undefined && !isOfInterface(address, network)) return words.includes(type);
  const on = name === undefined ? undefined : localDevice(address, network);
  const [here, elsewhere] = [words.includes(type ?? "LOCAL"), words.includes("UNICAST")];
  if (on !== undefined) return on === name ? here : elsewhere;
  if (here === elsewhere) return here;
  const atom = question(`${printAddress(address)} is an address of the interface`, [
    " is an ",
    " is not an ",
  ]);
  return here ? atom : { kind: "not", of: atom };
}

function askType(
  condition: Extract<Condition, { kind: "oneOf" }>,
  packet: LivePacket,
  context: EvaluationContext,
): Answer {
  const { field, words, onInterface } = condition;
  const { network } = context.state;
  const isSource = field === "sourceType";
  const address = isSource ? packet.source : packet.destination;
  if (address === undefined || address === null) {
    // Packets from outside with one of the node's addresses are dropped by routing, so theirs is some other address;
    // what MASQUERADE puts in is the node's.
    return words.includes(context.fromNode || address === null ? "LOCAL" : "UNICAST");
  }
  if (typeof address === "bigint" && words.some((word) => BY_ADDRESS.includes(word))) {
    // Of what the address alone tells IPv6 wants everything; one of the others is enough.
    const kind = isMulticast(address) ? "MULTICAST" : address === 0n ? "UNSPEC" : "UNICAST";
    if (words.some((word) => BY_ADDRESS.includes(word) && word !== kind)) return false;
    const others = words.filter((word) => !BY_ADDRESS.includes(word));
    return others.length === 0 || askType({ ...condition, words: others }, packet, context);
  }
  if (onInterface !== undefined && (words.includes("LOCAL") || isOfInterface(address, network))) {
    const name = onInterface === "in" ? packet.inInterface : packet.outInterface;
    if (name === null) return false;
    if (typeof address === "number") return askTypeOn(address, name, condition, context);
    const own = name === undefined ? undefined : isOnInterface(address, name, network);
    return (
      own ?? question(`${printAddress(address)} is an address of the interface`, [" is an ", " is not an "])
    );
  }
  if (typeof address === "bigint") {
    const fits = fitsTypes(address, words, network);
    if (fits !== "open" || !words.includes("LOCAL") || isSource) return fits === true;
    return localQuestion(address);
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
