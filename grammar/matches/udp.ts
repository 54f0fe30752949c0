import { defineMatch } from "../description.js";
import { LISTED_PORTS, listedName } from "../listing.js";
import { allOf } from "../meaning.js";
import { asksNoPort, portConditions, portOptions, portsForNft, portsTogether } from "../ports.js";
import { PROTOCOL } from "../protocols.js";
import { resolvedPortRangeKind } from "../values.js";

export const udp = defineMatch({
  name: "udp",
  summary: "ports of UDP",
  impliedBy: [PROTOCOL.udp],
  protocols: [PROTOCOL.udp],
  options: portOptions(resolvedPortRangeKind, { wholeIsHidden: true }),
  complete(given, { flavour }) {
    if (flavour !== "nft" || asksNoPort(given)) return given;
    const turned = portsForNft(given);
    return Object.keys(turned).length === 0 ? undefined : turned;
  },
  togetherInNft: (first, next) =>
    asksNoPort(first) || asksNoPort(next) ? undefined : portsTogether(first, next),
  meaning: (given) => ({ condition: allOf(portConditions(given)) }),
  listed: [listedName("udp(?:lite)?"), ...LISTED_PORTS],
  examples: [
    { typed: "-p udp -m udp --dport 53" },
    { typed: "-p udp --sport 1:2 ! --dport 53", saved: "-p udp -m udp --sport 1:2 ! --dport 53" },
    { typed: "-p udp -m udp --dport smtp", saved: "-p udp -m udp --dport 25" },
    { typed: "-p udp -m udp --sport 90:80" },
    { typed: "-p udp -m udp --dport 070", saved: "-p udp -m udp --dport 70" },
    { typed: "-p udp -m udp --dport 65537", saved: "-p udp -m udp --dport 1" },
    { typed: "-p udp -m udp --dport 0x1f", refused: true },
    { typed: "-p tcp -m udp --dport 53", refused: true },
  ],
});
