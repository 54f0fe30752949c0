import type { Address } from "../../../grammar/address.js";
import { singleValue, translationOf } from "../../explain/proxy-view.js";
import { ENDPOINT_CHAIN } from "../../explain/service-names.js";
import { chainOf } from "../../state/rules.js";
import type { Check } from "../finding.js";
import {
  askedBy,
  endpointsIn,
  groupedBy,
  isIn,
  listed,
  namedBy,
  podNetworks,
  printEnd,
  seenRules,
  targetOf,
} from "../look.js";

export const noHairpin: Check = {
  code: "LF3005",
  severity: "error",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family, ruleset } = view;
      if (!view.isWhole("nat")) return [];
      const endpoints = endpointsIn(view);
      const networks = podNetworks(view);
      const isPod = (address: Address) => networks.some(({ network }) => isIn(address, network));
      if (endpoints.length > 0 && chainOf(ruleset, "nat", "KUBE-MARK-MASQ") === undefined) {
        const first = endpoints.slice(0, 1).map(({ at }) => at);
        return [
          { message: "there is no KUBE-MARK-MASQ: nothing is masqueraded", ...seenRules(first, family) },
        ];
      }
      const lacking = endpoints.filter(({ at, address }) => {
        if (!ENDPOINT_CHAIN.test(at.chain)) return false;
        return !view
          .rulesOf("nat", at.chain)
          .some(
            ({ rule }) =>
              targetOf(rule) === "KUBE-MARK-MASQ" &&
              (singleValue(rule, "source", family) === address || askedBy(rule, family).length === 0),
          );
      });
      return [...groupedBy(lacking, ({ at }) => namedBy(at.rule)?.name ?? "a service")].map(([name, own]) => {
        const ends = listed(
          own.map(({ at, address }) => printEnd(address, translationOf(at.rule, family)?.port)),
        );
        return {
          message: `${ends} cannot reach itself by ${name}: its chain does not masquerade its own packets`,
          // A process of the node itself is no pod, and gets its own packets all the same.
          ...(own.every(({ address }) => isPod(address)) ? {} : { sureness: "likely" as const }),
          ...seenRules(
            own.map(({ at }) => at),
            family,
          ),
        };
      });
    }),
};
