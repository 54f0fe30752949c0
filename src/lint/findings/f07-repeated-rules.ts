import type { RulesView } from "../context.js";
import type { Check } from "../finding.js";
import { askedBy, counted, seenRules } from "../look.js";
import { type Repeat, repeatsIn } from "./repeats.js";

export const repeatedRules: Check = {
  code: "LF4007",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) =>
      [...repeatsIn(view)].flatMap(([chain, all]) => {
        // What begins anew is another finding.
        const repeats = all.filter(({ isAnew }) => !isAnew);
        if (repeats.length === 0) return [];
        const renamed = repeats.filter(({ isRenamed }) => isRenamed).length;
        return [
          {
            message: `${chain} holds ${counted(repeats.length, "rule that stands", "rules that stand")} there already${renamed === 0 ? "" : `, ${renamed} of them under another comment`}${writerOf(repeats, view)}`,
            ...seenRules(
              repeats.map(({ at }) => at),
              view.family,
            ),
          },
        ];
      }),
    ),
};

/** Programs that are known to append what is there, by the chains that they write or jump to. */
const WRITERS: readonly (readonly [RegExp, string])[] = [
  [/^ISTIO_/, "probably by Istio's init container, which has run more than once"],
  [
    /^KUBE-(?:ROUTER|POD-FW|NWPLCY)-/,
    "probably by kube-router with iptables 1.8.0 to 1.8.4 or 1.8.10, whose -C fails",
  ],
  [
    /^KUBE-/,
    "probably by kubelet or kube-proxy with an iptables that has no working -C: before 1.4.11, or 1.8.0 to 1.8.2",
  ],
];

function writerOf(repeats: readonly Repeat[], view: RulesView): string {
  const same = repeats.filter(({ isRenamed }) => !isRenamed);
  const words: string[] = [];
  if (same.some(({ at: { rule } }) => rule.target?.kind === "target" && rule.target.name === "CHECKSUM"))
    words.push("probably by libvirt at each start of a network");
  const names = [...namesIn(same), ...(same.some((one) => isOfIstio(one, view)) ? ["ISTIO_"] : [])];
  const writer = WRITERS.find(([chains]) => names.some((name) => chains.test(name)));
  if (writer !== undefined) words.push(writer[1]);
  if (namesIn(repeats.filter(({ isRenamed }) => isRenamed)).some((name) => name.startsWith("KUBE-ROUTER-")))
    words.push("an upgrade of kube-router leaves its former comments");
  return words.map((one) => `; ${one}`).join("");
}

function namesIn(repeats: readonly Repeat[]): readonly string[] {
  return repeats.flatMap(({ at: { chain, rule } }) => [
    chain,
    rule.target?.kind === "chain" ? rule.target.chain : "",
  ]);
}

/** The user and group that Istio's proxy runs as. */
const ISTIO_PROXY = 1337;

function isOfIstio({ at: { rule } }: Repeat, { family }: RulesView): boolean {
  return askedBy(rule, family).some(
    (condition) =>
      condition.kind === "within" &&
      (condition.field === "user" || condition.field === "group") &&
      condition.ranges.some(({ from, to }) => from === ISTIO_PROXY && to === ISTIO_PROXY),
  );
}
