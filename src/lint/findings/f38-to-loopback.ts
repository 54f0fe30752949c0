import { inNetwork, readNetwork } from "../../../grammar/address.js";
import { translationOf } from "../../explain/proxy-view.js";
import type { RulesView } from "../context.js";
import type { Check } from "../finding.js";
import { seenRules, targetOf } from "../look.js";

const LOOPBACK = readNetwork("127.0.0.0/8");
const SYSCTL = "net.ipv4.conf.all.route_localnet";

export const toLoopback: Check = {
  code: "LF3038",
  severity: "info",
  sureness: "hint",
  find: ({ state, views }) =>
    views.flatMap((view) => {
      if (view.family !== "ipv4") return [];
      const setting = state.network?.sysctls.get(SYSCTL);
      const fromOutside = chainsFrom(view, "PREROUTING");
      const rules = view.rulesIn("nat").filter(({ chain, rule }) => {
        if (!fromOutside.has(chain)) return false;
        const to = translationOf(rule, view.family)?.address;
        return to !== undefined && LOOPBACK !== undefined && inNetwork(to, LOOPBACK);
      });
      if (rules.length === 0 || setting === "1") return [];
      return [
        {
          message: `packets from outside are sent to 127.0.0.0/8, which needs ${SYSCTL}=1`,
          // Each interface has a setting of its own beside that for all.
          ...(setting === "0" ? { sureness: "likely" as const } : {}),
          ...seenRules(rules, view.family),
        },
      ];
    }),
};

function chainsFrom(view: RulesView, first: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = [first];
  for (let chain = waiting.pop(); chain !== undefined; chain = waiting.pop()) {
    if (seen.has(chain)) continue;
    seen.add(chain);
    for (const { rule } of view.rulesOf("nat", chain)) waiting.push(targetOf(rule) ?? first);
  }
  return seen;
}
