/**
 * ClusterModel: what kube-proxy can see of a cluster, and the Pods behind it, checked, with addresses still as they were
 * written (older kube-proxy versions print some of them so). Fields that nothing here reads are not kept.
 */
import type { Place } from "../problems/problem.js";

export type Protocol = "TCP" | "UDP" | "SCTP";

/** What every object has. `place` is where its name stands. */
export interface ObjectMeta {
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly place: Place;
}

export interface ServicePort {
  /** Empty for an unnamed port. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** A number, the name of a container port, or undefined (same as `port`); kube-proxy does not read it. */
  readonly targetPort?: number | string;
  /** 0 when there is none. */
  readonly nodePort: number;
  readonly place: Place;
}

export interface LoadBalancerIngress {
  readonly ip?: string;
  readonly hostname?: string;
  readonly ipMode?: "VIP" | "Proxy";
}

export interface Service {
  readonly meta: ObjectMeta;
  readonly type: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
  /** `None` for headless; empty when not set. */
  readonly clusterIP: string;
  readonly clusterIPs: readonly string[];
  readonly ipFamilies: readonly ("IPv4" | "IPv6")[];
  readonly ports: readonly ServicePort[];
  readonly externalIPs: readonly string[];
  readonly loadBalancerSourceRanges: readonly string[];
  readonly ingress: readonly LoadBalancerIngress[];
  readonly sessionAffinity: "None" | "ClientIP";
  /** Seconds; 10800 unless given. Counts only with ClientIP. */
  readonly affinityTimeoutSeconds: number;
  readonly externalTrafficPolicy: "Cluster" | "Local";
  readonly internalTrafficPolicy: "Cluster" | "Local";
  /** 0 when there is none. */
  readonly healthCheckNodePort: number;
  readonly publishNotReadyAddresses: boolean;
  readonly trafficDistribution?: string;
  /** Undefined: no selector. */
  readonly selector?: ReadonlyMap<string, string>;
}

export interface EndpointPort {
  /** Undefined when the field is absent or null; kube-proxy then ignores the port. */
  readonly name?: string;
  readonly protocol: Protocol;
  readonly port?: number;
}

export interface Endpoint {
  readonly addresses: readonly string[];
  /** As written; undefined when absent or null. */
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly hints?: { readonly zones: readonly string[]; readonly nodes: readonly string[] };
  /** The Pod behind it, and the name it gives itself in DNS; kube-proxy reads neither. */
  readonly pod?: { readonly namespace: string; readonly name: string };
  readonly hostname?: string;
}

export interface EndpointSlice {
  readonly meta: ObjectMeta;
  readonly addressType: "IPv4" | "IPv6" | "FQDN";
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** A Pod as the EndpointSlice controller sees it. */
export interface Pod {
  readonly meta: ObjectMeta;
  /** Empty until it is scheduled. */
  readonly nodeName: string;
  readonly hostNetwork: boolean;
  readonly hostname: string;
  readonly subdomain: string;
  /** Those of the containers, then of the sidecars (init containers that are restarted always), in their order. */
  readonly ports: readonly {
    readonly name: string;
    readonly protocol: Protocol;
    readonly containerPort: number;
  }[];
  /** `status.podIPs`, as written. */
  readonly addresses: readonly string[];
  /** `status.hostIPs`, as written. */
  readonly hostAddresses: readonly string[];
  readonly phase: string;
  /** Its condition `Ready` is `True`. */
  readonly ready: boolean;
  /** It has a deletion timestamp. */
  readonly terminating: boolean;
}

export interface Node {
  readonly meta: ObjectMeta;
  /** `InternalIP`, `ExternalIP`, `Hostname` … in their order. */
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
  readonly podCIDRs: readonly string[];
}

export interface IpvsConfiguration {
  /** As the kernel names it. */
  readonly scheduler: string;
  /** Virtual servers of others that are left alone, as written. */
  readonly excludeCIDRs: readonly string[];
  readonly strictARP: boolean;
  /** Whole seconds; 0 leaves what the kernel has. */
  readonly timeouts: { readonly tcp: number; readonly tcpFin: number; readonly udp: number };
}

/** KubeProxyConfiguration, with kube-proxy's own defaults filled in. */
export interface ProxyConfiguration {
  /** Absent when no configuration was given and all of this is default. */
  readonly place?: Place;
  readonly mode: "iptables" | "ipvs" | "nftables";
  /** Lower-cased and trimmed; empty when not set. */
  readonly hostnameOverride: string;
  readonly bindAddress: string;
  /** The CIDRs of `clusterCIDR`, split at commas, as written. */
  readonly clusterCIDRs: readonly string[];
  readonly detectLocalMode: "ClusterCIDR" | "NodeCIDR" | "BridgeInterface" | "InterfaceNamePrefix";
  readonly bridgeInterface: string;
  readonly interfaceNamePrefix: string;
  readonly masqueradeAll: boolean;
  readonly masqueradeBit: number;
  readonly localhostNodePorts: boolean;
  readonly nodePortAddresses: readonly string[];
  readonly tcpBeLiberal: boolean;
  /** Counts in mode ipvs only. */
  readonly ipvs: IpvsConfiguration;
  /** Only those that were named. */
  readonly featureGates: ReadonlyMap<string, boolean>;
}

export interface ClusterModel {
  /** In the order of the input. */
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  /** Undefined: none was given; `DEFAULT_PROXY_CONFIGURATION` then counts. */
  readonly proxy?: ProxyConfiguration;
}

export const DEFAULT_PROXY_CONFIGURATION: ProxyConfiguration = {
  mode: "iptables",
  hostnameOverride: "",
  bindAddress: "0.0.0.0",
  clusterCIDRs: [],
  detectLocalMode: "ClusterCIDR",
  bridgeInterface: "",
  interfaceNamePrefix: "",
  masqueradeAll: false,
  masqueradeBit: 14,
  localhostNodePorts: true,
  nodePortAddresses: [],
  tcpBeLiberal: false,
  ipvs: {
    scheduler: "rr",
    excludeCIDRs: [],
    strictARP: false,
    timeouts: { tcp: 0, tcpFin: 0, udp: 0 },
  },
  featureGates: new Map(),
};
