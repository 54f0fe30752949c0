/** NodeState × packet → where it lands, exactly, with what the answer takes for granted. */
import type { Family } from "../../grammar/address.js";
import type { Packet } from "../../grammar/packet.js";
import type { NodeState } from "../state/nodestate.js";
import { BUILT_IN_CHAINS, type Ruleset } from "../state/rules.js";
import { casesOf, LANDINGS } from "./cases.js";
import { rememberedBy } from "./given.js";
import { withVirtualAddresses } from "./ipvs-hook.js";
import { lookUp } from "./memory.js";
import type { Distribution } from "./outcome.js";
import { contextOf, departure, newQuestion, notesOf, send } from "./send.js";
import { CERTAIN } from "./share.js";
import { tupleOf } from "./tracking.js";

export interface EvaluateOptions {
  /** The connection table and all xt_recent lists are empty, rules were just loaded. Default: nothing is known of them. */
  readonly fresh?: boolean;
}

/**
 * Where the packet lands. Exact: the shares of each case add up to exactly 1, and what nothing given determines is null
 * or an assumption.
 */
export function evaluate(given: NodeState, packet: Packet, options: EvaluateOptions = {}): Distribution {
  const question = newQuestion();
  const state = withVirtualAddresses(given, question.notes);
  for (const note of tableNotes(state.rulesets[packet.family], packet.family)) question.notes.add(note);
  const start = departure(packet, state, question, "");
  const context = contextOf(start, state, question, "");
  const memory = rememberedBy(state, options.fresh ?? false, question);
  const live = lookUp(memory, packet.family, packet.protocol, tupleOf(start.packet))?.connection;
  const ends = send(
    { packet: start.packet, memory, share: CERTAIN, assumed: undefined, lastStep: undefined },
    context,
  );
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
  const { cases, truncated } = casesOf(outcomes, context.start, LANDINGS);
  const notes = notesOf(question);
  return {
    ...(live === undefined ? {} : { live }),
    cases: cases.map(({ assuming, open, outcomes: landings }) => ({ assuming, open, landings })),
    notes: truncated ? [...notes, `more than ${cases.length} cases: the others are left out`] : notes,
  };
}

/** Which of the usual tables the dump lacks. */
export function tableNotes(ruleset: Ruleset | undefined, family: Family): readonly string[] {
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
