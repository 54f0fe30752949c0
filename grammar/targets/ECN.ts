import { defineTarget, flag } from "../description.js";
import { PROTOCOL } from "../protocols.js";
import { numberKind } from "../values.js";

/** ipt_ECN. */
export const ECN = defineTarget({
  name: "ECN",

  summary: "changes the packet's bits of congestion notification and goes on",
  families: ["ipv4"],

  tables: ["mangle"],

  options: {
    remove: flag("--ecn-tcp-remove"),
    ece: { name: "--ecn-tcp-ece", value: numberKind(0, 1) },
    cwr: { name: "--ecn-tcp-cwr", value: numberKind(0, 1) },
    ect: { name: "--ecn-ip-ect", value: numberKind(0, 3) },
  },

  complete: (given, { protocol }) => {
    if (Object.keys(given).length === 0) return { refused: "at least one option must be given" };
    if (given.remove && (given.ece || given.cwr)) {
      return { refused: "--ecn-tcp-remove does not go with --ecn-tcp-ece and --ecn-tcp-cwr" };
    }
    const tcp = protocol?.value === PROTOCOL.tcp && !protocol.negated;
    return (given.remove || given.ece || given.cwr) && !tcp ? { refused: "--ecn-tcp-… need -p tcp" } : given;
  },
  meaning: () => ({ kind: "note", what: "ECN" }),
  examples: [
    { typed: "-p tcp -j ECN --ecn-tcp-remove", table: "mangle" },
    {
      typed: "-p tcp -j ECN --ecn-tcp-cwr 1 --ecn-tcp-ece 0 --ecn-ip-ect 2",
      saved: "-p tcp -j ECN --ecn-tcp-ece 0 --ecn-tcp-cwr 1 --ecn-ip-ect 2",
      table: "mangle",
    },
    { typed: "-j ECN --ecn-ip-ect 3", table: "mangle" },
    { typed: "-j ECN --ecn-tcp-remove", table: "mangle", refused: true },
    { typed: "-p tcp -j ECN", table: "mangle", refused: true },
  ],
});
