/** KUBE-EXT-: traffic from outside, by its policy; KUBE-FW-: a load balancer's source ranges. */
import type { Context } from "../common/context.js";
import { append, comment, type Draft } from "../common/payload.js";
import type { ServicePortInfo } from "./services.js";
import { externalPolicyChain, hasExternal } from "./words.js";

/** Rules of KUBE-EXT-: what is masqueraded, what pods and the node itself get, and the jump to the endpoints. */
export function externalChain(draft: Draft, service: ServicePortInfo, context: Context): void {
  const { name, chains, externalLocal } = service;
  if (!externalLocal) {
    const why = comment(`masquerade traffic for ${name} external destinations`);
    append(draft, chains.external, why, "-j KUBE-MARK-MASQ");
  } else {
    if (context.localTraffic) {
      const why = comment(`pod traffic for ${name} external destinations`);
      append(draft, chains.external, why, context.localTraffic.is, `-j ${chains.cluster}`);
    }
    const local = "-m addrtype --src-type LOCAL";
    const masquerade = comment(`masquerade LOCAL traffic for ${name} external destinations`);
    append(draft, chains.external, masquerade, local, "-j KUBE-MARK-MASQ");
    const route = comment(`route LOCAL traffic for ${name} external destinations`);
    append(draft, chains.external, route, local, `-j ${chains.cluster}`);
  }
  if (hasExternal(service) || context.behaviour.marksForDrop) {
    append(draft, chains.external, `-j ${externalPolicyChain(service)}`);
  }
}

/** Rules of KUBE-FW- for one address or all: the ranges that may come, and the node itself where a range holds it. */
export function firewallChain(draft: Draft, service: ServicePortInfo, addresses: readonly string[]): void {
  const { chains, name, sourceRanges, rangesHoldNode } = service;
  const why = comment(`${name} loadbalancer IP`);
  for (const range of sourceRanges)
    append(draft, chains.firewall, why, `-s ${range}`, `-j ${chains.external}`);
  if (!rangesHoldNode) return;
  // A node that talks to the load balancer's address may do so with that address as its source.
  for (const ip of addresses) append(draft, chains.firewall, why, `-s ${ip}`, `-j ${chains.external}`);
}

/** What ends KUBE-FW- since the drop is done in the filter table. */
export function firewallNote(draft: Draft, { chains, name }: ServicePortInfo): void {
  append(draft, chains.firewall, comment(`other traffic to ${name} will be dropped by KUBE-PROXY-FIREWALL`));
}
