/**
 * The packet's way through the hooks: PREROUTING or OUTPUT, routing, INPUT or FORWARD, POSTROUTING, each with its tables
 * in the kernel's order. nat is asked only by the first packet of a tracked connection.
 */
import type { Address } from "../../grammar/address.js";
import type { Hook } from "../../grammar/meaning.js";
import type { End } from "./cases.js";
import { localQuestion } from "./conditions.js";
import type { EvaluationContext } from "./context.js";
import { answerOf, factsOf } from "./facts.js";
import { dropped, failed, landed, refusedByRoute, rejected } from "./landings.js";
import { addressType, isLoopback, sourceFor, sysctl, type Way, wayTo } from "./route.js";
import { tracksConnections } from "./tracking.js";
import { walkHook } from "./walk.js";
import type { LivePacket, World } from "./world.js";

/** All ends of a packet that came from outside. */
export function fromOutside(start: World, context: EvaluationContext): readonly End[] {
  const ends: End[] = [];
  for (const world of throughTables("PREROUTING", ["raw", "mangle", "nat"], start, context, ends)) {
    for (const { world: one, local } of isForNode(world, context)) {
      const refused = martian(one.packet, local, context);
      if (refused) ends.push(dropped(one, context));
      else if (local) ends.push(...toNode(one, context));
      else ends.push(...forward(one, context));
    }
  }
  return ends;
}

/** All ends of a packet that a process of the node sends. */
export function fromNode(start: World, context: EvaluationContext): readonly End[] {
  const { network } = context.state;
  // The process needs a route to what it asked for, even if a rule then sends the packet elsewhere.
  const asked = wayOut(start.packet, context);
  if (asked.kind === "none") return [failed(start, "ENETUNREACH", context)];
  if (asked.kind === "refused") return [failed(start, ROUTE_ERRNO[asked.type] ?? "ENETUNREACH", context)];
  const source = start.packet.source ?? sourceFor(start.packet.destination, network);
  const sent = withPacket(start, { source, outInterface: deviceOf(asked) });
  const ends: End[] = [];
  for (const world of throughTables("OUTPUT", ["raw", "mangle", "nat"], sent, context, ends)) {
    for (const one of rerouted(world, start.packet.destination, context, ends)) {
      for (const filtered of throughTables("OUTPUT", ["filter", "security"], one, context, ends)) {
        for (const out of throughTables("POSTROUTING", ["mangle", "nat"], filtered, context, ends)) {
          if (wayOut(out.packet, context).kind === "local") ends.push(...overLoopback(out, context));
          else ends.push(landed("forward", out, context));
        }
      }
    }
  }
  return ends;
}

const ROUTE_ERRNO: Readonly<Record<string, string>> = {
  blackhole: "EINVAL",
  unreachable: "EHOSTUNREACH",
  prohibit: "EACCES",
};

/** After nat OUTPUT has changed the destination, the packet is routed again; its source stays. */
function rerouted(world: World, asked: Address, context: EvaluationContext, ends: End[]): readonly World[] {
  const { packet } = world;
  if (packet.destination === asked) return [world];
  const way = wayOut(packet, context);
  const loopbackLeaves =
    way.kind !== "local" && typeof packet.source === "number" && isLoopback(packet.source);
  if (loopbackLeaves && sysctl(context.state.network, "net.ipv4.conf.all.route_localnet") !== "1") {
    if (context.state.network?.interfaces !== undefined) {
      ends.push(failed(world, "EINVAL", context));
      return [];
    }
    context.notes.add("net.ipv4.conf.all.route_localnet is taken to be 1, as kube-proxy sets it");
  }
  if (way.kind === "none") {
    ends.push(failed(world, "ENETUNREACH", context));
    return [];
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
  const way = wayOut(world.packet, context);
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
        else if (walked.end === "reject") ends.push(rejected(walked.world, walked.with, context));
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

/** Whether routing gives the packet to the node itself; where nothing says so, both are kept or one is assumed. */
function isForNode(world: World, context: EvaluationContext): readonly { world: World; local: boolean }[] {
  const { packet } = world;
  const type = addressType(packet.destination, context.state.network);
  if (type !== undefined) return [{ world, local: type !== "UNICAST" }];
  const atom = localQuestion(packet.destination, true);
  const known = answerOf(atom, factsOf(world.assumed, context.facts));
  if (known !== undefined) return [{ world, local: known }];
  context.takenAsOthers.add(packet.destinationTranslated ? "what DNAT sends packets to" : "the destination");
  return [{ world, local: false }];
}

/** Packets that routing drops without a word, after nat PREROUTING. */
function martian(packet: LivePacket, local: boolean, context: EvaluationContext): boolean {
  const { network } = context.state;
  const { source, destination, inInterface } = packet;
  if (
    destination === 0 ||
    (typeof destination === "number" && destination >>> 28 === 15 && destination !== 0xffffffff)
  ) {
    return true;
  }
  if (source !== undefined && source !== null) {
    const type = addressType(source, network);
    if (
      isLoopback(source) ||
      type === "LOCAL" ||
      type === "MULTICAST" ||
      source === 0 ||
      source === 0xffffffff
    )
      return true;
    if (sysctl(network, "net.ipv4.conf.all.rp_filter") === "1" && inInterface) {
      const back = wayTo(source, network);
      if (back.kind === "none" || (back.kind === "out" && back.dev !== inInterface)) return true;
    }
  }
  if (local) {
    if (typeof destination === "number" && isLoopback(destination)) {
      return sysctl(network, "net.ipv4.conf.all.route_localnet") !== "1";
    }
    // Groups that the node has not joined are dropped; 224.0.0.1 and ff02::1 are joined by every node.
    const group = addressType(destination, network) === "MULTICAST";
    return group && destination !== 0xe0000001 && destination !== 0xff020000000000000000000000000001n;
  }
  const forwarding = packet.family === "ipv4" ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding";
  return sysctl(network, forwarding) === "0";
}

/** The way of a packet as it is now; `local` for the node's own addresses. */
function wayOut(packet: LivePacket, context: EvaluationContext): Way {
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
