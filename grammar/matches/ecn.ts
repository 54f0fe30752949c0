import { flag } from "../description.js";
import { PROTOCOL } from "../protocols.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { numberKind } from "../values.js";

/** xt_ecn: explicit congestion notification, in the IP and the TCP header. */
export const ecn = defineUnmodelledMatch({
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
  unmodelled: { hangsOn: "the packet's ECN bits" },
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
