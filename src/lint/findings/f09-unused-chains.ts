import { ownerOf } from "../../explain/owners.js";
import type { RuleAt } from "../../explain/service-model.js";
import { BUILT_IN_CHAINS, isTableName, rulesOf } from "../../state/rules.js";
import type { Check } from "../finding.js";
import { bounded, counted, groupedBy, listed } from "../look.js";

/** Chains that their program never leads packets to: signs for other programs, and kubelet's own marks. */
const MEANT_TO_BE_UNUSED =
  /^KUBE-(?:\w+-CANARY|IPTABLES-HINT|MARK-DROP|MARK-MASQ|POSTROUTING|FIREWALL|LOAD-BALANCER|SOURCE-RANGES-FIREWALL)$/;

/** Programs that clean up after themselves: what they leave is left over. Chains of others may wait for their use. */
const CLEANING =
  /^(?:kube-proxy|kube-router|CNI plugin|flannel|Calico|Weave|Cilium|Antrea|ip-masq-agent|Azure NPM|Amazon|OpenShift|OVN)/;

export const unusedChains: Check = {
  code: "LF4009",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) =>
      [...view.ruleset.tables.values()].flatMap(({ name: table, chains }) => {
        if (!view.isSaved(table)) return [];
        const builtIn = isTableName(table) ? BUILT_IN_CHAINS[table] : [];
        const unused = [...chains.values()].filter(
          (chain) =>
            !builtIn.includes(chain.name) &&
            !view.isReached(table, chain.name) &&
            !MEANT_TO_BE_UNUSED.test(chain.name) &&
            rulesOf(chain).length > 0,
        );
        return [...groupedBy(unused, ({ name }) => ownerOf(name) ?? "")].map(([owner, own]) => {
          const names = own.map(({ name }) => name);
          return {
            message: `${table}: no packet comes to ${counted(own.length, "chain")}${owner === "" ? "" : ` of ${owner}`}: ${listed(names)}`,
            ...(CLEANING.test(owner) ? {} : { severity: "info" as const }),
            ...bounded(own, (chain) => {
              const [first] = view.rulesOf(table, chain.name) as readonly [RuleAt];
              return {
                ...(first.rule.place === undefined ? {} : { place: first.rule.place }),
                words: `${table}:${chain.name}`,
              };
            }),
          };
        });
      }),
    ),
};
