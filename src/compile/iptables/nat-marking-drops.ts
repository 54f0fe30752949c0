/**
 * The nat table as kube-proxy 1.24 writes it: endpoint chains first, and KUBE-MARK-DROP for what has no local endpoint or
 * comes from outside a load balancer's ranges.
 */

import type { Context } from "../common/context.js";
import { masqueradeChains } from "../common/masquerade.js";
import { append, comment, type Draft } from "../common/payload.js";
import { balanceChain, endpointChainRules } from "./balance.js";
import {
  dispatchClusterIP,
  dispatchExternalIPs,
  dispatchLoadBalancerIP,
  dispatchNodePort,
  dispatchToNodePorts,
} from "./dispatch.js";
import { externalChain, firewallChain } from "./external.js";
import { masqueradeInternal } from "./masquerade.js";
import { deleteStale, NAT_CHAINS, type SyncScope } from "./nat.js";
import type { ServicePortInfo } from "./services.js";
import { hasFirewall } from "./words.js";

export function natTableMarkingDrops(
  services: readonly ServicePortInfo[],
  context: Context,
  comments: boolean,
  scope: SyncScope,
): Draft {
  const draft: Draft = { chains: [...NAT_CHAINS], rules: [] };
  masqueradeChains(draft, context);
  for (const service of services) serviceRules(draft, service, context, comments);
  deleteStale(draft, scope);
  dispatchToNodePorts(draft, context);
  return draft;
}

function serviceRules(draft: Draft, service: ServicePortInfo, context: Context, comments: boolean): void {
  const { chains, chosen } = service;
  for (const endpoint of chosen.reachable) {
    draft.chains.push(chains.endpoint(endpoint));
    endpointChainRules(draft, service, endpoint, comments);
  }
  if (!chosen.any) return;
  if (service.usesCluster) draft.chains.push(chains.cluster);
  if (service.usesLocal) draft.chains.push(chains.local);
  if (service.external) {
    draft.chains.push(chains.external);
    externalChain(draft, service, context);
  }
  masqueradeInternal(draft, service, context);
  dispatchClusterIP(draft, service);
  dispatchExternalIPs(draft, service);
  loadBalancer(draft, service);
  dispatchNodePort(draft, service, context);
  if (service.usesCluster) balanceChain(draft, chains.cluster, service, chosen.cluster, comments);
  if (service.usesLocal) {
    if (chosen.local.length > 0) balanceChain(draft, chains.local, service, chosen.local, comments);
    else append(draft, chains.local, comment(`${service.name} has no local endpoints`), "-j KUBE-MARK-DROP");
  }
}

/** Each address repeats the ranges, and ends in the mark for drop. */
function loadBalancer(draft: Draft, service: ServicePortInfo): void {
  const { chains, name } = service;
  if (!hasFirewall(service)) {
    for (const ip of service.loadBalancerIPs) dispatchLoadBalancerIP(draft, service, ip, chains.external);
    return;
  }
  draft.chains.push(chains.firewall);
  for (const ip of service.loadBalancerIPs) {
    dispatchLoadBalancerIP(draft, service, ip, chains.firewall);
    firewallChain(draft, service, [ip]);
    append(draft, chains.firewall, comment(`${name} loadbalancer IP`), "-j KUBE-MARK-DROP");
  }
}
