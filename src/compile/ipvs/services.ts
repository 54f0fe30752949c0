/** What the service ports of one family ask for: virtual servers, entries of sets, and addresses of kube-ipvs0. */
import { type Address, readAddress, readNetwork } from "../../../grammar/address.js";
import { protocolNumber } from "../../../grammar/protocols.js";
import type { ProtocolPort } from "../../../grammar/sets/description.js";
import type { SetName } from "../../cluster/ipvs-names.js";
import type { Problem } from "../../problems/problem.js";
import type { Context } from "../common/context.js";
import type { ServicePortInfo } from "../common/services.js";
import type { NodeAddresses } from "./addresses.js";
import { endpointsFor } from "./endpoints.js";
import type { WantedServer } from "./servers.js";
import { noEntries, type WantedEntries, want } from "./sets.js";

/** The entrance of a load balancer that source ranges keep the node itself out of. */
export interface KeptOut {
  /** As kube-proxy writes it. */
  readonly address: string;
  readonly protocol: string;
  readonly port: number;
}

export interface Wanted {
  readonly servers: readonly WantedServer[];
  readonly entries: WantedEntries;
  /** In the order in which they are bound to kube-ipvs0. */
  readonly bound: ReadonlySet<Address>;
  readonly keptOut: readonly KeptOut[];
  /** By their messages. */
  readonly problems: ReadonlyMap<string, Problem>;
}

interface Draft extends Wanted {
  readonly servers: WantedServer[];
  readonly bound: Set<Address>;
  readonly keptOut: KeptOut[];
  readonly problems: Map<string, Problem>;
}

/** Source: syncProxyRules of the ipvs proxier. Service ports are walked in their order. */
export function wantedOf(
  ports: readonly ServicePortInfo[],
  addresses: NodeAddresses,
  context: Context,
): Wanted {
  const draft: Draft = {
    servers: [],
    entries: noEntries(context.family),
    bound: new Set(),
    keptOut: [],
    problems: new Map(),
  };
  for (const port of ports) {
    hairpin(draft, port);
    clusterIP(draft, port);
    externalIPs(draft, port, addresses, context);
    loadBalancerIPs(draft, port, addresses, context);
    nodePort(draft, port, addresses);
  }
  if (context.behaviour.ipvsFilter) {
    for (const address of draft.bound) want(draft.entries, "IPVS-IPS", [address]);
  }
  return draft;
}

/** A pod of this node that reaches itself would see its own address as the client's, and answer itself. */
function hairpin({ entries }: Draft, port: ServicePortInfo): void {
  const protocol = numberOf(port);
  for (const endpoint of port.endpoints) {
    const address = endpoint.local ? readAddress(endpoint.ip) : undefined;
    if (address !== undefined)
      want(entries, "LOOP-BACK", [address, { protocol, port: endpoint.port }, address]);
  }
}

function clusterIP(draft: Draft, port: ServicePortInfo): void {
  const address = readAddress(port.clusterIP);
  if (address === undefined) return;
  want(draft.entries, "CLUSTER-IP", [address, entrance(port)]);
  serve(draft, port, { address, port: port.port, local: port.internalLocal });
  draft.bound.add(address);
}

function externalIPs(draft: Draft, port: ServicePortInfo, { own }: NodeAddresses, context: Context): void {
  const set = port.externalLocal ? "EXTERNAL-IP-LOCAL" : "EXTERNAL-IP";
  for (const text of port.externalIPs) {
    const address = readAddress(text);
    if (address === undefined) continue;
    want(draft.entries, set, [address, entrance(port)]);
    serve(draft, port, { address, port: port.port, local: port.externalLocal });
    if (binds(address, own, context)) draft.bound.add(address);
  }
}

function loadBalancerIPs(
  draft: Draft,
  port: ServicePortInfo,
  { own }: NodeAddresses,
  context: Context,
): void {
  const { entries } = draft;
  for (const text of port.loadBalancerIPs) {
    const address = readAddress(text);
    if (address === undefined) continue;
    const parts = [address, entrance(port)];
    want(entries, "LOAD-BALANCER", parts);
    if (port.externalLocal) want(entries, "LOAD-BALANCER-LOCAL", parts);
    if (port.sourceRanges.length > 0) {
      want(entries, "LOAD-BALANCER-FW", parts);
      for (const range of port.sourceRanges) sourceRange(draft, port, address, range);
      if (port.rangesHoldNode) want(entries, "LOAD-BALANCER-SOURCE-IP", [...parts, address]);
      else draft.keptOut.push({ address: text, protocol: port.protocol, port: port.port });
    }
    serve(draft, port, { address, port: port.port, local: port.externalLocal });
    if (binds(address, own, context)) draft.bound.add(address);
  }
}

/** A range of length 0 is no network that the set can hold: the kernel refuses it, and the range lets nobody in. */
function sourceRange(draft: Draft, port: ServicePortInfo, address: Address, range: string): void {
  const network = readNetwork(range);
  if (network === undefined) return;
  const stored = Boolean(network.mask);
  want(draft.entries, "LOAD-BALANCER-SOURCE-CIDR", [address, entrance(port), network], stored);
  if (stored) return;
  const message = `Service ${port.service}: an ipset cannot hold the source range ${range}, so it lets nobody in`;
  draft.problems.set(message, {
    code: "LF5005",
    severity: "warning",
    message,
    notes: [
      "kube-proxy in mode ipvs only logs that; the load balancer's address drops what no other range lets in",
    ],
  });
}

/** Node ports of TCP and UDP are kept without an address; a set of SCTP ports alone does not exist. */
function nodePort(draft: Draft, port: ServicePortInfo, { nodePorts }: NodeAddresses): void {
  const { entries } = draft;
  // Without an address to serve at, kube-proxy goes on to the next service port at once.
  if (port.nodePort !== 0 && nodePorts.length === 0) return;
  if (port.nodePort !== 0) {
    const names = NODE_PORT_SETS[port.protocol] ?? [];
    for (const name of port.externalLocal ? names : names.slice(0, 1)) {
      if (port.protocol !== "sctp") want(entries, name, [port.nodePort]);
      else for (const address of nodePorts) want(entries, name, [address, entrance(port, port.nodePort)]);
    }
    for (const address of nodePorts)
      serve(draft, port, { address, port: port.nodePort, local: port.externalLocal });
  }
  if (port.healthCheckNodePort !== 0) want(entries, "HEALTH-CHECK-NODE-PORT", [port.healthCheckNodePort]);
}

/** By protocol: the set of all its node ports, and that of policy Local. */
const NODE_PORT_SETS: Readonly<Record<string, readonly SetName[]>> = {
  tcp: ["NODE-PORT-TCP", "NODE-PORT-LOCAL-TCP"],
  udp: ["NODE-PORT-UDP", "NODE-PORT-LOCAL-UDP"],
  sctp: ["NODE-PORT-SCTP-HASH", "NODE-PORT-LOCAL-SCTP-HASH"],
};

function serve(
  { servers }: Draft,
  port: ServicePortInfo,
  at: { readonly address: Address; readonly port: number; readonly local: boolean },
): void {
  servers.push({
    protocol: numberOf(port),
    address: at.address,
    port: at.port,
    affinitySeconds: port.affinitySeconds,
    endpoints: endpointsFor(port, at.local),
  });
}

/** An address that another interface of the node has is not bound again. */
function binds(address: Address, own: ReadonlySet<Address>, { behaviour }: Context): boolean {
  return behaviour.bindsOwnAddresses || !own.has(address);
}

function entrance(service: ServicePortInfo, port: number = service.port): ProtocolPort {
  return { protocol: numberOf(service), port };
}

function numberOf({ protocol }: ServicePortInfo): number {
  return protocolNumber(protocol) ?? 0;
}
