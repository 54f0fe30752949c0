import { ENDPOINT_CHAIN, hashOf } from "../../explain/service-names.js";
import type { Check } from "../finding.js";
import { namedBy, seenRules, targetOf } from "../look.js";

export const mixedVersions: Check = {
  code: "LF4021",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const rules = view.rulesIn("nat");
      const to = (prefix: string) => rules.filter(({ rule }) => targetOf(rule)?.startsWith(prefix));
      const [news, olds] = [to("KUBE-EXT-"), to("KUBE-XLB-")];
      const mixed = [];
      if (news.length > 0 && olds.length > 0) {
        mixed.push({
          message: "KUBE-EXT chains (kube-proxy 1.24 and later) stand beside KUBE-XLB chains (before 1.24)",
          ...seenRules([...news.slice(0, 1), ...olds], view.family),
        });
      }
      const balancing = rules.filter(
        ({ chain, rule }) => hashOf(chain) !== undefined && ENDPOINT_CHAIN.test(targetOf(rule) ?? ""),
      );
      const told = balancing.filter(({ rule }) => namedBy(rule)?.said === "endpoint");
      const plain = balancing.filter(({ rule }) => namedBy(rule)?.said === "");
      if (told.length > 0 && plain.length > 0) {
        mixed.push({
          message: "some comments name the endpoint (kube-proxy 1.24 and later), others do not (before 1.24)",
          ...seenRules([...told.slice(0, 1), ...plain], view.family),
        });
      }
      return mixed;
    }),
};
