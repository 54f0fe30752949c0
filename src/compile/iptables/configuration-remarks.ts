/** What of a KubeProxyConfiguration does not do what it says in iptables mode. */
import type { Problem } from "../../problems/problem.js";
import {
  configurationRemarks,
  ignored,
  noNodePortAddress,
  remark,
  unknownIn,
} from "../common/configuration-remarks.js";
import type { Context } from "../common/context.js";
import type { Version } from "../versions.js";

export function iptablesRemarks(context: Context, version: Version): readonly Problem[] {
  const { proxy, behaviour, nodePorts } = context;
  const problems: Problem[] = [];
  if (proxy.mode !== "iptables") {
    problems.push(
      remark(
        context,
        "LF2001",
        `mode is ${proxy.mode}, and these are the rules of mode iptables`,
        "in another mode kube-proxy keeps its Services elsewhere",
      ),
    );
  }
  if (!proxy.localhostNodePorts && !behaviour.localhostNodePortsOption) {
    const why = unknownIn(version, "localhostNodePortsOption");
    problems.push(ignored(context, "iptables.localhostNodePorts", why));
  }
  if (proxy.tcpBeLiberal && !behaviour.liberalSkipsInvalid) {
    const why = unknownIn(version, "liberalSkipsInvalid");
    problems.push(ignored(context, "conntrack.tcpBeLiberal", why));
  }
  problems.push(...configurationRemarks(context, version));
  if (nodePorts.kind === "some" && nodePorts.addresses.length === 0)
    problems.push(noNodePortAddress(context));
  return problems;
}
