import { defineTarget, flag } from "../description.js";
import { listedFlag, listedLater, listedName, listedOption } from "../listing.js";
import type { Effect } from "../meaning.js";
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
    const { remove, ece, cwr, ect } = given;
    if ((remove || ece || cwr) && !tcp) return { refused: "--ecn-tcp-… need -p tcp" };
    // To clear both bits of TCP is shown as one option when it is all that is done, else as two.
    const clears = remove || (ece?.value === 0 && cwr?.value === 0);
    const zero = { value: 0, negated: false };
    if (!clears) return given;
    // Behind the others, --ecn-tcp-remove takes their place.
    return ect && Object.keys(given).at(-1) !== "remove"
      ? { ece: zero, cwr: zero, ect }
      : { remove: { value: true as const, negated: false } };
  },
  meaning({ remove, ece, cwr, ect }) {
    const bit = (value: number, on: number): Effect => ({
      kind: "assign",
      field: "tcpFlags",
      clear: value,
      toggle: on === 0 ? 0 : value,
    });
    return {
      kind: "several",
      effects: [
        ...(ect ? [{ kind: "assign" as const, field: "ecn" as const, clear: 3, toggle: ect.value }] : []),
        ...(ece || remove ? [bit(64, ece?.value ?? 0)] : []),
        ...(cwr || remove ? [bit(128, cwr?.value ?? 0)] : []),
      ],
    };
  },
  listed: [
    listedName("ECN"),
    ...listedLater(
      listedFlag("TCP remove", "--ecn-tcp-remove"),
      listedOption("ECE=", "--ecn-tcp-ece"),
      listedOption("CWR=", "--ecn-tcp-cwr"),
      listedOption("ECT codepoint=", "--ecn-ip-ect"),
    ),
  ],
  examples: [
    { typed: "-p tcp -j ECN --ecn-tcp-remove", table: "mangle" },
    {
      typed: "-p tcp -j ECN --ecn-tcp-cwr 1 --ecn-tcp-ece 0 --ecn-ip-ect 2",
      saved: "-p tcp -j ECN --ecn-tcp-ece 0 --ecn-tcp-cwr 1 --ecn-ip-ect 2",
      table: "mangle",
    },
    {
      typed: "-p tcp -j ECN --ecn-tcp-remove --ecn-ip-ect 0",
      saved: "-p tcp -j ECN --ecn-tcp-ece 0 --ecn-tcp-cwr 0 --ecn-ip-ect 0",
      table: "mangle",
    },
    {
      typed: "-p tcp -j ECN --ecn-tcp-cwr 0 --ecn-tcp-ece 0",
      saved: "-p tcp -j ECN --ecn-tcp-remove",
      table: "mangle",
    },
    { typed: "-j ECN --ecn-ip-ect 3", table: "mangle" },
    { typed: "-j ECN --ecn-tcp-remove", table: "mangle", refused: true },
    { typed: "-p tcp -j ECN", table: "mangle", refused: true },
  ],
});
