/**
 * Packets one after another, with what the node remembers between them: connections and their translations, xt_recent
 * lists, counters of rules, and time. Each course is one way in which all of it may have gone.
 */
import type { Address } from "../../grammar/address.js";
import type { Packet } from "../../grammar/packet.js";
import { PORT_PROTOCOLS, PROTOCOL } from "../../grammar/protocols.js";
import type { NodeState } from "../state/nodestate.js";
import { arrivingPort, seenInterface } from "./bridge.js";
import { casesOf, landingKey, leftOutNote, type OutcomeKind, type PathEnd } from "./cases.js";
import { tableNotes } from "./evaluate.js";
import { startingFacts } from "./facts.js";
import { rememberedBy } from "./given.js";
import { headersOf } from "./headers.js";
import { withVirtualAddresses } from "./ipvs-hook.js";
import { type Memory, memoryKey, withoutConnections } from "./memory.js";
import type { EvaluateOptions } from "./options.js";
import type { Assumption, Landing, Share } from "./outcome.js";
import {
  contextOf,
  type Departure,
  departure,
  newQuestion,
  notesOf,
  type Question,
  send,
  unknownParts,
} from "./send.js";
import { CERTAIN, plus, product } from "./share.js";
import { tupleOf } from "./tracking.js";
import type { Assumed, End, LivePacket } from "./world.js";

/** Parts of a packet that a later one may have otherwise. */
export type Changes = Partial<
  Pick<
    Packet,
    | "tcpFlags"
    | "icmpType"
    | "icmpCode"
    | "mark"
    | "in"
    | "l2"
    | "ttl"
    | "length"
    | "tos"
    | "mac"
    | "user"
    | "group"
  >
>;

export type ConversationStep =
  /** The first packet of a connection, or any other that is written out. */
  | { readonly kind: "packet"; readonly packet: Packet }
  /** The packet of an earlier step (from 0) once more, with the same addresses and ports. */
  | { readonly kind: "again"; readonly step: number; readonly changes: Changes }
  /** The answer to the packet that was delivered last, from where it was delivered; TCP: SYN and ACK by default. */
  | { readonly kind: "reply"; readonly changes: Changes }
  /**
   * An ICMP error about the packet that was delivered last, from where it was delivered; default sender: its receiver. It
   * is itself no packet that a later step answers.
   */
  | { readonly kind: "icmp-error"; readonly type: number; readonly code: number; readonly from?: Address }
  | { readonly kind: "sleep"; readonly seconds: number }
  | { readonly kind: "flush"; readonly what: "conntrack" | "recent" }
  /** The node is now like this: rules were loaded, which starts their counters anew, or sets were changed. */
  | { readonly kind: "state"; readonly state: NodeState; readonly reloaded: boolean };

/** What became of a step; nothing for steps that send nothing. */
export type StepOutcome = Landing | null;

const NOTHING_TO_ANSWER: Landing = {
  verdict: "nothing to answer",
  in: null,
  out: null,
  src: null,
  sport: null,
  dst: null,
  dport: null,
  with: null,
  from: null,
  answered: null,
  processSees: null,
  sportKept: false,
  icmpType: null,
  icmpCode: null,
  quoted: null,
  connection: null,
  served: null,
  masqueraded: false,
  share: CERTAIN,
  lastStep: undefined,
};

export interface Course {
  readonly share: Share;
  /** One for each step. */
  readonly steps: readonly StepOutcome[];
}

export interface ConversationCase {
  readonly assuming: readonly Assumption[];
  /** No two have the same outcomes. */
  readonly courses: readonly Course[];
}

export interface Courses {
  readonly cases: readonly ConversationCase[];
  readonly notes: readonly string[];
}

/** Courses that are followed at a time. */
const COURSES_MAX = 20_000;

interface Open {
  readonly course: Course;
  readonly memory: Memory;
  readonly assumed: Assumed | undefined;
  /** The packet that was delivered last, ICMP errors of the conversation aside. */
  readonly delivered: Delivered | undefined;
  /** By step: what was sent. */
  readonly sent: readonly (Departure | undefined)[];
}

interface Delivered {
  readonly packet: LivePacket;
  /** The interface, or bridge port, that it left by; null: not known; `local`: a process of the node has it. */
  readonly at: string | null;
}

/**
 * How a conversation goes. Exact: the shares of the courses of each case add up to exactly 1. After each step courses that
 * differ in nothing are one.
 */
export function converse(
  start: NodeState,
  steps: readonly ConversationStep[],
  options: EvaluateOptions = {},
): Courses {
  const question = newQuestion();
  const family = steps.flatMap((step) => (step.kind === "packet" ? [step.packet.family] : []))[0] ?? "ipv4";
  for (const note of tableNotes(start, family)) question.notes.add(note);
  let state = withVirtualAddresses(start, question.notes);
  let open: readonly Open[] = [
    {
      course: { share: CERTAIN, steps: [] },
      memory: rememberedBy(state, options, question, true),
      assumed: undefined,
      delivered: undefined,
      sent: [],
    },
  ];
  for (const [index, step] of steps.entries()) {
    if (step.kind === "state") state = withVirtualAddresses(step.state, question.notes);
    open = merged(open.flatMap((one) => goOn(one, step, index, state, question)));
    if (open.length > COURSES_MAX || question.budget.steps < 0) {
      const notes = [...question.notes, `gave up at step ${index + 1}: there are too many ways it may go`];
      return { cases: [], notes };
    }
  }
  const ends = open.map(({ course, assumed }): PathEnd<Course> => ({ outcome: course, assumed }));
  const told = casesOf(ends, startingFacts(family, undefined), COURSES);
  const notes = notesOf(question);
  return {
    cases: told.cases.map(({ assuming, outcomes }) => ({ assuming, courses: outcomes })),
    notes: told.truncated ? [...notes, leftOutNote(told)] : notes,
  };
}

const COURSES: OutcomeKind<Course> = {
  key: ({ steps }) => steps.map(outcomeKey).join("\n"),
  withShare: (course, share) => ({ ...course, share }),
};

function outcomeKey(outcome: StepOutcome): string {
  return outcome === null ? "" : landingKey(outcome);
}

/** What may come of one step in one course. */
function goOn(
  open: Open,
  step: ConversationStep,
  index: number,
  state: NodeState,
  question: Question,
): readonly Open[] {
  const { memory, course, sent } = open;
  const silent = (outcome: StepOutcome, changed: Memory = memory): readonly Open[] => [
    {
      ...open,
      memory: changed,
      course: { ...course, steps: [...course.steps, outcome] },
      sent: [...sent, undefined],
    },
  ];
  switch (step.kind) {
    case "sleep":
      return silent(null, { ...memory, now: memory.now + step.seconds });
    case "flush":
      return silent(
        null,
        step.what === "conntrack"
          ? withoutConnections(memory)
          : { ...memory, lists: new Map(), knownLists: "all" },
      );
    case "state":
      return silent(null, step.reloaded ? { ...memory, counters: new Map(), countersFresh: true } : memory);
    default: {
      const start = departureOf(step, index, open, state, question);
      return start === undefined ? silent(NOTHING_TO_ANSWER) : sendStep(open, start, index, state, question);
    }
  }
}

function sendStep(
  open: Open,
  start: Departure,
  index: number,
  state: NodeState,
  question: Question,
): readonly Open[] {
  const { memory, assumed, course, delivered, sent } = open;
  const which = ` (packet ${index + 1})`;
  const context = contextOf(start, state, question, which);
  const world = { packet: start.packet, memory, share: CERTAIN, assumed, lastStep: undefined };
  return send(world, context).map((end): Open => {
    const { landing } = end;
    const arrived = landing.verdict === "forward" || landing.verdict === "local";
    return {
      course: {
        share: product(course.share, landing.share),
        steps: [...course.steps, landing],
      },
      memory: end.memory,
      assumed: end.assumed,
      delivered: arrived && start.packet.quoted === undefined ? deliveredBy(end) : delivered,
      sent: [...sent, start],
    };
  });
}

function deliveredBy({ landing, packet }: End): Delivered {
  return { packet, at: landing.verdict === "local" ? "local" : landing.out };
}

/** The packet that a step sends; undefined: there is none to answer. */
function departureOf(
  step: Exclude<ConversationStep, { kind: "sleep" | "flush" | "state" }>,
  index: number,
  { delivered, sent }: Open,
  state: NodeState,
  question: Question,
): Departure | undefined {
  const label = ` of packet ${index + 1}`;
  switch (step.kind) {
    case "packet":
      return departure(step.packet, state, question, label);
    case "again": {
      const before = sent[step.step];
      if (before === undefined) return undefined;
      return { ...before, packet: changed(before.packet, step.changes, state) };
    }
    case "reply":
      return delivered && changedDeparture(answerTo(delivered, state), step.changes, state);
    case "icmp-error":
      return delivered && errorAbout(delivered, step, state, label);
  }
}

function changed(packet: LivePacket, changes: Changes, state: NodeState): LivePacket {
  const { in: by, l2, ttl, length, tos, mac, user, group, ...headers } = changes;
  return {
    ...packet,
    ...headers,
    ...(l2 === undefined ? {} : { frameTo: l2 }),
    ...(ttl === undefined ? {} : { ttl, ttlTaken: false }),
    ...(length === undefined ? {} : { length }),
    ...(tos === undefined ? {} : { dscp: tos >> 2, ecn: tos & 3 }),
    ...(mac === undefined ? {} : { sourceMac: mac }),
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    ...(by === undefined || by === "local"
      ? {}
      : {
          inInterface: seenInterface(by, state.network),
          inPort: arrivingPort(by, packet.source ?? undefined, state.network),
        }),
  };
}

function changedDeparture({ packet, fromNode }: Departure, changes: Changes, state: NodeState): Departure {
  return {
    packet: changed(packet, changes, state),
    fromNode: changes.in === undefined ? fromNode : changes.in === "local",
  };
}

const SYN = 2;
const ACK = 16;
/** What answers a query of ICMP. */
const ICMP_ANSWERS: Readonly<Record<number, number>> = { 8: 0, 13: 14, 15: 16, 17: 18, 128: 129, 139: 140 };

/** From the receiver of a packet back to whom it came from, as the receiver sees it. */
function answerTo({ packet, at }: Delivered, state: NodeState): Departure {
  const { unknown } = packet;
  const hasPorts = PORT_PROTOCOLS.includes(packet.protocol);
  const answer = backTo(packet, at, state);
  return {
    fromNode: at === "local",
    packet: {
      ...answer,
      sourcePort: hasPorts ? packet.destinationPort : packet.sourcePort,
      destinationPort: hasPorts ? (packet.sourcePort ?? null) : null,
      unknown: {
        source: unknown.destination,
        sourcePort: hasPorts ? unknown.destinationPort : unknown.sourcePort,
        destination: unknown.source,
        destinationPort: unknown.sourcePort,
      },
      answers: true,
      tcpFlags: packet.protocol === PROTOCOL.tcp ? SYN | ACK : undefined,
      icmpType:
        packet.icmpType === undefined ? undefined : (ICMP_ANSWERS[packet.icmpType] ?? packet.icmpType),
    },
  };
}

function errorAbout(
  { packet, at }: Delivered,
  { type, code, from }: Extract<ConversationStep, { kind: "icmp-error" }>,
  state: NodeState,
  label: string,
): Departure {
  const answer = backTo(packet, at, state);
  return {
    fromNode: at === "local",
    packet: {
      ...answer,
      protocol: packet.family === "ipv4" ? PROTOCOL.icmp : PROTOCOL.ipv6Icmp,
      source: from ?? answer.source,
      sourcePort: null,
      destinationPort: null,
      unknown: {
        ...unknownParts(label),
        source: packet.unknown.destination,
        destination: packet.unknown.source,
      },
      tcpFlags: undefined,
      icmpType: type,
      icmpCode: code,
      quoted: { protocol: packet.protocol, tuple: tupleOf(packet) },
    },
  };
}

/** What any packet back has: the ends turned round, and nothing of what rules have done to the one before. */
function backTo(packet: LivePacket, at: string | null, { network }: NodeState): LivePacket {
  return {
    ...packet,
    source: packet.destination,
    destination: packet.source ?? null,
    inInterface: at === "local" ? null : at === null ? undefined : seenInterface(at, network),
    outInterface: null,
    turnedTo: undefined,
    nextHop: undefined,
    frameTo: undefined,
    hasSocket: false,
    bridged: false,
    mark: 0,
    connmark: 0,
    ...headersOf({}, at === "local"),
    inPort: at === "local" ? null : arrivingPort(at ?? undefined, packet.destination ?? undefined, network),
    answers: false,
    zone: undefined,
    state: undefined,
    flow: undefined,
    destinationTranslated: false,
    sourceTranslated: false,
    quoted: undefined,
    handled: undefined,
  };
}

/** Courses that have come to the same point in the same way are one. */
function merged(all: readonly Open[]): readonly Open[] {
  const known = new Map<string, Map<Assumed | undefined, Open>>();
  for (const one of all) {
    const at = one.delivered === undefined ? "" : `${one.delivered.at}`;
    const key = `${COURSES.key(one.course)}\n${at}\n${memoryKey(one.memory)}`;
    const same = known.get(key) ?? new Map<Assumed | undefined, Open>();
    const first = same.get(one.assumed);
    same.set(
      one.assumed,
      first === undefined
        ? one
        : { ...first, course: { ...first.course, share: plus(first.course.share, one.course.share) } },
    );
    known.set(key, same);
  }
  return [...known.values()].flatMap((same) => [...same.values()]);
}
