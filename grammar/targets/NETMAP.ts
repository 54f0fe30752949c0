import { ALL_ONES, printNetwork } from "../address.js";
import { defineTarget } from "../description.js";
import { networkKind } from "../values.js";

/** xt_NETMAP: of the destination in PREROUTING and OUTPUT, of the source in POSTROUTING and INPUT. */
export const NETMAP = defineTarget({
  name: "NETMAP",

  summary: "the network part of the address is replaced; ends the nat table at this hook",

  tracksConnections: true,

  tables: ["nat"],
  hooks: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  options: {
    to: { name: "--to", value: { ...networkKind, print: printNetwork }, required: true },
  },

  meaning: ({ to }, { family }) => ({
    kind: "netmap",
    network: to?.value.address ?? 0,
    mask: to?.value.mask ?? ALL_ONES[family],
  }),
  examples: [
    { typed: "-j NETMAP --to 1.2.3.0/24", table: "nat" },
    { typed: "-j NETMAP --to 1.2.3.4", saved: "-j NETMAP --to 1.2.3.4/32", table: "nat" },
    { typed: "-j NETMAP --to dead::/64", table: "nat", family: "ipv6" },
    { typed: "-j NETMAP", table: "nat", refused: true },
    { typed: "-j NETMAP --to 1.2.3.4", refused: true },
  ],
});
