import { defineMatch, flag } from "../description.js";
import { listedFlag, listedLater, listedName } from "../listing.js";
import { allOf, hidden, type Range } from "../meaning.js";
import { PROTOCOL } from "../protocols.js";

/** TCP and UDP, and ICMP for the packets that its errors are about. */
const SOUGHT: readonly Range[] = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.icmp, PROTOCOL.ipv6Icmp].map(
  (one) => ({
    from: one,
    to: one,
  }),
);

/** xt_socket: a socket of this node is there for the packet. */
export const socket = defineMatch({
  name: "socket",
  summary: "a socket of this node is there for the packet",
  hooks: ["PREROUTING", "INPUT"],
  options: {
    transparent: flag("--transparent"),
    noWildcard: flag("--nowildcard"),
    restoreMark: flag("--restore-skmark"),
  },
  meaning({ transparent, noWildcard }) {
    const kind = transparent ? "a transparent socket" : "a socket";
    const but = noWildcard ? "" : ", not only one that listens on all addresses";
    return {
      // Sockets are looked for by ports.
      condition: allOf([
        { kind: "within", field: "protocol", ranges: SOUGHT },
        hidden(
          `${kind} of the node takes this packet${but}`,
          `no ${kind.slice(2)} of the node takes this packet${but}`,
        ),
      ]),
    };
  },
  listed: [
    listedName("socket"),
    ...listedLater(
      ...["--transparent", "--nowildcard", "--restore-skmark"].map((name) => listedFlag(name, name)),
    ),
  ],
  examples: [
    {
      typed: "-m socket --nowildcard --transparent --restore-skmark",
      saved: "-m socket --transparent --nowildcard --restore-skmark",
      table: "mangle",
    },
    { typed: "-m socket" },
    { typed: "-m socket ! --transparent", refused: true },
  ],
});
