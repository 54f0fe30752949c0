/** Sysctls that kube-proxy sets when it starts in IPVS mode. */
import type { ProxyConfiguration } from "../../cluster/model.js";

/** `net.ipv4.vs.conn_reuse_mode` is not among them: since Linux 5.9 it is left as it is. Source: the ipvs proxier. */
export function sysctls({ ipvs }: ProxyConfiguration): readonly (readonly [name: string, value: string])[] {
  return [
    ["net.ipv4.vs.conntrack", "1"],
    ["net.ipv4.vs.expire_nodest_conn", "1"],
    ["net.ipv4.vs.expire_quiescent_template", "1"],
    ["net.ipv4.ip_forward", "1"],
    // Or the node would answer ARP for the addresses of kube-ipvs0 on its other interfaces.
    ...(ipvs.strictARP
      ? ([
          ["net.ipv4.conf.all.arp_ignore", "1"],
          ["net.ipv4.conf.all.arp_announce", "2"],
        ] as const)
      : []),
  ];
}
