/**
 * Names of service ports in rules. kube-proxy names the service port in the comments of its rules, and puts the hash of
 * name and protocol into the names of its chains: where both are there, the hash proves the name; where the comment is
 * lost, a name that is known from elsewhere is found again by its hash.
 */
import { matchNamed } from "../../grammar/extensions.js";
import { chainHash } from "../cluster/names.js";
import type { Rule } from "../state/rules.js";

/** Chains of one service port, in the order in which they are told of; `XLB` is what kube-proxy up to 1.23 wrote. */
const SERVICE_CHAIN = /^KUBE-(SVC|SVL|EXT|XLB|FW)-([A-Z2-7]{16})$/;

/** The chain of one endpoint. */
export const ENDPOINT_CHAIN = /^KUBE-SEP-[A-Z2-7]{16}$/;

/** The hash in the name of a service port's chain. */
export function hashOf(chain: string): string | undefined {
  return SERVICE_CHAIN.exec(chain)?.[2];
}

/** Whether a chain is one of a service port or of an endpoint. */
export function belongsToService(chain: string): boolean {
  return hashOf(chain) !== undefined || ENDPOINT_CHAIN.test(chain);
}

/** The text that a rule carries for its readers, if it has one. */
export function commentOf(rule: Rule): string | undefined {
  for (const term of rule.matches) {
    // A comment does not hang on the family.
    const text = term.kind === "match" ? matchNamed(term.name, "ipv4")?.remark?.(term.given) : undefined;
    if (text !== undefined) return text;
  }
  return undefined;
}

/** What a comment of kube-proxy says besides the name. */
export type Said =
  | "cluster IP"
  | "external IP"
  | "load balancer IP"
  | "endpoint"
  | "no endpoints"
  | "no local endpoints"
  | "health check"
  | "";

export interface NamedInComment {
  /** As it stands there; kube-proxy up to 1.13 ended it with a colon when the port had no name. */
  readonly name: string;
  readonly said: Said;
  /** `ip:port`, of `name -> ip:port` (1.24 and later). */
  readonly endpoint?: string;
}

/** The comments of kube-proxy 1.2 to 1.36, from its source. */
const COMMENTS: readonly (readonly [RegExp, Said])[] = [
  [/^(\S+) cluster IP$/, "cluster IP"],
  [/^(\S+) external IP$/, "external IP"],
  [/^(\S+) loadbalancer IP$/, "load balancer IP"],
  [/^(\S+) -> (\S+)$/, "endpoint"],
  [/^(\S+) has no endpoints$/, "no endpoints"],
  [/^(\S+) has no local endpoints$/, "no local endpoints"],
  [/^(\S+) health check node port$/, "health check"],
  [/^(\S+) traffic not accepted by \S+$/, ""],
  [/^(?:pod|masquerade|masquerade LOCAL|route LOCAL) traffic for (\S+) external destinations$/, ""],
  [/^(?:masquerade|route) LOCAL traffic for (\S+) LB IP(?: to service chain)?$/, ""],
  [/^Balancing rule \d+ for (\S+)$/, ""],
  [/^other traffic to (\S+) will be dropped by KUBE-PROXY-FIREWALL$/, ""],
  [/^(\S+)$/, ""],
];

/** The service port that a comment names, if it has one of kube-proxy's forms; undefined for other texts. */
export function namedIn(comment: string): NamedInComment | undefined {
  for (const [form, said] of COMMENTS) {
    const found = form.exec(comment);
    if (found?.[1] === undefined) continue;
    return { name: found[1], said, ...(found[2] === undefined ? {} : { endpoint: found[2] }) };
  }
  return undefined;
}

/** Service ports that clusters have by default, from kubeadm, k3s and the cloud providers. */
const WELL_KNOWN: readonly string[] = [
  "default/kubernetes:https",
  "kube-system/kube-dns:dns",
  "kube-system/kube-dns:dns-tcp",
  "kube-system/kube-dns:metrics",
  "kube-system/coredns:dns",
  "kube-system/coredns:dns-tcp",
  "kube-system/metrics-server:https",
  "kube-system/metrics-server",
  "kube-system/traefik:web",
  "kube-system/traefik:websecure",
  "kube-system/kubernetes-dashboard",
  "kubernetes-dashboard/kubernetes-dashboard",
  "ingress-nginx/ingress-nginx-controller:http",
  "ingress-nginx/ingress-nginx-controller:https",
  "ingress-nginx/ingress-nginx-controller-admission:https-webhook",
  "openshift-dns/dns-default:dns",
  "openshift-dns/dns-default:dns-tcp",
];

export const SERVICE_PROTOCOLS: readonly string[] = ["tcp", "udp", "sctp"];

/** A service port, as its hash tells it. */
export interface HashedName {
  readonly name: string;
  /** `tcp`, `udp` or `sctp`. */
  readonly protocol: string;
}

/**
 * Names by the hash that kube-proxy makes of them: those given, and those that clusters have by default. A name without a
 * port stands with the colon of old versions, too.
 */
export function namesByHash(names: Iterable<string>): ReadonlyMap<string, HashedName> {
  const known = new Map<string, HashedName>();
  for (const name of [...WELL_KNOWN, ...names]) {
    const spellings = name.includes(":") ? [name] : [name, `${name}:`];
    for (const spelling of spellings) {
      for (const protocol of SERVICE_PROTOCOLS) known.set(chainHash(spelling + protocol), { name, protocol });
    }
  }
  return known;
}

/** A name without the colon that old versions put behind it. */
export function withoutColon(name: string): string {
  return name.replace(/:$/, "");
}
