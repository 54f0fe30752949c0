import { defineMatch } from "../description.js";
import { icmpCondition, icmpKind, listedTypes } from "../icmp.js";
import { negatedIf } from "../meaning.js";
import { PROTOCOL } from "../protocols.js";

const ANY = 255;

/** Types and codes by the names that iptables has for them. */
const NAMES = [
  "any 255",
  "echo-reply 0",
  "pong 0",
  "destination-unreachable 3",
  "network-unreachable 3 0",
  "host-unreachable 3 1",
  "protocol-unreachable 3 2",
  "port-unreachable 3 3",
  "fragmentation-needed 3 4",
  "source-route-failed 3 5",
  "network-unknown 3 6",
  "host-unknown 3 7",
  "network-prohibited 3 9",
  "host-prohibited 3 10",
  "TOS-network-unreachable 3 11",
  "TOS-host-unreachable 3 12",
  "communication-prohibited 3 13",
  "host-precedence-violation 3 14",
  "precedence-cutoff 3 15",
  "source-quench 4",
  "redirect 5",
  "network-redirect 5 0",
  "host-redirect 5 1",
  "TOS-network-redirect 5 2",
  "TOS-host-redirect 5 3",
  "echo-request 8",
  "ping 8",
  "router-advertisement 9",
  "router-solicitation 10",
  "time-exceeded 11",
  "ttl-exceeded 11",
  "ttl-zero-during-transit 11 0",
  "ttl-zero-during-reassembly 11 1",
  "parameter-problem 12",
  "ip-header-bad 12 0",
  "required-option-missing 12 1",
  "timestamp-request 13",
  "timestamp-reply 14",
  "address-mask-request 17",
  "address-mask-reply 18",
];

/** The type and code of an ICMP packet; `any` is type 255, which the kernel takes for all. */
export const icmp = defineMatch({
  name: "icmp",
  summary: "the type and code of an ICMP packet",
  families: ["ipv4"],
  impliedBy: [PROTOCOL.icmp],
  protocols: [PROTOCOL.icmp],
  options: {
    type: { name: "--icmp-type", value: icmpKind(NAMES, ANY), negatable: true, required: true },
  },
  meaning: ({ type }) => ({
    condition: negatedIf(type?.negated ?? false, icmpCondition(type?.value ?? { type: ANY }, ANY)),
  }),
  listed: listedTypes("icmp", "--icmp-type"),
  examples: [
    { typed: "-p icmp -m icmp --icmp-type 8/0" },
    { typed: "-p icmp --icmp-type Echo-Reply", saved: "-p icmp -m icmp --icmp-type 0" },
    { typed: "-p icmp ! --icmp-type any", saved: "-p icmp -m icmp ! --icmp-type any" },
    { typed: "-p icmp --icmp-type 255/255", saved: "-p icmp -m icmp --icmp-type any" },
    { typed: "-p icmp --icmp-type fragmentation", saved: "-p icmp -m icmp --icmp-type 3/4" },
    { typed: "-p icmp --icmp-type 0x3/0x4", saved: "-p icmp -m icmp --icmp-type 3/4" },
    { typed: "-p icmp --icmp-type host", refused: true },
    { typed: "-p icmp --icmp-type 256", refused: true },
    { typed: "-p icmp --icmp-type 3/", refused: true },
    { typed: "-p icmp -m icmp", refused: true },
    { typed: "-m icmp --icmp-type 8", refused: true },
  ],
});
