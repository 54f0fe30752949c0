/** KUBE-SERVICES and KUBE-NODEPORTS: which address and port leads to which chain. */
import type { Context } from "../common/context.js";
import { append, bareComment, comment, type Draft } from "../common/payload.js";
import type { ServicePortInfo } from "./services.js";
import { hasFirewall, hasInternal, internalChain, toAddress, toPort } from "./words.js";

export function dispatch(draft: Draft, service: ServicePortInfo, context: Context): void {
  if (hasInternal(service)) dispatchClusterIP(draft, service);
  if (!service.chosen.any) return;
  dispatchExternalIPs(draft, service);
  const chain = hasFirewall(service) ? service.chains.firewall : service.chains.external;
  for (const ip of service.loadBalancerIPs) dispatchLoadBalancerIP(draft, service, ip, chain);
  dispatchNodePort(draft, service, context);
}

export function dispatchClusterIP(draft: Draft, service: ServicePortInfo): void {
  const why = comment(`${service.name} cluster IP`);
  append(draft, "KUBE-SERVICES", why, toAddress(service, service.clusterIP), `-j ${internalChain(service)}`);
}

export function dispatchExternalIPs(draft: Draft, service: ServicePortInfo): void {
  const why = comment(`${service.name} external IP`);
  for (const ip of service.externalIPs) {
    append(draft, "KUBE-SERVICES", why, toAddress(service, ip), `-j ${service.chains.external}`);
  }
}

export function dispatchLoadBalancerIP(
  draft: Draft,
  service: ServicePortInfo,
  ip: string,
  chain: string,
): void {
  append(
    draft,
    "KUBE-SERVICES",
    comment(`${service.name} loadbalancer IP`),
    toAddress(service, ip),
    `-j ${chain}`,
  );
}

export function dispatchNodePort(draft: Draft, service: ServicePortInfo, context: Context): void {
  const { name, nodePort, protocol, chains } = service;
  if (nodePort === 0 || context.nodePorts.none) return;
  if (context.nfacct && context.nodePorts.onLoopback) {
    append(
      draft,
      "KUBE-NODEPORTS",
      bareComment(name),
      `-m ${protocol} -p ${protocol} -d 127.0.0.0/8 --dport ${nodePort}`,
      "-m nfacct --nfacct-name localhost_nps_accepted_pkts",
      `-j ${chains.external}`,
    );
  }
  append(draft, "KUBE-NODEPORTS", bareComment(name), toPort(service, nodePort), `-j ${chains.external}`);
}

/** The last rules of KUBE-SERVICES: packets for the node itself may be for a node port. */
export function dispatchToNodePorts(draft: Draft, { family, behaviour, nodePorts }: Context): void {
  const note = comment("kubernetes service nodeports; NOTE: this must be the last rule in this chain");
  if (nodePorts.kind === "all") {
    const notLoopback = family === "ipv6" ? "! -d ::1/128" : nodePorts.onLoopback ? "" : "! -d 127.0.0.0/8";
    const except = behaviour.localhostNodePortsOption ? notLoopback : "";
    append(draft, "KUBE-SERVICES", note, "-m addrtype --dst-type LOCAL", except, "-j KUBE-NODEPORTS");
    return;
  }
  for (const address of nodePorts.addresses)
    append(draft, "KUBE-SERVICES", note, `-d ${address}`, "-j KUBE-NODEPORTS");
}
