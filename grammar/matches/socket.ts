import { flag } from "../description.js";
import { defineUnmodelledMatch } from "../unmodelled.js";

/** xt_socket: a socket of this node is there for the packet. */
export const socket = defineUnmodelledMatch({
  name: "socket",
  summary: "a socket of this node is there for the packet",
  hooks: ["PREROUTING", "INPUT"],
  options: {
    transparent: flag("--transparent"),
    noWildcard: flag("--nowildcard"),
    restoreMark: flag("--restore-skmark"),
  },
  unmodelled: { hangsOn: "the sockets of this node" },
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
