/**
 * The chains that the kubelet makes before kube-proxy starts. Source: pkg/kubelet/kubelet_network_linux.go; up to 1.26 it
 * also made the chains for marking and masquerading, in which kube-proxy then finds its own rules.
 */
import type { Ruleset } from "../../state/rules.js";
import { readRules } from "../../text/rules.js";
import type { Context } from "./context.js";
import { masqueradeChains } from "./masquerade.js";
import { comment, type Draft } from "./payload.js";

/** Bit 15, which the kubelet's chains mark packets to be dropped with. */
const DROP_MARK = "0x00008000";

/** Nothing from outside reaches loopback, where route_localnet would let it. kube-proxy has the same rule since 1.27. */
export const LOCALNET_DROP = `${comment("block incoming localnet connections")} -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`;

/** The rules of a node on which only the kubelet of the same version has run; masquerading by its default, bit 14. */
export function kubeletRules(context: Context): Ruleset {
  const { family, behaviour } = context;
  // Since kube-proxy has a chain of its own against packets to loopback, the kubelet leaves marks and IPv6 alone.
  const marks = !behaviour.localnetFirewall;
  const firewall = [
    ...(marks
      ? [
          `-A KUBE-FIREWALL ${comment("kubernetes firewall for dropping marked packets")} -m mark --mark ${DROP_MARK}/${DROP_MARK} -j DROP`,
        ]
      : []),
    ...(family === "ipv4" ? [`-A KUBE-FIREWALL ${LOCALNET_DROP}`] : []),
  ];
  const masquerade: Draft = { chains: [], rules: [] };
  masqueradeChains(masquerade, { ...context, mark: "0x00004000" });
  const lines = [
    "*mangle",
    ":KUBE-IPTABLES-HINT - [0:0]",
    ":KUBE-KUBELET-CANARY - [0:0]",
    "COMMIT",
    "*filter",
    ":KUBE-KUBELET-CANARY - [0:0]",
    ...(firewall.length > 0
      ? [":KUBE-FIREWALL - [0:0]", ...firewall, "-A INPUT -j KUBE-FIREWALL", "-A OUTPUT -j KUBE-FIREWALL"]
      : []),
    "COMMIT",
    "*nat",
    ":KUBE-KUBELET-CANARY - [0:0]",
    ...(marks
      ? [
          ":KUBE-MARK-DROP - [0:0]",
          ":KUBE-MARK-MASQ - [0:0]",
          ":KUBE-POSTROUTING - [0:0]",
          `-A KUBE-MARK-DROP -j MARK --or-mark ${DROP_MARK}`,
          ...masquerade.rules,
          `-A POSTROUTING ${comment("kubernetes postrouting rules")} -j KUBE-POSTROUTING`,
        ]
      : []),
    "COMMIT",
    "",
  ];
  return readRules({ name: "kubelet", text: lines.join("\n") }, { family }).ruleset;
}
