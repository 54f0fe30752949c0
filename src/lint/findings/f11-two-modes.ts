import { singleValue } from "../../explain/proxy-view.js";
import type { RuleAt } from "../../explain/service-model.js";
import { hashOf } from "../../explain/service-names.js";
import type { NodeState } from "../../state/nodestate.js";
import type { RulesView } from "../context.js";
import type { Check } from "../finding.js";
import { effectOf, listed, namedBy, refuses, seenRules, targetOf } from "../look.js";
import { endKey } from "./flows.js";

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
      const refusing = staleRefusals(view, state);
      return [
        ...(leading.length === 0
          ? []
          : [
              {
                message:
                  "rules of mode iptables stand beside those of mode ipvs: they translate before IPVS sees the packet",
                ...seenRules(leading, view.family),
              },
            ]),
        ...(refusing.length === 0
          ? []
          : [
              {
                message: `rules of mode iptables refuse what IPVS has real servers for: ${listed(refusing.map(({ rule }) => namedBy(rule)?.name ?? "a service"))}`,
                ...seenRules(refusing, view.family),
              },
            ]),
      ];
    });
  },
};

/**
 * Rules that refuse a Service "without endpoints" which IPVS has real servers for. In mode ipvs kube-proxy writes no such
 * rules: they are left over from mode iptables.
 */
export function staleRefusals(view: RulesView, { virtualServers }: NodeState): readonly RuleAt[] {
  const served = new Set(
    (virtualServers?.services ?? []).flatMap(({ key, destinations }) =>
      key.kind === "mark" || destinations.length === 0 ? [] : [endKey(key.address, key.port, key.protocol)],
    ),
  );
  if (served.size === 0) return [];
  const { family } = view;
  return view.rulesIn("filter").filter(({ rule }) => {
    const said = namedBy(rule)?.said;
    if (said !== "no endpoints" && said !== "no local endpoints") return false;
    if (!refuses(effectOf(rule, family))) return false;
    const address = singleValue(rule, "destination", family);
    const port = singleValue(rule, "destinationPort", family);
    const protocol = singleValue(rule, "protocol", family);
    if (address === undefined || port === undefined || protocol === undefined) return false;
    return served.has(endKey(address, Number(port), Number(protocol)));
  });
}
