/** Rules that ask a set, and the few that both tables share. */

import { fullName, type SetName } from "../../cluster/ipvs-names.js";
import { append, comment, type Draft } from "../common/payload.js";
import { commentOf, isEmpty, type WantedEntries } from "./sets.js";

/** `-m set --match-set NAME dst,dst` */
export function inSet({ family }: WantedEntries, name: SetName, directions: string): string {
  return `-m set --match-set ${fullName(name, family)} ${directions}`;
}

/** The same, behind the set's comment. */
export function commentedInSet(entries: WantedEntries, name: SetName, directions: string): string {
  return `${comment(commentOf(name))} ${inSet(entries, name, directions)}`;
}

/** A rule that is there when the set has entries. */
export interface SetRule {
  readonly chain: string;
  readonly protocol?: string;
  readonly set: SetName;
  readonly directions: string;
  readonly target: string;
}

export function appendSetRules(draft: Draft, rules: readonly SetRule[], entries: WantedEntries): void {
  for (const { chain, protocol, set, directions, target } of rules) {
    if (isEmpty(entries, set)) continue;
    const of = protocol === undefined ? "" : `-p ${protocol}`;
    append(draft, chain, of, commentedInSet(entries, set, directions), `-j ${target}`);
  }
}
