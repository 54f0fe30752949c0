import { ownerOf } from "../../explain/owners.js";
import type { RuleAt } from "../../explain/service-model.js";
import type { Check } from "../finding.js";
import { groupedBy, seenRules } from "../look.js";

/** Programs that give pods their network. */
const NETWORKS: readonly string[] = [
  "flannel",
  "Calico",
  "Calico (Felix of old)",
  "Weave Net",
  "Cilium",
  "Antrea",
  "kube-router",
  "Amazon VPC CNI",
  "OpenShift SDN",
  "OVN-Kubernetes",
];

/** Those that are run together: one gives the network, the other the policies. */
const COMPANIONS: readonly (readonly [string, string])[] = [
  ["flannel", "Calico"],
  ["flannel", "kube-router"],
  ["Amazon VPC CNI", "Calico"],
];

export const twoPlugins: Check = {
  code: "LF4040",
  severity: "warning",
  sureness: "likely",
  find: ({ views }) =>
    views.flatMap((view) => {
      const owned = groupedBy(view.rules, ({ chain }) => {
        const owner = ownerOf(chain);
        return owner !== undefined && NETWORKS.includes(owner) ? owner : undefined;
      });
      const names = [...owned.keys()];
      const areCompanions =
        names.length === 2 && COMPANIONS.some((pair) => pair.every((name) => names.includes(name)));
      if (names.length < 2 || areCompanions) return [];
      const firsts = [...owned.values()].map(([first]) => first as RuleAt);
      return [
        {
          message: `rules of ${names.join(" and ")} stand side by side: one of them is probably left over`,
          ...seenRules(firsts, view.family),
        },
      ];
    }),
};
