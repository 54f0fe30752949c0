/** Ends of the way as landings: where the packet is, and what its sender notices. */
import type { Address } from "../../grammar/address.js";
import type { Hook } from "../../grammar/meaning.js";
import { PROTOCOL } from "../../grammar/protocols.js";
import type { Network } from "../state/network.js";
import { addressType, isLoopback, isOwnAddress } from "./addresses.js";
import { leavingPort } from "./bridge.js";
import type { EvaluationContext } from "./context.js";
import { translations } from "./memory.js";
import type { Landing, Verdict } from "./outcome.js";
import { wayTo } from "./route.js";
import { sourceBy, sourceFor } from "./source.js";
import { connectionOf } from "./tracking.js";
import type { End, LivePacket, World } from "./world.js";

/** `forward`, `local` or `queue`. */
export function landed(verdict: Verdict, world: World, context: EvaluationContext): End {
  return end(verdict, world, context, {});
}

export function dropped(world: World, context: EvaluationContext, hook?: Hook): End {
  return end("drop", world, context, context.fromNode ? { processSees: silence(world, hook) } : {});
}

/** What the sending process notices of a packet that vanishes: a `send` fails where it happens on the way out. */
export function silence({ packet }: World, hook: Hook | undefined): string {
  const onTheWayOut = hook === "OUTPUT" || hook === "POSTROUTING";
  return onTheWayOut && packet.protocol !== PROTOCOL.tcp ? "EPERM" : "timeout";
}

/** The sending process gets an errno. */
export function failed(world: World, errno: string, context: EvaluationContext): End {
  return end("error", world, context, { with: errno, processSees: errno });
}

export function rejected(world: World, answer: string, context: EvaluationContext, hook?: Hook): End {
  const { packet } = world;
  const reset = answer === "tcp-reset";
  const isAnswer = reset ? ((packet.tcpFlags ?? 0) & RST) !== 0 : isErrorMessage(packet);
  const answered = !isAnswer && !isForMany(packet.destination, context);
  const sees = answered && !(hook === "OUTPUT" && packet.protocol !== PROTOCOL.tcp);
  const refused = end("reject", world, context, {
    with: answer,
    from: reset ? context.asked : answerFrom(world, context),
    answered: answered ? null : false,
    ...(context.fromNode
      ? { processSees: sees ? (ANSWER_ERRNO[answer] ?? "ECONNREFUSED") : silence(world, hook) }
      : {}),
  });
  return answered ? { ...refused, toAnswer: world } : refused;
}

const RST = 4;

/** ICMP errors are never answered by another. */
function isErrorMessage({ protocol, icmpType }: LivePacket): boolean {
  if (protocol === PROTOCOL.icmp) return [3, 4, 5, 11, 12].includes(icmpType ?? 8);
  return protocol === PROTOCOL.ipv6Icmp && (icmpType ?? 128) < 128;
}

/** What a process of the node gets for an answer to its own packet. */
const ANSWER_ERRNO: Readonly<Record<string, string>> = {
  "icmp-net-unreachable": "ENETUNREACH",
  "icmp-host-unreachable": "EHOSTUNREACH",
  "icmp-proto-unreachable": "ENOPROTOOPT",
  "icmp-net-prohibited": "ENETUNREACH",
  "icmp-host-prohibited": "EHOSTUNREACH",
  "icmp-admin-prohibited": "EHOSTUNREACH",
  "icmp6-no-route": "ENETUNREACH",
  "icmp6-adm-prohibited": "EACCES",
  "icmp6-addr-unreachable": "EHOSTUNREACH",
  "icmp6-policy-fail": "EACCES",
  "icmp6-reject-route": "EACCES",
};

/** Routing itself refuses: no route, or a route of type unreachable, prohibit, blackhole. */
export function refusedByRoute(world: World, type: string, context: EvaluationContext): End {
  if (type === "blackhole") return dropped(world, context);
  const answers: Readonly<Record<string, string>> =
    world.packet.family === "ipv4"
      ? { unreachable: "icmp-host-unreachable", prohibit: "icmp-admin-prohibited" }
      : { prohibit: "icmp6-adm-prohibited" };
  const without = world.packet.family === "ipv4" ? "icmp-net-unreachable" : "icmp6-no-route";
  return rejected(world, answers[type] ?? without, context);
}

/** Who sends an ICMP error, as its receiver sees it: that of a translated connection is translated back. */
function answerFrom({ packet }: World, context: EvaluationContext): Address | null {
  const connection = connectionOf(packet);
  if (connection !== undefined) {
    const isReply = packet.flow?.direction === "REPLY";
    const translated = translations(connection)[isReply ? "source" : "destination"];
    const author = isReply ? connection.reply.destination : connection.original.destination;
    if (translated) return typeof author === "string" ? null : author;
  }
  return errorSource(packet, context) ?? null;
}

/**
 * The source that the kernel writes into an ICMP error: the address that the packet was for, if it is the node's; else
 * the address that the node would use to talk to the sender, in IPv6 by the interface that the packet came by.
 */
export function errorSource(packet: LivePacket, context: EvaluationContext): Address | undefined {
  const { network } = context.state;
  if (isAuthor(packet.destination, network)) return packet.destination ?? undefined;
  const { source, inInterface } = packet;
  if (source === undefined || source === null) return undefined;
  const type = addressType(source, network);
  if (context.fromNode && (type === undefined || type === "LOCAL")) return source;
  const back = wayTo(source, network);
  const told = back.kind === "out" ? back.src : undefined;
  // IPv6 answers by an address of the interface that the packet came by, unless the route back names one.
  return typeof source === "bigint" && inInterface
    ? sourceBy({ kind: "out", dev: inInterface, via: undefined, src: told }, source, network)
    : sourceFor(source, network);
}

/** Whether errors about packets to an address come from there; of IPv6 prefixes that were made local they do not. */
function isAuthor(address: Address | null, network: Network | undefined): boolean {
  return (
    addressType(address, network) === "LOCAL" &&
    (typeof address !== "bigint" || isLoopback(address) || isOwnAddress(address, network))
  );
}

function isForMany(address: Address | null, context: EvaluationContext): boolean {
  const type = addressType(address, context.state.network);
  return type === "BROADCAST" || type === "MULTICAST";
}

function end(verdict: Verdict, world: World, context: EvaluationContext, more: Partial<Landing>): End {
  const { packet, memory, share, lastStep, assumed } = world;
  const landing: Landing = {
    verdict,
    in: context.fromNode ? null : (packet.inInterface ?? null),
    out:
      verdict === "forward" && packet.outInterface
        ? leavingPort(packet.outInterface, packet.nextHop ?? packet.destination, context.state.network)
        : null,
    src: packet.source ?? null,
    sport: packet.sourcePort ?? null,
    dst: packet.destination,
    dport: packet.destinationPort ?? null,
    with: null,
    from: null,
    answered: null,
    processSees: null,
    sportKept: (packet.sourcePort ?? packet.unknown.sourcePort) === context.askedPort,
    icmpType: packet.icmpType ?? null,
    icmpCode: packet.icmpCode ?? null,
    quoted: packet.quoted ?? null,
    connection: packet.flow?.isNew === false ? packet.flow.connection : null,
    served: packet.handled?.connection ?? null,
    masqueraded: packet.sourceTranslated && packet.flow?.direction !== "REPLY",
    share,
    lastStep,
    ...more,
  };
  return { landing, assumed, packet, memory };
}
