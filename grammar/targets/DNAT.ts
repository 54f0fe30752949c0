import { defineTarget, flag } from "../description.js";
import { listedTranslation, natRangeKind, refusePortsWithout, rewriteOf, translationOf } from "../nat.js";

export const DNAT = defineTarget({
  name: "DNAT",
  summary: "the connection gets a new destination; ends the nat table at this hook",
  tracksConnections: true,
  tables: ["nat"],
  hooks: ["PREROUTING", "OUTPUT"],
  options: {
    to: { name: "--to-destination", value: natRangeKind, required: true },
    random: flag("--random"),
    persistent: flag("--persistent"),
  },
  complete: (given, context) => refusePortsWithout(given.to?.value.ports, context) ?? given,
  meaning: ({ to, ...flags }) => translationOf("destination", rewriteOf(to?.value, flags)),
  listed: listedTranslation("--to-destination"),
  examples: [
    { typed: "-p tcp -j DNAT --to-destination 10.244.1.10:8080", table: "nat" },
    {
      typed: "-p tcp -m tcp -j DNAT --to 10.244.1.10",
      saved: "-p tcp -m tcp -j DNAT --to-destination 10.244.1.10",
      table: "nat",
    },
    {
      typed: "-p tcp -j DNAT --to-destination [fd00::A]:8080",
      saved: "-p tcp -j DNAT --to-destination [fd00::a]:8080",
      family: "ipv6",
      table: "nat",
    },
    {
      typed: "-j DNAT --to-destination [fd00::1]",
      saved: "-j DNAT --to-destination fd00::1",
      family: "ipv6",
      table: "nat",
    },
    {
      typed: "-p udp -j DNAT --to-destination 10.0.0.1-10.0.0.9:5000-5010/80 --random --persistent",
      table: "nat",
    },
    { typed: "-p tcp -j DNAT --to-destination :8080", table: "nat" },
    { typed: "-j DNAT --to-destination 10.0.0.1:80", table: "nat", refused: true },
    { typed: "-j DNAT", table: "nat", refused: true },
    { typed: "-j DNAT --to-destination 10.0.0.1", table: "filter", refused: true },
  ],
});
