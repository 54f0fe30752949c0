/** What an ipset holds for a packet: what the node's sets say, and what rules (SET) have changed since. */
import type { Effect } from "../../grammar/meaning.js";
import { PORT_PROTOCOLS } from "../../grammar/protocols.js";
import type { Direction, SetPacket } from "../../grammar/sets/description.js";
import { setTypeNamed } from "../../grammar/sets/types.js";
import {
  contextOf,
  findEntry,
  type IpSets,
  type Membership,
  membership,
  type SetEntry,
} from "../state/sets.js";
import type { EvaluationContext } from "./context.js";
import { type Memory, withMember } from "./memory.js";
import type { LivePacket, World } from "./world.js";

/** Whether a packet's parts are in a set by now. */
export function isListed(
  set: string,
  directions: readonly Direction[],
  { packet, memory }: Pick<World, "packet" | "memory">,
  context: EvaluationContext,
): Membership {
  const sets: IpSets = context.state.sets ?? new Map();
  const given = membership(sets, set, directions, setPacketOf(packet));
  if (memory.members.size === 0) return given;
  const entries = sets.get(set)?.type === "list:set" ? (sets.get(set)?.entries ?? []) : undefined;
  if (entries !== undefined) {
    const answers = entries.map(({ parts }) =>
      isListed(String(parts[0]), directions, { packet, memory }, context),
    );
    return answers.includes("yes") ? "yes" : answers.includes("open") ? "open" : "no";
  }
  return changedMembership(memory, set, elementOf(set, directions, packet, context)) ?? given;
}

/** The entry that has a packet's parts, where it is known and no rule has changed the set. */
export function entryOf(
  set: string,
  directions: readonly Direction[],
  { packet, memory }: Pick<World, "packet" | "memory">,
  { state }: EvaluationContext,
): SetEntry | undefined {
  return memory.members.has(set) || state.sets === undefined
    ? undefined
    : findEntry(state.sets, set, directions, setPacketOf(packet));
}

/** The world after SET; undefined for sets whose elements are more than single addresses, ports and marks. */
export function listing(
  { action, set, directions, timeout, refresh }: Extract<Effect, { kind: "list" }>,
  world: World,
  context: EvaluationContext,
): World | undefined {
  const { packet, memory } = world;
  const element = elementOf(set, directions, packet, context);
  if (element === undefined) return undefined;
  const isThere = isListed(set, directions, world, context) === "yes";
  if (action === "add" && isThere && !refresh) return world;
  const seconds = timeout ?? context.state.sets?.get(set)?.options.timeout ?? 0;
  const until =
    action === "remove" ? undefined : seconds === 0 ? Number.POSITIVE_INFINITY : memory.now + seconds;
  return { ...world, memory: withMember(memory, set, element, until) };
}

/** The element that a packet's parts are, as the set keeps it; undefined when it is not known, or no single one. */
function elementOf(
  name: string,
  directions: readonly Direction[],
  packet: LivePacket,
  { state }: EvaluationContext,
): string | undefined {
  const set = state.sets?.get(name);
  const type = set && setTypeNamed(set.type);
  if (set === undefined || type?.method !== "hash") return undefined;
  if (directions.length < type.dimensions.length || type.dimensions.some(({ ranked }) => ranked))
    return undefined;
  const context = contextOf(set.options);
  const asked = setPacketOf(packet);
  const parts = type.dimensions.map((one, index) => one.ask(asked, directions[index] as Direction, context));
  if (parts.some((part) => part === undefined || part === null)) return undefined;
  return parts.map(textOf).join(",");
}

function textOf(part: unknown): string {
  return typeof part === "object" && part !== null ? Object.values(part).map(String).join(":") : String(part);
}

function changedMembership(memory: Memory, set: string, element: string | undefined): Membership | undefined {
  const known = element === undefined ? undefined : memory.members.get(set)?.get(element);
  if (known === undefined) return undefined;
  return known.until !== undefined && known.until >= memory.now ? "yes" : "no";
}

function setPacketOf(packet: LivePacket): SetPacket {
  const hasPorts = PORT_PROTOCOLS.includes(packet.protocol);
  return {
    family: packet.family,
    protocol: packet.protocol,
    ...present("source", packet.source ?? undefined),
    ...present("destination", packet.destination ?? undefined),
    ...present("sourcePort", hasPorts ? (packet.sourcePort ?? undefined) : null),
    ...present("destinationPort", hasPorts ? (packet.destinationPort ?? undefined) : null),
    ...present("icmpType", packet.icmpType ?? null),
    ...present("icmpCode", packet.icmpCode ?? null),
    ...present("inInterface", packet.inInterface),
    ...present("outInterface", packet.outInterface),
    ...present("sourceMac", packet.sourceMac == null ? packet.sourceMac : macNumber(packet.sourceMac)),
    ...(packet.markHidden === 0 ? { mark: packet.mark } : {}),
  };
}

function macNumber(mac: string): number {
  return Number.parseInt(mac.replaceAll(":", ""), 16);
}

function present<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
