import { inNetwork, readNetwork } from "../../../grammar/address.js";
import { translationOf } from "../../explain/proxy-view.js";
import type { NodeState } from "../../state/nodestate.js";
import type { RulesView } from "../context.js";
import type { Check, Found } from "../finding.js";
import { bounded, chainsFrom, listed, seenRules } from "../look.js";
import { serverName } from "./servers.js";

const LOOPBACK = readNetwork("127.0.0.0/8");
const SYSCTL = "net.ipv4.conf.all.route_localnet";

export const toLoopback: Check = {
  code: "LF3038",
  severity: "info",
  sureness: "hint",
  find: ({ state, views }) => [
    ...views.flatMap((view) => translated(view, state)),
    ...nodePortsOnLoopback(views, state),
    ...servedOnLoopback(state),
  ],
};

function translated(view: RulesView, { network }: NodeState): readonly Found[] {
  if (view.family !== "ipv4") return [];
  const setting = network?.sysctls.get(SYSCTL);
  const fromOutside = chainsFrom(view, "nat", "PREROUTING");
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
}

/** Where the setting is known to be off, node ports do not work at 127.0.0.1: what comes from there may not leave. */
function nodePortsOnLoopback(views: readonly RulesView[], { network }: NodeState): readonly Found[] {
  if (network?.sysctls.get(SYSCTL) !== "0") return [];
  return views.flatMap((view) => {
    const rules = view.rulesOf("nat", "KUBE-NODEPORTS");
    if (view.family !== "ipv4" || rules.length === 0) return [];
    return [
      {
        message: `node ports do not work at 127.0.0.1: ${SYSCTL} is 0`,
        sureness: "likely" as const,
        ...seenRules(rules, view.family),
      },
    ];
  });
}

/** IPVS looks up the way to the real server, and sends nothing off the node that comes from 127.0.0.0/8 or ::1. */
function servedOnLoopback({ virtualServers, network }: NodeState): readonly Found[] {
  const own = new Set(network?.interfaces?.flatMap((one) => one.addresses.map(({ address }) => address)));
  const never = (virtualServers?.services ?? []).filter(
    ({ key, destinations }) =>
      key.kind === "address" &&
      // A real server on the node itself is reached.
      destinations.some(({ address }) => !own.has(address)) &&
      (typeof key.address === "bigint"
        ? key.address === 1n
        : LOOPBACK !== undefined && inNetwork(key.address, LOOPBACK)),
  );
  if (never.length === 0) return [];
  return [
    {
      message: `connections to ${listed(never.map(({ key }) => serverName(key)))} hang: IPVS sends nothing off the node that comes from loopback`,
      severity: "warning",
      sureness: "likely",
      ...bounded(never, ({ key }) => ({ words: serverName(key) })),
    },
  ];
}
