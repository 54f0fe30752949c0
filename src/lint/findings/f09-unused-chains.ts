import { ownerOf } from "../../explain/owners.js";
import type { RuleAt } from "../../explain/service-model.js";
import type { NodeState } from "../../state/nodestate.js";
import { BUILT_IN_CHAINS, isTableName, rulesOf } from "../../state/rules.js";
import type { RulesView } from "../context.js";
import type { Check, Found } from "../finding.js";
import { bounded, counted, groupedBy, listed } from "../look.js";
import { askedSets } from "./asked-sets.js";

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
  find: ({ state, views }) => [...views.flatMap(unusedIn), ...unusedSets(state)],
};

function unusedIn(view: RulesView): readonly Found[] {
  const asked = askedSets(view);
  return [...view.ruleset.tables.values()].flatMap(({ name: table, chains }) => {
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
      const names = new Set(own.map(({ name }) => name));
      const held = asked.filter(({ at }) => at.table === table && names.has(at.chain)).map(({ set }) => set);
      const holds =
        held.length === 0
          ? ""
          : `; while ${own.length === 1 ? "it is" : "they are"} there, ipset does not destroy ${listed(held)}`;
      return {
        message: `${table}: no packet comes to ${counted(own.length, "chain")}${owner === "" ? "" : ` of ${owner}`}: ${listed(names)}${holds}`,
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
  });
}

/**
 * In mode ipvs a rule asks for cluster IPs of each family that has any: where none asks for either, the sets are of the
 * past. A family without Services has sets all the same, which no rule asks.
 */
function unusedSets({ sets }: NodeState): readonly Found[] {
  const own = [...(sets?.values() ?? [])].filter(({ name }) => name.startsWith("KUBE-"));
  const main = own.filter(({ name }) => /^KUBE-(?:6-)?CLUSTER-IP$/.test(name));
  if (main.length === 0 || !main.every(({ references }) => references === 0)) return [];
  const held = own.filter(({ references = 0 }) => references > 0).map(({ name }) => name);
  const holds =
    held.length === 0
      ? ""
      : `; a rule still asks ${listed(held)}, and until it is deleted ipset does not destroy the set`;
  return [
    {
      message: `${counted(own.length, "set")} of kube-proxy ${own.length === 1 ? "is" : "are"} left over from mode ipvs: no rule asks for cluster IPs${holds}`,
      ...(main.length === 1 ? { sureness: "likely" as const } : {}),
      ...bounded(own, ({ name, references, entries, place }) => ({
        ...(place === undefined ? {} : { place }),
        words: `${name}: ${entries === undefined ? "members not known" : counted(entries.length, "member")}${references === undefined ? "" : `, ${counted(references, "reference")}`}`,
      })),
    },
  ];
}
