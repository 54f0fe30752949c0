/**
 * A condition asked of a world: the worlds in which it holds, and those in which it does not. A draw splits the share; a
 * question that nothing answers splits the world in two, each with its assumption.
 */
import { type Address, maskAddress, printAddress } from "../../grammar/address.js";
import type { Condition, NumberField, Range, WordField } from "../../grammar/meaning.js";
import { PORT_PROTOCOLS } from "../../grammar/protocols.js";
import { printRanges } from "./cases.js";
import type { EvaluationContext, RulePlace } from "./context.js";
import { answerOf, factsOf } from "./facts.js";
import { contains } from "./ranges.js";
import { addressType, isOnInterface } from "./route.js";
import { times } from "./share.js";
import { type Atom, type LivePacket, patternTakes, type World } from "./world.js";

export interface Tested {
  readonly world: World;
  readonly holds: boolean;
}

const DRAWS = 2 ** 31;

/** Asks `condition` of `world`. The shares of the answers add up to the world's share, for each set of assumptions. */
export function test(
  condition: Condition,
  world: World,
  place: RulePlace,
  context: EvaluationContext,
): readonly Tested[] {
  switch (condition.kind) {
    case "always":
      return [{ world, holds: true }];
    case "not":
      return test(condition.of, world, place, context).map((one) => ({
        world: one.world,
        holds: !one.holds,
      }));
    case "all":
      return fold(condition.of, true, world, place, context);
    case "any":
      return fold(condition.of, false, world, place, context);
    case "chance":
      return draw(condition.threshold, world);
    default: {
      const answer = ask(condition, world, place, context);
      return typeof answer === "boolean" ? [{ world, holds: answer }] : assume(answer, world, context);
    }
  }
}

/** Conditions one after another, until one answers differently from `goOn`. */
function fold(
  conditions: readonly Condition[],
  goOn: boolean,
  world: World,
  place: RulePlace,
  context: EvaluationContext,
): readonly Tested[] {
  let open: readonly World[] = [world];
  const done: Tested[] = [];
  for (const condition of conditions) {
    const next: World[] = [];
    for (const one of open) {
      for (const tested of test(condition, one, place, context)) {
        if (tested.holds === goOn) next.push(tested.world);
        else done.push(tested);
      }
    }
    open = next;
  }
  return [...open.map((one) => ({ world: one, holds: goOn })), ...done];
}

function draw(threshold: number, world: World): readonly Tested[] {
  if (threshold === 0) return [{ world, holds: false }];
  if (threshold === DRAWS) return [{ world, holds: true }];
  return [
    { world: { ...world, share: times(world.share, threshold) }, holds: true },
    { world: { ...world, share: times(world.share, DRAWS - threshold) }, holds: false },
  ];
}

/** The answer that the world's assumptions give, else both. */
function assume(atom: Atom, world: World, context: EvaluationContext): readonly Tested[] {
  const known = answerOf(atom, factsOf(world.assumed, context.facts));
  if (known !== undefined) return [{ world, holds: known }];
  return [true, false].map((holds) => ({
    world: { ...world, assumed: { previous: world.assumed, atom, holds } },
    holds,
  }));
}

type Simple = Exclude<Condition, { kind: "always" | "not" | "all" | "any" | "chance" }>;

function ask(
  condition: Simple,
  { packet }: World,
  place: RulePlace,
  context: EvaluationContext,
): boolean | Atom {
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
      return askWord(condition, packet, context);
    case "member":
      return question(`the packet's ${condition.directions.join(" and ")} is in set ${condition.set}`);
    case "remembered": {
      const known = packet.remembered.get(`${condition.list} ${condition.side}`);
      if (known !== undefined) return known;
      if (context.fresh) return false;
      const who = condition.side === "source" ? "the client" : "the destination";
      const often = condition.hits === undefined ? "" : ` at least ${condition.hits} times`;
      const lately = condition.seconds === undefined ? "" : ` in the last ${condition.seconds} s`;
      return question(`${who} was seen${often} by list ${condition.list}${lately}`, [
        " was seen",
        " was not seen",
      ]);
    }
    case "unmodelled": {
      const own = condition.perRule ? ` (rule ${place.table}:${place.chain}:${place.number})` : "";
      return question(`${condition.question}${own}`);
    }
  }
}

function question(words: string, negation?: readonly [string, string]): Atom {
  const wordsNot = negation === undefined ? `it is not so that ${words}` : words.replace(...negation);
  return { kind: "question", key: words, words, wordsNot };
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
  const where =
    field === "source"
      ? printRanges(ranges)
      : ranges.map(({ from, to }) => (from === to ? from : `${from}-${to}`)).join(", ");
  const words = `${FIELD_WORDS[field]} is in ${where}`;
  const narrowed = (field === "source" || field === "sourcePort") && packet[field] === undefined;
  if (!narrowed) return question(words, [" is in ", " is not in "]);
  return { kind: "range", field, ranges, words, wordsNot: `${FIELD_WORDS[field]} is not in ${where}` };
}

function askWord(
  { field, words, onInterface }: Extract<Condition, { kind: "oneOf" }>,
  packet: LivePacket,
  context: EvaluationContext,
): boolean | Atom {
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
        words: `the packet ${how} ${which}`,
        wordsNot: `the packet ${how} another interface than ${which}`,
      };
    }
    case "connectionState":
      return (
        words.includes(packet.state) ||
        (packet.destinationTranslated && words.includes("DNAT")) ||
        (packet.sourceTranslated && words.includes("SNAT"))
      );
    case "connectionStatus":
      // An entry that is being made has none of the bits that can be asked for, and not none of all bits either.
      if (packet.state === "NEW" || packet.state === "INVALID" || packet.state === "UNTRACKED") return false;
      return question(`the connection's status has ${words.join(" or ")}`);
    case "connectionDirection":
      if (packet.state === "NEW") return words.includes("ORIGINAL");
      if (packet.state === "INVALID" || packet.state === "UNTRACKED") return false;
      return question(`the packet goes in the connection's direction ${words.join(" or ")}`);
    case "sourceType":
    case "destinationType":
      return askType(field, words, onInterface, packet, context);
  }
}

function askType(
  field: WordField,
  words: readonly string[],
  onInterface: "in" | "out" | undefined,
  packet: LivePacket,
  context: EvaluationContext,
): boolean | Atom {
  const address = field === "sourceType" ? packet.source : packet.destination;
  const { network } = context.state;
  if (field === "sourceType" && (address === undefined || address === null)) {
    // Packets from outside with one of the node's addresses are dropped by routing, so theirs is some other address.
    return context.fromNode ? words.includes("LOCAL") : words.includes("UNICAST");
  }
  if (address === undefined || address === null) return false;
  const interfaceName =
    onInterface === "in" ? packet.inInterface : onInterface === "out" ? packet.outInterface : null;
  if (onInterface !== undefined && words.includes("LOCAL")) {
    if (interfaceName === null) return false;
    const own = interfaceName === undefined ? undefined : isOnInterface(address, interfaceName, network);
    return (
      own ?? question(`${printAddress(address)} is an address of the interface`, [" is an ", " is not an "])
    );
  }
  const type = addressType(address, network);
  if (type !== undefined) return words.includes(type);
  // Only LOCAL and BROADCAST hang on the node; and where a packet came from outside, its source is not the node.
  if (field === "sourceType" && !context.fromNode) return words.includes("UNICAST");
  if (!words.includes("LOCAL") && !words.includes("UNICAST") && !words.includes("BROADCAST")) return false;
  if (words.includes("LOCAL") && words.includes("UNICAST")) return true;
  return localQuestion(address, words.includes("LOCAL"));
}

/** Whether an address is the node's, or (`local` false) whether it is not. */
export function localQuestion(address: Address, local: boolean): Atom {
  const text = printAddress(address);
  const [is, isNot] = [`${text} is an address of the node`, `${text} is not an address of the node`];
  return local
    ? { kind: "question", key: is, words: is, wordsNot: isNot }
    : { kind: "question", key: isNot, words: isNot, wordsNot: is };
}
