/** Ends of the way as landings: where the packet is, and what its sender notices. */
import type { Address } from "../../grammar/address.js";
import type { Hook } from "../../grammar/meaning.js";
import { PROTOCOL } from "../../grammar/protocols.js";
import type { End } from "./cases.js";
import type { EvaluationContext } from "./context.js";
import type { Landing, Verdict } from "./outcome.js";
import { addressType, leavingPort, sourceFor } from "./route.js";
import type { World } from "./world.js";

/** `forward`, `local` or `queue`. */
export function landed(verdict: Verdict, world: World, context: EvaluationContext): End {
  return end(verdict, world, context, {});
}

export function dropped(world: World, context: EvaluationContext, hook?: Hook): End {
  // A process learns of a drop only where its packet was dropped on the way out.
  const sees =
    context.fromNode && hook === "OUTPUT"
      ? world.packet.protocol === PROTOCOL.tcp
        ? "timeout"
        : "EPERM"
      : "timeout";
  return end("drop", world, context, context.fromNode ? { processSees: sees } : {});
}

/** The sending process gets an errno. */
export function failed(world: World, errno: string, context: EvaluationContext): End {
  return end("error", world, context, { with: errno, processSees: errno });
}

export function rejected(world: World, answer: string, context: EvaluationContext): End {
  const { packet } = world;
  const reset = answer === "tcp-reset";
  const answered =
    // A reset is never answered by a reset, and nothing that went to a group or to all is answered at all.
    !(reset && ((packet.tcpFlags ?? 0) & 4) !== 0) && !isForMany(context.asked, context);
  return end("reject", world, context, {
    with: answer,
    from: reset ? context.asked : answerFrom(world, context),
    answered: answered ? null : false,
    ...(context.fromNode ? { processSees: REJECT_ERRNO[answer] ?? "ECONNREFUSED" } : {}),
  });
}

/** What a process of the node gets for an answer to its own packet. */
const REJECT_ERRNO: Readonly<Record<string, string>> = {
  "icmp-net-unreachable": "ENETUNREACH",
  "icmp-host-unreachable": "EHOSTUNREACH",
  "icmp-proto-unreachable": "ENOPROTOOPT",
  "icmp-net-prohibited": "ENETUNREACH",
  "icmp-host-prohibited": "EHOSTUNREACH",
  "icmp-admin-prohibited": "EHOSTUNREACH",
  "icmp6-adm-prohibited": "EACCES",
};

/** Routing itself refuses: no route, or a route of type unreachable, prohibit, blackhole. */
export function refusedByRoute(world: World, type: string, context: EvaluationContext): End {
  if (type === "blackhole") return dropped(world, context);
  const answers: Readonly<Record<string, string>> =
    world.packet.family === "ipv4"
      ? { unreachable: "icmp-host-unreachable", prohibit: "icmp-admin-prohibited" }
      : { unreachable: "icmp6-addr-unreachable", prohibit: "icmp6-adm-prohibited" };
  const without = world.packet.family === "ipv4" ? "icmp-net-unreachable" : "icmp6-no-route";
  return rejected(world, answers[type] ?? without, context);
}

/**
 * Who sends an ICMP error: the address that was asked for, where the connection was translated (the error is translated
 * back) or the address is the node's; else the address that the node would use to talk to the sender.
 */
function answerFrom({ packet }: World, context: EvaluationContext): Address | null {
  const { network } = context.state;
  if (packet.destinationTranslated) return context.asked;
  if (addressType(packet.destination, network) === "LOCAL") return packet.destination;
  if (context.fromNode) return packet.source ?? null;
  return packet.source === undefined || packet.source === null
    ? null
    : (sourceFor(packet.source, network) ?? null);
}

function isForMany(address: Address, context: EvaluationContext): boolean {
  const type = addressType(address, context.state.network);
  return type === "BROADCAST" || type === "MULTICAST";
}

function end(verdict: Verdict, world: World, context: EvaluationContext, more: Partial<Landing>): End {
  const { packet, share, lastStep, assumed } = world;
  const landing: Landing = {
    verdict,
    in: context.fromNode ? null : (packet.inInterface ?? null),
    out:
      verdict === "forward" && packet.outInterface
        ? leavingPort(packet.outInterface, packet.destination, context.state.network)
        : null,
    src: packet.source ?? null,
    sport: packet.sourcePort ?? null,
    dst: packet.destination,
    dport: packet.destinationPort ?? null,
    with: null,
    from: null,
    answered: null,
    processSees: null,
    masqueraded: packet.sourceTranslated,
    share,
    lastStep,
    ...more,
  };
  return { landing, assumed };
}
