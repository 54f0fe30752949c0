/** ClusterModel → what kube-proxy in iptables mode writes on one node, for one family. */
import { type Family, familyOf, readAddress, readNetwork } from "../../../grammar/address.js";
import { type ClusterModel, DEFAULT_PROXY_CONFIGURATION, type Node } from "../../cluster/model.js";
import { networkOfNode } from "../../cluster/node.js";
import type { Problem } from "../../problems/problem.js";
import type { Network } from "../../state/network.js";
import type { NodeState } from "../../state/nodestate.js";
import type { Ruleset } from "../../state/rules.js";
import { behaviourOf, NEWEST_VERSION, type Version } from "../versions.js";
import { configurationRemarks } from "./configuration-remarks.js";
import { type Context, makeContext } from "./context.js";
import { filterTable } from "./filter.js";
import { byBytes } from "./go-text.js";
import { kubeletRules } from "./kubelet.js";
import { natTable, type SyncScope } from "./nat.js";
import { natTableMarkingDrops } from "./nat-marking-drops.js";
import { rulesAfterSync, type Synced } from "./node.js";
import type { Payload } from "./payload.js";
import { type ServicePorts, servicePorts } from "./services.js";

export interface CompileOptions {
  /** Default: the newest. */
  readonly version?: Version;
  /** Default: the cluster's first family (`familiesOf`). */
  readonly family?: Family;
  readonly node?: Node | undefined;
  /** Which endpoints are local; default: the node's name, or hostnameOverride. */
  readonly nodeName?: string | undefined;
  /** The node's addresses; default: those of its Node object and loopback. */
  readonly network?: Network | undefined;
  /** Rules that the node has before; default: none. */
  readonly onto?: Ruleset | undefined;
  /**
   * Facts that objects do not hold: whether nfacct objects can be made (default: yes), and whether the kubelet has made its
   * chains before (default: no; without `onto` only).
   */
  readonly facts?: { readonly nfacct?: boolean; readonly kubelet?: boolean };
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
  return compiled(prepared, payload, rulesAfterSync(payload, prepared.context, onto));
}

/** All that one sync is made from. */
export interface Prepared extends ServicePorts {
  readonly version: Version;
  readonly context: Context;
  readonly network: Network | undefined;
}

export function prepare(model: ClusterModel, options: CompileOptions): Prepared {
  const proxy = model.proxy ?? DEFAULT_PROXY_CONFIGURATION;
  const version = options.version ?? NEWEST_VERSION;
  const { node } = options;
  const network = options.network ?? (node === undefined ? undefined : networkOfNode(node));
  const context = makeContext({
    family: options.family ?? familiesOf(model, node)[0] ?? "ipv4",
    proxy,
    behaviour: behaviourOf(version, proxy.featureGates),
    node,
    nodeName: options.nodeName ?? node?.meta.name ?? proxy.hostnameOverride,
    network,
    nfacct: options.facts?.nfacct ?? true,
  });
  return { version, context, network, ...servicePorts(model, context) };
}

/** In a large cluster the comments of endpoint rules are left out, and stale chains are deleted only now and then. */
function isLargeCluster({ endpointCount }: Prepared): boolean {
  return endpointCount > LARGE_CLUSTER_ENDPOINTS;
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

/** The answer for a payload and the rules after it. */
export function compiled(
  { version, context, network }: Prepared,
  payload: Payload,
  { ruleset, refused }: Synced,
): Compiled {
  const { family } = context;
  const problems: Problem[] = [...configurationRemarks(context, version)];
  for (const why of refused) {
    problems.push({
      code: "LF5010",
      severity: "warning",
      message: `iptables-restore would refuse this sync: ${why}`,
      notes: ["kube-proxy then changes nothing and tries again; what is shown is what it asks for"],
    });
  }
  return { family, version, payload, state: stateAfter(ruleset, context, network), problems };
}

/**
 * The families of the cluster, the primary one first: that of `bindAddress` if it is one address, else of the node's
 * first address, else of the first cluster CIDR, else of the first Service's cluster IP. The second is there when an
 * address, CIDR or Service has it.
 */
export function familiesOf(model: ClusterModel, node: Node | undefined): readonly Family[] {
  const seen = new Set<Family>();
  const see = (text: string | undefined): void => {
    const address = text === undefined ? undefined : (readAddress(text) ?? readNetwork(text)?.address);
    if (address !== undefined) seen.add(familyOf(address));
  };
  const bound = readAddress(model.proxy?.bindAddress ?? "");
  if (bound) seen.add(familyOf(bound));
  for (const type of ["InternalIP", "ExternalIP"]) {
    for (const one of node?.addresses ?? []) if (one.type === type) see(one.address);
  }
  for (const cidr of model.proxy?.clusterCIDRs ?? []) see(cidr);
  for (const { clusterIP, clusterIPs } of model.services)
    for (const ip of [clusterIP, ...clusterIPs]) see(ip);
  return [...seen];
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
