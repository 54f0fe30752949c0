/**
 * Names that kube-proxy in mode ipvs gives to what it makes: its ipsets, and the interface that holds the addresses of
 * virtual servers. Source: the ipvs proxier of Kubernetes 1.24 to 1.30.
 */
import type { Family } from "../../grammar/address.js";

/** The dummy interface. */
export const DUMMY_INTERFACE = "kube-ipvs0";

export interface SetInfo {
  /** Behind `KUBE-` or `KUBE-6-`. */
  readonly name: string;
  readonly type: string;
  /** Of the rules that ask it; sets themselves carry none. */
  readonly comment: string;
}

/** In the order of kube-proxy's own list; it makes them in random order. */
export const SETS = [
  {
    name: "LOOP-BACK",
    type: "hash:ip,port,ip",
    comment: "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose",
  },
  {
    name: "CLUSTER-IP",
    type: "hash:ip,port",
    comment: "Kubernetes service cluster ip + port for masquerade purpose",
  },
  {
    name: "EXTERNAL-IP",
    type: "hash:ip,port",
    comment: "Kubernetes service external ip + port for masquerade and filter purpose",
  },
  {
    name: "EXTERNAL-IP-LOCAL",
    type: "hash:ip,port",
    comment: "Kubernetes service external ip + port with externalTrafficPolicy=local",
  },
  { name: "LOAD-BALANCER", type: "hash:ip,port", comment: "Kubernetes service lb portal" },
  {
    name: "LOAD-BALANCER-FW",
    type: "hash:ip,port",
    comment: "Kubernetes service load balancer ip + port for load balancer with sourceRange",
  },
  {
    name: "LOAD-BALANCER-LOCAL",
    type: "hash:ip,port",
    comment: "Kubernetes service load balancer ip + port with externalTrafficPolicy=local",
  },
  {
    name: "LOAD-BALANCER-SOURCE-IP",
    type: "hash:ip,port,ip",
    comment: "Kubernetes service load balancer ip + port + source IP for packet filter purpose",
  },
  {
    name: "LOAD-BALANCER-SOURCE-CIDR",
    type: "hash:ip,port,net",
    comment: "Kubernetes service load balancer ip + port + source cidr for packet filter purpose",
  },
  {
    name: "NODE-PORT-TCP",
    type: "bitmap:port",
    comment: "Kubernetes nodeport TCP port for masquerade purpose",
  },
  {
    name: "NODE-PORT-LOCAL-TCP",
    type: "bitmap:port",
    comment: "Kubernetes nodeport TCP port with externalTrafficPolicy=local",
  },
  {
    name: "NODE-PORT-UDP",
    type: "bitmap:port",
    comment: "Kubernetes nodeport UDP port for masquerade purpose",
  },
  {
    name: "NODE-PORT-LOCAL-UDP",
    type: "bitmap:port",
    comment: "Kubernetes nodeport UDP port with externalTrafficPolicy=local",
  },
  {
    name: "NODE-PORT-SCTP-HASH",
    type: "hash:ip,port",
    comment: "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'",
  },
  {
    name: "NODE-PORT-LOCAL-SCTP-HASH",
    type: "hash:ip,port",
    comment: "Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type 'hash ip:port'",
  },
  {
    name: "HEALTH-CHECK-NODE-PORT",
    type: "bitmap:port",
    comment: "Kubernetes health check node port",
  },
  { name: "IPVS-IPS", type: "hash:ip", comment: "Addresses on the ipvs interface" },
] as const satisfies readonly SetInfo[];

export type SetName = (typeof SETS)[number]["name"];

/** The kernel's limit for the name of a set, without the zero at its end. */
const NAME_LENGTH_MAX = 31;

/** The whole name: `KUBE-CLUSTER-IP`, `KUBE-6-CLUSTER-IP`. */
export function fullName(name: SetName, family: Family): string {
  return `${family === "ipv6" ? "KUBE-6-" : "KUBE-"}${name}`.slice(0, NAME_LENGTH_MAX);
}
