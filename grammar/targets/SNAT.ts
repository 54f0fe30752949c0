import { defineTarget, flag } from "../description.js";
import { natRangeKind, refusePortsWithout, rewriteOf, translationOf } from "../nat.js";

export const SNAT = defineTarget({
  name: "SNAT",
  summary: "the connection gets a new source; ends the nat table at this hook",
  tracksConnections: true,
  tables: ["nat"],
  hooks: ["POSTROUTING", "INPUT"],
  options: {
    to: { name: "--to-source", value: natRangeKind, required: true },
    random: flag("--random"),
    randomFully: flag("--random-fully"),
    persistent: flag("--persistent"),
  },
  complete: (given, context) => refusePortsWithout(given.to?.value.ports, context) ?? given,
  meaning: ({ to, random, randomFully, persistent }) =>
    translationOf("source", rewriteOf(to?.value, { random: random ?? randomFully, persistent })),
  examples: [
    { typed: "-j SNAT --to-source 192.0.2.1", table: "nat" },
    { typed: "-p tcp -j SNAT --to-source 192.0.2.1-192.0.2.4:1024-2048 --random-fully", table: "nat" },
    { typed: "-j SNAT", table: "nat", refused: true },
  ],
});
