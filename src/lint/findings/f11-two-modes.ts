import { hashOf } from "../../explain/service-names.js";
import type { Check } from "../finding.js";
import { seenRules, targetOf } from "../look.js";

export const twoModes: Check = {
  code: "LF3011",
  severity: "error",
  sureness: "sure",
  find: ({ state, views }) => {
    const hasSets = [...(state.sets?.values() ?? [])].some(
      ({ name, entries }) => /^KUBE-(?:6-)?CLUSTER-IP$/.test(name) && entries?.length !== 0,
    );
    const hasServers = (state.virtualServers?.services.length ?? 0) > 0;
    return views.flatMap((view) => {
      const asksSet = view
        .rulesIn("nat")
        .some(
          ({ rule }) =>
            rule.matches.some(({ name }) => name === "set") && /^KUBE-/.test(targetOf(rule) ?? ""),
        );
      if (!hasSets && !hasServers && !asksSet) return [];
      const leading = view
        .rulesIn("nat")
        .filter(
          ({ chain, rule }) =>
            !/^KUBE-(?:SVC|SVL|EXT|XLB|FW)-/.test(chain) && hashOf(targetOf(rule) ?? "") !== undefined,
        );
      if (leading.length === 0) return [];
      return [
        {
          message:
            "rules of mode iptables stand beside those of mode ipvs: they translate before IPVS sees the packet",
          ...seenRules(leading, view.family),
        },
      ];
    });
  },
};
