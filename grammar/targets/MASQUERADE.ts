import { defineTarget, flag } from "../description.js";
import { listedTranslation, natPortsKind, refusePortsWithout, rewriteOf } from "../nat.js";

export const MASQUERADE = defineTarget({
  name: "MASQUERADE",
  summary: "the connection gets an address of the outgoing interface as its source",
  tracksConnections: true,
  tables: ["nat"],
  hooks: ["POSTROUTING"],
  options: {
    ports: { name: "--to-ports", value: natPortsKind },
    random: flag("--random"),
    randomFully: flag("--random-fully"),
  },
  complete: (given, context) => refusePortsWithout(given.ports, context) ?? given,
  meaning: ({ ports, random, randomFully }) => ({
    kind: "masquerade",
    to: rewriteOf(ports && { ports: ports.value }, { random: random ?? randomFully }),
  }),
  listed: listedTranslation("--to-ports"),
  examples: [
    { typed: "-j MASQUERADE", table: "nat" },
    { typed: "-j MASQUERADE --random-fully", table: "nat" },
    {
      typed: "-p tcp -j MASQUERADE --to-ports 80-80",
      saved: "-p tcp -j MASQUERADE --to-ports 80",
      table: "nat",
    },
    { typed: "-j MASQUERADE --to-ports 1024", table: "nat", refused: true },
  ],
});
