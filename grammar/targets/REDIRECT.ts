import { defineTarget, flag } from "../description.js";
import { listedTranslation, natPortsKind, refusePortsWithout, rewriteOf } from "../nat.js";

/** xt_REDIRECT. */
export const REDIRECT = defineTarget({
  name: "REDIRECT",

  summary: "the connection goes to this machine; ends the nat table at this hook",

  tracksConnections: true,

  tables: ["nat"],
  hooks: ["PREROUTING", "OUTPUT"],
  options: {
    ports: { name: "--to-ports", value: natPortsKind },
    random: flag("--random"),
  },

  complete: (given, context) => refusePortsWithout(given.ports, context) ?? given,
  meaning: ({ ports, random }) => ({
    kind: "redirect",
    to: rewriteOf(ports && { ports: ports.value }, { random }),
  }),
  listed: listedTranslation("--to-ports"),
  examples: [
    { typed: "-j REDIRECT", table: "nat" },
    {
      typed: "-p tcp -j REDIRECT --to-port http --random",
      saved: "-p tcp -j REDIRECT --to-ports 80 --random",
      table: "nat",
    },
    { typed: "-p udp -j REDIRECT --to-ports 42-1234", table: "nat" },
    { typed: "-j REDIRECT --to-ports 8080 -p tcp", table: "nat", refused: true },
    { typed: "-j REDIRECT --to-ports 8080", table: "nat", refused: true },
    { typed: "-j REDIRECT", refused: true },
  ],
});
