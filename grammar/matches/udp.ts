import { defineMatch } from "../description.js";
import { allOf } from "../meaning.js";
import { DESTINATION_PORT, portConditions, SOURCE_PORT } from "../ports.js";
import { PROTOCOL } from "../protocols.js";

export const udp = defineMatch({
  name: "udp",
  summary: "ports of UDP",
  impliedBy: [PROTOCOL.udp],
  protocols: [PROTOCOL.udp],
  options: { sourcePort: SOURCE_PORT, destinationPort: DESTINATION_PORT },
  meaning: (given) => ({ condition: allOf(portConditions(given)) }),
  examples: [
    { typed: "-p udp -m udp --dport 53" },
    { typed: "-p udp --sport 1:2 ! --dport 53", saved: "-p udp -m udp --sport 1:2 ! --dport 53" },
    { typed: "-p tcp -m udp --dport 53", refused: true },
  ],
});
