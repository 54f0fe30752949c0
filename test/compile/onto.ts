/** Nodes that are not empty, for kube-proxy to write onto. */
import { goldenKey, goldens } from "./goldens.js";

const KUBELET = `*mangle
:KUBE-IPTABLES-HINT - [0:0]
:KUBE-KUBELET-CANARY - [0:0]
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:KUBE-FIREWALL - [0:0]
:KUBE-KUBELET-CANARY - [0:0]
-A INPUT -j KUBE-FIREWALL
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A FORWARD -s 10.244.0.0/16 -j ACCEPT
-A OUTPUT -j KUBE-FIREWALL
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:CNI-DN-0123456789abcdef01234 - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
:KUBE-KUBELET-CANARY - [0:0]
:KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]
:KUBE-XLB-AAAAAAAAAAAAAAAA - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE
-A CNI-DN-0123456789abcdef01234 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.1.8:80
-A CNI-HOSTPORT-DNAT -p tcp -m tcp --dport 80 -j CNI-DN-0123456789abcdef01234
-A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m tcp -j DNAT --to-destination 10.244.1.7:80
-A KUBE-SERVICES -d 10.96.9.9/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA
-A KUBE-SVC-AAAAAAAAAAAAAAAA -j KUBE-SEP-AAAAAAAAAAAAAAAA
-A KUBE-XLB-AAAAAAAAAAAAAAAA -j RETURN
COMMIT
`;

/** Dumps by what they are; all IPv4. */
export const NODES: Readonly<Record<string, string>> = {
  empty: "",
  "kubelet, a CNI plugin and leftovers": KUBELET,
  "an older kube-proxy": goldens("1.24").get(goldenKey("metallb-mix", "save", "ipv4")) ?? "",
  "the same kube-proxy, other Services":
    goldens("1.30").get(goldenKey("nodeport-local", "save", "ipv4")) ?? "",
};

/** Chains and rules of a dump without remarks and counters, table by table, whatever the order of the tables. */
export function tablesOf(dump: string): readonly string[] {
  return dump
    .split(/^\*/m)
    .slice(1)
    .map((table) =>
      table
        .replace(/^#.*\n/gm, "")
        .replace(/\[\d+:\d+\]/g, "")
        .trim(),
    )
    .sort();
}
