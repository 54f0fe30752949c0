/**
 * Answers of REJECT and of routing: packets of their own, which pass the rules of OUTPUT and may be dropped there. Then
 * the sender hears nothing. Measured on Linux: what REJECT sends, RST or ICMP, has the state RELATED;
 * about an INVALID packet, which has no connection, it is looked up like any other packet.
 */
import { PROTOCOL } from "../../grammar/protocols.js";
import { rulesOf } from "../state/rules.js";
import type { EvaluationContext } from "./context.js";
import { headersOfAnswer } from "./headers.js";
import { fromNode } from "./hooks.js";
import { errorSource, silence } from "./landings.js";
import { lookUp, type Memory } from "./memory.js";
import { connectionOf, tupleOf } from "./tracking.js";
import type { End, LivePacket } from "./world.js";

/** The end with `answered` told, split where rules say so for a part of the answers. */
export function followAnswer(refused: End, context: EvaluationContext): readonly End[] {
  const { toAnswer: world, landing } = refused;
  if (world === undefined) return [refused];
  const answer = answerPacket(world.packet, landing.with ?? "", world.memory, context);
  if (answer === undefined) {
    return [{ ...refused, landing: { ...landing, answered: meetsNoRules(context) ? true : null } }];
  }
  const sender = world.packet.source ?? context.asked;
  const sent = fromNode(
    { ...world, packet: answer },
    { ...context, fromNode: true, asked: sender, takenAsOthers: new Set() },
  );
  return sent.map((end) => {
    const answered = end.landing.verdict === "forward" || end.landing.verdict === "local";
    // A `send` that has failed at once has failed, with or without an answer.
    const lost = !answered && context.fromNode && landing.processSees !== "EPERM";
    const heard = lost ? { processSees: silence(world, undefined) } : {};
    const { assumed, memory } = end;
    return {
      landing: { ...landing, ...heard, answered, share: end.landing.share },
      packet: refused.packet,
      memory,
      assumed,
    };
  });
}

const RST = 4;
const ACK = 16;

/** The answer as the rules of OUTPUT see it: not yet translated back; undefined: its ends are not known. */
function answerPacket(
  packet: LivePacket,
  how: string,
  memory: Memory,
  context: EvaluationContext,
): LivePacket | undefined {
  const { family, source: sender } = packet;
  if (sender === undefined || sender === null) return undefined;
  const related = packet.state === "INVALID" || packet.state === "UNTRACKED" ? packet.state : "RELATED";
  const common = {
    ...packet,
    destination: sender,
    inInterface: null,
    frameTo: undefined,
    turnedTo: undefined,
    nextHop: undefined,
    hasSocket: false,
    bridged: false,
    mark: 0,
    connmark: packet.flow === undefined ? 0 : packet.connmark,
    ...headersOfAnswer(packet, how === "tcp-reset"),
    zone: undefined,
    state: related,
    flow: flowBack(packet),
    handled: undefined,
  } as const;
  if (how === "tcp-reset") {
    const asksSource = packet.flow?.isNew && common.flow !== undefined;
    const reset = {
      ...common,
      ...(asksSource ? { flow: { ...common.flow, asksSource } } : {}),
      source: packet.destination,
      sourcePort: packet.destinationPort,
      destinationPort: packet.sourcePort,
      // A reset that answers an ACK takes its number from there and carries none itself.
      tcpFlags: ((packet.tcpFlags ?? 0) & ACK) === 0 ? RST | ACK : RST,
    };
    if (packet.state !== "INVALID") return reset;
    const tracked = { ...reset, unknown: turnedRound(packet.unknown), state: undefined };
    return fitsConnection(tracked, memory) ? tracked : reset;
  }
  return {
    ...common,
    protocol: family === "ipv4" ? PROTOCOL.icmp : PROTOCOL.ipv6Icmp,
    source: errorSource(packet, context) ?? null,
    sourcePort: null,
    destinationPort: null,
    tcpFlags: undefined,
    icmpType: TIME_EXCEEDED[how] ?? (family === "ipv4" ? 3 : 1),
    icmpCode: ICMP_CODES[how] ?? 0,
    quoted: { protocol: packet.protocol, tuple: tupleOf(packet) },
    // About an INVALID packet, which bears no connection, it is looked up by what it quotes.
    state: packet.state === "INVALID" ? undefined : related,
  };
}

/**
 * Whether a reset about an INVALID packet, which bears no connection, is found to belong to one. A number from an ACK fits;
 * without, it is 0, which fits only as the first answer.
 */
function fitsConnection(reset: LivePacket, memory: Memory): boolean {
  const found = lookUp(memory, reset.family, reset.protocol, tupleOf(reset));
  if (found === undefined) return false;
  return reset.tcpFlags === RST || (found.direction === "REPLY" && !found.connection.seenReply);
}

function turnedRound(unknown: LivePacket["unknown"]): LivePacket["unknown"] {
  const { source, sourcePort, destination, destinationPort } = unknown;
  return {
    source: destination,
    sourcePort: destinationPort,
    destination: source,
    destinationPort: sourcePort,
  };
}

/** The kernel attaches to its answer the connection of what it answers, so that it is translated back. */
function flowBack(packet: LivePacket): LivePacket["flow"] {
  const connection = connectionOf(packet);
  if (connection === undefined) return undefined;
  return { connection, direction: packet.flow?.direction === "REPLY" ? "ORIGINAL" : "REPLY", isNew: false };
}

/** The types of errors that tell of no unreachable. */
const TIME_EXCEEDED: Readonly<Record<string, number>> = {
  "icmp-ttl-exceeded": 11,
  "icmp6-hop-limit-exceeded": 3,
};

const ICMP_CODES: Readonly<Record<string, number>> = {
  "icmp-net-unreachable": 0,
  "icmp-host-unreachable": 1,
  "icmp-proto-unreachable": 2,
  "icmp-port-unreachable": 3,
  "icmp-net-prohibited": 9,
  "icmp-host-prohibited": 10,
  "icmp-admin-prohibited": 13,
  "icmp6-no-route": 0,
  "icmp6-adm-prohibited": 1,
  "icmp6-addr-unreachable": 3,
  "icmp6-port-unreachable": 4,
  "icmp6-policy-fail": 5,
  "icmp6-reject-route": 6,
};

/** Whether nothing on an answer's way could stop it, whoever it is for. */
function meetsNoRules({ ruleset, otherRuleset }: EvaluationContext): boolean {
  const tables = [ruleset, otherRuleset].flatMap((one) => [...(one?.tables.values() ?? [])]);
  return tables.every(({ chains }) => {
    const chain = chains.get("OUTPUT");
    return chain === undefined || (chain.policy !== "DROP" && rulesOf(chain).length === 0);
  });
}
