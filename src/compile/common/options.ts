/** What compiling is told, and what a sync is made from, whatever the mode. */
import type { Family } from "../../../grammar/address.js";
import { type ClusterModel, DEFAULT_PROXY_CONFIGURATION, type Node } from "../../cluster/model.js";
import { networkOfNode } from "../../cluster/node.js";
import type { Network } from "../../state/network.js";
import { behaviourOf, NEWEST_VERSION, type Version } from "../versions.js";
import { type Context, makeContext } from "./context.js";

export interface NodeOptions {
  /** Default: the newest. */
  readonly version?: Version;
  readonly node?: Node | undefined;
  /** Which endpoints are local; default: the node's name, or hostnameOverride. */
  readonly nodeName?: string | undefined;
  /** The node's addresses; default: those of its Node object and loopback. */
  readonly network?: Network | undefined;
  /**
   * Facts that objects do not hold: whether nfacct objects can be made (default: yes), and whether the kubelet has made its
   * chains before (default: no; only on a node without rules).
   */
  readonly facts?: { readonly nfacct?: boolean; readonly kubelet?: boolean };
}

/** What the sync of one family is made from, besides Services. */
export interface Basis {
  readonly version: Version;
  readonly context: Context;
  readonly network: Network | undefined;
}

export function basisOf(model: ClusterModel, options: NodeOptions, family: Family): Basis {
  const proxy = model.proxy ?? DEFAULT_PROXY_CONFIGURATION;
  const version = options.version ?? NEWEST_VERSION;
  const { node } = options;
  const network = options.network ?? (node === undefined ? undefined : networkOfNode(node));
  const context = makeContext({
    family,
    proxy,
    behaviour: behaviourOf(version, proxy.featureGates),
    node,
    nodeName: options.nodeName ?? node?.meta.name ?? proxy.hostnameOverride,
    network,
    nfacct: options.facts?.nfacct ?? true,
  });
  return { version, context, network };
}
