/** Documents → ClusterModel. Each kind has a schema (schemas.ts) and a function here that turns it into the model. */
import { checked } from "../documents/check.js";
import { type Document, isRecord, type Path } from "../documents/read.js";
import { nearest } from "../problems/nearest.js";
import { hasErrors, type Problem } from "../problems/problem.js";
import { checkCluster } from "./consistency.js";
import {
  type ClusterModel,
  DEFAULT_PROXY_CONFIGURATION,
  type EndpointSlice,
  type Node,
  type ObjectMeta,
  type ProxyConfiguration,
  type Service,
} from "./model.js";
import { endpointSliceSchema, nodeSchema, proxyConfigurationSchema, serviceSchema } from "./schemas.js";

export interface ClusterRead {
  readonly model: ClusterModel;
  readonly problems: readonly Problem[];
}

interface Draft {
  readonly services: Map<string, Service>;
  readonly slices: Map<string, EndpointSlice>;
  readonly nodes: Map<string, Node>;
  proxy: ProxyConfiguration | undefined;
}

/** Reads the objects that kube-proxy looks at; others are skipped with one note. */
export function readCluster(documents: readonly Document[]): ClusterRead {
  const problems: Problem[] = [];
  const draft: Draft = { services: new Map(), slices: new Map(), nodes: new Map(), proxy: undefined };
  const skipped = new Map<string, { count: number; document: Document }>();
  for (const document of documents) {
    const { value } = document;
    if (!isRecord(value) || typeof value.kind !== "string") {
      problems.push({
        code: "LF5003",
        severity: "error",
        message: "this document is no Kubernetes object: it has no kind",
        place: document.placeOf([]),
      });
      continue;
    }
    const reader = READERS[value.kind];
    if (reader !== undefined) {
      if (apiVersionFits(document, value.kind, reader.apiVersions, problems))
        reader.read(document, draft, problems);
      continue;
    }
    const near = nearest(value.kind, Object.keys(READERS));
    if (near !== undefined && !KNOWN_KINDS.has(value.kind)) {
      problems.push({
        code: "LF5003",
        severity: "warning",
        message: `kind ${value.kind} is not known, so this object is skipped`,
        label: `did you mean ${near}?`,
        place: document.placeOf(["kind"]),
      });
      continue;
    }
    const known = skipped.get(value.kind);
    if (known) known.count++;
    else skipped.set(value.kind, { count: 1, document });
  }
  if (skipped.size > 0) problems.push(skippedNote(skipped));
  const model: ClusterModel = {
    services: [...draft.services.values()],
    slices: [...draft.slices.values()],
    nodes: [...draft.nodes.values()],
    ...(draft.proxy === undefined ? {} : { proxy: draft.proxy }),
  };
  if (!hasErrors(problems)) problems.push(...checkCluster(model));
  return { model, problems };
}

/** Kinds near in spelling to one that is read, but real. */
const KNOWN_KINDS = new Set(["Endpoints", "NodePool", "NodeClaim"]);

interface Reader {
  readonly apiVersions: readonly string[];
  read(document: Document, draft: Draft, problems: Problem[]): void;
}

const READERS: Readonly<Record<string, Reader>> = {
  Service: {
    apiVersions: ["v1"],
    read: (document, draft, problems) =>
      put(readService(document, problems), draft.services, "Service", problems),
  },
  EndpointSlice: {
    apiVersions: ["discovery.k8s.io/v1"],
    read: (document, draft, problems) =>
      put(readSlice(document, problems), draft.slices, "EndpointSlice", problems),
  },
  Node: {
    apiVersions: ["v1"],
    read: (document, draft, problems) => put(readNode(document, problems), draft.nodes, "Node", problems),
  },
  KubeProxyConfiguration: {
    apiVersions: ["kubeproxy.config.k8s.io/v1alpha1"],
    read(document, draft, problems) {
      const proxy = readProxyConfiguration(document, problems);
      if (proxy === undefined) return;
      if (draft.proxy !== undefined) {
        problems.push({
          code: "LF5009",
          severity: "warning",
          message: "a second KubeProxyConfiguration: this one counts",
          ...(proxy.place === undefined ? {} : { place: proxy.place }),
        });
      }
      draft.proxy = proxy;
    },
  },
};

function apiVersionFits(
  document: Document,
  kind: string,
  apiVersions: readonly string[],
  problems: Problem[],
): boolean {
  const { apiVersion } = document.value as { apiVersion?: unknown };
  if (apiVersion === undefined || apiVersion === null || apiVersions.includes(String(apiVersion)))
    return true;
  problems.push({
    code: "LF5003",
    severity: "error",
    message: `${kind} of apiVersion ${String(apiVersion)} is not read`,
    place: document.placeOf(["apiVersion"]),
    help: `landfall reads ${kind} of ${apiVersions.join(" or ")}`,
  });
  return false;
}

function put<T extends { readonly meta: ObjectMeta }>(
  object: T | undefined,
  into: Map<string, T>,
  kind: string,
  problems: Problem[],
): void {
  if (object === undefined) return;
  const key = `${object.meta.namespace}/${object.meta.name}`;
  if (into.has(key)) {
    problems.push({
      code: "LF5009",
      severity: "warning",
      message: `${kind} ${key} stands here a second time: this one counts`,
      place: object.meta.place,
    });
    into.delete(key);
  }
  into.set(key, object);
}

function readService(document: Document, problems: Problem[]): Service | undefined {
  const object = checked(document, serviceSchema, whoIs(document), problems);
  if (object === undefined) return undefined;
  const { spec, status } = object;
  return {
    meta: metaOf(document, object.metadata),
    type: spec.type ?? "ClusterIP",
    clusterIP: spec.clusterIP ?? "",
    clusterIPs: spec.clusterIPs ?? [],
    ipFamilies: spec.ipFamilies ?? [],
    ports: (spec.ports ?? []).map((port, index) => ({
      name: port.name ?? "",
      protocol: port.protocol ?? "TCP",
      port: port.port,
      ...(port.targetPort === undefined || port.targetPort === null ? {} : { targetPort: port.targetPort }),
      nodePort: port.nodePort ?? 0,
      get place() {
        return document.placeOf(["spec", "ports", index]);
      },
    })),
    externalIPs: spec.externalIPs ?? [],
    loadBalancerSourceRanges: spec.loadBalancerSourceRanges ?? [],
    ingress: (status?.loadBalancer?.ingress ?? []).map((ingress) => ({
      ...present("ip", ingress.ip),
      ...present("hostname", ingress.hostname),
      ...present("ipMode", ingress.ipMode),
    })),
    sessionAffinity: spec.sessionAffinity ?? "None",
    affinityTimeoutSeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800,
    externalTrafficPolicy: spec.externalTrafficPolicy ?? "Cluster",
    internalTrafficPolicy: spec.internalTrafficPolicy ?? "Cluster",
    healthCheckNodePort: spec.healthCheckNodePort ?? 0,
    publishNotReadyAddresses: spec.publishNotReadyAddresses ?? false,
    ...present("trafficDistribution", spec.trafficDistribution),
    ...present("selector", spec.selector ? new Map(Object.entries(spec.selector)) : undefined),
  };
}

function readSlice(document: Document, problems: Problem[]): EndpointSlice | undefined {
  const object = checked(document, endpointSliceSchema, whoIs(document), problems);
  if (object === undefined) return undefined;
  return {
    meta: metaOf(document, object.metadata),
    addressType: object.addressType,
    ports: (object.ports ?? []).map((port) => ({
      ...present("name", port.name),
      protocol: port.protocol ?? "TCP",
      ...present("port", port.port),
    })),
    endpoints: (object.endpoints ?? []).map((endpoint) => ({
      addresses: endpoint.addresses,
      ...present("ready", endpoint.conditions?.ready),
      ...present("serving", endpoint.conditions?.serving),
      ...present("terminating", endpoint.conditions?.terminating),
      ...present("nodeName", endpoint.nodeName),
      ...present("zone", endpoint.zone),
      ...(endpoint.hints
        ? {
            hints: {
              zones: (endpoint.hints.forZones ?? []).map(({ name }) => name),
              nodes: (endpoint.hints.forNodes ?? []).map(({ name }) => name),
            },
          }
        : {}),
    })),
  };
}

function readNode(document: Document, problems: Problem[]): Node | undefined {
  const object = checked(document, nodeSchema, whoIs(document), problems);
  if (object === undefined) return undefined;
  const { podCIDR, podCIDRs } = object.spec ?? {};
  return {
    meta: { ...metaOf(document, object.metadata), namespace: "" },
    addresses: (object.status?.addresses ?? []).map(({ type, address }) => ({ type, address })),
    podCIDRs: podCIDRs ?? (podCIDR ? [podCIDR] : []),
  };
}

function readProxyConfiguration(document: Document, problems: Problem[]): ProxyConfiguration | undefined {
  const object = checked(document, proxyConfigurationSchema, "KubeProxyConfiguration", problems);
  if (object === undefined) return undefined;
  const defaults = DEFAULT_PROXY_CONFIGURATION;
  return {
    get place() {
      return document.placeOf([]);
    },
    mode: object.mode || defaults.mode,
    hostnameOverride: (object.hostnameOverride ?? "").trim().toLowerCase(),
    bindAddress: object.bindAddress || defaults.bindAddress,
    clusterCIDRs: (object.clusterCIDR ?? "")
      .split(",")
      .map((cidr) => cidr.trim())
      .filter((cidr) => cidr !== ""),
    detectLocalMode: object.detectLocalMode || defaults.detectLocalMode,
    bridgeInterface: object.detectLocal?.bridgeInterface ?? "",
    interfaceNamePrefix: object.detectLocal?.interfaceNamePrefix ?? "",
    masqueradeAll: object.iptables?.masqueradeAll ?? defaults.masqueradeAll,
    masqueradeBit: object.iptables?.masqueradeBit ?? defaults.masqueradeBit,
    localhostNodePorts: object.iptables?.localhostNodePorts ?? defaults.localhostNodePorts,
    nodePortAddresses: object.nodePortAddresses ?? [],
    tcpBeLiberal: object.conntrack?.tcpBeLiberal ?? defaults.tcpBeLiberal,
    featureGates: new Map(Object.entries(object.featureGates ?? {})),
  };
}

/** `Service default/web`, as far as the document says. */
function whoIs(document: Document): string {
  const { kind, metadata } = document.value as { kind: string; metadata?: unknown };
  const { namespace, name } = isRecord(metadata) ? metadata : {};
  if (typeof name !== "string") return kind;
  return kind === "Node"
    ? `${kind} ${name}`
    : `${kind} ${typeof namespace === "string" ? namespace : "default"}/${name}`;
}

interface RawMetadata {
  readonly name: string;
  readonly namespace?: string | null | undefined;
  readonly labels?: Readonly<Record<string, string>> | null | undefined;
  readonly annotations?: Readonly<Record<string, string>> | null | undefined;
}

function metaOf(document: Document, metadata: RawMetadata): ObjectMeta {
  const path: Path = ["metadata", "name"];
  return {
    namespace: metadata.namespace ?? "default",
    name: metadata.name,
    labels: new Map(Object.entries(metadata.labels ?? {})),
    annotations: new Map(Object.entries(metadata.annotations ?? {})),
    // Places are asked for when something is wrong; finding one in JSON means reading the text again.
    get place() {
      return document.placeOf(path);
    },
  };
}

/** `{ [key]: value }`, or nothing for null and undefined. */
function present<K extends string, V>(key: K, value: V | null | undefined): { [P in K]?: V } {
  return value === null || value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

function skippedNote(skipped: ReadonlyMap<string, { count: number; document: Document }>): Problem {
  const total = [...skipped.values()].reduce((sum, { count }) => sum + count, 0);
  const kinds = [...skipped]
    .map(([kind, { count }]) => (count === 1 ? kind : `${kind} (${count})`))
    .join(", ");
  const objects = total === 1 ? "1 object of a kind" : `${total} objects of kinds`;
  return {
    code: "LF5003",
    severity: "note",
    message: `${objects} that landfall does not use ${total === 1 ? "was" : "were"} skipped: ${kinds}`,
  };
}
