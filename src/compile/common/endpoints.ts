/**
 * Which endpoints of a service port kube-proxy uses: readiness, traffic policies, topology hints, and the fallback to
 * terminating endpoints. Source: proxy.CategorizeEndpoints of Kubernetes 1.24 to 1.30, and its later form.
 */
import { familyOf, readAddress, withPort } from "../../../grammar/address.js";
import type { Endpoint } from "../../cluster/model.js";
import type { Context } from "./context.js";
import { byBytes, goAddress } from "./go-text.js";

/** An endpoint of one service port. */
export interface EndpointInfo {
  /** `ip:port` or `[ip]:port`: its identity, and its place in the order. */
  readonly text: string;
  readonly ip: string;
  readonly port: number;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly local: boolean;
  readonly zoneHints: readonly string[];
  readonly nodeHints: readonly string[];
}

export interface ChosenEndpoints {
  /** For traffic of policy Cluster. */
  readonly cluster: readonly EndpointInfo[];
  /** For traffic of policy Local. */
  readonly local: readonly EndpointInfo[];
  /** All that get an endpoint chain. */
  readonly reachable: readonly EndpointInfo[];
  /** There is an endpoint somewhere, be it on another node. */
  readonly any: boolean;
}

/** One endpoint of a slice at one port; undefined when it has no address of the family. */
export function endpointInfo(
  endpoint: Endpoint,
  port: number,
  { behaviour, family, nodeName }: Context,
): EndpointInfo | undefined {
  // kube-proxy takes the first address alone: by the API, all of them lead to the same pod.
  const written = endpoint.addresses[0] ?? "";
  const address = readAddress(written);
  if (address === undefined || familyOf(address) !== family) return undefined;
  const ip = behaviour.endpointsReprinted ? goAddress(address) : written;
  const ready = endpoint.ready ?? true;
  return {
    text: withPort(ip, port),
    ip,
    port,
    ready,
    serving: endpoint.serving ?? true,
    terminating: endpoint.terminating ?? false,
    local: nodeName !== "" && endpoint.nodeName === nodeName,
    zoneHints: endpoint.hints?.zones ?? [],
    nodeHints: endpoint.hints?.nodes ?? [],
  };
}

/** What the choice needs to know of a service port. */
export interface EndpointPolicy {
  readonly usesCluster: boolean;
  readonly usesLocal: boolean;
  /** The Service's annotations let hints count. */
  readonly hintsWanted: boolean;
}

/** The endpoints that kube-proxy chooses of all, which come sorted by `text`. */
export function chooseEndpoints(
  all: readonly EndpointInfo[],
  service: EndpointPolicy,
  context: Context,
): ChosenEndpoints {
  const fallback = context.behaviour.terminatingFallback;
  const serving = (endpoint: EndpointInfo) => fallback && endpoint.serving && endpoint.terminating;
  const allowed = topology(all, service, context);

  let cluster: readonly EndpointInfo[] = [];
  if (service.usesCluster) {
    cluster = all.filter((endpoint) => endpoint.ready && (allowed?.(endpoint) ?? true));
    if (cluster.length === 0) cluster = all.filter(serving);
  }
  if (!service.usesLocal) return { cluster, local: [], reachable: cluster, any: cluster.length > 0 };

  let local = all.filter((endpoint) => endpoint.local && endpoint.ready);
  const ready = local.length > 0;
  if (!ready) local = all.filter((endpoint) => endpoint.local && serving(endpoint));
  const usedFallback = !ready && local.length > 0;
  const any = cluster.length > 0 || all.some((endpoint) => endpoint.ready || serving(endpoint));
  const reachable = !service.usesCluster
    ? local
    : allowed === undefined && !usedFallback
      ? cluster
      : union(cluster, local);
  return { cluster, local, reachable, any };
}

/** kube-proxy walks a map here, in random order; by text is one order it may take, and a steady one. */
function union(left: readonly EndpointInfo[], right: readonly EndpointInfo[]): readonly EndpointInfo[] {
  const byText = new Map([...left, ...right].map((endpoint) => [endpoint.text, endpoint]));
  return [...byText.values()].sort((one, other) => byBytes(one.text, other.text));
}

/** Which endpoints the hints allow; undefined when hints do not count. */
function topology(
  all: readonly EndpointInfo[],
  service: EndpointPolicy,
  { behaviour, nodeName, zone }: Context,
): ((endpoint: EndpointInfo) => boolean) | undefined {
  const ready = all.filter((endpoint) => endpoint.ready);
  if (!service.hintsWanted || ready.length === 0) return undefined;
  const hinted = (hints: (endpoint: EndpointInfo) => readonly string[], here: string) =>
    ready.every((endpoint) => hints(endpoint).length > 0) &&
    ready.some((endpoint) => hints(endpoint).includes(here));
  if (behaviour.nodeHints && hinted(({ nodeHints }) => nodeHints, nodeName)) {
    return ({ nodeHints }) => nodeHints.includes(nodeName);
  }
  if (zone !== undefined && hinted(({ zoneHints }) => zoneHints, zone)) {
    return ({ zoneHints }) => zoneHints.includes(zone);
  }
  return undefined;
}
