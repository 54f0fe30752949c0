/** Service ports as one family's proxier sees them, with their endpoints, in the order in which rules are written. */
import {
  type Address,
  familyOf,
  inNetwork,
  printNetwork,
  readAddress,
  readNetwork,
} from "../../../grammar/address.js";
import { SERVICE_NAME_LABEL } from "../../cluster/consistency.js";
import type { ClusterModel, EndpointSlice, Service, ServicePort } from "../../cluster/model.js";
import { endpointChain, serviceChain, servicePortName } from "../../cluster/names.js";
import { byBytes, type Context } from "./context.js";
import {
  type ChosenEndpoints,
  chooseEndpoints,
  type EndpointInfo,
  type EndpointPolicy,
  endpointInfo,
} from "./endpoints.js";

/** Services with one of these labels are left to another proxy. */
const FOREIGN_LABELS = ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"];

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
  readonly chosen: ChosenEndpoints;
  readonly chains: {
    readonly cluster: string;
    readonly local: string;
    readonly external: string;
    readonly firewall: string;
    endpoint(endpoint: EndpointInfo): string;
  };
}

export interface ServicePorts {
  readonly ports: readonly ServicePortInfo[];
  /** All endpoints of all service ports of the family, ready or not. */
  readonly endpointCount: number;
}

/** The service ports that get rules, in the byte order of their names, then of their protocols. */
export function servicePorts(model: ClusterModel, context: Context): ServicePorts {
  const slices = slicesByService(model, context);
  let endpointCount = 0;
  const ports = model.services.flatMap((service) => {
    const clusterIP = clusterAddress(service, context);
    if (clusterIP === undefined) return [];
    const { namespace, name } = service.meta;
    return service.ports.map((port) => {
      const endpoints = endpointsOf(slices.get(`${namespace}/${name}`) ?? [], port, context);
      endpointCount += endpoints.length;
      return servicePort(service, port, clusterIP, endpoints, context);
    });
  });
  ports.sort((left, right) => byBytes(left.name, right.name) || byBytes(left.protocol, right.protocol));
  return { ports, endpointCount };
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
  const externalIPs = service.externalIPs.flatMap((text) => ofFamily(text, context) ?? []);
  const loadBalancerIPs = service.ingress
    .filter(({ ipMode }) => !(behaviour.proxyModeHonoured && ipMode === "Proxy"))
    .flatMap(({ ip }) => ofFamily(ip ?? "", context) ?? []);
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
  const internalLocal = service.internalTrafficPolicy === "Local";
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
      behaviour.networksReprinted ? printNetwork(network) : text,
    ),
    rangesHoldNode: ranges.some(({ network }) => inNetwork(context.nodeIP, network)),
    affinitySeconds: service.sessionAffinity === "ClientIP" ? service.affinityTimeoutSeconds : undefined,
    externalLocal,
    internalLocal,
    external,
    healthCheckNodePort:
      type === "LoadBalancer" && service.externalTrafficPolicy === "Local" ? service.healthCheckNodePort : 0,
    ...policy,
    chosen: chooseEndpoints(endpoints, policy, context),
    chains: {
      cluster: serviceChain("KUBE-SVC-", name, protocol),
      local: serviceChain("KUBE-SVL-", name, protocol),
      external: serviceChain("KUBE-EXT-", name, protocol),
      firewall: serviceChain("KUBE-FW-", name, protocol),
      endpoint: (endpoint: EndpointInfo) => endpointChain(name, protocol, endpoint.text),
    },
  };
}

/** The cluster IP of the family, or undefined when kube-proxy skips the Service. */
function clusterAddress(service: Service, context: Context): string | undefined {
  if (service.type === "ExternalName" || FOREIGN_LABELS.some((label) => service.meta.labels.has(label)))
    return undefined;
  // A headless Service is one whose first address is None, whatever else is there.
  if (service.clusterIP === "None" || (service.clusterIP === "" && service.clusterIPs.length === 0))
    return undefined;
  const wanted = context.family === "ipv4" ? "IPv4" : "IPv6";
  const index = service.ipFamilies.indexOf(wanted);
  if (service.ipFamilies.length > 0) {
    const text =
      index < 0 ? undefined : (service.clusterIPs[index] ?? (index === 0 ? service.clusterIP : undefined));
    return text === undefined ? undefined : ofFamily(text, context);
  }
  return ofFamily(service.clusterIP || (service.clusterIPs[0] ?? ""), context);
}

/** The text, trimmed, if it is an address of the family. */
function ofFamily(text: string, { family }: Context): string | undefined {
  const address: Address | undefined = readAddress(text.trim());
  return address !== undefined && familyOf(address) === family ? text.trim() : undefined;
}

function hintsWanted(service: Service, { behaviour }: Context): boolean {
  if (behaviour.zoneHints === "always") return true;
  const [older, newer] = HINTS_ANNOTATIONS.map((name) => service.meta.annotations.get(name));
  if (behaviour.zoneHints === "annotation auto") return older === "Auto" || older === "auto";
  const value = older ?? newer ?? "";
  return value !== "" && value !== "disabled" && value !== "Disabled";
}

function slicesByService(
  model: ClusterModel,
  { family }: Context,
): ReadonlyMap<string, readonly EndpointSlice[]> {
  const byService = new Map<string, EndpointSlice[]>();
  for (const slice of model.slices) {
    const { labels, namespace } = slice.meta;
    const service = labels.get(SERVICE_NAME_LABEL);
    if (!service || slice.addressType !== (family === "ipv4" ? "IPv4" : "IPv6")) continue;
    if (FOREIGN_LABELS.some((label) => labels.has(label))) continue;
    const key = `${namespace}/${service}`;
    byService.set(key, [...(byService.get(key) ?? []), slice]);
  }
  // kube-proxy walks a map of slices; by name is one order it may take, and it decides which duplicate is met first.
  for (const slices of byService.values())
    slices.sort((left, right) => byBytes(left.meta.name, right.meta.name));
  return byService;
}

/** The endpoints of one service port over all its slices, duplicates merged, in the order of their text. */
function endpointsOf(
  slices: readonly EndpointSlice[],
  port: ServicePort,
  context: Context,
): readonly EndpointInfo[] {
  const byText = new Map<string, EndpointInfo>();
  for (const slice of slices) {
    for (const slicePort of slice.ports) {
      if (slicePort.name !== port.name || slicePort.protocol !== port.protocol || !slicePort.port) continue;
      for (const endpoint of slice.endpoints) {
        const ip = endpoint.addresses[0];
        if (ip === undefined) continue;
        const info = endpointInfo(endpoint, ip, slicePort.port, context);
        // A local copy replaces an earlier one, whatever their conditions.
        if (!byText.has(info.text) || info.local) byText.set(info.text, info);
      }
    }
  }
  return [...byText.values()].sort((left, right) => byBytes(left.text, right.text));
}
