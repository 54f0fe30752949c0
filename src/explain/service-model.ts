/** What services.ts finds of a node's Services: plain data, for tables, explanations, findings and differences. */
import type { Address, Family } from "../../grammar/address.js";
import type { Range } from "../../grammar/meaning.js";
import type { Rule } from "../state/rules.js";

/** In lowest terms. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** A rule and where it stands; numbers count from 1. */
export interface RuleAt {
  readonly table: string;
  readonly chain: string;
  readonly number: number;
  readonly rule: Rule;
}

export interface ServiceEndpoint {
  /** Absent where the text lacks its chain. */
  readonly address?: Address;
  /** Absent where packets keep the port that they were sent to. */
  readonly port?: number;
  /** Its KUBE-SEP chain; absent for IPVS. */
  readonly chain?: string;
  /** The rule or line that translates to it. */
  readonly line?: number;
  /** Packets that it sends to its own Service get a source of the node, without which the answer goes past it. */
  readonly selfMasqueraded?: boolean;
  /** IPVS; 0 takes no new connections. */
  readonly weight?: number;
}

/** What becomes of a part of the connections. */
export interface Outcome {
  /**
   * `reject` is answered at once, `drop` is not; `passed`: no rule translates the packet, so that it goes on to the
   * address that it was sent to; `unknown`: the text lacks the chain that decides.
   */
  readonly kind: "endpoint" | "reject" | "drop" | "passed" | "unknown";
  /** Absent where nothing given determines it: the listing does not show the scheduler of IPVS, or it is not known. */
  readonly share?: Fraction;
  /** Of kind `endpoint`. */
  readonly endpoint?: ServiceEndpoint;
  /** What a rejection answers with. */
  readonly with?: string;
  /** The chain that is lacking, of kind `unknown`. */
  readonly lacks?: string;
  /** The endpoint sees an address of the node as the source. */
  readonly masqueraded: boolean;
}

/** Clients that fare alike. */
export interface Clients {
  /** What tells them from others, in sentences: "the source is in 10.244.0.0/16"; empty: all. */
  readonly who: readonly string[];
  readonly sources: readonly Range[];
  /** IPVS: the sets by which rules of nat know what these clients send, in the order in which it meets them. */
  readonly sets?: readonly string[];
  readonly outcomes: readonly Outcome[];
}

export type EntranceKind =
  | "cluster IP"
  | "external IP"
  | "load balancer IP"
  /** An address for clients outside; no comment says which kind. */
  | "external address"
  | "node port"
  /** No rule that is here leads to the service port: its chain was asked. */
  | "unknown"
  /** IPVS: a virtual server whose address is in none of kube-proxy's sets, or those are not here. */
  | "virtual server";

/** In the order in which they are told. */
export const ENTRANCE_KINDS: readonly EntranceKind[] = [
  "cluster IP",
  "external IP",
  "load balancer IP",
  "external address",
  "node port",
  "unknown",
  "virtual server",
];

/** One address and port at which a service port is reached. */
export interface Entrance {
  readonly kind: EntranceKind;
  /** Absent for a node port at all addresses of the node, and where it is unknown. */
  readonly address?: Address;
  readonly port?: number;
  /** The rules that lead from here to the service port's chains, or refuse what comes here. */
  readonly rules: readonly RuleAt[];
  /** The chain of the service port that they lead to. */
  readonly chain?: string;
  /**
   * From outside of the node, which its pods are too. Empty: there are too many ways through the rules, or more than a
   * hundred entrances. The first 256 kinds of client.
   */
  readonly clients: readonly Clients[];
  /** Processes of the node itself; empty also where the answer hangs on its addresses, and those are not known. */
  readonly ownClients: readonly Clients[];
  /** IPVS: whom the firewall of a load balancer's address lets in; absent: it does not look at this one. */
  readonly letIn?: readonly LetIn[];
}

/** Sources as the set prints them. */
export interface LetIn {
  readonly set: string;
  readonly sources: readonly string[];
}

/** Connections that the rules of one chain counted (`iptables-save -c`): nat is asked once for each. */
export interface Counted {
  readonly chain: string;
  readonly total: bigint;
  readonly endpoints: readonly { readonly endpoint: ServiceEndpoint; readonly connections: bigint }[];
}

export type TrafficPolicy = "Cluster" | "Local";

export interface ServicePort {
  readonly family: Family;
  /** `namespace/name:port`; absent where neither comment nor hash tells it. */
  readonly name?: string;
  /** The hash in the names of its chains fits the name. */
  readonly nameProven: boolean;
  readonly protocol?: number;
  /** Names of its chains that have rules, SVC, SVL, EXT, XLB and FW in this order; empty for IPVS. */
  readonly chains: readonly string[];
  readonly entrances: readonly Entrance[];
  /** Those that some client reaches, in the order of the rules, then others whose chains name the service port. */
  readonly endpoints: readonly ServiceEndpoint[];
  /** Seconds of ClientIP affinity. */
  readonly affinitySeconds?: number;
  /** As far as the chains show them. */
  readonly internalPolicy?: TrafficPolicy;
  readonly externalPolicy?: TrafficPolicy;
  readonly healthCheckNodePort?: number;
  readonly counted: readonly Counted[];
  /** IPVS. */
  readonly scheduler?: string;
  /** IPVS: what the shares rest on, and who gets the next connection where a listing tells how many each real server has. */
  readonly sharing?: { readonly assuming: readonly string[]; readonly next: readonly ServiceEndpoint[] };
  /** IPVS: what is not here, and what that leaves open, in sentences. */
  readonly lacks?: readonly string[];
}

export interface ServicesFound {
  /** In the order of their names; those without a name last. */
  readonly services: readonly ServicePort[];
  /** What was taken for granted, in sentences: lines that a fragment lacks. */
  readonly assumed: readonly string[];
}

export interface KnownNames {
  readonly names: readonly string[];
  readonly byAddress: ReadonlyMap<string, string>;
  /** The same by `port protocol` of node ports. */
  readonly byNodePort?: ReadonlyMap<string, string>;
}

export const NO_NAMES: KnownNames = { names: [], byAddress: new Map() };

/** The key of `KnownNames.byNodePort`. */
export function nodePortKey(port: number, protocol: number): string {
  return `${port} ${protocol}`;
}

/** The key of `KnownNames.byAddress`. */
export function addressKey(address: Address, port: number, protocol: number): string {
  return `${address} ${port} ${protocol}`;
}
