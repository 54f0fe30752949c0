/** The jumps and chains that kube-proxy in iptables mode makes with single calls. */
import type { Context } from "../common/context.js";
import type { Jump, Links } from "../common/node.js";

const NEW = "-m conntrack --ctstate NEW";

/** A chain in each table whose loss tells kube-proxy that somebody flushed the rules. */
const CANARY = "KUBE-PROXY-CANARY";

export function links(context: Context): Links {
  const marked = context.behaviour.marksForDrop ? ["KUBE-MARK-DROP"] : [];
  return {
    jumps: jumps(context),
    chains: new Map([
      ["mangle", [CANARY]],
      ["filter", [CANARY]],
      ["nat", [CANARY, ...marked]],
    ]),
  };
}

function jumps({ behaviour }: Context): readonly Jump[] {
  const filter = (from: string, match: string, comment: string, to: string): Jump => ({
    table: "filter",
    from,
    match,
    comment,
    to,
  });
  const nat = (from: string, comment: string, to: string): Jump => ({
    table: "nat",
    from,
    match: "",
    comment,
    to,
  });
  const external = "kubernetes externally-visible service portals";
  const portals = "kubernetes service portals";
  return [
    filter("INPUT", NEW, external, "KUBE-EXTERNAL-SERVICES"),
    filter("FORWARD", NEW, external, "KUBE-EXTERNAL-SERVICES"),
    filter("INPUT", "", "kubernetes health check service ports", "KUBE-NODEPORTS"),
    filter("FORWARD", NEW, portals, "KUBE-SERVICES"),
    filter("OUTPUT", NEW, portals, "KUBE-SERVICES"),
    filter("FORWARD", "", "kubernetes forwarding rules", "KUBE-FORWARD"),
    ...(behaviour.marksForDrop
      ? []
      : ["INPUT", "OUTPUT", "FORWARD"].map((from) =>
          filter(from, NEW, "kubernetes load balancer firewall", "KUBE-PROXY-FIREWALL"),
        )),
    nat("OUTPUT", portals, "KUBE-SERVICES"),
    nat("PREROUTING", portals, "KUBE-SERVICES"),
    nat("POSTROUTING", "kubernetes postrouting rules", "KUBE-POSTROUTING"),
    ...(behaviour.localnetFirewall
      ? ["INPUT", "OUTPUT"].map((from) => filter(from, "", "", "KUBE-FIREWALL"))
      : []),
  ];
}
