/** One packet on its way: what it is at the start, and all ends that it may come to. */
import { type Family, familyOf } from "../../grammar/address.js";
import type { Range } from "../../grammar/meaning.js";
import type { Packet } from "../../grammar/packet.js";
import { PORT_PROTOCOLS, PROTOCOL } from "../../grammar/protocols.js";
import type { Network } from "../state/network.js";
import type { NodeState } from "../state/nodestate.js";
import { addressType, knownInterfaces } from "./addresses.js";
import { followAnswer } from "./answers.js";
import { arrivingPort, seenInterface } from "./bridge.js";
import type { EvaluationContext } from "./context.js";
import { startingFacts } from "./facts.js";
import { headersOf } from "./headers.js";
import { fromNode, fromOutside } from "./hooks.js";
import { intersect, subtract } from "./ranges.js";
import { wayTo } from "./route.js";
import type { End, LivePacket, World } from "./world.js";

/** What is shared by all packets of one question. */
export interface Question {
  readonly notes: Set<string>;
  readonly takenAsOthers: Set<string>;
  readonly passedOver: Map<string, Set<string>>;
  readonly budget: { steps: number };
}

/** Rules visited, over all ways of one question, before the evaluation gives up. */
const STEPS_MAX = 5_000_000;

export function newQuestion(): Question {
  return {
    notes: new Set(),
    takenAsOthers: new Set(),
    passedOver: new Map(),
    budget: { steps: STEPS_MAX },
  };
}

/** What the answer takes for granted in every case, after all packets of a question. */
export function notesOf({ notes, passedOver, takenAsOthers }: Question): readonly string[] {
  const all = [...notes];
  for (const [question, places] of passedOver) {
    const [first] = places;
    const others = places.size > 1 ? ` and ${places.size - 1} more` : "";
    all.push(`${question} is not modelled: taken as if the packet went on (${first}${others})`);
  }
  if (takenAsOthers.size > 0) {
    const ends = [...takenAsOthers].join(" and ");
    all.push(
      `the node's addresses are not known: ${ends} ${takenAsOthers.size > 1 ? "are" : "is"} taken to be none of them`,
    );
  }
  return all;
}

/** Where a packet starts: made by a process of the node, or coming by an interface. */
export interface Departure {
  readonly packet: LivePacket;
  readonly fromNode: boolean;
  /** Of a packet whose source was left open, and said to lie in these. */
  readonly sources?: readonly Range[];
}

export function contextOf(
  { packet, fromNode, sources: asked }: Departure,
  state: NodeState,
  question: Question,
  which: string,
): EvaluationContext {
  const { network } = state;
  const possible = (fromNode ? ownSources : outsideSources)(packet.family, network);
  const sources =
    asked === undefined || possible === undefined ? (asked ?? possible) : intersect(possible, asked);
  return {
    state,
    ruleset: state.rulesets[packet.family],
    otherRuleset: state.otherRulesets?.[packet.family],
    which,
    fromNode,
    asked: packet.destination,
    askedPort: packet.sourcePort ?? packet.unknown.sourcePort,
    start: startingFacts(packet.family, sources),
    ...question,
  };
}

/** All ends of a packet. */
export function send(world: World, context: EvaluationContext): readonly End[] {
  const ends = (context.fromNode ? fromNode : fromOutside)(world, context);
  return ends.flatMap((end) => followAnswer(end, context));
}

/** A packet as it was asked about. `label` tells its unknown parts from those of other packets: ` of packet 3`. */
export function departure(packet: Packet, state: NodeState, question: Question, label: string): Departure {
  const { network } = state;
  const local = isFromNode(packet, network);
  if (!local && packet.source !== undefined && knownInterfaces(network, packet.family) === undefined)
    question.takenAsOthers.add("the source");
  if (packet.source === undefined && packet.in === undefined) {
    question.notes.add(
      packet.sources === undefined
        ? "no source was given: the packet is taken to come from outside the node (`from node` for its own)"
        : "the packet is taken to come from outside the node (`from node` for its own)",
    );
  }
  const { source, sources } = packet;
  return {
    packet: livePacket(packet, local, network, label),
    fromNode: local,
    ...(source === undefined && sources !== undefined ? { sources } : {}),
  };
}

/** A packet said to be `local`, or whose source is one of the node's addresses and that came by no interface. */
function isFromNode(packet: Packet, network: Network | undefined): boolean {
  if (packet.in !== undefined) return packet.in === "local";
  return packet.source !== undefined && addressType(packet.source, network) === "LOCAL";
}

/** Sources that packets from outside can have without being dropped by routing. */
function outsideSources(family: Family, network: Network | undefined): readonly Range[] {
  const own = ownSources(family, network) ?? [];
  return family === "ipv4"
    ? subtract([{ from: 1, to: 0xdfffffff }], [{ from: 0x7f000000, to: 0x7fffffff }, ...own])
    : subtract([{ from: 2n, to: (0xffn << 120n) - 1n }], own);
}

/** The node's own addresses, where they are known: the sources of its processes. */
function ownSources(family: Family, network: Network | undefined): readonly Range[] | undefined {
  const own = knownInterfaces(network, family)
    ?.flatMap(({ addresses }) => addresses.map(({ address }) => address))
    .filter((address) => familyOf(address) === family)
    .sort((left, right) => (left < right ? -1 : 1));
  return own?.length ? [...new Set(own)].map((address) => ({ from: address, to: address })) : undefined;
}

function livePacket(packet: Packet, local: boolean, network: Network | undefined, label: string): LivePacket {
  const hasPorts = PORT_PROTOCOLS.includes(packet.protocol);
  const isICMP = packet.protocol === PROTOCOL.icmp || packet.protocol === PROTOCOL.ipv6Icmp;
  const echo = packet.family === "ipv4" ? 8 : 128;
  return {
    family: packet.family,
    protocol: packet.protocol,
    source: packet.source,
    // An ICMP query has an identifier that is translated like a port.
    sourcePort: packet.sourcePort ?? (hasPorts ? undefined : null),
    destination: packet.destination,
    destinationPort: hasPorts ? packet.destinationPort : null,
    unknown: unknownParts(label),
    inInterface: local ? null : ingress(packet, network),
    outInterface: null,
    turnedTo: undefined,
    nextHop: undefined,
    frameTo: packet.l2,
    hasSocket: false,
    bridged: false,
    tcpFlags: packet.protocol === PROTOCOL.tcp ? (packet.tcpFlags ?? SYN) : undefined,
    icmpType: isICMP ? (packet.icmpType ?? echo) : undefined,
    icmpCode: isICMP ? (packet.icmpCode ?? 0) : undefined,
    mark: packet.mark ?? 0,
    connmark: 0,
    ...headersOf(packet, local),
    inPort: local ? null : arrivingPort(packet.in, packet.source, network),
    answers: false,
    zone: undefined,
    state: SAID[packet.state ?? "new"],
    flow: undefined,
    destinationTranslated: false,
    sourceTranslated: false,
    quoted: undefined,
    handled: undefined,
  };
}

const SYN = 2;

/** States that are said, and not found out by connection tracking. */
const SAID = { new: undefined, established: "ESTABLISHED", related: "RELATED" } as const;

export function unknownParts(label: string): LivePacket["unknown"] {
  return {
    source: `the source${label}`,
    sourcePort: `the source port${label}`,
    destination: `the destination${label}`,
    destinationPort: `the destination port${label}`,
  };
}

/** The interface that rules see: the one named, else the one that the way back to the source leaves by. */
function ingress(packet: Packet, network: Network | undefined): string | undefined {
  if (packet.in !== undefined) return seenInterface(packet.in, network);
  if (packet.source === undefined) return undefined;
  const back = wayTo(packet.source, network);
  return back.kind === "out" ? back.dev : undefined;
}
