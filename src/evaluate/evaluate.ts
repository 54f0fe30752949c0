/** NodeState × packet → where it lands, exactly, with what the answer takes for granted. */
import type { Family } from "../../grammar/address.js";
import type { Hook } from "../../grammar/meaning.js";
import type { Packet } from "../../grammar/packet.js";
import type { NodeState } from "../state/nodestate.js";
import { BUILT_IN_CHAINS } from "../state/rules.js";
import { addressType } from "./addresses.js";
import { casesOf, LANDINGS, leftOutNote } from "./cases.js";
import { rememberedBy } from "./given.js";
import { atHook } from "./hooks.js";
import { withVirtualAddresses } from "./ipvs-hook.js";
import { lookUp } from "./memory.js";
import type { EvaluateOptions } from "./options.js";
import type { Distribution } from "./outcome.js";
import { contextOf, departure, newQuestion, notesOf, send } from "./send.js";
import { CERTAIN } from "./share.js";
import { tupleOf } from "./tracking.js";
import type { World } from "./world.js";

/**
 * Where the packet lands. Exact: the shares of each case add up to exactly 1, and what nothing given determines is null
 * or an assumption.
 */
export function evaluate(given: NodeState, packet: Packet, options: EvaluateOptions = {}): Distribution {
  const question = newQuestion();
  const state = withVirtualAddresses(given, question.notes);
  for (const note of tableNotes(state, packet.family)) question.notes.add(note);
  const start = departure(
    options.hook === undefined ? packet : placed(packet, options.hook, state),
    state,
    question,
    "",
  );
  const context = contextOf(start, state, question, "");
  const memory = rememberedBy(state, options, question, false);
  const live = lookUp(memory, packet.family, packet.protocol, tupleOf(start.packet))?.connection;
  const { hook } = options;
  const world: World = {
    packet: start.packet,
    memory,
    share: CERTAIN,
    assumed: undefined,
    lastStep: undefined,
  };
  if (hook !== undefined)
    question.notes.add(`only the rules of ${hook} were walked, not what comes before and behind them`);
  const ends = hook === undefined ? send(world, context) : atHook(hook, world, context);
  if (context.start.sets.source.length === 0)
    return {
      cases: [],
      notes: ["no packet from these sources comes into the node, or leaves its processes"],
    };
  if (question.budget.steps < 0) {
    return {
      cases: [],
      notes: [...question.notes, "gave up: there are too many ways through these rules"],
    };
  }
  const outcomes = ends.map(({ landing, assumed }) => ({ outcome: landing, assumed }));
  const told = casesOf(outcomes, context.start, LANDINGS);
  const notes = notesOf(question);
  return {
    ...(live === undefined ? {} : { live }),
    cases: told.cases.map(({ assuming, open, outcomes: landings }) => ({ assuming, open, landings })),
    notes: told.truncated ? [...notes, leftOutNote(told)] : notes,
  };
}

/** A packet at a hook: OUTPUT has those of the node's processes, and what they send to the node itself comes in by `lo`. */
function placed(packet: Packet, hook: Hook, { network }: NodeState): Packet {
  if (packet.in !== undefined || hook === "POSTROUTING") return packet;
  if (hook === "OUTPUT") return { ...packet, in: "local" };
  return packet.source !== undefined && addressType(packet.source, network) === "LOCAL"
    ? { ...packet, in: "lo" }
    : packet;
}

/** Which of the usual tables the dumps lack, and whether they are of both back ends. */
export function tableNotes({ rulesets, otherRulesets }: NodeState, family: Family): readonly string[] {
  const tool = family === "ipv4" ? "iptables" : "ip6tables";
  const held = [rulesets[family], otherRulesets?.[family]].filter((one) => one !== undefined);
  if (held.length === 0) return [`there are no ${tool} rules here: the packet meets none`];
  const tables = held.flatMap((ruleset) => [...ruleset.tables.values()]);
  const present = new Set(tables.map(({ name }) => name));
  const missing = ["nat", "filter"].filter((table) => !present.has(table));
  const fragments = new Set(tables.flatMap(({ name, fragment }) => (fragment ? [name] : [])));
  const notes: string[] = [];
  if (held.length > 1)
    notes.push(`${tool}-legacy and ${tool}-nft both hold rules: the packet meets those of both`);
  if (fragments.size > 0) {
    const names = [...fragments].join(" and ");
    notes.push(
      `only some lines of ${names} were given: rules and policies that are not among them were not consulted`,
    );
  }
  if (missing.length > 0) {
    const names = Object.keys(BUILT_IN_CHAINS).filter((table) => present.has(table));
    const only = `only ${names.join(", ")} ${names.length === 1 ? "is" : "are"}`;
    const were = `${missing.join(" and ")} ${missing.length === 1 ? "was" : "were"} not consulted`;
    notes.push(`${names.length === 0 ? "no table is" : only} in this dump; ${were}`);
  }
  return notes;
}
