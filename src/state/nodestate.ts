/**
 * NodeState, the hub: everything landfall knows about one node. Compiling makes one, parsing makes one, and every
 * question is a function of one (or of two). Absent parts are unknown.
 */
import type { Family } from "../../grammar/address.js";
import { backEndOf } from "./back-end.js";
import type { Connection } from "./connections.js";
import { joinNetworks, type Network } from "./network.js";
import type { RecentList } from "./recent.js";
import { type Ruleset, rulesOf } from "./rules.js";
import type { IpSets } from "./sets.js";
import { joinVirtualServers, type VirtualServers } from "./virtual-servers.js";

export interface NodeState {
  readonly rulesets: { readonly [F in Family]?: Ruleset };
  /**
   * Where iptables-legacy and iptables-nft both hold rules, those of the other one. Packets meet both; what looks at rules
   * alone looks at `rulesets`.
   */
  readonly otherRulesets?: { readonly [F in Family]?: Ruleset };
  readonly network?: Network;
  readonly sets?: IpSets;
  readonly virtualServers?: VirtualServers;
  /** The whole connection table. */
  readonly connections?: readonly Connection[];
  /** Those xt_recent lists that were given; there may be others. */
  readonly recentLists?: readonly RecentList[];
}

/**
 * Several parts of one node's state as one. Rules of one back end, virtual servers and sets of one name: the later counts;
 * networks, connections and lists complete each other.
 */
export function mergeStates(states: readonly NodeState[]): NodeState {
  const rulesets: { [F in Family]?: Ruleset } = {};
  const otherRulesets: { [F in Family]?: Ruleset } = {};
  for (const family of FAMILIES) {
    const [last, other] = lastOfBackEnds(
      states.flatMap((one) => [one.otherRulesets?.[family] ?? [], one.rulesets[family] ?? []].flat()),
    );
    if (last !== undefined) rulesets[family] = last;
    if (other !== undefined) otherRulesets[family] = other;
  }
  const networks = given(states, "network");
  const sets = given(states, "sets");
  const connections = given(states, "connections");
  const recentLists = given(states, "recentLists");
  const virtualServers = joinVirtualServers(given(states, "virtualServers"));
  return {
    rulesets,
    ...(Object.keys(otherRulesets).length === 0 ? {} : { otherRulesets }),
    ...(networks.length === 0 ? {} : { network: joinNetworks(networks) }),
    ...(sets.length === 0 ? {} : { sets: new Map(sets.flatMap((one) => [...one])) }),
    ...(virtualServers === undefined ? {} : { virtualServers }),
    ...(connections.length === 0 ? {} : { connections: connections.flat() }),
    ...(recentLists.length === 0 ? {} : { recentLists: recentLists.flat() }),
  };
}

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

/**
 * The last rules, and the last of the other back end; of these two, tables without a rule come second, and those that let
 * all pass, as a table is that was only looked at, are left out.
 */
function lastOfBackEnds(rulesets: readonly Ruleset[]): readonly (Ruleset | undefined)[] {
  const last = rulesets.at(-1);
  const own = last && backEndOf(last);
  const other = rulesets.findLast((one) => own !== undefined && (backEndOf(one) ?? own) !== own);
  if (last === undefined || other === undefined) return [last];
  return (holdsRules(last) ? [last, other] : [other, last]).filter(
    (one, index) => index === 0 || !isIdle(one),
  );
}

function holdsRules({ tables }: Ruleset): boolean {
  return [...tables.values()].some(({ chains }) =>
    [...chains.values()].some((chain) => rulesOf(chain).length > 0),
  );
}

/** Whether rules change nothing, so that it does not matter whether they are there. */
export function isIdle(ruleset: Ruleset): boolean {
  const chains = [...ruleset.tables.values()].flatMap((table) => [...table.chains.values()]);
  return !holdsRules(ruleset) && chains.every(({ policy = "ACCEPT" }) => policy === "ACCEPT");
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
