import type { RuleAt } from "../../explain/service-model.js";
import { ENDPOINT_CHAIN } from "../../explain/service-names.js";
import type { Check } from "../finding.js";
import { askedBy, groupedBy, namedBy, seenRules, targetOf } from "../look.js";

/** Below ten minutes people notice. */
const SHORT_SECONDS = 600;

/** Kubernetes' own, three hours. */
const DEFAULT_MINUTES = 180;

export const shortAffinity: Check = {
  code: "LF3017",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family } = view;
      const asking: { readonly at: RuleAt; readonly seconds: number; readonly name: string }[] = [];
      for (const at of view.rulesIn("nat")) {
        if (!ENDPOINT_CHAIN.test(targetOf(at.rule) ?? "")) continue;
        for (const condition of askedBy(at.rule, family)) {
          if (condition.kind !== "remembered" || condition.seconds === undefined) continue;
          asking.push({ at, seconds: condition.seconds, name: namedBy(at.rule)?.name ?? at.chain });
        }
      }
      const short = asking.filter(({ seconds }) => seconds < SHORT_SECONDS);
      const ends = [...groupedBy(short, ({ name }) => name)].map(([name, own]) => ({
        message: `${name}: affinity ends ${own[0]?.seconds} s after a client's last new connection${own[0]?.seconds === DEFAULT_MINUTES ? `; probably written by kube-proxy 1.4, which took the ${DEFAULT_MINUTES} minutes of the default for seconds` : ""}`,
        ...seenRules(
          own.map(({ at }) => at),
          family,
        ),
      }));
      const services = groupedBy(asking, ({ name }) => /^[^:]+(?=:)/.exec(name)?.[0]);
      const split = [...services].flatMap(([service, own]) => {
        const ports = groupedBy(own, ({ name }) => name);
        if (ports.size < 2) return [];
        return [
          {
            message: `${service}: affinity is kept for each of its ${ports.size} ports alone: a client's connections to two ports may go to two pods`,
            severity: "info" as const,
            ...seenRules(
              [...ports.values()].flatMap((ofPort) => ofPort.slice(0, 1).map(({ at }) => at)),
              family,
            ),
          },
        ];
      });
      return [...ends, ...split];
    }),
};
