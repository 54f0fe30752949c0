/** The filter table: what is refused, and what KUBE-FORWARD lets through. */
import type { Context } from "../common/context.js";
import { forwardRules } from "../common/forward.js";
import { LOCALNET_DROP } from "../common/kubelet.js";
import { append, comment, type Draft } from "../common/payload.js";
import type { ServicePortInfo } from "./services.js";
import { hasExternal, hasFirewall, hasInternal, toAddress, toPort } from "./words.js";

const FILTER_CHAINS = ["KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-FORWARD", "KUBE-NODEPORTS"] as const;

export function filterTable(services: readonly ServicePortInfo[], context: Context): Draft {
  const { behaviour, nodePorts } = context;
  const draft: Draft = { chains: [...FILTER_CHAINS], rules: [] };
  if (!behaviour.marksForDrop) draft.chains.push("KUBE-PROXY-FIREWALL");
  if (behaviour.localnetFirewall && nodePorts.onLoopback) {
    draft.chains.push("KUBE-FIREWALL");
    append(draft, "KUBE-FIREWALL", LOCALNET_DROP);
  }
  for (const service of services) refusals(draft, service, context);
  forward(draft, context);
  return draft;
}

/** Traffic that has nowhere to go: refused when there is no endpoint at all, dropped when only none is local. */
function refusals(draft: Draft, service: ServicePortInfo, context: Context): void {
  const { name, chosen, nodePort } = service;
  const [reason, target] = chosen.any
    ? [comment(`${name} has no local endpoints`), "-j DROP"]
    : [comment(`${name} has no endpoints`), "-j REJECT"];
  // Without KUBE-PROXY-FIREWALL the lack of local endpoints is dealt with by a mark in the nat table.
  const internal = context.behaviour.marksForDrop ? chosen.any : hasInternal(service);
  const external = context.behaviour.marksForDrop ? chosen.any : hasExternal(service);
  if (!internal) append(draft, "KUBE-SERVICES", reason, toAddress(service, service.clusterIP), target);
  if (!external) {
    for (const ip of service.externalIPs)
      append(draft, "KUBE-EXTERNAL-SERVICES", reason, toAddress(service, ip), target);
  }
  for (const ip of service.loadBalancerIPs) {
    if (hasFirewall(service) && !context.behaviour.marksForDrop) {
      const why = comment(`${name} traffic not accepted by ${service.chains.firewall}`);
      append(draft, "KUBE-PROXY-FIREWALL", why, toAddress(service, ip), "-j DROP");
    }
  }
  if (!external) {
    for (const ip of service.loadBalancerIPs) {
      append(draft, "KUBE-EXTERNAL-SERVICES", reason, toAddress(service, ip), target);
    }
    if (nodePort !== 0 && !context.nodePorts.none) {
      const local = "-m addrtype --dst-type LOCAL";
      append(draft, "KUBE-EXTERNAL-SERVICES", reason, local, toPort(service, nodePort), target);
    }
  }
  if (service.healthCheckNodePort !== 0) {
    append(
      draft,
      "KUBE-NODEPORTS",
      comment(`${name} health check node port`),
      `-m tcp -p tcp --dport ${service.healthCheckNodePort} -j ACCEPT`,
    );
  }
}

function forward(draft: Draft, context: Context): void {
  const { behaviour, tcpBeLiberal, nfacct } = context;
  if (!(behaviour.liberalSkipsInvalid && tcpBeLiberal)) {
    const counter = nfacct ? "-m nfacct --nfacct-name ct_state_invalid_dropped_pkts" : "";
    append(draft, "KUBE-FORWARD", "-m conntrack --ctstate INVALID", counter, "-j DROP");
  }
  forwardRules(draft, context);
}
