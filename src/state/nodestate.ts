/**
 * NodeState, the hub: everything landfall knows about one node. Compiling makes one, parsing makes one, and every
 * question is a function of one (or of two). Absent parts are unknown.
 */
import type { Family } from "../../grammar/address.js";
import type { Network } from "./network.js";
import type { Ruleset } from "./rules.js";

export interface NodeState {
  readonly rulesets: { readonly [F in Family]?: Ruleset };
  readonly network?: Network;
}

/** Several states of one node as one; of parts that two have, the later one counts. */
export function mergeStates(states: readonly NodeState[]): NodeState {
  const merged: { rulesets: { [F in Family]?: Ruleset }; network?: Network } = { rulesets: {} };
  for (const state of states) {
    Object.assign(merged.rulesets, state.rulesets);
    if (state.network !== undefined) merged.network = state.network;
  }
  return merged;
}
