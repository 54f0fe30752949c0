import { ALL_ONES, maskAddress, type Network } from "../address.js";
import { defineTarget, type ValueKind } from "../description.js";
import { listedTranslation } from "../nat.js";
import { unmaskedNetworkKind } from "../values.js";

const mappedKind: ValueKind<Network> = {
  ...unmaskedNetworkKind,
  grammar: (family) =>
    unmaskedNetworkKind
      .grammar(family)
      .map(({ address, mask }) => ({ address: maskAddress(address, mask), mask })),
};

/** xt_NETMAP: of the destination in PREROUTING and OUTPUT, of the source in POSTROUTING and INPUT. */
export const NETMAP = defineTarget({
  name: "NETMAP",

  summary: "the network part of the address is replaced; ends the nat table at this hook",

  tracksConnections: true,

  tables: ["nat"],
  hooks: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  options: {
    to: { name: "--to", value: mappedKind, required: true },
  },

  meaning: ({ to }, { family }) => ({
    kind: "netmap",
    network: to?.value.address ?? 0,
    mask: to?.value.mask ?? ALL_ONES[family],
  }),
  listed: listedTranslation("--to"),
  examples: [
    { typed: "-j NETMAP --to 1.2.3.0/24", table: "nat" },
    { typed: "-j NETMAP --to 1.2.3.4", saved: "-j NETMAP --to 1.2.3.4/32", table: "nat" },
    { typed: "-j NETMAP --to dead::/64", table: "nat", family: "ipv6" },
    { typed: "-j NETMAP --to 1.2.3.4/255.0.255.0", saved: "-j NETMAP --to 1.2.3.4/32", table: "nat" },
    { typed: "-j NETMAP --to 1.2/16", saved: "-j NETMAP --to 1.0.0.0/16", table: "nat" },
    { typed: "-j NETMAP", table: "nat", refused: true },
    { typed: "-j NETMAP --to 1.2.3.4", refused: true },
  ],
});
