/**
 * What changed in kube-proxy with which version, in iptables and IPVS mode: one table. Nothing else in landfall knows a
 * version number. Sources: the proxier of Kubernetes 1.24 to 1.30, and single files of later ones.
 */

/** A version of kube-proxy, by its minor: `"1.30"`. */
export type Version = `1.${number}`;

const OLDEST = 24;
const NEWEST = 35;

/** Behaviours that came, changed or went with a version. */
export interface Behaviour {
  /** Endpoint chains are written first, and what has no local endpoint jumps to KUBE-MARK-DROP. */
  readonly marksForDrop: boolean;
  /** `iptables.localhostNodePorts` exists, and node ports can be kept from loopback. */
  readonly localhostNodePortsOption: boolean;
  /** Terminating endpoints that still serve are used when no ready one is left. */
  readonly terminatingFallback: boolean;
  /** kube-proxy writes KUBE-FIREWALL against packets to loopback from outside. */
  readonly localnetFirewall: boolean;
  /** The firewall chain of a load balancer ends in a comment alone. */
  readonly firewallNote: boolean;
  /** A nodePortAddresses list without an address of this node also drops the rules of each node port. */
  readonly noNodeAddressNoNodePorts: boolean;
  /** `conntrack.tcpBeLiberal` leaves the rule against INVALID packets out. */
  readonly liberalSkipsInvalid: boolean;
  /** externalTrafficPolicy also counts for ClusterIP Services with external IPs. */
  readonly localPolicyForExternalIPs: boolean;
  /** External addresses, ranges and CIDRs are written as parsed: canonical, host bits cleared. */
  readonly addressesReprinted: boolean;
  /** So are the addresses of endpoints. */
  readonly endpointsReprinted: boolean;
  /** Any CIDR of length 0 in nodePortAddresses means all addresses, not `0.0.0.0/0` and `::/0` alone. */
  readonly zeroByValue: boolean;
  /** `ipMode: Proxy` keeps kube-proxy away from a load balancer address. */
  readonly proxyModeHonoured: boolean;
  /** nfacct counters on the rules against INVALID packets and for node ports on loopback. */
  readonly countersByNfacct: boolean;
  /** `nodePortAddresses: [primary]`. */
  readonly primaryNodePortAddress: boolean;
  /** `internalTrafficPolicy` counts. */
  readonly internalPolicy: boolean;
  /** Zone hints count where an annotation switches them on. */
  readonly annotatedHints: boolean;
  /** The annotation that switches zone hints on; `always`: none is needed. */
  readonly zoneHints: "annotation auto" | "annotation not disabled" | "always";
  /** Node hints are used before zone hints. */
  readonly nodeHints: boolean;
  /** Later syncs write the chains of changed Services only. */
  readonly partialSync: boolean;
  /** Chains KUBE-XLB-, which kube-proxy before 1.24 wrote, are deleted with other stale ones. */
  readonly deletesXLB: boolean;
  /** What counts as a change of an EndpointSlice: its ports and endpoints, or anything in it. */
  readonly sliceChange: "ports and endpoints" | "anything";
  /** A slice is looked at by the proxier of its own family alone. */
  readonly slicesPerFamily: boolean;
  /** Which changed labels of the node force a full sync. */
  readonly fullSyncOn: "any label" | "topology labels";
  /** IPVS: KUBE-IPVS-FILTER and its set, and loopback returns early in KUBE-SERVICES. */
  readonly ipvsFilter: boolean;
  /** IPVS: KUBE-IPVS-FILTER lets health checks pass. */
  readonly ipvsFilterHealthChecks: boolean;
  /** IPVS: KUBE-IPVS-FILTER lets traffic for external IPs of policy Local pass. */
  readonly ipvsFilterLocalExternalIPs: boolean;
  /** IPVS: KUBE-IPVS-OUT-FILTER keeps the node out of load balancers whose source ranges do not hold it. */
  readonly ipvsOutFilter: boolean;
  /** IPVS: scheduler mh looks at the client's port too. */
  readonly mhBySourcePort: boolean;
  /** IPVS: external addresses are bound to kube-ipvs0 even where another interface of the node has them. */
  readonly bindsOwnAddresses: boolean;
}

interface Change {
  /** Minor version from which on it holds. */
  readonly since: number;
  /** What changed, in words for `landfall versions`. */
  readonly what: string;
  readonly sets: Partial<Behaviour>;
  /** The feature gate that switches it, with its state in the versions where that can be changed. */
  readonly gate?: { readonly name: string; readonly from: number; readonly lockedFrom?: number };
}

/** The behaviour of the oldest version; each row of `CHANGES` says what differs from a version on. */
const BASE: Behaviour = {
  marksForDrop: true,
  localhostNodePortsOption: false,
  terminatingFallback: false,
  localnetFirewall: false,
  firewallNote: false,
  noNodeAddressNoNodePorts: true,
  liberalSkipsInvalid: false,
  localPolicyForExternalIPs: false,
  addressesReprinted: false,
  endpointsReprinted: false,
  zeroByValue: false,
  internalPolicy: false,
  annotatedHints: false,
  proxyModeHonoured: false,
  countersByNfacct: false,
  primaryNodePortAddress: false,
  zoneHints: "annotation auto",
  nodeHints: false,
  partialSync: false,
  deletesXLB: true,
  sliceChange: "ports and endpoints",
  slicesPerFamily: false,
  fullSyncOn: "any label",
  ipvsFilter: false,
  ipvsFilterHealthChecks: false,
  ipvsFilterLocalExternalIPs: false,
  ipvsOutFilter: false,
  mhBySourcePort: false,
  bindsOwnAddresses: true,
};

export const CHANGES: readonly Change[] = [
  {
    since: 22,
    what: "internalTrafficPolicy: Local keeps traffic for the cluster IP on the node",
    sets: { internalPolicy: true },
    gate: { name: "ServiceInternalTrafficPolicy", from: 21, lockedFrom: 26 },
  },
  {
    since: 24,
    what: "zone hints of EndpointSlices are used where an annotation of the Service asks for it",
    sets: { annotatedHints: true },
    gate: { name: "TopologyAwareHints", from: 21, lockedFrom: 33 },
  },
  {
    since: 25,
    what: "KUBE-MARK-DROP is gone: source ranges and missing local endpoints drop in the filter table (KUBE-PROXY-FIREWALL); chains are written in another order",
    sets: { marksForDrop: false },
  },
  {
    since: 26,
    what: "iptables.localhostNodePorts: node ports can be kept from 127.0.0.0/8, and are kept from ::1",
    sets: { localhostNodePortsOption: true },
  },
  {
    since: 26,
    what: "terminating endpoints that still serve are used when no ready one is left",
    sets: { terminatingFallback: true },
    gate: { name: "ProxyTerminatingEndpoints", from: 24, lockedFrom: 28 },
  },
  {
    since: 26,
    what: "mode ipvs: KUBE-IPVS-FILTER refuses what is sent to addresses of kube-ipvs0 and is for no Service",
    sets: { ipvsFilter: true },
  },
  {
    since: 27,
    what: "later syncs write the chains of changed Services only",
    sets: { partialSync: true },
    gate: { name: "MinimizeIPTablesRestore", from: 26, lockedFrom: 28 },
  },
  {
    since: 27,
    what: "KUBE-FIREWALL against packets to loopback from outside is kube-proxy's own (kubelet's before)",
    sets: { localnetFirewall: true },
  },
  {
    since: 27,
    what: "the firewall chain of a load balancer ends in a comment that tells where the rest is dropped",
    sets: { firewallNote: true },
  },
  {
    since: 27,
    what: "zone hints: any topology annotation but disabled switches them on",
    sets: { zoneHints: "annotation not disabled" },
  },
  {
    since: 27,
    what: "nodePortAddresses without an address of the node leave only the last rule of KUBE-SERVICES out",
    sets: { noNodeAddressNoNodePorts: false },
  },
  {
    since: 27,
    what: "mode ipvs: scheduler mh looks at the client's port too (mh-port)",
    sets: { mhBySourcePort: true },
  },
  {
    since: 28,
    what: "leftover KUBE-XLB- chains of versions before 1.24 are no longer deleted",
    sets: { deletesXLB: false },
  },
  {
    since: 28,
    what: "mode ipvs: KUBE-IPVS-FILTER lets health check node ports pass",
    sets: { ipvsFilterHealthChecks: true },
  },
  {
    since: 28,
    what: "mode ipvs: external addresses that another interface of the node has are not bound to kube-ipvs0",
    sets: { bindsOwnAddresses: false },
  },
  {
    since: 29,
    what: "conntrack.tcpBeLiberal leaves the rule against INVALID packets out",
    sets: { liberalSkipsInvalid: true },
  },
  {
    since: 29,
    what: "externalTrafficPolicy: Local also counts for ClusterIP Services with external IPs",
    sets: { localPolicyForExternalIPs: true },
  },
  {
    since: 29,
    what: "mode ipvs: KUBE-IPVS-OUT-FILTER keeps the node out of load balancers whose source ranges do not hold it",
    sets: { ipvsOutFilter: true },
  },
  {
    since: 30,
    what: "external addresses, source ranges and CIDRs are written as parsed: IPv6 in canonical form, host bits cleared",
    sets: { addressesReprinted: true },
  },
  {
    since: 30,
    what: "load balancer addresses with ipMode: Proxy get no rules",
    sets: { proxyModeHonoured: true },
    gate: { name: "LoadBalancerIPMode", from: 29, lockedFrom: 32 },
  },
  {
    since: 30,
    what: "mode ipvs: KUBE-IPVS-FILTER lets external IPs with policy Local pass",
    sets: { ipvsFilterLocalExternalIPs: true },
  },
  {
    since: 31,
    what: "nfacct counters on the rule against INVALID packets and on node ports of loopback",
    sets: { countersByNfacct: true },
  },
  {
    since: 31,
    what: "nodePortAddresses: [primary] means the node's first address of each family",
    sets: { primaryNodePortAddress: true },
  },
  {
    since: 31,
    what: "any CIDR of length 0 in nodePortAddresses means all addresses, not 0.0.0.0/0 and ::/0 alone (perhaps since later)",
    sets: { zeroByValue: true },
  },
  {
    since: 31,
    what: "zone hints are used without an annotation (trafficDistribution)",
    sets: { zoneHints: "always" },
    gate: { name: "ServiceTrafficDistribution", from: 30, lockedFrom: 33 },
  },
  {
    since: 32,
    what: "any change of an EndpointSlice, of its labels too, writes the chains of its Service again (perhaps since 1.31)",
    sets: { sliceChange: "anything" },
  },
  {
    since: 34,
    what: "a changed EndpointSlice concerns the rules of its own family alone; of the node's labels only the topology ones force a full sync (perhaps since 1.31)",
    sets: { slicesPerFamily: true, fullSyncOn: "topology labels" },
  },
  {
    since: 34,
    what: "node hints are used before zone hints (trafficDistribution: PreferSameNode)",
    sets: { nodeHints: true },
    gate: { name: "PreferSameTrafficDistribution", from: 33, lockedFrom: 35 },
  },
  {
    since: 35,
    what: "addresses of endpoints are written as parsed: IPv6 in canonical form (perhaps since 1.31)",
    sets: { endpointsReprinted: true },
  },
  {
    since: 35,
    what: "mode ipvs is deprecated: kube-proxy says so when it starts, and works as before",
    sets: {},
  },
];

export const VERSIONS: readonly Version[] = Array.from(
  { length: NEWEST - OLDEST + 1 },
  (_, index): Version => `1.${OLDEST + index}`,
);

export const NEWEST_VERSION: Version = `1.${NEWEST}`;

/** The version that brought a behaviour; the oldest one for what was always there. */
export function firstVersionWith(behaviour: keyof Behaviour): Version {
  const since = CHANGES.find(({ sets }) => behaviour in sets)?.since ?? OLDEST;
  return `1.${Math.max(since, OLDEST)}`;
}

/** Reads `1.30`, `v1.30.3`, `1.30.3`; undefined when landfall does not know the minor version. */
export function readVersion(text: string): Version | undefined {
  const found = /^v?1\.(\d+)(?:\.\d+)?(?:[-+].*)?$/.exec(text.trim());
  return VERSIONS.find((version) => version === `1.${found?.[1]}`);
}

export interface VersionBehaviour extends Behaviour {
  /** Gates that were named, do not exist yet in this version or cannot be changed any more, and would change something. */
  readonly ignoredGates: readonly string[];
}

/** How kube-proxy of a version behaves with these feature gates. */
export function behaviourOf(version: Version, gates: ReadonlyMap<string, boolean>): VersionBehaviour {
  const minor = Number(version.slice(2));
  const behaviour: { -readonly [K in keyof Behaviour]: Behaviour[K] } = { ...BASE };
  const ignored: string[] = [];
  for (const { since, sets, gate } of CHANGES) {
    const asked = gate === undefined ? undefined : gates.get(gate.name);
    const open =
      gate !== undefined && minor >= gate.from && minor < (gate.lockedFrom ?? Number.POSITIVE_INFINITY);
    if (asked !== undefined && !open && gate !== undefined && asked !== minor >= since)
      ignored.push(gate.name);
    if (open && asked !== undefined ? asked : minor >= since) Object.assign(behaviour, sets);
  }
  return { ...behaviour, ignoredGates: ignored };
}
