import type { Range } from "../../../grammar/meaning.js";
import { singleValue } from "../../explain/proxy-view.js";
import type { RuleAt } from "../../explain/service-model.js";
import type { RulesView } from "../context.js";
import type { Check } from "../finding.js";
import { askedBy, chainsFrom, effectOf, refuses, seenRules } from "../look.js";

export const inputBypassed: Check = {
  code: "LF3024",
  severity: "warning",
  sureness: "sure",
  find: ({ views }) =>
    views.flatMap((view) => {
      const { family } = view;
      const published = publishedIn(view);
      if (published.size === 0) return [];
      const forwarding = chainsFrom(view, "filter", "FORWARD");
      return [...chainsFrom(view, "filter", "INPUT")].flatMap((chain) => {
        if (forwarding.has(chain)) return [];
        return view.rulesOf("filter", chain).flatMap((at) => {
          if (!refuses(effectOf(at.rule, family))) return [];
          const own = published.get(singleValue(at.rule, "protocol", family)) ?? [];
          return askedBy(at.rule, family).flatMap((condition) => {
            if (condition.kind !== "within" || condition.field !== "destinationPort") return [];
            return condition.ranges.flatMap((range) => {
              const docker = firstIn(own, range);
              if (docker === undefined) return [];
              return [
                {
                  message: `port ${docker.port} is published by Docker: the rule of ${chain} that refuses it is never asked`,
                  ...seenRules([at, docker.at], family),
                },
              ];
            });
          });
        });
      });
    }),
};

interface Published {
  readonly port: number;
  readonly at: RuleAt;
}

/** Ports that Docker publishes for strangers, by protocol, the lowest first. */
function publishedIn(view: RulesView): ReadonlyMap<unknown, readonly Published[]> {
  const { family } = view;
  const published = new Map<unknown, Published[]>();
  for (const at of view.rulesOf("nat", "DOCKER")) {
    const port = singleValue(at.rule, "destinationPort", family);
    const address = singleValue(at.rule, "destination", family);
    // What is published on 127.0.0.1 alone is not translated for strangers.
    const isForStrangers = typeof address !== "number" || address >>> 24 !== 127;
    if (port === undefined || !isForStrangers || effectOf(at.rule, family).kind !== "rewrite") continue;
    const protocol = singleValue(at.rule, "protocol", family);
    const known = published.get(protocol);
    if (known === undefined) published.set(protocol, [{ port: Number(port), at }]);
    else known.push({ port: Number(port), at });
  }
  for (const own of published.values()) own.sort((left, right) => left.port - right.port);
  return published;
}

/** The first of sorted ports that lies in a range. */
function firstIn(sorted: readonly Published[], { from, to }: Range): Published | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.port ?? 0) < Number(from)) low = middle + 1;
    else high = middle;
  }
  const found = sorted[low];
  return found !== undefined && found.port <= Number(to) ? found : undefined;
}
