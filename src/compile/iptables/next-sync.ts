/**
 * The sync after a change of the cluster: what kube-proxy sends then, and the node afterwards. Since partial syncs, only
 * the Services that changed have their chains written again; dispatch rules always are, and chains that nobody wants any
 * more are deleted.
 */
import { SERVICE_NAME_LABEL } from "../../cluster/consistency.js";
import type { ClusterModel, EndpointSlice, Node } from "../../cluster/model.js";
import { byBytes } from "../common/go-text.js";
import {
  type Compiled,
  type CompileOptions,
  compiled,
  compileIptables,
  type Prepared,
  payloadOf,
  prepare,
  staleChains,
} from "./compile.js";
import type { ServicePortInfo } from "./services.js";

/**
 * The second sync: `before` was compiled in full, then the cluster became `after`. `options.node` is the node after the
 * change, `nodeBefore` before it.
 */
export function compileNextSync(
  before: ClusterModel,
  after: ClusterModel,
  options: CompileOptions = {},
  nodeBefore: Node | undefined = options.node,
): Compiled {
  const first = compileIptables(before, { ...options, node: nodeBefore });
  const then = prepare(after, { ...options, family: first.family });
  const ruleset = first.state.rulesets[first.family];
  const changed = isFull(before, after, nodeBefore, options.node, then)
    ? undefined
    : changedServices(
        before,
        after,
        prepare(before, { ...options, family: first.family, node: nodeBefore }),
        then,
      );
  const payload = payloadOf(then, {
    writesChains: ({ service }) => changed === undefined || changed.has(service),
    stale: staleChains(ruleset, then),
  });
  return compiled(then, payload, ruleset);
}

/** Whether everything is written again: no partial syncs, another configuration, or other labels of the node. */
function isFull(
  before: ClusterModel,
  after: ClusterModel,
  nodeBefore: Node | undefined,
  nodeAfter: Node | undefined,
  { context: { behaviour } }: Prepared,
): boolean {
  if (!behaviour.partialSync || configurationText(before) !== configurationText(after)) return true;
  const labels = (node: Node | undefined) =>
    [...(node?.meta.labels ?? [])]
      .filter(([name]) => behaviour.fullSyncOn === "any label" || name.startsWith("topology.kubernetes.io/"))
      .map((label) => label.join("="))
      .sort(byBytes)
      .join(",");
  return labels(nodeBefore) !== labels(nodeAfter);
}

/** kube-proxy is started again for another configuration, and then syncs in full. */
function configurationText({ proxy }: ClusterModel): string {
  if (proxy === undefined) return "";
  const { place: _place, featureGates, ...rest } = proxy;
  return JSON.stringify([rest, [...featureGates]]);
}

/** Names of the Services whose ports, or whose slices, are not what they were. */
function changedServices(
  before: ClusterModel,
  after: ClusterModel,
  first: Prepared,
  then: Prepared,
): ReadonlySet<string> {
  return new Set([
    ...differences(portTexts(first.ports), portTexts(then.ports)),
    ...differences(sliceTexts(before, then), sliceTexts(after, then)),
  ]);
}

function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  );
}

/** What kube-proxy keeps of each Service's ports; labels and the like are not part of it. */
function portTexts(ports: readonly ServicePortInfo[]): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { endpoints: _all, chosen: _chosen, chains: _chains, ...port } of ports) {
    texts.set(port.service, (texts.get(port.service) ?? "") + JSON.stringify(port));
  }
  return texts;
}

/** What kube-proxy compares of each Service's slices. */
function sliceTexts(model: ClusterModel, { context }: Prepared): ReadonlyMap<string, string> {
  const { behaviour, family } = context;
  const texts = new Map<string, string>();
  const own = family === "ipv4" ? "IPv4" : "IPv6";
  const slices = [...model.slices].sort((left, right) => byBytes(left.meta.name, right.meta.name));
  for (const slice of slices) {
    if (slice.addressType === "FQDN" || (behaviour.slicesPerFamily && slice.addressType !== own)) continue;
    const { namespace, name, labels, annotations } = slice.meta;
    const service = `${namespace}/${labels.get(SERVICE_NAME_LABEL)}`;
    const whole = behaviour.sliceChange === "anything";
    const rest = whole ? [[...labels], [...annotations]] : [];
    const text = JSON.stringify([name, contents(slice, whole), rest]);
    texts.set(service, (texts.get(service) ?? "") + text);
  }
  return texts;
}

/** Ports and endpoints with their defaults, in an order that does not hang on the input's; `whole`: all their fields. */
function contents({ ports, endpoints }: EndpointSlice, whole: boolean): readonly string[] {
  const full = endpoints.map(({ pod, hostname, ...endpoint }) => {
    const rest = whole ? { pod, hostname } : {};
    return { ready: true, serving: true, terminating: false, ...endpoint, ...rest };
  });
  return [...ports, ...full]
    .map((one) => JSON.stringify(Object.entries(one).sort(([left], [right]) => byBytes(left, right))))
    .sort(byBytes);
}
