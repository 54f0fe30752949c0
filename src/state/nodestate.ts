/**
 * NodeState, the hub: everything landfall knows about one node. Compiling makes one, parsing makes one, and every
 * question is a function of one (or of two). Absent parts are unknown.
 */
import type { Family } from "../../grammar/address.js";
import type { Connection } from "./connections.js";
import { joinNetworks, type Network } from "./network.js";
import type { RecentList } from "./recent.js";
import type { Ruleset } from "./rules.js";
import type { IpSets } from "./sets.js";
import type { VirtualServers } from "./virtual-servers.js";

export interface NodeState {
  readonly rulesets: { readonly [F in Family]?: Ruleset };
  readonly network?: Network;
  readonly sets?: IpSets;
  readonly virtualServers?: VirtualServers;
  /** The whole connection table. */
  readonly connections?: readonly Connection[];
  /** Those xt_recent lists that were given; there may be others. */
  readonly recentLists?: readonly RecentList[];
}

/**
 * Several parts of one node's state as one. Rules, virtual servers and sets of one name: the later counts; networks,
 * connections and lists complete each other.
 */
export function mergeStates(states: readonly NodeState[]): NodeState {
  const rulesets: { [F in Family]?: Ruleset } = {};
  for (const state of states) Object.assign(rulesets, state.rulesets);
  const networks = given(states, "network");
  const sets = given(states, "sets");
  const connections = given(states, "connections");
  const recentLists = given(states, "recentLists");
  const virtualServers = given(states, "virtualServers").at(-1);
  return {
    rulesets,
    ...(networks.length === 0 ? {} : { network: joinNetworks(networks) }),
    ...(sets.length === 0 ? {} : { sets: new Map(sets.flatMap((one) => [...one])) }),
    ...(virtualServers === undefined ? {} : { virtualServers }),
    ...(connections.length === 0 ? {} : { connections: connections.flat() }),
    ...(recentLists.length === 0 ? {} : { recentLists: recentLists.flat() }),
  };
}

function given<K extends keyof NodeState>(
  states: readonly NodeState[],
  part: K,
): readonly NonNullable<NodeState[K]>[] {
  return states.flatMap((state) => {
    const one = state[part];
    return one === undefined ? [] : [one];
  });
}
