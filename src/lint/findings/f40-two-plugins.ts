import { ownerOf } from "../../explain/owners.js";
import type { RuleAt } from "../../explain/service-model.js";
import type { Rule } from "../../state/rules.js";
import { printRule } from "../../text/save.js";
import type { RulesView } from "../context.js";
import type { Check, Found } from "../finding.js";
import { askedBy, counted, effectOf, groupedBy, listed, seenRules, targetOf } from "../look.js";

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
    views.flatMap((view) => [...twoMasqueraders(view), ...twoForms(view), ...twoNetworks(view)]),
};

/** Rules of POSTROUTING that stand in flannel's own chain as well: versions before 0.20.1 wrote without a chain. */
function twoForms(view: RulesView): readonly Found[] {
  const { family } = view;
  const textOf = ({ header, matches, target }: Rule): string => {
    const uncommented = matches.filter(({ name }) => name !== "comment");
    return printRule(
      { header, matches: uncommented, ...(target === undefined ? {} : { target }) },
      "",
      family,
    );
  };
  const inChain = new Set(view.rulesOf("nat", "FLANNEL-POSTRTG").map(({ rule }) => textOf(rule)));
  const twice = view.rulesOf("nat", "POSTROUTING").filter(({ rule }) => inChain.has(textOf(rule)));
  if (twice.length === 0) return [];
  return [
    {
      message: `${counted(twice.length, "rule")} of POSTROUTING ${twice.length === 1 ? "stands" : "stand"} in FLANNEL-POSTRTG, too: an older flannel has left ${twice.length === 1 ? "it" : "them"}`,
      ...seenRules(twice, family),
    },
  ];
}

/** Chains of agents that decide which packets of pods keep their source: the first that masquerades ends nat. */
const MASQUERADERS = /^(?:IP-MASQ(?:-AGENT)?|KIND-MASQ-AGENT)$/;

function twoMasqueraders(view: RulesView): readonly Found[] {
  const jumps = groupedBy(view.rulesOf("nat", "POSTROUTING"), ({ rule }) => {
    const to = targetOf(rule);
    return to !== undefined && MASQUERADERS.test(to) ? to : undefined;
  });
  const [first, ...others] = jumps.keys();
  if (first === undefined || others.length === 0) return [];
  return [
    {
      message: `${[first, ...others].join(" and ")} both decide what is masqueraded: ${first} is asked first, and what it masquerades never comes to ${listed(others)}`,
      sureness: "sure",
      ...seenRules([...jumps.values()].flat(), view.family),
    },
  ];
}

function twoNetworks(view: RulesView): readonly Found[] {
  const owned = groupedBy(view.rules, (at) => {
    const owner = isOfOldFlannel(at, view) ? "flannel" : ownerOf(at.chain);
    return owner !== undefined && NETWORKS.includes(owner) ? owner : undefined;
  });
  const empty = emptyChainsIn(view, new Set(owned.keys()));
  const names = [...owned.keys(), ...empty.keys()];
  const areCompanions =
    names.length === 2 && COMPANIONS.some((pair) => pair.every((name) => names.includes(name)));
  if (names.length < 2 || owned.size === 0 || areCompanions) return [];
  const firsts = [...owned.values()].map(([first]) => first as RuleAt);
  const jumps = [...empty.values()].flatMap((own) =>
    own.flatMap(({ table, chain }) => view.callersOf(table, chain).slice(0, 1)),
  );
  const chains = [...empty].map(
    ([name, own]) =>
      `${own.length === 1 ? "a chain" : "chains"} of ${name} (${listed(own.map(({ chain }) => chain))})`,
  );
  return [
    {
      message: `${[`rules of ${[...owned.keys()].join(" and ")}`, ...chains].join(" and ")} stand side by side: one of them is probably left over`,
      ...seenRules([...firsts, ...jumps], view.family),
    },
  ];
}

interface ChainAt {
  readonly table: string;
  readonly chain: string;
}

/** Chains without rules that are all that a program has left, by the program; `others` have rules. */
function emptyChainsIn(
  { ruleset }: RulesView,
  others: ReadonlySet<string>,
): ReadonlyMap<string, readonly ChainAt[]> {
  const declared = [...ruleset.tables.values()].flatMap(({ name: table, chains }) =>
    [...chains.keys()].map((chain): ChainAt => ({ table, chain })),
  );
  return groupedBy(declared, ({ chain }) => {
    const owner = ownerOf(chain);
    return owner !== undefined && NETWORKS.includes(owner) && !others.has(owner) ? owner : undefined;
  });
}

const MULTICAST = { from: 0xe0000000, to: 0xefffffff };

/** Versions before 0.20.1 have no chain; what they masquerade is of the pods, and not to multicast groups. */
function isOfOldFlannel({ table, chain, rule }: RuleAt, { family }: RulesView): boolean {
  if (table !== "nat" || chain !== "POSTROUTING" || effectOf(rule, family).kind !== "masquerade")
    return false;
  const asked = askedBy(rule, family);
  return (
    asked.length === 2 &&
    asked.some((one) => one.kind === "within" && one.field === "source") &&
    asked.some(
      (one) =>
        one.kind === "not" &&
        one.of.kind === "within" &&
        one.of.field === "destination" &&
        one.of.ranges.every(({ from, to }) => from === MULTICAST.from && to === MULTICAST.to),
    )
  );
}
