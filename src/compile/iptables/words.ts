/** Words that several families of chains share. */
import type { ServicePortInfo } from "./services.js";

/** `-m tcp -p tcp -d 10.0.0.1 --dport 80` */
export function toAddress(service: ServicePortInfo, address: string): string {
  return `-m ${service.protocol} -p ${service.protocol} -d ${address} --dport ${service.port}`;
}

/** `-m tcp -p tcp --dport 30080` */
export function toPort(service: ServicePortInfo, port: number): string {
  return `-m ${service.protocol} -p ${service.protocol} --dport ${port}`;
}

/** The chain that traffic for the cluster IP jumps to. */
export function internalChain({ chains, internalLocal }: ServicePortInfo): string {
  return internalLocal ? chains.local : chains.cluster;
}

/** The chain that traffic from outside jumps to once it is marked. */
export function externalPolicyChain({ chains, externalLocal }: ServicePortInfo): string {
  return externalLocal ? chains.local : chains.cluster;
}

/** There are endpoints for traffic to the cluster IP on this node. */
export function hasInternal({ chosen, internalLocal }: ServicePortInfo): boolean {
  return chosen.any && !(internalLocal && chosen.local.length === 0);
}

/** There are endpoints for traffic from outside on this node. */
export function hasExternal({ chosen, externalLocal }: ServicePortInfo): boolean {
  return chosen.any && !(externalLocal && chosen.local.length === 0);
}

/** The load balancer's source ranges are enforced by a chain of their own. */
export function hasFirewall({ chosen, loadBalancerIPs, sourceRanges }: ServicePortInfo): boolean {
  return chosen.any && loadBalancerIPs.length > 0 && sourceRanges.length > 0;
}
