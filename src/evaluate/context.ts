/** What stays the same during one evaluation. */
import type { Address } from "../../grammar/address.js";
import type { Flavour } from "../../grammar/description.js";
import { backEndOf } from "../state/back-end.js";
import type { NodeState } from "../state/nodestate.js";
import type { Ruleset } from "../state/rules.js";
import type { Narrowed } from "./world.js";

export interface EvaluationContext {
  readonly state: NodeState;
  readonly ruleset: Ruleset | undefined;
  /** Of the other back end of iptables, if that holds some, too. */
  readonly otherRuleset: Ruleset | undefined;
  /** Which packet of several this is, for the words of questions about it: empty, or ` (packet 3)`. */
  readonly which: string;
  /** Facts before anything was assumed. */
  readonly start: Narrowed;
  /** The packet was made by a process of the node. */
  readonly fromNode: boolean;
  /** The destination that the sender wrote; null where the kernel chose it. */
  readonly asked: Address | null;
  /** Its source port, or the name of that. */
  readonly askedPort: number | string;
  /** Sentences for `Distribution.notes`. */
  readonly notes: Set<string>;
  /** Ends of the packet that were taken not to be the node's, since its addresses are not known. */
  readonly takenAsOthers: Set<string>;
  /** Effects that were passed over for want of a model, with the rules that have them (`table:chain:rule:number`). */
  readonly passedOver: Map<string, Set<string>>;
  /** Work left before the evaluation gives up; guards against rules made to explode. */
  readonly budget: { steps: number };
}

/** Where a rule stands, for questions that each rule has of its own. */
export interface RulePlace {
  readonly table: string;
  readonly chain: string;
  readonly number: number;
  /** Where both back ends hold rules: whose it is. */
  readonly backEnd?: Flavour;
}

/** `table:chain:number`. */
export function ruleKey({ table, chain, number, backEnd }: RulePlace): string {
  return `${table}:${chain}:${number}${backEnd === undefined ? "" : ` of ${backEnd}`}`;
}

/** The rules that a rule is one of. */
export function rulesetAt({ backEnd }: RulePlace, context: EvaluationContext): Ruleset | undefined {
  const { ruleset, otherRuleset } = context;
  return otherRuleset !== undefined && backEndOf(otherRuleset) === backEnd ? otherRuleset : ruleset;
}
