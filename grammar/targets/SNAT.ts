import { defineTarget, flag } from "../description.js";
import { listedTranslation, natRangeKind, refusePortsWithout, rewriteOf, translationOf } from "../nat.js";

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
  complete(given, context) {
    const { to } = given;
    const ports = to?.value.ports;
    const refused = refusePortsWithout(ports, context);
    if (refused !== undefined) return refused;
    // The kernel's form of the target has no room for the base, which comes back as 0.
    return to === undefined || ports?.base === undefined
      ? given
      : { ...given, to: { ...to, value: { ...to.value, ports: { ...ports, base: 0 } } } };
  },
  meaning: ({ to, random, randomFully, persistent }) =>
    translationOf("source", rewriteOf(to?.value, { random: random ?? randomFully, persistent })),
  listed: listedTranslation("--to-source"),
  examples: [
    { typed: "-j SNAT --to-source 192.0.2.1", table: "nat" },
    { typed: "-p tcp -j SNAT --to-source 192.0.2.1-192.0.2.4:1024-2048 --random-fully", table: "nat" },
    { typed: "-j SNAT", table: "nat", refused: true },
  ],
});
