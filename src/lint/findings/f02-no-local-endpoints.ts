import { translationOf } from "../../explain/proxy-view.js";
import type { RuleAt } from "../../explain/service-model.js";
import type { NodeState } from "../../state/nodestate.js";
import type { RulesView } from "../context.js";
import type { Check, Found } from "../finding.js";
import {
  type EndpointAt,
  effectOf,
  endpointsIn,
  groupedBy,
  namedBy,
  printEnd,
  refuses,
  seenRules,
  targetOf,
} from "../look.js";
import { podBehind } from "../pods-here.js";

export const noLocalEndpoints: Check = {
  code: "LF3002",
  severity: "warning",
  sureness: "sure",
  find: ({ views, state }) =>
    views.flatMap((view) => {
      const dropped = view.rules.filter(
        ({ rule }) =>
          namedBy(rule)?.said === "no local endpoints" &&
          (refuses(effectOf(rule, view.family)) || targetOf(rule) === "KUBE-MARK-DROP"),
      );
      const endpoints = groupedBy(dropped.length === 0 ? [] : endpointsIn(view), ({ name }) => name);
      return [...groupedBy(dropped, ({ rule }) => namedBy(rule)?.name)].map(([name, own]) =>
        found(name, own, endpoints.get(name) ?? [], view, state),
      );
    }),
};

function found(
  name: string,
  dropped: readonly RuleAt[],
  endpoints: readonly EndpointAt[],
  view: RulesView,
  { network }: NodeState,
): Found {
  const here = endpoints.flatMap(({ at, address }) => {
    const dev = podBehind(address, network);
    return dev === undefined ? [] : [{ at, dev, end: translationOf(at.rule, view.family) }];
  });
  const [first] = here;
  if (first?.end?.address === undefined)
    return {
      message: `${name} has no endpoint on this node: clients from outside get no answer here`,
      ...seenRules(dropped, view.family),
    };
  const end = printEnd(first.end.address, first.end.port);
  return {
    message: `${name} has an endpoint on this node (${end}, behind ${first.dev}), and kube-proxy drops clients from outside as if it had none: probably kube-proxy goes by another node name than kubelet`,
    severity: "error",
    sureness: "likely",
    ...seenRules([...dropped, ...here.map(({ at }) => at)], view.family),
  };
}
