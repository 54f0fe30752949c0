/**
 * The packet's way through the hooks: PREROUTING or OUTPUT, routing, INPUT or FORWARD, POSTROUTING, each with its tables
 * in the kernel's order. The rules of nat are asked only by the first packet of a tracked connection; later ones are
 * translated as it was.
 */
import type { Address } from "../../grammar/address.js";
import type { Hook } from "../../grammar/meaning.js";
import { localQuestion } from "./ask.js";
import type { EvaluationContext } from "./context.js";
import { assumedAnswer } from "./facts.js";
import { dropped, failed, landed, refusedByRoute, rejected } from "./landings.js";
import { isMartian } from "./martians.js";
import { mergeWorlds } from "./merge.js";
import { chosen, translateKnown } from "./nat.js";
import {
  addressType,
  interfaceSetting,
  isLoopback,
  knownInterfaces,
  sourceFor,
  type Way,
  wayTo,
} from "./route.js";
import { confirm, isTaken, track, tracksConnections } from "./tracking.js";
import { type Walked, walkHook } from "./walk.js";
import { type End, type LivePacket, type World, withPacket } from "./world.js";

/** What a packet passes at a hook: tables, and connection tracking where it looks the packet up and where it enters it. */
type Stage = "raw" | "mangle" | "nat" | "filter" | "security" | "track" | "confirm";

const PREROUTING: readonly Stage[] = ["raw", "track", "mangle", "nat"];
const OUTPUT_BEFORE_ROUTING: readonly Stage[] = PREROUTING;
const OUTPUT_AFTER_ROUTING: readonly Stage[] = ["filter", "security"];
const INPUT: readonly Stage[] = ["mangle", "filter", "security", "nat", "confirm"];
const FORWARD: readonly Stage[] = ["mangle", "filter", "security"];
const POSTROUTING: readonly Stage[] = ["mangle", "nat", "confirm"];
/** Over `lo` a packet keeps its connection and its translation. */
const LOOPBACK_PREROUTING: readonly Stage[] = ["raw", "mangle"];
const LOOPBACK_INPUT: readonly Stage[] = ["mangle", "filter", "security"];

/** All ends of a packet that came from outside. */
export function fromOutside(start: World, context: EvaluationContext): readonly End[] {
  const ends: End[] = [];
  for (const world of throughStages("PREROUTING", PREROUTING, start, context, ends)) {
    const local = isForNode(world, context);
    if (isMartian(world.packet, local, context)) ends.push(dropped(world, context));
    else ends.push(...(local ? toNode : forward)(world, context));
  }
  return ends;
}

/** All ends of a packet that a process of the node, or its kernel, sends. */
export function fromNode(start: World, context: EvaluationContext): readonly End[] {
  const { network } = context.state;
  // The process needs a route to what it asked for, even if a rule then sends the packet elsewhere.
  const asked = wayOut(start, context);
  const unroutable = routeError(asked);
  if (unroutable !== undefined) return [failed(start, unroutable, context)];
  const { source = sourceFor(start.packet.destination, network) } = start.packet;
  const sent = withPacket(start, { source, outInterface: deviceOf(asked) });
  const ends: End[] = [];
  for (const world of throughStages("OUTPUT", OUTPUT_BEFORE_ROUTING, sent, context, ends)) {
    for (const one of rerouted(world, start.packet.destination, context, ends)) {
      for (const filtered of throughStages("OUTPUT", OUTPUT_AFTER_ROUTING, one, context, ends)) {
        for (const out of throughStages("POSTROUTING", POSTROUTING, filtered, context, ends)) {
          if (isForNode(out, context)) ends.push(...overLoopback(out, context));
          else ends.push(landed("forward", out, context));
        }
      }
    }
  }
  return ends;
}

/** What a process gets that sends where no route goes. */
function routeError(way: Way): string | undefined {
  if (way.kind === "none") return "ENETUNREACH";
  return way.kind === "refused" ? (ROUTE_ERRNO[way.type] ?? "ENETUNREACH") : undefined;
}

const ROUTE_ERRNO: Readonly<Record<string, string>> = {
  blackhole: "EINVAL",
  unreachable: "EHOSTUNREACH",
  prohibit: "EACCES",
};

/** After nat OUTPUT has changed the destination, the packet is routed again; its source stays. */
function rerouted(
  world: World,
  asked: Address | null,
  context: EvaluationContext,
  ends: End[],
): readonly World[] {
  const { packet } = world;
  const { network } = context.state;
  if (packet.destination === asked) return [world];
  const way = wayOut(world, context);
  const unroutable = routeError(way);
  if (unroutable !== undefined) {
    ends.push(failed(world, unroutable, context));
    return [];
  }
  const leavesLoopback =
    way.kind !== "local" && typeof packet.source === "number" && isLoopback(packet.source);
  if (leavesLoopback && interfaceSetting("route_localnet", deviceOf(way), network) === 0) {
    if (knownInterfaces(network, packet.family) !== undefined) {
      ends.push(failed(world, "EINVAL", context));
      return [];
    }
    context.notes.add("net.ipv4.conf.all.route_localnet is taken to be 1, as kube-proxy sets it");
  }
  return [withPacket(world, { outInterface: deviceOf(way) })];
}

/** A local process that talks to its own node: over `lo` and in again, but nat is not asked a second time. */
function overLoopback(world: World, context: EvaluationContext): readonly End[] {
  const ends: End[] = [];
  const arriving = withPacket(world, { inInterface: "lo", outInterface: null });
  for (const one of throughStages("PREROUTING", LOOPBACK_PREROUTING, arriving, context, ends)) {
    for (const two of throughStages("INPUT", LOOPBACK_INPUT, one, context, ends)) {
      ends.push(landed("local", two, context));
    }
  }
  return ends;
}

function toNode(world: World, context: EvaluationContext): readonly End[] {
  const ends: End[] = [];
  const arriving = withPacket(world, { outInterface: null });
  for (const one of throughStages("INPUT", INPUT, arriving, context, ends)) {
    ends.push(landed("local", one, context));
  }
  return ends;
}

function forward(world: World, context: EvaluationContext): readonly End[] {
  const way = wayOut(world, context);
  if (way.kind === "none") return [refusedByRoute(world, "no route", context)];
  if (way.kind === "refused") return [refusedByRoute(world, way.type, context)];
  const ends: End[] = [];
  const routed = withPacket(world, { outInterface: deviceOf(way) });
  for (const one of throughStages("FORWARD", FORWARD, routed, context, ends)) {
    for (const out of throughStages("POSTROUTING", POSTROUTING, one, context, ends)) {
      ends.push(landed("forward", out, context));
    }
  }
  return ends;
}

/** The stages of a hook in turn; what does not get through is added to `ends`. */
function throughStages(
  hook: Hook,
  stages: readonly Stage[],
  start: World,
  context: EvaluationContext,
  ends: End[],
): readonly World[] {
  let live: readonly World[] = [start];
  for (const stage of stages) {
    live = mergeWorlds(live);
    if (stage === "track") live = live.map((world) => track(world, context));
    else if (stage === "confirm") live = live.map((world) => confirm(world, context));
    else {
      live = live.flatMap((world) => {
        const walks =
          stage === "nat" ? throughNat(hook, world, context) : walkHook(stage, hook, world, context);
        return walks.flatMap((walked) => passed(walked, hook, context, ends));
      });
    }
  }
  return live;
}

/** The world of a walk that lets the packet pass; how others end is added to `ends`. */
function passed(walked: Walked, hook: Hook, context: EvaluationContext, ends: End[]): readonly World[] {
  const { world } = walked;
  switch (walked.end) {
    case "pass":
      return [world];
    case "drop":
      ends.push(dropped(world, context, hook));
      return [];
    case "queue":
      ends.push(landed("queue", world, context));
      return [];
    case "reject":
      ends.push(rejected(world, walked.with, context, hook));
      return [];
    case "return":
      return [];
  }
}

/** nat: its rules for the first packet of a connection, what they have decided for all others. */
function throughNat(hook: Hook, world: World, context: EvaluationContext): readonly Walked[] {
  const { flow } = world.packet;
  if (flow === undefined) {
    noteIdleNat(context);
    return [{ end: "pass", world }];
  }
  if (!flow.isNew) return [{ end: "pass", world: withPacket(world, translateKnown(world.packet, hook)) }];
  const walks = walkHook("nat", hook, world, context);
  const isLast = hook === "POSTROUTING" || hook === "INPUT";
  // Answers that already belong to another connection: the kernel takes another source port, with or without a rule.
  return isLast && context.ruleset?.tables.has("nat")
    ? walks.map((walked) =>
        isTaken(walked.world.packet, walked.world.memory)
          ? { ...walked, world: withPacket(walked.world, otherPort(walked.world.packet)) }
          : walked,
      )
    : walks;
}

function otherPort({ unknown }: LivePacket): Partial<LivePacket> {
  return {
    sourcePort: null,
    unknown: { ...unknown, sourcePort: chosen(unknown.sourcePort) },
    sourceTranslated: true,
  };
}

function noteIdleNat({ ruleset, notes }: EvaluationContext): void {
  if (ruleset?.tables.has("nat") && !tracksConnections(ruleset))
    notes.add("no rule asks for connection tracking, so the kernel does not consult the nat table");
}

/** Whether routing gives the packet to the node itself; where nothing says so, it is taken not to. */
function isForNode(world: World, context: EvaluationContext): boolean {
  const { packet } = world;
  const type = addressType(packet.destination, context.state.network);
  // What a local process sends to a group or to all leaves the node.
  if (type !== undefined) return type === "LOCAL" || (type !== "UNICAST" && !context.fromNode);
  if (packet.destination === null) return true;
  const known = assumedAnswer(localQuestion(packet.destination), world.assumed, context.start);
  if (known === undefined) {
    context.takenAsOthers.add(
      packet.destinationTranslated ? "what DNAT sends packets to" : "the destination",
    );
  }
  return known ?? false;
}

/** The way of a packet as it is now; `local` for the node's own addresses. */
function wayOut({ packet }: World, context: EvaluationContext): Way {
  const { network } = context.state;
  if (addressType(packet.destination, network) === "LOCAL") return { kind: "local" };
  return wayTo(packet.destination, network);
}

function deviceOf(way: Way): string | undefined {
  return way.kind === "out" ? way.dev : way.kind === "local" ? "lo" : undefined;
}
