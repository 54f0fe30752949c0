/** Routing of a packet on its way: the world splits where nothing given says by which route, or by which next hop. */
import { type Address, printAddress } from "../../grammar/address.js";
import type { NextHop, Route } from "../state/network.js";
import { localQuestion } from "./ask.js";
import { assume, type Tested } from "./assume.js";
import { test } from "./conditions.js";
import type { EvaluationContext, RulePlace } from "./context.js";
import { assumedAnswer } from "./facts.js";
import { nextHopsOf, type Routed, type RouteQuery, routeOf, type Way, wayBy } from "./route.js";
import { type Atom, type LivePacket, type World, withPacket } from "./world.js";

export interface RoutedWorld {
  readonly world: World;
  readonly way: Way;
}

/** No rule of iptables asks; policy rules have no questions of their own place. */
const NO_PLACE: RulePlace = { table: "", chain: "", number: 0 };

/** The ways of a packet as it is now. `source`: another than its own, null for none yet. */
export function waysOf(
  world: World,
  context: EvaluationContext,
  change: Pick<Partial<RouteQuery>, "source"> = {},
): readonly RoutedWorld[] {
  const { packet } = world;
  const { destination } = packet;
  const { network } = context.state;
  if (destination === null) return [{ world, way: { kind: "unknown" } }];
  const query: RouteQuery = { ...queryOf(packet), destination: meant(packet, destination), ...change };
  const routed = routeOf(query, network, (words) => context.notes.add(words));
  return resolve(routed, world, context);
}

/** A process that asks for no address means its own node. */
function meant({ inInterface }: LivePacket, destination: Address): Address {
  if (inInterface !== null || (destination !== 0 && destination !== 0n)) return destination;
  return destination === 0 ? 0x7f000001 : 1n;
}

function queryOf({
  source,
  mark,
  markHidden,
  inInterface,
  protocol,
  sourcePort,
  destinationPort,
}: LivePacket): Omit<RouteQuery, "destination"> {
  const known = markHidden === 0 ? mark : undefined;
  return { source: source ?? undefined, mark: known, inInterface, protocol, sourcePort, destinationPort };
}

function resolve(routed: Routed, world: World, context: EvaluationContext): readonly RoutedWorld[] {
  if (routed.kind === "ask") {
    return answers(routed.about, world, context).flatMap(({ world: one, holds }) =>
      resolve(routed.next(holds), one, context),
    );
  }
  const { found } = routed;
  if (found.kind !== "route") return [{ world, way: found }];
  return byHops(found.route, world, context);
}

function answers(
  about: Extract<Routed, { kind: "ask" }>["about"],
  world: World,
  context: EvaluationContext,
): readonly Tested[] {
  return about === "own" ? [{ world, holds: isOwn(world, context) }] : test(about, world, NO_PLACE, context);
}

/** Whether the destination is the node's own; where nothing says so, it is taken not to be. */
function isOwn({ packet, assumed }: World, context: EvaluationContext): boolean {
  if (packet.destination === null) return true;
  const known = assumedAnswer(localQuestion(packet.destination), assumed, context.start);
  if (known === undefined) {
    context.takenAsOthers.add(
      packet.destinationTranslated ? "what DNAT sends packets to" : "the destination",
    );
  }
  return known ?? false;
}

/** Of several hops the kernel takes one for each pair of addresses, by a hash with a secret. */
function byHops(route: Route, start: World, context: EvaluationContext): readonly RoutedWorld[] {
  const hops = nextHopsOf(route);
  const isOwnPacket = start.packet.inInterface === null;
  const way = (hop: NextHop | undefined) => wayBy(route, hop, { isOwn: isOwnPacket });
  const found: RoutedWorld[] = [];
  let open: readonly World[] = [start];
  for (const [index, hop] of hops.slice(0, -1).entries()) {
    const next: World[] = [];
    for (const world of open) {
      const atom = hopQuestion(hop, hops.slice(index + 1), hops, world.packet, context);
      for (const { world: one, holds } of assume(atom, world, context)) {
        if (holds) found.push({ world: one, way: way(hop) });
        else next.push(one);
      }
    }
    open = next;
  }
  return [...found, ...open.map((world) => ({ world, way: way(hops.at(-1)) }))];
}

function hopQuestion(
  hop: NextHop,
  later: readonly NextHop[],
  all: readonly NextHop[],
  { source, destination, unknown, inInterface }: LivePacket,
  { which }: EvaluationContext,
): Atom {
  const name = ({ dev, via }: NextHop) => {
    const isAlone = dev !== undefined && all.filter((other) => other.dev === dev).length === 1;
    return isAlone || via === undefined ? `by ${dev}` : `${printAddress(via)} by ${dev}`;
  };
  const picks = (one: NextHop) => `the kernel's hash of the flow picks the next hop ${name(one)}${which}`;
  const [last, ...others] = later;
  const isLast = last !== undefined && others.length === 0;
  // A process has no source before it has a route.
  const from = inInterface === null ? "" : `${source ?? unknown.source} `;
  return {
    kind: "question",
    key: `${from}${destination} next hop ${name(hop)}`,
    words: picks(hop),
    wordsNot: isLast
      ? picks(last)
      : `the kernel's hash of the flow does not pick the next hop ${name(hop)}${which}`,
  };
}

/** The interface that a way leaves by; `lo` for the node itself. */
function deviceOf(way: Way): string | undefined {
  return way.kind === "out" ? way.dev : way.kind === "local" ? "lo" : undefined;
}

/** The packet on its way. */
export function onWay({ world, way }: RoutedWorld): World {
  return withPacket(world, {
    outInterface: deviceOf(way),
    nextHop: way.kind === "out" ? way.via : undefined,
  });
}
