/**
 * Pods and Services → EndpointSlices, as the EndpointSlice controller of Kubernetes makes them in a new cluster. Source:
 * k8s.io/endpointslice (reconciler.go, utils.go, trafficdist.go), whose rules of readiness, ports and hints have been the
 * same since 1.24. The controller gives slices random names and puts Pods into them in random order; here the names come
 * from what the slice holds, so that a small change of the Pods is a small change of the slices, and the order is the input's.
 */
import { familyOf, printAddress, readAddress } from "../../grammar/address.js";
import { appendAll } from "../problems/append.js";
import type { Problem } from "../problems/problem.js";
import { SERVICE_NAME_LABEL } from "./consistency.js";
import type {
  ClusterModel,
  Endpoint,
  EndpointPort,
  EndpointSlice,
  ObjectMeta,
  Pod,
  Service,
  ServicePort,
} from "./model.js";
import { chainHash } from "./names.js";
import { zoneOf } from "./node.js";

/** The controller's default for `--max-endpoints-per-slice`. */
const ENDPOINTS_MAX = 100;

const MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";
const HEADLESS_LABEL = "service.kubernetes.io/headless";
/** Annotations that ask for hints in proportion to the zones' CPUs; the first counts more. */
const HINTS_ANNOTATIONS = [
  "service.kubernetes.io/topology-aware-hints",
  "service.kubernetes.io/topology-mode",
];
/** Values of `trafficDistribution` that give each endpoint its own zone as a hint. */
const CLOSE = ["PreferClose", "PreferSameZone", "PreferSameNode"];

type AddressType = "IPv4" | "IPv6";

export interface WithSlices {
  /** The model with the slices that were derived, or as it was. */
  readonly model: ClusterModel;
  readonly problems: readonly Problem[];
}

/**
 * Adds the slices that the controller would make of the Pods, unless the input has slices of its own: as soon as one
 * Service with a selector has a slice, the slices are taken to be all there are. What was derived or left out is told in
 * a note.
 */
export function withSlicesFromPods(model: ClusterModel): WithSlices {
  const selecting = model.services.filter(hasEndpoints);
  const owned = new Set(selecting.map(({ meta }) => `${meta.namespace}/${meta.name}`));
  const given = model.slices.some(({ meta }) =>
    owned.has(`${meta.namespace}/${meta.labels.get(SERVICE_NAME_LABEL)}`),
  );
  if (given || selecting.length === 0) return { model, problems: [] };
  if (model.pods.length === 0) {
    const message = "no EndpointSlices and no Pods were given: Services have no endpoints";
    return { model, problems: [{ code: "LF2010", severity: "note", message }] };
  }
  const problems: Problem[] = [];
  const slices = selecting.flatMap((service) => {
    appendAll(problems, doubts(service, model));
    return slicesOf(service, model);
  });
  const asides = model.pods.flatMap((pod) => aside(pod, selecting, model));
  const more = asides.length - ASIDES_MAX;
  const told = more > 0 ? [...asides.slice(0, ASIDES_MAX), `and so for ${count(more, "more Pod")}`] : asides;
  problems.unshift({
    code: "LF2010",
    severity: "note",
    message: `no EndpointSlices were given: ${slices.length} ${slices.length === 1 ? "was" : "were"} derived from ${count(model.pods.length, "Pod")}, as the EndpointSlice controller would (-o endpointslices prints them)`,
    ...(told.length === 0 ? {} : { notes: told }),
  });
  return { model: { ...model, slices: [...model.slices, ...slices] }, problems };
}

const ASIDES_MAX = 5;

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** Services of type ExternalName, and those whose selector selects nothing, are not the controller's. */
function hasEndpoints({ type, selector }: Service): boolean {
  return type !== "ExternalName" && selector !== undefined && selector.size > 0;
}

/** What the derived slices of a Service may lack. */
function doubts(service: Service, model: ClusterModel): readonly Problem[] {
  const { namespace, name, annotations, place } = service.meta;
  const who = `Service ${namespace}/${name}`;
  if (asksForProportionalHints(annotations)) {
    return [
      {
        code: "LF2010",
        severity: "warning",
        message: `${who}: the hints that its annotation asks for are not derived`,
        place,
        notes: [
          "the controller makes them from the CPUs of the nodes of each zone; without hints all endpoints are used",
        ],
      },
    ];
  }
  if (!CLOSE.includes(service.trafficDistribution ?? "")) return [];
  const known = new Set(model.nodes.map(({ meta }) => meta.name));
  const missing = new Set(
    podsOf(service, model).flatMap(({ nodeName }) => (known.has(nodeName) ? [] : [nodeName || "(none)"])),
  );
  if (missing.size === 0) return [];
  return [
    {
      code: "LF2010",
      severity: "warning",
      message: `${who}: ${[...missing].slice(0, ASIDES_MAX).join(", ")} of its Pods' nodes ${missing.size === 1 ? "is" : "are"} not among the Nodes, so that their endpoints get no zone and no hint of one`,
      place,
    },
  ];
}

function asksForProportionalHints(annotations: ReadonlyMap<string, string>): boolean {
  const asked = HINTS_ANNOTATIONS.find((key) => annotations.has(key));
  return asked !== undefined && /^[Aa]uto$/.test(annotations.get(asked) ?? "");
}

/** Why a Pod that a Service selects gets no connections, so that nobody looks for it in vain. */
function aside(pod: Pod, services: readonly Service[], model: ClusterModel): readonly string[] {
  const selecting = services.filter((service) => selects(service, pod));
  if (selecting.length === 0) return [];
  const who = `Pod ${pod.meta.namespace}/${pod.meta.name}`;
  if (isOver(pod)) return [`${who} is no endpoint: its phase is ${pod.phase}`];
  if (addressesOf(pod, model).length === 0) return [`${who} is no endpoint: it has no IP (status.podIPs)`];
  const published = selecting.every(({ publishNotReadyAddresses }) => publishNotReadyAddresses);
  return pod.ready || published
    ? []
    : [`${who} is not ready: its condition Ready (status.conditions) is not True`];
}

function isOver({ phase }: Pod): boolean {
  return phase === "Succeeded" || phase === "Failed";
}

function selects({ meta, selector }: Service, pod: Pod): boolean {
  return (
    meta.namespace === pod.meta.namespace &&
    [...(selector ?? [])].every(([key, value]) => pod.meta.labels.get(key) === value)
  );
}

function podsOf(service: Service, model: ClusterModel): readonly Pod[] {
  return model.pods.filter((pod) => selects(service, pod) && !isOver(pod));
}

/** A Pod's own addresses. One on the host network has those of its host, which the kubelet writes into its status. */
function addressesOf(pod: Pod, model: ClusterModel): readonly string[] {
  if (pod.addresses.length > 0 || !pod.hostNetwork) return pod.addresses;
  if (pod.hostAddresses.length > 0) return pod.hostAddresses;
  const node = model.nodes.find(({ meta }) => meta.name === pod.nodeName);
  return (node?.addresses ?? []).flatMap(({ type, address }) => (type === "InternalIP" ? [address] : []));
}

/** The slices of one Service: by address type, then by the ports that Pods have, at most 100 endpoints in each. */
function slicesOf(service: Service, model: ClusterModel): readonly EndpointSlice[] {
  const pods = podsOf(service, model);
  return addressTypesOf(service, pods, model).flatMap((addressType) => {
    const groups = new Map<
      string,
      { readonly ports: readonly EndpointPort[]; readonly endpoints: Endpoint[] }
    >();
    for (const pod of pods) {
      const endpoint = endpointOf(pod, service, addressType, model);
      if (endpoint === undefined) continue;
      const ports = portsOf(pod, service);
      const key = JSON.stringify(ports);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { ports, endpoints: [endpoint] });
      else group.endpoints.push(endpoint);
    }
    // A Service without any endpoint still has one empty slice.
    if (groups.size === 0) groups.set("", { ports: [], endpoints: [] });
    return [...groups].flatMap(([key, { ports, endpoints }]) => {
      const parts = Math.max(1, Math.ceil(endpoints.length / ENDPOINTS_MAX));
      return Array.from({ length: parts }, (_, part) => ({
        meta: metaOf(service, `${addressType} ${key} ${part}`),
        addressType,
        ports,
        endpoints: endpoints.slice(part * ENDPOINTS_MAX, (part + 1) * ENDPOINTS_MAX),
      }));
    });
  });
}

/** The Service's families; those of its Pods when a headless one does not say. */
function addressTypesOf(
  { ipFamilies, clusterIPs }: Service,
  pods: readonly Pod[],
  model: ClusterModel,
): readonly AddressType[] {
  if (ipFamilies.length > 0) return ipFamilies;
  const own = clusterIPs.flatMap(addressTypeOf);
  const found = new Set(
    own.length > 0 ? own : pods.flatMap((pod) => addressesOf(pod, model).flatMap(addressTypeOf)),
  );
  return found.size > 0 ? [...found] : ["IPv4"];
}

function addressTypeOf(text: string): AddressType | [] {
  const address = readAddress(text);
  return address === undefined ? [] : familyOf(address) === "ipv6" ? "IPv6" : "IPv4";
}

/** Labels as the controller sets them: those of the Service, and its own. */
function metaOf(service: Service, contents: string): ObjectMeta {
  const { namespace, name } = service.meta;
  const labels = new Map(service.meta.labels);
  labels.delete(HEADLESS_LABEL);
  if (service.clusterIP === "" || service.clusterIP === "None") labels.set(HEADLESS_LABEL, "");
  labels.set(MANAGED_BY_LABEL, "endpointslice-controller.k8s.io").set(SERVICE_NAME_LABEL, name);
  const suffix = chainHash(`${namespace}/${name} ${contents}`).slice(0, 5).toLowerCase();
  return {
    namespace,
    name: `${name}-${suffix}`,
    labels,
    annotations: new Map(),
    get place() {
      return service.meta.place;
    },
  };
}

function endpointOf(
  pod: Pod,
  service: Service,
  addressType: AddressType,
  model: ClusterModel,
): Endpoint | undefined {
  const addresses = addressesOf(pod, model).flatMap((text) => {
    const address = readAddress(text);
    return address !== undefined && addressTypeOf(text) === addressType ? printAddress(address) : [];
  });
  if (addresses.length === 0) return undefined;
  const { terminating, nodeName, hostname } = pod;
  const serving = pod.ready;
  const ready = service.publishNotReadyAddresses || (serving && !terminating);
  const zone = zoneOf(model.nodes.find(({ meta }) => meta.name === nodeName));
  const { trafficDistribution = "", meta } = service;
  // Only ready endpoints get hints, and the annotation for proportional hints switches these off.
  const close = ready && CLOSE.includes(trafficDistribution) && !asksForProportionalHints(meta.annotations);
  const hints = {
    zones: close && zone !== undefined ? [zone] : [],
    nodes: close && trafficDistribution === "PreferSameNode" && nodeName !== "" ? [nodeName] : [],
  };
  return {
    addresses,
    ready,
    serving,
    terminating,
    ...(hostname !== "" && pod.subdomain === meta.name ? { hostname } : {}),
    ...(nodeName === "" ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    ...(hints.zones.length + hints.nodes.length === 0 ? {} : { hints }),
    pod: { namespace: pod.meta.namespace, name: pod.meta.name },
  };
}

/** The ports that the Pod has of the Service's; a port whose name it does not have is left out. */
function portsOf(pod: Pod, service: Service): readonly EndpointPort[] {
  return service.ports.flatMap((port) => {
    const number = targetPortOf(port, pod);
    return number === undefined ? [] : { name: port.name, protocol: port.protocol, port: number };
  });
}

function targetPortOf({ targetPort, port, protocol }: ServicePort, pod: Pod): number | undefined {
  // The API server puts the port itself in place of an absent, empty or zero targetPort.
  if (targetPort === undefined || targetPort === 0 || targetPort === "") return port;
  if (typeof targetPort === "number") return targetPort;
  return pod.ports.find((one) => one.name === targetPort && one.protocol === protocol)?.containerPort;
}
