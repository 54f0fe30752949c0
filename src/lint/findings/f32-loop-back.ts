import { familyOf } from "../../../grammar/address.js";
import type { Condition } from "../../../grammar/meaning.js";
import { callSetting, isBridge } from "../../evaluate/bridge.js";
import { sysctl } from "../../evaluate/sysctls.js";
import { meaningOf } from "../../state/meaning.js";
import type { NodeState } from "../../state/nodestate.js";
import { membership } from "../../state/sets.js";
import type { VirtualServer } from "../../state/virtual-servers.js";
import type { RulesView } from "../context.js";
import type { Check, Found } from "../finding.js";
import { groupedBy, listed, printEnd, someWithin } from "../look.js";
import { podBehind } from "../pods-here.js";
import { serverName, setNamed } from "./servers.js";

/** IPVS translates the destination alone: an endpoint that is its own client answers itself, unless a rule masquerades. */
export const loopBack: Check = {
  code: "LF3032",
  severity: "error",
  sureness: "sure",
  find({ state, views }) {
    const services = (state.virtualServers?.services ?? []).filter(({ destinations }) =>
      destinations.some(({ forwarding = { kind: "masquerade" } }) => forwarding.kind === "masquerade"),
    );
    if (services.length === 0) return [];
    return [
      ...lackingIn(services, state),
      ...keptOnBridges(services, state),
      ...noRule(services, views, state),
    ];
  },
};

/** Pods of this node that kube-proxy's set of endpoints lacks. */
function lackingIn(services: readonly VirtualServer[], { sets, network }: NodeState): readonly Found[] {
  const lacking = services.flatMap(({ key, destinations }) => {
    if (key.kind === "mark" || sets === undefined) return [];
    const { protocol } = key;
    return destinations.flatMap(({ address, port }) => {
      const family = familyOf(address);
      const name = setNamed(LOOP_BACK, family);
      if (sets.get(name)?.entries === undefined || podBehind(address, network) === undefined) return [];
      const packet = { family, protocol, source: address, destination: address, destinationPort: port };
      if (membership(sets, name, ["dst", "dst", "src"], packet) !== "no") return [];
      return [{ end: printEnd(address, port), name, by: serverName(key) }];
    });
  });
  return [...groupedBy(lacking, ({ end, name }) => `${end} is not in ${name}`)].map(([words, own]) => ({
    message: `${words}: it cannot reach itself by ${own[0]?.by}`,
    seen: [],
  }));
}

const LOOP_BACK = "KUBE-LOOP-BACK";

/** Other pods behind the same bridge keep their source, and no rule sees what stays on the bridge. */
function keptOnBridges(services: readonly VirtualServer[], { network }: NodeState): readonly Found[] {
  const kept = services.flatMap(({ key, destinations }) =>
    destinations.flatMap(({ address, port }) => {
      const setting = callSetting(familyOf(address));
      const behind = podBehind(address, network);
      const bridge = network?.interfaces?.find(({ name }) => name === behind);
      if (!isBridge(bridge, network) || sysctl(network, setting) !== "0") return [];
      return [{ by: serverName(key), end: printEnd(address, port), behind, setting }];
    }),
  );
  return [...groupedBy(kept, ({ behind }) => behind)].map(([behind, own]) => ({
    message: `pods behind ${behind} do not reach ${listed(own.map(({ end }) => end))} by ${listed(own.map(({ by }) => by))}: the answer stays on the bridge, where nothing translates it back (${own[0]?.setting} is 0)`,
    seen: [],
  }));
}

/** Where no rule masquerades what an endpoint sends to itself, or none was given. */
function noRule(
  services: readonly VirtualServer[],
  views: readonly RulesView[],
  { sets, network }: NodeState,
): readonly Found[] {
  const nats = views.filter(({ ruleset }) => ruleset.tables.has("nat"));
  if (nats.some((view) => !view.isSaved("nat") || view.rulesIn("nat").some(asksForServed(view)))) return [];
  const here = services.filter(({ destinations }) =>
    destinations.some(({ address }) => podBehind(address, network) !== undefined),
  );
  if (nats.length > 0 && here.length > 0)
    return [
      {
        message: `no rule masquerades what an endpoint sends to itself by ${namesOf(here)}: it cannot reach itself`,
        sureness: "likely",
        seen: [],
      },
    ];
  // kube-proxy has no entries, and no rule, where no endpoint is on the node.
  if (sets !== undefined) return [];
  return [
    {
      message: `whether an endpoint on this node reaches itself by ${namesOf(services)} is not told here: that takes a rule of nat which masquerades its packets (by the set ${LOOP_BACK}, or the match ipvs)`,
      severity: "info",
      sureness: "hint",
      seen: [],
    },
  ];
}

function namesOf(services: readonly VirtualServer[]): string {
  return listed(services.map(({ key }) => serverName(key)));
}

/** Whether a rule asks for an endpoint as its own client, or for what IPVS has handled. */
function asksForServed({ family }: RulesView) {
  const asks = (part: Condition) =>
    (part.kind === "member" && part.set === setNamed(LOOP_BACK, family)) ||
    (part.kind === "hidden" && part.served !== undefined);
  return ({ rule }: ReturnType<RulesView["rulesIn"]>[number]): boolean =>
    meaningOf(rule, family).matches.some(({ condition }) => someWithin(condition, asks));
}
