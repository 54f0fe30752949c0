import { ownerOf } from "../../explain/owners.js";
import type { Check } from "../finding.js";
import { seenRules, targetOf } from "../look.js";

export const hostPortsFlushed: Check = {
  code: "LF3047",
  severity: "warning",
  sureness: "hint",
  find: ({ views }) =>
    views.flatMap((view) => {
      const rules = view.rulesOf("nat", "PREROUTING");
      const leadsTo = (name: RegExp) => rules.filter(({ rule }) => name.test(targetOf(rule) ?? ""));
      const ofFirewall = rules.filter(({ rule }) => ownerOf(targetOf(rule) ?? "") === "firewalld");
      const ofProxy = leadsTo(/^KUBE-SERVICES$/);
      if (ofFirewall.length === 0 || ofProxy.length === 0) return [];
      // Cilium and others do host ports by themselves.
      const others = view.rulesIn("nat").some(({ chain }) => /^CILIUM_/.test(chain));
      if (others || leadsTo(/^CNI-HOSTPORT-DNAT$/).length > 0) return [];
      return [
        {
          message:
            "firewalld and kube-proxy share nat, and no rule leads to host ports of pods: if a pod of this node has one, firewalld has deleted its rules",
          ...seenRules([...ofProxy, ...ofFirewall], view.family),
        },
      ];
    }),
};
