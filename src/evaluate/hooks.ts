/**
 * The packet's way through the hooks: PREROUTING or OUTPUT, routing, INPUT or FORWARD, POSTROUTING, each with its tables
 * in the kernel's order. nat is asked only by the first packet of a tracked connection.
 */
import type { Address } from "../../grammar/address.js";
import type { Hook } from "../../grammar/meaning.js";
import { localQuestion } from "./ask.js";
import type { EvaluationContext } from "./context.js";
import { assumedAnswer } from "./facts.js";
import { dropped, failed, landed, refusedByRoute, rejected } from "./landings.js";
import { isMartian } from "./martians.js";
import { mergeWorlds } from "./merge.js";
import { addressType, interfaceSetting, isLoopback, sourceFor, type Way, wayTo } from "./route.js";
import { tracksConnections } from "./tracking.js";
import { walkHook } from "./walk.js";
import type { End, LivePacket, World } from "./world.js";

/** All ends of a packet that came from outside. */
export function fromOutside(start: World, context: EvaluationContext): readonly End[] {
  const ends: End[] = [];
  for (const world of throughTables("PREROUTING", ["raw", "mangle", "nat"], start, context, ends)) {
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
  for (const world of throughTables("OUTPUT", ["raw", "mangle", "nat"], sent, context, ends)) {
    for (const one of rerouted(world, start.packet.destination, context, ends)) {
      for (const filtered of throughTables("OUTPUT", ["filter", "security"], one, context, ends)) {
        for (const out of throughTables("POSTROUTING", ["mangle", "nat"], filtered, context, ends)) {
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
function rerouted(world: World, asked: Address, context: EvaluationContext, ends: End[]): readonly World[] {
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
    if (network?.interfaces !== undefined) {
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
  for (const one of throughTables("PREROUTING", ["raw", "mangle"], arriving, context, ends)) {
    for (const two of throughTables("INPUT", ["mangle", "filter", "security"], one, context, ends)) {
      ends.push(landed("local", two, context));
    }
  }
  return ends;
}

function toNode(world: World, context: EvaluationContext): readonly End[] {
  const ends: End[] = [];
  const arriving = withPacket(world, { outInterface: null });
  for (const one of throughTables(
    "INPUT",
    ["mangle", "filter", "security", "nat"],
    arriving,
    context,
    ends,
  )) {
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
  for (const one of throughTables("FORWARD", ["mangle", "filter", "security"], routed, context, ends)) {
    for (const out of throughTables("POSTROUTING", ["mangle", "nat"], one, context, ends)) {
      ends.push(landed("forward", out, context));
    }
  }
  return ends;
}

/** The tables of a hook in turn; what does not get through is added to `ends`. */
function throughTables(
  hook: Hook,
  tables: readonly string[],
  start: World,
  context: EvaluationContext,
  ends: End[],
): readonly World[] {
  let live: readonly World[] = [start];
  for (const table of tables) {
    live = mergeWorlds(live);
    const next: World[] = [];
    for (const world of live) {
      if (table === "nat" && !asksNat(world.packet, context)) {
        next.push(world);
        continue;
      }
      for (const walked of walkHook(table, hook, world, context)) {
        if (walked.end === "pass") next.push(walked.world);
        else if (walked.end === "drop") ends.push(dropped(walked.world, context, hook));
        else if (walked.end === "queue") ends.push(landed("queue", walked.world, context));
        else if (walked.end === "reject") ends.push(rejected(walked.world, walked.with, context, hook));
      }
    }
    live = next;
  }
  return live;
}

/** nat is for the first packet of a connection, and only where connections are tracked. */
function asksNat(packet: LivePacket, context: EvaluationContext): boolean {
  if (packet.state !== "NEW" || context.ruleset === undefined) return false;
  if (tracksConnections(context.ruleset)) return true;
  if (context.ruleset.tables.has("nat")) {
    context.notes.add("no rule asks for connection tracking, so the kernel does not consult the nat table");
  }
  return false;
}

/** Whether routing gives the packet to the node itself; where nothing says so, it is taken not to. */
function isForNode(world: World, context: EvaluationContext): boolean {
  const { packet } = world;
  const type = addressType(packet.destination, context.state.network);
  // What a local process sends to a group or to all leaves the node.
  if (type !== undefined) return type === "LOCAL" || (type !== "UNICAST" && !context.fromNode);
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

function withPacket(world: World, packet: Partial<LivePacket>): World {
  return { ...world, packet: { ...world.packet, ...packet } };
}
