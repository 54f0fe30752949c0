import { ownerOf } from "../../explain/owners.js";
import { belongsToService } from "../../explain/service-names.js";
import type { Check } from "../finding.js";
import { seenRules } from "../look.js";

export const notInIptables: Check = {
  code: "LF3045",
  severity: "info",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const ofCilium = view.rules.filter(({ chain }) => ownerOf(chain) === "Cilium");
      const nat = view.ruleset.tables.get("nat");
      if (ofCilium.length === 0 || nat === undefined || [...nat.chains.keys()].some(belongsToService))
        return [];
      return [
        {
          message: "Cilium's rules without those of kube-proxy: Services are not translated in iptables here",
          ...seenRules(ofCilium.slice(0, 1), view.family),
        },
      ];
    }),
};
