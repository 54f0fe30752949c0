/** The nat table: what is masqueraded. Translating itself is left to IPVS, so that most of it ends in ACCEPT. */

import type { SetName } from "../../cluster/ipvs-names.js";
import type { Context } from "../common/context.js";
import { masqueradeChains } from "../common/masquerade.js";
import { append, type Draft } from "../common/payload.js";
import { appendSetRules, commentedInSet, inSet, type SetRule } from "./rules.js";
import { isEmpty, type WantedEntries } from "./sets.js";

const HAIRPIN: SetRule = {
  chain: "KUBE-POSTROUTING",
  set: "LOOP-BACK",
  directions: "dst,dst,src",
  target: "MASQUERADE",
};
const LOAD_BALANCER: SetRule = {
  chain: "KUBE-SERVICES",
  set: "LOAD-BALANCER",
  directions: "dst,dst",
  target: "KUBE-LOAD-BALANCER",
};
const LOAD_BALANCER_LOCAL: SetRule = {
  chain: "KUBE-LOAD-BALANCER",
  set: "LOAD-BALANCER-LOCAL",
  directions: "dst,dst",
  target: "RETURN",
};

/** Source ranges, as long as they are looked at here. */
const FIREWALL: readonly SetRule[] = [
  { chain: "KUBE-LOAD-BALANCER", set: "LOAD-BALANCER-FW", directions: "dst,dst", target: "KUBE-FIREWALL" },
  { chain: "KUBE-FIREWALL", set: "LOAD-BALANCER-SOURCE-CIDR", directions: "dst,dst,src", target: "RETURN" },
  { chain: "KUBE-FIREWALL", set: "LOAD-BALANCER-SOURCE-IP", directions: "dst,dst,src", target: "RETURN" },
];

/** Policy Local keeps the client's address, and stands before the rest. */
const NODE_PORTS: readonly SetRule[] = [
  ...nodePorts("tcp", "NODE-PORT-LOCAL-TCP", "NODE-PORT-TCP", "dst"),
  ...nodePorts("udp", "NODE-PORT-LOCAL-UDP", "NODE-PORT-UDP", "dst"),
  ...nodePorts("sctp", "NODE-PORT-LOCAL-SCTP-HASH", "NODE-PORT-SCTP-HASH", "dst,dst"),
];

function nodePorts(protocol: string, local: SetName, all: SetName, directions: string): readonly SetRule[] {
  return [
    { chain: "KUBE-NODE-PORT", protocol, set: local, directions, target: "RETURN" },
    { chain: "KUBE-NODE-PORT", protocol, set: all, directions, target: "KUBE-MARK-MASQ" },
  ];
}

export function natTable(entries: WantedEntries, context: Context): Draft {
  const { family, behaviour } = context;
  const draft: Draft = {
    chains: [
      "KUBE-SERVICES",
      "KUBE-POSTROUTING",
      ...(behaviour.marksForDrop ? ["KUBE-FIREWALL"] : []),
      "KUBE-NODE-PORT",
      "KUBE-LOAD-BALANCER",
      "KUBE-MARK-MASQ",
    ],
    rules: [],
  };
  if (behaviour.ipvsFilter) {
    append(draft, "KUBE-SERVICES", `-s ${family === "ipv4" ? "127.0.0.0/8" : "::1/128"} -j RETURN`);
  }
  const firewall = behaviour.marksForDrop ? FIREWALL : [];
  appendSetRules(draft, [HAIRPIN, LOAD_BALANCER, ...firewall, LOAD_BALANCER_LOCAL, ...NODE_PORTS], entries);
  clusterIPs(draft, entries, context);
  externalIPs(draft, entries, "EXTERNAL-IP", true);
  externalIPs(draft, entries, "EXTERNAL-IP-LOCAL", false);
  append(draft, "KUBE-SERVICES", "-m addrtype --dst-type LOCAL -j KUBE-NODE-PORT");
  append(draft, "KUBE-LOAD-BALANCER", "-j KUBE-MARK-MASQ");
  if (behaviour.marksForDrop) append(draft, "KUBE-FIREWALL", "-j KUBE-MARK-DROP");
  // Rules of others, further down, must not come between a packet and its virtual server.
  for (const name of ["CLUSTER-IP", "LOAD-BALANCER"] as const) {
    if (!isEmpty(entries, name)) append(draft, "KUBE-SERVICES", inSet(entries, name, "dst,dst"), "-j ACCEPT");
  }
  masqueradeChains(draft, context);
  return draft;
}

/** All traffic for cluster IPs, what is not from local pods, or at least what the node sends from such an address. */
function clusterIPs(draft: Draft, entries: WantedEntries, { proxy, localTraffic }: Context): void {
  if (isEmpty(entries, "CLUSTER-IP")) return;
  const outsiders = proxy.masqueradeAll ? "" : localTraffic?.isNot;
  const directions = outsiders === undefined ? "src,dst" : "dst,dst";
  const asked = commentedInSet(entries, "CLUSTER-IP", directions);
  append(draft, "KUBE-SERVICES", asked, outsiders ?? "", "-j KUBE-MARK-MASQ");
}

/** What comes from other machines, and what is for the node itself, goes on to its virtual server. */
function externalIPs(draft: Draft, entries: WantedEntries, name: SetName, masquerade: boolean): void {
  if (isEmpty(entries, name)) return;
  const asked = commentedInSet(entries, name, "dst,dst");
  if (masquerade) append(draft, "KUBE-SERVICES", asked, "-j KUBE-MARK-MASQ");
  const remote = "-m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL";
  append(draft, "KUBE-SERVICES", asked, remote, "-j ACCEPT");
  append(draft, "KUBE-SERVICES", asked, "-m addrtype --dst-type LOCAL", "-j ACCEPT");
}
