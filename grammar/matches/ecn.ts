import { defineMatch, flag } from "../description.js";
import { listedFlag, listedLater, listedName, listedOption } from "../listing.js";
import { allOf, type Condition, negatedIf, within } from "../meaning.js";
import { PROTOCOL } from "../protocols.js";
import { numberKind } from "../values.js";

/** xt_ecn: explicit congestion notification, in the IP and the TCP header. */
export const ecn = defineMatch({
  name: "ecn",
  summary: "the packet's bits of congestion notification (ECN)",
  options: {
    ece: flag("--ecn-tcp-ece", { negatable: true }),
    cwr: flag("--ecn-tcp-cwr", { negatable: true }),
    ect: { name: "--ecn-ip-ect", value: numberKind(0, 3), negatable: true },
  },
  complete(given, { protocol }) {
    if (!given.cwr && !given.ece && !given.ect) return { refused: "at least one option must be given" };
    const tcp = protocol?.value === PROTOCOL.tcp && !protocol.negated;
    return (given.cwr || given.ece) && !tcp ? { refused: "--ecn-tcp-… need -p tcp" } : given;
  },
  meaning({ ece, cwr, ect }) {
    const bit = (value: number): Condition => ({ kind: "masked", field: "tcpFlags", value, mask: value });
    return {
      condition: allOf([
        ...(ect ? [negatedIf(ect.negated, within("ecn", ect.value))] : []),
        ...(ece ? [negatedIf(ece.negated, bit(64))] : []),
        ...(cwr ? [negatedIf(cwr.negated, bit(128))] : []),
      ]),
    };
  },
  listed: [
    listedName("ECN match"),
    ...listedLater(
      listedFlag("ECE", "--ecn-tcp-ece"),
      listedFlag("CWR", "--ecn-tcp-cwr"),
      listedOption("ECT=", "--ecn-ip-ect"),
    ),
  ],
  examples: [
    {
      typed: "-p tcp -m ecn --ecn-tcp-cwr ! --ecn-tcp-ece --ecn-ip-ect 1",
      saved: "-p tcp -m ecn ! --ecn-tcp-ece --ecn-tcp-cwr --ecn-ip-ect 1",
    },
    { typed: "-m ecn ! --ecn-ip-ect 3" },
    { typed: "-m ecn --ecn-ip-ect 4", refused: true },
    { typed: "-m ecn --ecn-tcp-cwr", refused: true },
    { typed: "-m ecn", refused: true },
  ],
});
