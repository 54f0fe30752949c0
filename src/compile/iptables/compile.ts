/** ClusterModel → what kube-proxy in iptables mode writes on one node, for one family. */
import { type Family, familyOf, readAddress, readNetwork } from "../../../grammar/address.js";
import { type ClusterModel, DEFAULT_PROXY_CONFIGURATION, type Node } from "../../cluster/model.js";
import { networkOfNode } from "../../cluster/node.js";
import type { Problem } from "../../problems/problem.js";
import type { Network } from "../../state/network.js";
import type { NodeState } from "../../state/nodestate.js";
import { behaviourOf, NEWEST_VERSION, type Version } from "../versions.js";
import { type Context, makeContext } from "./context.js";
import { filterTable } from "./filter.js";
import { natTable } from "./nat.js";
import { natTableMarkingDrops } from "./nat-marking-drops.js";
import { rulesAfterSync } from "./node.js";
import type { Payload } from "./payload.js";
import { servicePorts } from "./services.js";

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
  /** Facts that objects do not hold: whether nfacct objects can be made (default: yes). */
  readonly facts?: { readonly nfacct?: boolean };
}

export interface Compiled {
  readonly family: Family;
  readonly version: Version;
  /** What the first full sync sends to iptables-restore. */
  readonly payload: Payload;
  /** The node after it, if it was empty before. */
  readonly state: NodeState;
  /** Notes and warnings; compiling itself cannot fail. */
  readonly problems: readonly Problem[];
}

/** More endpoints than these in all, and kube-proxy leaves the comments of endpoint rules out. */
const LARGE_CLUSTER_ENDPOINTS = 1000;

/** Compiles as kube-proxy's first full sync does; Services are walked in the byte order of their names. */
export function compileIptables(model: ClusterModel, options: CompileOptions = {}): Compiled {
  const proxy = model.proxy ?? DEFAULT_PROXY_CONFIGURATION;
  const version = options.version ?? NEWEST_VERSION;
  const behaviour = behaviourOf(version, proxy.featureGates);
  const families = familiesOf(model, options.node);
  const family = options.family ?? families[0] ?? "ipv4";
  const { node } = options;
  const network = options.network ?? (node === undefined ? undefined : networkOfNode(node));
  const context = makeContext({
    family,
    proxy,
    behaviour,
    node,
    nodeName: options.nodeName ?? node?.meta.name ?? proxy.hostnameOverride,
    network,
    nfacct: options.facts?.nfacct ?? true,
  });
  const { ports, endpointCount } = servicePorts(model, context);
  const comments = endpointCount <= LARGE_CLUSTER_ENDPOINTS;
  const nat = behaviour.marksForDrop ? natTableMarkingDrops : natTable;
  const payload: Payload = {
    tables: [
      { name: "filter", ...filterTable(ports, context) },
      { name: "nat", ...nat(ports, context, comments) },
    ],
  };
  const problems: Problem[] = behaviour.ignoredGates.map((gate) => ({
    code: "LF5005",
    severity: "warning",
    message: `feature gate ${gate} cannot be set in kube-proxy ${version}, so it is ignored`,
    ...(proxy.place === undefined ? {} : { place: proxy.place }),
  }));
  return { family, version, payload, state: stateAfter(payload, context, network), problems };
}

/**
 * The families of the cluster, the primary one first: that of the node's first address, else of the first cluster
 * CIDR, else of the first Service's cluster IP. The second is there when an address, CIDR or Service has it.
 */
export function familiesOf(model: ClusterModel, node: Node | undefined): readonly Family[] {
  const seen = new Set<Family>();
  const see = (text: string | undefined): void => {
    const address = text === undefined ? undefined : (readAddress(text) ?? readNetwork(text)?.address);
    if (address !== undefined) seen.add(familyOf(address));
  };
  for (const type of ["InternalIP", "ExternalIP"]) {
    for (const one of node?.addresses ?? []) if (one.type === type) see(one.address);
  }
  for (const cidr of model.proxy?.clusterCIDRs ?? []) see(cidr);
  for (const { clusterIP, clusterIPs } of model.services)
    for (const ip of [clusterIP, ...clusterIPs]) see(ip);
  return [...seen];
}

function stateAfter(payload: Payload, context: Context, network: Network | undefined): NodeState {
  const { family, nodePorts } = context;
  // So that node ports answer on 127.0.0.1, kube-proxy lets packets with that address leave loopback.
  const set: readonly (readonly [string, string])[] = nodePorts.onLoopback
    ? [["net.ipv4.conf.all.route_localnet", "1"]]
    : [];
  const sysctls = new Map([...(network?.sysctls ?? []), ...set]);
  return {
    rulesets: { [family]: rulesAfterSync(payload, context) },
    network: { ...network, sysctls },
  };
}
