import { meaningOf } from "../../state/meaning.js";
import type { Check } from "../finding.js";
import { effectOf, seenRules, someWithin, targetOf } from "../look.js";

/** Chains in which plugins enforce network policies. */
const POLICY_CHAINS = /^(?:AZURE-NPM|WEAVE-NPC|KUBE-ROUTER-FORWARD|cali-FORWARD|felix-FORWARD)$/;

export const policyBypassed: Check = {
  code: "LF3041",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family } = view;
      const accepting = view.rulesOf("filter", "KUBE-FORWARD").filter(({ rule }) => {
        const effect = effectOf(rule, family);
        const asksForMark = meaningOf(rule, family).matches.some(({ condition }) =>
          someWithin(condition, (part) => part.kind === "masked" && part.field === "mark"),
        );
        return effect.kind === "verdict" && effect.verdict === "accept" && asksForMark;
      });
      const forward = view.rulesOf("filter", "FORWARD");
      const proxy = forward.findIndex(({ rule }) => targetOf(rule) === "KUBE-FORWARD");
      const policy = forward.find(
        ({ rule }, index) => index > proxy && POLICY_CHAINS.test(targetOf(rule) ?? ""),
      );
      const isAsked = forward
        .slice(0, Math.max(proxy, 0))
        .some(({ rule }) => POLICY_CHAINS.test(targetOf(rule) ?? ""));
      if (proxy < 0 || policy === undefined || isAsked) return [];
      // What a fragment lacks is taken to be as kube-proxy writes it.
      const isLacking = !view.isWhole("filter") && view.rulesOf("filter", "KUBE-FORWARD").length === 0;
      if (accepting.length === 0 && !isLacking) return [];
      return [
        {
          ...(isLacking ? { sureness: "likely" as const } : {}),
          message: `KUBE-FORWARD accepts marked packets before ${targetOf(policy.rule)} is asked: policies do not hold for masqueraded traffic`,
          ...seenRules([...forward.slice(proxy, proxy + 1), ...accepting, policy], family),
        },
      ];
    }),
};
