/**
 * The packet's way through the hooks: PREROUTING or OUTPUT, routing, INPUT or FORWARD, POSTROUTING, each with its tables
 * in the kernel's order. The rules of nat are asked only by the first packet of a tracked connection; later ones are
 * translated as it was.
 */
import { ALL_ONES } from "../../grammar/address.js";
import { EGRESS } from "../../grammar/hooks.js";
import type { Hook } from "../../grammar/meaning.js";
import { PROTOCOL } from "../../grammar/protocols.js";
import { addressType, isLoopback, isMulticast, knownInterfaces } from "./addresses.js";
import { question } from "./ask.js";
import { assume } from "./assume.js";
import { walkSecurity, walkTable } from "./back-ends.js";
import { bridgeOf, callSetting, callsRules, isBridged, passesPort } from "./bridge.js";
import type { EvaluationContext } from "./context.js";
import { meetIpvs } from "./ipvs-hook.js";
import { dropped, failed, landed, refusedByRoute, rejected } from "./landings.js";
import { isBeyondScope, isMartian, isNeverReceived } from "./martians.js";
import { mergeWorlds } from "./merge.js";
import { chosen, translateKnown } from "./nat.js";
import type { Way } from "./route.js";
import { onWay, type RoutedWorld, waysOf } from "./routing.js";
import { sourceBy } from "./source.js";
import { interfaceSetting, isSettingOpen } from "./sysctls.js";
import { confirm, isOwnReverse, isTaken, isTracking, track } from "./tracking.js";
import type { Walked } from "./walk.js";
import { type Atom, type End, type LivePacket, type World, withPacket } from "./world.js";

/**
 * What a packet passes at a hook: tables (security has a place for each back end of iptables), IPVS, and connection tracking
 * where it looks the packet up and where it enters it.
 */
type Stage =
  | "raw"
  | "mangle"
  | "nat"
  | "filter"
  | "security of legacy"
  | "security of nft"
  | "track"
  | "ipvs"
  | "confirm";

const PREROUTING: readonly Stage[] = ["raw", "track", "mangle", "nat"];
const OUTPUT_BEFORE_MANGLE: readonly Stage[] = ["raw", "track"];
const OUTPUT_FILTER: readonly Stage[] = ["filter", "security of legacy", "security of nft"];
const OUTPUT_AFTER_ROUTING: readonly Stage[] = ["ipvs", ...OUTPUT_FILTER];
const INPUT: readonly Stage[] = [
  "mangle",
  "filter",
  "security of legacy",
  "ipvs",
  "nat",
  "security of nft",
  "confirm",
];
const FORWARD: readonly Stage[] = ["mangle", "filter", "security of legacy", "ipvs", "security of nft"];
const POSTROUTING: readonly Stage[] = ["mangle", "nat", "confirm"];
/** Over `lo` a packet keeps its connection and its translation. */
const LOOPBACK_PREROUTING: readonly Stage[] = ["raw", "mangle"];
const LOOPBACK_INPUT: readonly Stage[] = ["mangle", "filter", "security of legacy", "security of nft"];

/** Every table of a hook; what came before has entered the connection, which rules of these tables may ask for. */
const AT_HOOK: Readonly<Record<Hook, readonly Stage[]>> = {
  PREROUTING,
  INPUT: ["track", ...INPUT],
  FORWARD: ["track", ...FORWARD],
  OUTPUT: [...OUTPUT_BEFORE_MANGLE, "mangle", "nat", ...OUTPUT_AFTER_ROUTING],
  POSTROUTING: ["track", ...POSTROUTING],
};

/**
 * All ends of a packet that is at a hook, and meets the rules of that hook alone, in the kernel's order of tables. What
 * passes them all counts as delivered behind INPUT, else as forwarded. Virtual servers and answers of REJECT are left out:
 * those go by other hooks.
 */
export function atHook(hook: Hook, start: World, context: EvaluationContext): readonly End[] {
  const ends: End[] = [];
  const stages = AT_HOOK[hook].filter((stage) => stage !== "ipvs");
  for (const world of EGRESS.includes(hook) ? waysOf(start, context).map(onWay) : [start])
    for (const passing of throughStages(hook, stages, world, context, ends))
      ends.push(landed(hook === "INPUT" ? "local" : "forward", passing, context));
  return ends;
}

/** All ends of a packet that came from outside. */
export function fromOutside(start: World, context: EvaluationContext): readonly End[] {
  if (isNeverReceived(start.packet)) return [dropped(start, context)];
  const { network } = context.state;
  const bridged = isBridged(start.packet, network);
  if (bridged !== undefined) {
    noteBridging(bridged, start.packet, context);
    if (!callsRules(start.packet.family, network)) return passedByBridge(start, start, context, false);
  }
  const ends: End[] = [];
  for (const world of throughStages("PREROUTING", PREROUTING, start, context, ends)) {
    const isTurned = world.packet.destination !== start.packet.destination;
    if (bridged !== undefined && !isTurned) ends.push(...passedByBridge(world, start, context, true));
    else for (const one of waysIn(world, context)) ends.push(...routedIn(one, start, isTurned, context));
  }
  return ends;
}

/** The ways of a packet that has come in: groups are asked of the interface that it came by, and need no route. */
function waysIn(world: World, context: EvaluationContext): readonly RoutedWorld[] {
  const { destination } = world.packet;
  const isForNode =
    destination === null || isMulticast(destination) || destination === 0 || destination === ALL_ONES.ipv4;
  return isForNode
    ? [{ world, way: { kind: "local", dev: undefined, src: undefined } }]
    : waysOf(world, context);
}

function routedIn(
  { world, way }: RoutedWorld,
  start: World,
  isTurned: boolean,
  context: EvaluationContext,
): readonly End[] {
  if (isMartian(world.packet, way, context)) return [dropped(world, context)];
  if (way.kind === "local") return toNode(world, context);
  const routed = onWay({ world, way });
  const { packet } = routed;
  // What is on its way to a process of the node by TPROXY is not forwarded.
  if (packet.hasSocket) return [dropped(world, context)];
  if (way.kind === "none") return [refusedByRoute(world, "no route", context)];
  if (way.kind === "refused") return [refusedByRoute(world, way.type, context)];
  const isBack = way.kind === "out" && way.dev === packet.inInterface;
  // DNAT to a host behind the same bridge: the bridge passes the packet on, and does not hand it to routing.
  if (
    isTurned &&
    isBack &&
    bridgeOf(packet, context.state.network) &&
    callsRules(packet.family, context.state.network)
  )
    return passedByBridge(routed, start, context, true);
  if (way.kind === "out" && isBeyondScope(packet)) return [rejected(routed, "icmp-1-2", context)];
  return forward(routed, context);
}

/** A bridge passes a packet on to one of its ports, with or without asking rules. */
function passedByBridge(
  world: World,
  start: World,
  context: EvaluationContext,
  withRules: boolean,
): readonly End[] {
  const { network } = context.state;
  const { inInterface } = world.packet;
  const leaving = withPacket(world, { outInterface: inInterface, bridged: true });
  const passes = passesPort(leaving.packet, start.packet.source, network);
  const answers =
    passes === undefined
      ? assume(hairpinQuestion(leaving.packet, context), leaving, context)
      : [{ world: leaving, holds: passes }];
  return answers.flatMap(({ world: one, holds }) => {
    if (!holds) return [dropped(one, context)];
    return withRules ? throughForward(one, context) : [landed("forward", one, context)];
  });
}

function hairpinQuestion({ inPort, inInterface }: LivePacket, { which }: EvaluationContext): Atom {
  const port = inPort ? `bridge port ${inPort}` : `the port of ${inInterface} that the packet came by`;
  return question(`hairpin mode is on at ${port}${which}`, [" is on ", " is off "]);
}

function noteBridging(
  { hostsAreTaken }: { readonly hostsAreTaken: boolean },
  { family, inInterface }: LivePacket,
  { state: { network }, notes }: EvaluationContext,
): void {
  if (hostsAreTaken)
    notes.add(`hosts in the subnet of ${inInterface} are taken to be behind ports of this bridge`);
  if (!network?.sysctls.has(callSetting(family)))
    notes.add(`${callSetting(family)} is taken to be 1: rules see what a bridge passes from port to port`);
}

/** All ends of a packet that a process of the node, or its kernel, sends. */
export function fromNode(start: World, context: EvaluationContext): readonly End[] {
  const ends: End[] = [];
  for (const sent of sentBy(start, context, ends)) {
    for (const tracked of throughStages("OUTPUT", OUTPUT_BEFORE_MANGLE, sent, context, ends)) {
      for (const mangled of throughStages("OUTPUT", ["mangle"], tracked, context, ends)) {
        const isRemarked = isMarkChanged(tracked.packet, mangled.packet);
        for (const marked of isRemarked ? turnedAway(mangled, context, ends) : [mangled]) {
          for (const turned of throughStages("OUTPUT", ["nat"], marked, context, ends)) {
            const isTurned = turned.packet.destination !== marked.packet.destination;
            for (const one of isTurned ? turnedAway(turned, context, ends) : [turned])
              ends.push(...leaving(one, context));
          }
        }
      }
    }
  }
  return ends;
}

function isMarkChanged(before: LivePacket, after: LivePacket): boolean {
  return before.mark !== after.mark || before.markHidden !== after.markHidden;
}

/** A packet as it is sent, with its source and its first route: by what it asked for, even if a rule then turns it elsewhere. */
function sentBy(start: World, context: EvaluationContext, ends: End[]): readonly World[] {
  const { network } = context.state;
  const { source, destination, sender } = start.packet;
  // An ICMP error gets its source by the same lookup.
  const isBound = source !== undefined && source !== null && sender !== "kernel";
  if (isBound || destination === null) return routedAgain(start, context, ends);
  return waysOf(start, context, { source: null }).flatMap(({ world, way }) => {
    const chosen = withPacket(world, { source: source ?? sourceBy(way, destination, network) ?? source });
    if (hasStrangeSource(chosen.packet, context)) {
      ends.push(failed(world, "ENETUNREACH", context));
      return [];
    }
    if (asksAgain(chosen.packet, way)) return routedAgain(chosen, context, ends);
    const unroutable = routeError(way);
    if (unroutable === undefined) return [onWay({ world: chosen, way })];
    ends.push(failed(world, unroutable, context));
    return [];
  });
}

const CONNECTING: readonly number[] = [PROTOCOL.tcp, PROTOCOL.udp];

/** A route of another table makes an address local, but what a process sends from needs one of the table `local` (IPv4). */
function hasStrangeSource(packet: LivePacket, { state: { network } }: EvaluationContext): boolean {
  const { source, protocol, family, sender } = packet;
  if (source === undefined || source === null || sender === "kernel") return false;
  if (family !== "ipv4" || !CONNECTING.includes(protocol)) return false;
  return addressType(source, network) === "UNICAST";
}

/** With its source known, who connects over IPv4 asks for a route once more; IPv6 does when there was none. */
function asksAgain({ family, protocol, source, sender }: LivePacket, way: Way): boolean {
  if (source === undefined || source === null || sender === "kernel") return false;
  const isRefused = routeError(way) !== undefined;
  return family === "ipv4" ? CONNECTING.includes(protocol) && !isRefused : isRefused;
}

/**
 * Routed with the source that it has: after mangle OUTPUT has changed the mark, or nat OUTPUT the destination, it stays as it
 * was chosen.
 */
function routedAgain(world: World, context: EvaluationContext, ends: End[]): readonly World[] {
  return waysOf(world, context).flatMap((routed) => {
    const unroutable = routeError(routed.way) ?? (isConfined(routed, context) ? "EINVAL" : undefined);
    if (unroutable === undefined) return [onWay(routed)];
    ends.push(failed(routed.world, unroutable, context));
    return [];
  });
}

/** Routed again within OUTPUT, whose rules go on seeing the interface of the first route. Measured on Linux. */
function turnedAway(world: World, context: EvaluationContext, ends: End[]): readonly World[] {
  const { outInterface } = world.packet;
  return routedAgain(world, context, ends).map((one) =>
    withPacket(one, { outInterface, turnedTo: { outInterface: one.packet.outInterface } }),
  );
}

/** The end of OUTPUT: what has been routed again is seen to leave by its new interface. */
function afterOutput(world: World): World {
  const { turnedTo } = world.packet;
  return turnedTo === undefined ? world : withPacket(world, { ...turnedTo, turnedTo: undefined });
}

/** What comes from 127.0.0.0/8 does not leave the node, unless `route_localnet` lets it. */
function isConfined({ world, way }: RoutedWorld, { state: { network }, notes }: EvaluationContext): boolean {
  const { source, destination, family } = world.packet;
  if (way.kind !== "out" && way.kind !== "unknown") return false;
  const dev = way.kind === "out" ? way.dev : undefined;
  if (dev === "lo" || typeof source !== "number" || !isLoopback(source)) return false;
  if (destination === null || isLoopback(destination)) return false;
  if (interfaceSetting("route_localnet", dev, network) !== 0) return false;
  if (knownInterfaces(network, family) !== undefined || !isSettingOpen("route_localnet", dev, network))
    return true;
  notes.add("net.ipv4.conf.all.route_localnet is taken to be 1, as kube-proxy sets it");
  return false;
}

/** The rest of a way out: the last tables, and over `lo` for what is for the node itself. */
function leaving(world: World, context: EvaluationContext): readonly End[] {
  const ends: End[] = [];
  for (const filtered of throughStages("OUTPUT", OUTPUT_AFTER_ROUTING, world, context, ends)) {
    for (const out of throughStages("POSTROUTING", POSTROUTING, afterOutput(filtered), context, ends)) {
      const { destination, outInterface } = out.packet;
      if (destination === null || outInterface === "lo") ends.push(...overLoopback(out, context));
      else ends.push(landed("forward", out, context));
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

/** A packet that is routed on. */
function forward(world: World, context: EvaluationContext): readonly End[] {
  const { ttl, family } = world.packet;
  if (ttl <= 1) {
    const error = family === "ipv4" ? "icmp-ttl-exceeded" : "icmp6-hop-limit-exceeded";
    return [rejected(world, error, context)];
  }
  return throughForward(withPacket(world, { ttl: ttl - 1 }), context);
}

function throughForward(world: World, context: EvaluationContext): readonly End[] {
  const ends: End[] = [];
  for (const one of throughStages("FORWARD", FORWARD, world, context, ends)) {
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
    else if (stage === "ipvs") live = live.flatMap((world) => throughIpvs(hook, world, context, ends));
    else {
      live = live.flatMap((world) =>
        walkStage(stage, hook, world, context).flatMap((walked) => passed(walked, hook, context, ends)),
      );
    }
  }
  return live;
}

/** The rules of one stage. */
function walkStage(
  stage: Exclude<Stage, "track" | "confirm" | "ipvs">,
  hook: Hook,
  world: World,
  context: EvaluationContext,
): readonly Walked[] {
  switch (stage) {
    case "nat":
      return throughNat(hook, world, context);
    case "security of legacy":
      return walkSecurity("legacy", hook, world, context);
    case "security of nft":
      return walkSecurity("nft", hook, world, context);
    default:
      return walkTable(stage, hook, world, context);
  }
}

/** IPVS: what goes on in this hook; where it sends others, and how they end, is added to `ends`. */
function throughIpvs(hook: Hook, start: World, context: EvaluationContext, ends: End[]): readonly World[] {
  const live: World[] = [];
  for (const met of meetIpvs(hook, start, context)) {
    const { world } = met;
    if (met.kind === "on") live.push(world);
    else if (met.kind === "sent") ends.push(...toRealServer(world, context));
    else if (met.kind === "refused") ends.push(rejected(world, met.with, context, hook));
    else ends.push(dropped(world, context, hook));
  }
  return live;
}

/** What IPVS sends leaves as the node's own packets do, from the first table on; its connection is known, and nat OUTPUT is not asked. */
function toRealServer(start: World, context: EvaluationContext): readonly End[] {
  const ends: End[] = [];
  const { inInterface } = start.packet;
  const sent = withPacket(start, { inInterface: null, turnedTo: undefined });
  for (const mangled of throughStages("OUTPUT", ["raw", "mangle"], sent, context, ends)) {
    const isRemarked = isMarkChanged(sent.packet, mangled.packet);
    for (const routed of isRemarked ? turnedAway(mangled, context, ends) : [mangled]) {
      for (const filtered of throughStages("OUTPUT", OUTPUT_FILTER, routed, context, ends)) {
        const leaving = withPacket(afterOutput(filtered), { inInterface });
        for (const out of throughStages("POSTROUTING", POSTROUTING, leaving, context, ends))
          ends.push(landed("forward", out, context));
      }
    }
  }
  return ends;
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
  if (!flow.isNew) {
    const walks: readonly Walked[] =
      flow.asksSource && hook === "POSTROUTING"
        ? walkTable("nat", hook, world, context)
        : [{ end: "pass", world }];
    // What the rules would make of the packet itself is not done: it goes the other way.
    return walks.map((walked) => ({
      ...walked,
      world: { ...walked.world, packet: { ...world.packet, ...translateKnown(world.packet, hook) } },
    }));
  }
  const walks = walkTable("nat", hook, world, context);
  const isLast = hook === "POSTROUTING" || hook === "INPUT";
  // Answers that already belong to another connection: the kernel takes another source port, with or without a rule.
  if (!isLast || !hasNat(context)) return walks;
  return walks.map((walked) => {
    const { packet, memory } = walked.world;
    if (walked.end !== "pass" || !isTaken(packet, memory)) return walked;
    if (isOwnReverse(packet, memory)) return { end: "drop", world: walked.world };
    return { ...walked, world: withPacket(walked.world, otherPort(packet)) };
  });
}

function otherPort({ unknown }: LivePacket): Partial<LivePacket> {
  return {
    sourcePort: null,
    unknown: { ...unknown, sourcePort: chosen(unknown.sourcePort) },
    sourceTranslated: true,
  };
}

function hasNat({ ruleset, otherRuleset }: EvaluationContext): boolean {
  return [ruleset, otherRuleset].some((one) => one?.tables.has("nat"));
}

function noteIdleNat(context: EvaluationContext): void {
  if (hasNat(context) && !isTracking(context))
    context.notes.add("no rule asks for connection tracking, so the kernel does not consult the nat table");
}
