/** What of a KubeProxyConfiguration does not do what it says: gates and values that the version does not have. */
import type { Problem } from "../../problems/problem.js";
import { firstVersionWith, type Version } from "../versions.js";
import type { Context } from "./context.js";
import { PRIMARY } from "./node-port-addresses.js";

export function configurationRemarks(
  { proxy, behaviour, nodePorts }: Context,
  version: Version,
): readonly Problem[] {
  const problems: Problem[] = [];
  const warn = (code: Problem["code"], message: string, note?: string) =>
    problems.push({
      code,
      severity: "warning",
      message,
      ...(proxy.place === undefined ? {} : { place: proxy.place }),
      ...(note === undefined ? {} : { notes: [note] }),
    });
  const ignored = (what: string, why: string) => warn("LF5005", `${what} ${why}, so it is ignored`);

  if (proxy.mode !== "iptables") {
    warn(
      "LF2001",
      `mode is ${proxy.mode}, and these are the rules of mode iptables`,
      "in another mode kube-proxy keeps its Services elsewhere",
    );
  }
  for (const gate of behaviour.ignoredGates)
    ignored(`feature gate ${gate}`, `cannot be set in kube-proxy ${version}`);
  if (!proxy.localhostNodePorts && !behaviour.localhostNodePortsOption)
    ignored("iptables.localhostNodePorts", missing("localhostNodePortsOption", version));
  if (proxy.tcpBeLiberal && !behaviour.liberalSkipsInvalid)
    ignored("conntrack.tcpBeLiberal", missing("liberalSkipsInvalid", version));
  if (proxy.nodePortAddresses.includes(PRIMARY) && !behaviour.primaryNodePortAddress)
    ignored(`${PRIMARY} in nodePortAddresses`, missing("primaryNodePortAddress", version));
  if (nodePorts.kind === "some" && nodePorts.addresses.length === 0) {
    const list = proxy.nodePortAddresses.join(", ");
    warn("LF5005", `no address of the node is in nodePortAddresses (${list}), so no node port answers`);
  }
  return problems;
}

function missing(behaviour: Parameters<typeof firstVersionWith>[0], version: Version): string {
  return `is known from kube-proxy ${firstVersionWith(behaviour)} on, not in ${version}`;
}
