/** Service ports as one family's proxier sees them, with their endpoints, in the order in which rules are written. */
import { familyOf, inNetwork, readAddress, readNetwork } from "../../../grammar/address.js";
import type { ClusterModel, Service, ServicePort } from "../../cluster/model.js";
import { servicePortName } from "../../cluster/names.js";
import type { Context } from "./context.js";
import {
  type ChosenEndpoints,
  chooseEndpoints,
  type EndpointInfo,
  type EndpointPolicy,
} from "./endpoints.js";
import { byBytes, goAddress, goNetwork } from "./go-text.js";
import { endpointsOf, isForeign, slicesByService } from "./slices.js";

/** Annotations that switch hints on; the first that is there counts. */
const HINTS_ANNOTATIONS = [
  "service.kubernetes.io/topology-aware-hints",
  "service.kubernetes.io/topology-mode",
];

export interface ServicePortInfo extends EndpointPolicy {
  /** `namespace/name` of its Service. */
  readonly service: string;
  /** `namespace/name:port`, as in comments. */
  readonly name: string;
  /** Lower case, as iptables has it. */
  readonly protocol: string;
  readonly clusterIP: string;
  readonly port: number;
  readonly nodePort: number;
  readonly externalIPs: readonly string[];
  readonly loadBalancerIPs: readonly string[];
  /** As kube-proxy writes them. */
  readonly sourceRanges: readonly string[];
  /** A source range holds the node's own address. */
  readonly rangesHoldNode: boolean;
  /** Seconds; undefined without ClientIP affinity. */
  readonly affinitySeconds: number | undefined;
  readonly externalLocal: boolean;
  readonly internalLocal: boolean;
  /** There is an address or port for clients outside of the cluster. */
  readonly external: boolean;
  /** 0 when there is none. */
  readonly healthCheckNodePort: number;
  /** All of the family, ready or not, in the order of their text. */
  readonly endpoints: readonly EndpointInfo[];
  readonly chosen: ChosenEndpoints;
}

/** The service ports that get rules, in the byte order of their names, then of their protocols. */
export function servicePorts(model: ClusterModel, context: Context): readonly ServicePortInfo[] {
  const slices = slicesByService(model, context);
  const ports = model.services.flatMap((service) => {
    const clusterIP = clusterAddress(service, context);
    if (clusterIP === undefined) return [];
    const { namespace, name } = service.meta;
    // kube-proxy keeps ports under their name and protocol; the API allows no second one, and here the last would count.
    const ports = new Map(service.ports.map((port) => [`${port.name}/${port.protocol}`, port]));
    return [...ports.values()].map((port) => {
      const endpoints = endpointsOf(slices.get(`${namespace}/${name}`) ?? [], port, context);
      return servicePort(service, port, clusterIP, endpoints, context);
    });
  });
  return ports.sort(
    (left, right) => byBytes(left.name, right.name) || byBytes(left.protocol, right.protocol),
  );
}

function servicePort(
  service: Service,
  port: ServicePort,
  clusterIP: string,
  endpoints: readonly EndpointInfo[],
  context: Context,
): ServicePortInfo {
  const { behaviour } = context;
  const { meta, type } = service;
  const name = servicePortName(meta.namespace, meta.name, port.name);
  const protocol = port.protocol.toLowerCase();
  const written = (text: string) => ofFamily(text, context, behaviour.addressesReprinted) ?? [];
  const externalIPs = service.externalIPs.flatMap(written);
  const loadBalancerIPs = service.ingress
    .filter(({ ipMode }) => !(behaviour.proxyModeHonoured && ipMode === "Proxy"))
    .flatMap(({ ip }) => written(ip ?? ""));
  const ranges = service.loadBalancerSourceRanges.flatMap((text) => {
    const network = text.includes("/") ? readNetwork(text.trim()) : undefined;
    return network !== undefined && familyOf(network.address) === context.family
      ? [{ text: text.trim(), network }]
      : [];
  });
  const external = port.nodePort !== 0 || loadBalancerIPs.length > 0 || externalIPs.length > 0;
  const policyCounts =
    type === "NodePort" ||
    type === "LoadBalancer" ||
    // The policy of external IPs counts whatever their family; the API ties it to the Service as a whole.
    (behaviour.localPolicyForExternalIPs && type === "ClusterIP" && service.externalIPs.length > 0);
  const externalLocal = service.externalTrafficPolicy === "Local" && policyCounts;
  const internalLocal = behaviour.internalPolicy && service.internalTrafficPolicy === "Local";
  const policy = {
    usesCluster: !internalLocal || external,
    usesLocal: internalLocal || (externalLocal && external),
    hintsWanted: hintsWanted(service, context),
  };
  return {
    service: `${meta.namespace}/${meta.name}`,
    name,
    protocol,
    clusterIP,
    port: port.port,
    nodePort: port.nodePort,
    externalIPs,
    loadBalancerIPs,
    sourceRanges: ranges.map(({ text, network }) =>
      behaviour.addressesReprinted ? goNetwork(network) : text,
    ),
    rangesHoldNode: ranges.some(({ network }) => inNetwork(context.nodeIP, network)),
    affinitySeconds: service.sessionAffinity === "ClientIP" ? service.affinityTimeoutSeconds : undefined,
    externalLocal,
    internalLocal,
    external,
    healthCheckNodePort:
      type === "LoadBalancer" && service.externalTrafficPolicy === "Local" ? service.healthCheckNodePort : 0,
    ...policy,
    endpoints,
    chosen: chooseEndpoints(endpoints, policy, context),
  };
}

/** The cluster IP of the family, or undefined when kube-proxy skips the Service. */
function clusterAddress(service: Service, context: Context): string | undefined {
  const { type, meta, clusterIP, clusterIPs, ipFamilies } = service;
  if (type === "ExternalName" || isForeign(meta) || clusterIP === "" || clusterIP === "None")
    return undefined;
  if (ipFamilies.length === 0) return ofFamily(clusterIP, context, true);
  const index = ipFamilies.indexOf(context.family === "ipv4" ? "IPv4" : "IPv6");
  return ofFamily(clusterIPs[index] ?? "", context, true);
}

/** The address if it is one of the family: as it is written, or reprinted. */
function ofFamily(text: string, { family }: Context, reprinted: boolean): string | undefined {
  const address = readAddress(text);
  if (address === undefined || familyOf(address) !== family) return undefined;
  return reprinted ? goAddress(address) : text;
}

function hintsWanted(service: Service, { behaviour }: Context): boolean {
  if (behaviour.zoneHints === "always") return true;
  if (!behaviour.annotatedHints) return false;
  const [older, newer] = HINTS_ANNOTATIONS.map((name) => service.meta.annotations.get(name));
  if (behaviour.zoneHints === "annotation auto") return older === "Auto" || older === "auto";
  const value = older ?? newer ?? "";
  return value !== "" && value !== "disabled" && value !== "Disabled";
}
