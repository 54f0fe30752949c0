import type { Check } from "../finding.js";
import { askedBy, counted, effectOf, seenRules } from "../look.js";

/** An endpoint as its own client: kube-proxy draws no port for it. */
const OF_ENDPOINTS = /^KUBE-(?:6-)?LOOP-BACK$/;

export const randomFully: Check = {
  code: "LF4039",
  severity: "info",
  sureness: "hint",
  find: ({ views }) =>
    views.flatMap(({ rulesIn, family }) => {
      const masquerading = rulesIn("nat").filter(
        ({ rule }) =>
          effectOf(rule, family).kind === "masquerade" &&
          !askedBy(rule, family).some((one) => one.kind === "member" && OF_ENDPOINTS.test(one.set)),
      );
      const isRandom = ({ rule }: (typeof masquerading)[number]) => {
        const effect = effectOf(rule, family);
        return effect.kind === "masquerade" && effect.to.random === true;
      };
      const plain = masquerading.filter((at) => !isRandom(at));
      if (plain.length === 0 || plain.length === masquerading.length) return [];
      return [
        {
          message: `${counted(plain.length, "MASQUERADE rule")} of ${masquerading.length} ${plain.length === 1 ? "draws" : "draw"} no random port`,
          ...seenRules(plain, family),
        },
      ];
    }),
};
