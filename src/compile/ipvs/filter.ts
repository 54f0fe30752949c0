/** The filter table: source ranges, forwarding, health checks, and what is refused at addresses of kube-ipvs0. */

import type { SetName } from "../../cluster/ipvs-names.js";
import type { Context } from "../common/context.js";
import { forwardRules } from "../common/forward.js";
import { append, type Draft } from "../common/payload.js";
import { appendSetRules, commentedInSet, inSet, type SetRule } from "./rules.js";
import type { KeptOut } from "./services.js";
import type { WantedEntries } from "./sets.js";

const SOURCE_RANGES: readonly SetRule[] = [
  {
    chain: "KUBE-PROXY-FIREWALL",
    set: "LOAD-BALANCER-FW",
    directions: "dst,dst",
    target: "KUBE-SOURCE-RANGES-FIREWALL",
  },
  {
    chain: "KUBE-SOURCE-RANGES-FIREWALL",
    set: "LOAD-BALANCER-SOURCE-CIDR",
    directions: "dst,dst,src",
    target: "RETURN",
  },
  {
    chain: "KUBE-SOURCE-RANGES-FIREWALL",
    set: "LOAD-BALANCER-SOURCE-IP",
    directions: "dst,dst,src",
    target: "RETURN",
  },
];

export function filterTable(entries: WantedEntries, keptOut: readonly KeptOut[], context: Context): Draft {
  const { behaviour } = context;
  const draft: Draft = {
    chains: [
      "KUBE-FORWARD",
      "KUBE-NODE-PORT",
      ...(behaviour.marksForDrop ? [] : ["KUBE-PROXY-FIREWALL", "KUBE-SOURCE-RANGES-FIREWALL"]),
      ...(behaviour.ipvsFilter ? ["KUBE-IPVS-FILTER"] : []),
      ...(behaviour.ipvsOutFilter ? ["KUBE-IPVS-OUT-FILTER"] : []),
    ],
    rules: [],
  };
  if (!behaviour.marksForDrop) {
    appendSetRules(draft, SOURCE_RANGES, entries);
    append(draft, "KUBE-SOURCE-RANGES-FIREWALL", "-j DROP");
  }
  if (behaviour.ipvsOutFilter) {
    for (const { address, protocol, port } of keptOut) {
      const served = `-m ipvs --vaddr ${address} --vproto ${protocol} --vport ${port}`;
      append(draft, "KUBE-IPVS-OUT-FILTER", `-s ${address}`, served, "-j DROP");
    }
  }
  forwardRules(draft, context);
  const healthChecks = commentedInSet(entries, "HEALTH-CHECK-NODE-PORT", "dst");
  append(draft, "KUBE-NODE-PORT", healthChecks, "-j ACCEPT");
  if (behaviour.ipvsFilter) accessFilter(draft, entries, context);
  return draft;
}

/** An address on kube-ipvs0 is one of the node's: without this, all that listens on all addresses would answer there. */
function accessFilter(draft: Draft, entries: WantedEntries, { behaviour }: Context): void {
  const served: readonly SetName[] = [
    "LOAD-BALANCER",
    "CLUSTER-IP",
    "EXTERNAL-IP",
    ...(behaviour.ipvsFilterLocalExternalIPs ? (["EXTERNAL-IP-LOCAL"] as const) : []),
  ];
  for (const name of served) append(draft, "KUBE-IPVS-FILTER", inSet(entries, name, "dst,dst"), "-j RETURN");
  if (behaviour.ipvsFilterHealthChecks)
    append(draft, "KUBE-IPVS-FILTER", inSet(entries, "HEALTH-CHECK-NODE-PORT", "dst"), "-j RETURN");
  const isBound = inSet(entries, "IPVS-IPS", "dst");
  append(draft, "KUBE-IPVS-FILTER", "-m conntrack --ctstate NEW", isBound, "-j REJECT");
}
