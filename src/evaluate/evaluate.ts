/** NodeState × packet → where it lands, exactly, with what the answer takes for granted. */
import { type Family, familyOf } from "../../grammar/address.js";
import type { Range } from "../../grammar/meaning.js";
import type { Packet } from "../../grammar/packet.js";
import { PORT_PROTOCOLS, PROTOCOL } from "../../grammar/protocols.js";
import type { Network } from "../state/network.js";
import type { NodeState } from "../state/nodestate.js";
import { BUILT_IN_CHAINS, type Ruleset } from "../state/rules.js";
import { followAnswer } from "./answers.js";
import { casesOf } from "./cases.js";
import type { EvaluationContext } from "./context.js";
import { startingFacts } from "./facts.js";
import { fromNode, fromOutside } from "./hooks.js";
import type { Distribution } from "./outcome.js";
import { subtract } from "./ranges.js";
import { addressType, seenInterface, wayTo } from "./route.js";
import { CERTAIN } from "./share.js";
import { firstState } from "./tracking.js";
import type { LivePacket, World } from "./world.js";

export interface EvaluateOptions {
  /** The connection table and all xt_recent lists are empty. Default: what they hold is not known. */
  readonly fresh?: boolean;
}

/** Rules visited, over all ways of one packet, before an evaluation gives up. */
const STEPS_MAX = 5_000_000;

/**
 * Where the packet lands. Exact: the shares of each case add up to exactly 1, and what nothing given determines is null
 * or an assumption.
 */
export function evaluate(state: NodeState, packet: Packet, options: EvaluateOptions = {}): Distribution {
  const { network } = state;
  const ruleset = state.rulesets[packet.family];
  const local = isFromNode(packet, network);
  const context: EvaluationContext = {
    state,
    ruleset,
    fresh: options.fresh ?? false,
    fromNode: local,
    asked: packet.destination,
    start: startingFacts(packet.family, (local ? ownSources : outsideSources)(packet.family, network)),
    notes: new Set(tableNotes(ruleset, packet.family)),
    takenAsOthers: new Set(),
    passedOver: new Map(),
    budget: { steps: STEPS_MAX },
  };
  if (!local && packet.source !== undefined && network?.interfaces === undefined) {
    context.takenAsOthers.add("the source");
  }
  if (packet.source === undefined && packet.in === undefined) {
    context.notes.add(
      "no source was given: the packet is taken to come from outside the node (`from node` for its own)",
    );
  }
  const world: World = {
    packet: livePacket(packet, local, network),
    share: CERTAIN,
    assumed: undefined,
    lastStep: undefined,
  };
  const ends = (local ? fromNode : fromOutside)(world, context).flatMap((end) => followAnswer(end, context));
  if (context.budget.steps < 0) {
    return {
      cases: [],
      notes: [...context.notes, "gave up: there are too many ways through these rules"],
    };
  }
  const { cases, truncated } = casesOf(ends, context.start);
  for (const [question, places] of context.passedOver) {
    const [first] = places;
    const others = places.size > 1 ? ` and ${places.size - 1} more` : "";
    context.notes.add(`${question} is not modelled: taken as if the packet went on (${first}${others})`);
  }
  if (context.takenAsOthers.size > 0) {
    const ends = [...context.takenAsOthers].join(" and ");
    context.notes.add(
      `the node's addresses are not known: ${ends} ${context.takenAsOthers.size > 1 ? "are" : "is"} taken to be none of them`,
    );
  }
  if (truncated) context.notes.add(`more than ${cases.length} cases: the others are left out`);
  return { cases, notes: [...context.notes] };
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
  const own = network?.interfaces
    ?.flatMap(({ addresses }) => addresses.map(({ address }) => address))
    .filter((address) => familyOf(address) === family)
    .sort((left, right) => (left < right ? -1 : 1));
  return own?.length ? [...new Set(own)].map((address) => ({ from: address, to: address })) : undefined;
}

function livePacket(packet: Packet, local: boolean, network: Network | undefined): LivePacket {
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
    inInterface: local ? null : ingress(packet, network),
    outInterface: null,
    tcpFlags: packet.protocol === PROTOCOL.tcp ? (packet.tcpFlags ?? 2) : undefined,
    icmpType: isICMP ? (packet.icmpType ?? echo) : undefined,
    icmpCode: isICMP ? (packet.icmpCode ?? 0) : undefined,
    mark: packet.mark ?? 0,
    connmark: 0,
    state: firstState(packet, network),
    destinationTranslated: false,
    sourceTranslated: false,
    remembered: new Map(),
  };
}

/** The interface that rules see: the one named, else the one that the way back to the source leaves by. */
function ingress(packet: Packet, network: Network | undefined): string | undefined {
  if (packet.in !== undefined) return seenInterface(packet.in, network);
  if (packet.source === undefined) return undefined;
  const back = wayTo(packet.source, network);
  return back.kind === "out" ? back.dev : undefined;
}

/** Which of the usual tables the dump lacks. */
function tableNotes(ruleset: Ruleset | undefined, family: Family): readonly string[] {
  const tool = family === "ipv4" ? "iptables" : "ip6tables";
  if (ruleset === undefined) return [`there are no ${tool} rules here: the packet meets none`];
  const missing = ["nat", "filter"].filter((table) => !ruleset.tables.has(table));
  const fragments = [...ruleset.tables.values()].flatMap(({ name, fragment }) => (fragment ? [name] : []));
  const partial =
    fragments.length === 0
      ? []
      : [
          `only some lines of ${fragments.join(" and ")} were given: rules and policies that are not among them were not consulted`,
        ];
  if (missing.length === 0) return partial;
  const present = Object.keys(BUILT_IN_CHAINS).filter((table) => ruleset.tables.has(table));
  const has =
    present.length === 0
      ? "no table is"
      : `only ${present.join(", ")} ${present.length === 1 ? "is" : "are"}`;
  return [
    ...partial,
    `${has} in this dump; ${missing.join(" and ")} ${missing.length === 1 ? "was" : "were"} not consulted`,
  ];
}
