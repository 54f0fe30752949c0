/** The nat table: masquerade, dispatch, and the chains of each service port, in the order of kube-proxy since 1.25. */
import { appendAll } from "../../problems/append.js";
import type { Context } from "../common/context.js";
import { masqueradeChains } from "../common/masquerade.js";
import type { Draft } from "../common/payload.js";
import { balanceChain, endpointChainRules } from "./balance.js";
import { dispatch, dispatchToNodePorts } from "./dispatch.js";
import { externalChain, firewallChain, firewallNote } from "./external.js";
import { masqueradeInternal } from "./masquerade.js";
import type { ServicePortInfo } from "./services.js";
import { hasFirewall, hasInternal } from "./words.js";

export const NAT_CHAINS = ["KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ"] as const;

/** How much of the nat table one sync writes. */
export interface SyncScope {
  /** Whether the own chains of a service port are written; its dispatch rules always are. */
  writesChains(service: ServicePortInfo): boolean;
  /** Chains that are there and no longer wanted, in the order in which they are deleted. */
  readonly stale: readonly string[];
}

export function natTable(
  services: readonly ServicePortInfo[],
  context: Context,
  comments: boolean,
  scope: SyncScope,
): Draft {
  const draft: Draft = { chains: [...NAT_CHAINS], rules: [] };
  masqueradeChains(draft, context);
  for (const service of services) {
    dispatch(draft, service, context);
    if (scope.writesChains(service)) ownChains(draft, service, context, comments);
  }
  deleteStale(draft, scope);
  dispatchToNodePorts(draft, context);
  return draft;
}

/** A chain can be deleted once it is empty, which its chain line makes it. */
export function deleteStale(draft: Draft, { stale }: SyncScope): void {
  appendAll(draft.chains, stale);
  appendAll(
    draft.rules,
    stale.map((chain) => `-X ${chain}`),
  );
}

/** Chain lines and rules of one service port's own chains. */
function ownChains(draft: Draft, service: ServicePortInfo, context: Context, comments: boolean): void {
  const { chains, chosen } = service;
  if (hasInternal(service)) masqueradeInternal(draft, service, context);
  if (chosen.any && service.external) {
    draft.chains.push(chains.external);
    externalChain(draft, service, context);
  }
  if (hasFirewall(service)) {
    draft.chains.push(chains.firewall);
    firewallChain(draft, service, service.loadBalancerIPs);
    if (context.behaviour.firewallNote) firewallNote(draft, service);
  }
  if (service.usesCluster && chosen.cluster.length > 0) {
    draft.chains.push(chains.cluster);
    balanceChain(draft, chains.cluster, service, chosen.cluster, comments);
  }
  if (service.usesLocal && chosen.local.length > 0) {
    draft.chains.push(chains.local);
    balanceChain(draft, chains.local, service, chosen.local, comments);
  }
  for (const endpoint of chosen.reachable) {
    draft.chains.push(chains.endpoint(endpoint));
    endpointChainRules(draft, service, endpoint, comments);
  }
}
