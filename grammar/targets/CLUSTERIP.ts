import { defineTarget, flag } from "../description.js";
import { macKind, numberKind, oneOfKind } from "../values.js";

/** ipt_CLUSTERIP, removed from Linux in 6.6. */
export const CLUSTERIP = defineTarget({
  name: "CLUSTERIP",

  summary: "shares one address among several nodes by a hash; replaced by xt_cluster",
  families: ["ipv4"],
  tracksConnections: true,

  hooks: ["INPUT"],
  options: {
    isNew: flag("--new"),
    mode: {
      name: "--hashmode",
      value: oneOfKind(["sourceip", "sourceip-sourceport", "sourceip-sourceport-destport"]),
    },
    mac: { name: "--clustermac", value: macKind },
    total: { name: "--total-nodes", value: numberKind(1, 16) },
    local: { name: "--local-node", value: numberKind(0, 16) },
    seed: { name: "--hash-init", value: numberKind(0, 0xffffffff) },
  },

  complete(given) {
    const { isNew, mode, mac, total, local } = given;
    if (mac && ((mac.value[0] ?? 0) & 1) === 0)
      return { refused: "--clustermac must be a multicast address" };
    return Object.keys(given).length === 0 || (isNew && mode && mac && total && local)
      ? given
      : { refused: "--new, --hashmode, --clustermac, --total-nodes and --local-node go together" };
  },
  meaning: () => ({ kind: "unmodelled", question: "CLUSTERIP takes the packet for this node", mayEnd: true }),
  examples: [
    {
      typed:
        "-d 1.2.3.4/32 -j CLUSTERIP --new --hashmode sourceip --clustermac 01:aa:7b:47:f7:d7 --total-nodes 2 --local-node 0 --hash-init 1",
    },
    { typed: "-j CLUSTERIP --new", refused: true },
    { typed: "-j CLUSTERIP --hashmode sourceip", refused: true },
  ],
});
