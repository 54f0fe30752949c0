/** The jumps that kube-proxy in IPVS mode makes with single calls. */
import type { Context } from "../common/context.js";
import type { Jump, Links } from "../common/node.js";

export function links({ behaviour }: Context): Links {
  const jump = (table: "filter" | "nat", from: string, comment: string, to: string): Jump => ({
    table,
    from,
    match: "",
    comment,
    to,
  });
  const portals = "kubernetes service portals";
  const firewall = "kube-proxy firewall rules";
  const access = "kubernetes ipvs access filter";
  return {
    jumps: [
      jump("nat", "OUTPUT", portals, "KUBE-SERVICES"),
      jump("nat", "PREROUTING", portals, "KUBE-SERVICES"),
      jump("nat", "POSTROUTING", "kubernetes postrouting rules", "KUBE-POSTROUTING"),
      jump("filter", "FORWARD", "kubernetes forwarding rules", "KUBE-FORWARD"),
      jump("filter", "INPUT", "kubernetes health check rules", "KUBE-NODE-PORT"),
      ...(behaviour.marksForDrop
        ? []
        : ["INPUT", "FORWARD"].map((from) => jump("filter", from, firewall, "KUBE-PROXY-FIREWALL"))),
      ...(behaviour.ipvsFilter ? [jump("filter", "INPUT", access, "KUBE-IPVS-FILTER")] : []),
      ...(behaviour.ipvsOutFilter ? [jump("filter", "OUTPUT", access, "KUBE-IPVS-OUT-FILTER")] : []),
    ],
    chains: new Map([
      ["filter", []],
      ["nat", behaviour.marksForDrop ? ["KUBE-MARK-DROP"] : []],
    ]),
  };
}
