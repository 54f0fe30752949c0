import { defineMatch } from "../description.js";
import { icmpCondition, icmpKind, listedTypes } from "../icmp.js";
import { negatedIf } from "../meaning.js";
import { PROTOCOL } from "../protocols.js";

/** Types and codes by the names that ip6tables has for them. */
const NAMES = [
  "destination-unreachable 1",
  "no-route 1 0",
  "communication-prohibited 1 1",
  "beyond-scope 1 2",
  "address-unreachable 1 3",
  "port-unreachable 1 4",
  "failed-policy 1 5",
  "reject-route 1 6",
  "packet-too-big 2",
  "time-exceeded 3",
  "ttl-exceeded 3",
  "ttl-zero-during-transit 3 0",
  "ttl-zero-during-reassembly 3 1",
  "parameter-problem 4",
  "bad-header 4 0",
  "unknown-header-type 4 1",
  "unknown-option 4 2",
  "echo-request 128",
  "ping 128",
  "echo-reply 129",
  "pong 129",
  "router-solicitation 133",
  "router-advertisement 134",
  "neighbour-solicitation 135",
  "neighbor-solicitation 135",
  "neighbour-advertisement 136",
  "neighbor-advertisement 136",
  "redirect 137",
];

/** The type and code of an ICMPv6 packet. */
export const icmp6 = defineMatch({
  name: "icmp6",
  aliases: ["icmpv6", "ipv6-icmp"],
  summary: "the type and code of an ICMPv6 packet",
  families: ["ipv6"],
  impliedBy: [PROTOCOL.ipv6Icmp],
  protocols: [PROTOCOL.ipv6Icmp],
  options: {
    type: { name: "--icmpv6-type", value: icmpKind(NAMES, undefined), negatable: true, required: true },
  },
  meaning: ({ type }) => ({
    condition: negatedIf(type?.negated ?? false, icmpCondition(type?.value ?? { type: 0 }, undefined)),
  }),
  listed: listedTypes("ipv6-icmp", "--icmpv6-type"),
  examples: [
    { typed: "-p ipv6-icmp -m icmp6 ! --icmpv6-type 1/4", family: "ipv6" },
    {
      typed: "-p icmpv6 -m icmpv6 --icmpv6-type 1",
      saved: "-p ipv6-icmp -m icmp6 --icmpv6-type 1",
      family: "ipv6",
    },
    {
      typed: "-p icmpv6 --icmpv6-type ping",
      saved: "-p ipv6-icmp -m icmp6 --icmpv6-type 128",
      family: "ipv6",
    },
    {
      typed: "-p icmpv6 --icmpv6-type port-unreach",
      saved: "-p ipv6-icmp -m icmp6 --icmpv6-type 1/4",
      family: "ipv6",
    },
    { typed: "-p icmpv6 --icmpv6-type any", family: "ipv6", refused: true },
    { typed: "-p icmpv6 -m icmp6", family: "ipv6", refused: true },
    { typed: "-m icmp6 --icmpv6-type 1", family: "ipv6", refused: true },
  ],
});
