/** ClusterModel → what kube-proxy in iptables mode writes on one node, for one family. */
import type { Family } from "../../../grammar/address.js";
import type { ClusterModel } from "../../cluster/model.js";
import type { Problem } from "../../problems/problem.js";
import type { Network } from "../../state/network.js";
import type { NodeState } from "../../state/nodestate.js";
import type { Ruleset } from "../../state/rules.js";
import type { Context } from "../common/context.js";
import { familiesOf } from "../common/families.js";
import { byBytes } from "../common/go-text.js";
import { kubeletRules } from "../common/kubelet.js";
import { rulesAfterSync } from "../common/node.js";
import { type Basis, basisOf, type NodeOptions } from "../common/options.js";
import type { Payload } from "../common/payload.js";
import type { Version } from "../versions.js";
import { iptablesRemarks } from "./configuration-remarks.js";
import { filterTable } from "./filter.js";
import { links } from "./links.js";
import { natTable, type SyncScope } from "./nat.js";
import { natTableMarkingDrops } from "./nat-marking-drops.js";
import { chainedServicePorts, type ServicePortInfo } from "./services.js";

export interface CompileOptions extends NodeOptions {
  /** Default: the cluster's first family (`familiesOf`). */
  readonly family?: Family;
  /** Rules that the node has before; default: none. */
  readonly onto?: Ruleset | undefined;
}

export interface Compiled {
  readonly family: Family;
  readonly version: Version;
  /** What the sync sends to iptables-restore. */
  readonly payload: Payload;
  /** The node after it. */
  readonly state: NodeState;
  /** Notes and warnings; compiling itself cannot fail. */
  readonly problems: readonly Problem[];
}

/** More endpoints than these in all, and kube-proxy leaves the comments of endpoint rules out. */
const LARGE_CLUSTER_ENDPOINTS = 1000;

/** Compiles as kube-proxy's first full sync does; Services are walked in the byte order of their names. */
export function compileIptables(model: ClusterModel, options: CompileOptions = {}): Compiled {
  const prepared = prepare(model, options);
  const onto = options.onto ?? (options.facts?.kubelet ? kubeletRules(prepared.context) : undefined);
  const payload = payloadOf(prepared, { writesChains: () => true, stale: staleChains(onto, prepared) });
  return compiled(prepared, payload, onto);
}

/** All that one sync is made from. */
export interface Prepared extends Basis {
  readonly ports: readonly ServicePortInfo[];
}

export function prepare(model: ClusterModel, options: CompileOptions): Prepared {
  const family = options.family ?? familiesOf(model, options.node)[0] ?? "ipv4";
  const basis = basisOf(model, options, family);
  return { ...basis, ports: chainedServicePorts(model, basis.context) };
}

/** In a large cluster the comments of endpoint rules are left out, and stale chains are deleted only now and then. */
function isLargeCluster({ ports }: Prepared): boolean {
  const count = ports.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
  return count > LARGE_CLUSTER_ENDPOINTS;
}

export function payloadOf(prepared: Prepared, scope: SyncScope): Payload {
  const { ports, context } = prepared;
  const nat = context.behaviour.marksForDrop ? natTableMarkingDrops : natTable;
  return {
    tables: [
      { name: "filter", ...filterTable(ports, context) },
      { name: "nat", ...nat(ports, context, !isLargeCluster(prepared), scope) },
    ],
  };
}

/** Chains that kube-proxy deletes when it has not written them. */
const OWN_CHAIN = /^KUBE-(?:SVC|SVL|SEP|FW|EXT|XLB)-/;

/** Chains of Services that the node has and that are not wanted any more. */
export function staleChains(ruleset: Ruleset | undefined, prepared: Prepared): readonly string[] {
  const { behaviour } = prepared.context;
  const present = [...(ruleset?.tables.get("nat")?.chains.keys() ?? [])];
  // Looking for them costs too much in a large cluster to be done with every sync, since 1.25.
  if (present.length === 0 || (isLargeCluster(prepared) && !behaviour.marksForDrop)) return [];
  const full = payloadOf(prepared, { writesChains: () => true, stale: [] });
  const wanted = new Set(full.tables.flatMap(({ chains }) => chains));
  return present
    .filter((chain) => OWN_CHAIN.test(chain) && !wanted.has(chain))
    .filter((chain) => behaviour.deletesXLB || !chain.startsWith("KUBE-XLB-"))
    .sort(byBytes);
}

/** The answer for a payload, given to a node with these rules. */
export function compiled(
  { version, context, network }: Prepared,
  payload: Payload,
  onto: Ruleset | undefined,
): Compiled {
  const { family } = context;
  const { ruleset, refused } = rulesAfterSync(payload, links(context), family, onto);
  const problems = [...iptablesRemarks(context, version), ...refused];
  return { family, version, payload, state: stateAfter(ruleset, context, network), problems };
}

function stateAfter(
  ruleset: Ruleset,
  { family, nodePorts }: Context,
  network: Network | undefined,
): NodeState {
  // So that node ports answer on 127.0.0.1, kube-proxy lets packets with that address leave loopback.
  const set: readonly (readonly [string, string])[] = nodePorts.onLoopback
    ? [["net.ipv4.conf.all.route_localnet", "1"]]
    : [];
  const sysctls = new Map([...(network?.sysctls ?? []), ...set]);
  return { rulesets: { [family]: ruleset }, network: { ...network, sysctls } };
}
