/** Chains that no packet comes back from. */
import { type Condition, endsTable } from "../../grammar/meaning.js";
import type { RulesView } from "./context.js";
import { implies } from "./implied.js";
import { askedBy, effectOf } from "./look.js";

/** Chains of chains beyond this are not followed. */
const DEPTH_MAX = 32;

/** Whether the rules of a table end the way of all packets of `protocol` that come to a chain, which then never return. */
export type Endings = (table: string, chain: string, protocol: Condition | undefined) => boolean;

export function endingsIn(view: RulesView): Endings {
  const known = new Map<string, boolean>();
  function ends(table: string, chain: string, protocol: Condition | undefined, depth: number): boolean {
    const key = `${table}:${chain} ${protocol === undefined ? "" : JSON.stringify(protocol)}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    // A loop, which the kernel refuses, ends nothing.
    known.set(key, false);
    const given = protocol === undefined ? [] : [protocol];
    for (const { rule } of view.rulesOf(table, chain)) {
      const effect = effectOf(rule, view.family);
      const isForAll = askedBy(rule, view.family).every((condition) => implies(given, condition));
      const leads = effect.kind === "jump" || effect.kind === "goto";
      const isEnd =
        endsTable(effect) || (leads && depth < DEPTH_MAX && ends(table, effect.chain, protocol, depth + 1));
      if (isEnd && isForAll) {
        known.set(key, true);
        return true;
      }
      // Some packets may go back to the caller.
      if (effect.kind === "return" || (effect.kind === "goto" && !isEnd)) return false;
    }
    return false;
  }
  return (table, chain, protocol) => ends(table, chain, protocol, 0);
}
