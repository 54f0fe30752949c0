import type { Family } from "../address.js";
import { defineTarget, type ValueKind } from "../description.js";
import { listedOption } from "../listing.js";
import { PROTOCOL } from "../protocols.js";
import { reading } from "../values.js";

/** Answers by the word that iptables-save prints, with the other words that iptables reads. */
const ANSWERS: Readonly<Record<Family, Readonly<Record<string, readonly string[]>>>> = {
  ipv4: {
    "icmp-net-unreachable": ["net-unreach"],
    "icmp-host-unreachable": ["host-unreach"],
    "icmp-proto-unreachable": ["proto-unreach"],
    "icmp-port-unreachable": ["port-unreach"],
    "icmp-net-prohibited": ["net-prohib"],
    "icmp-host-prohibited": ["host-prohib"],
    "tcp-reset": ["tcp-rst"],
    "icmp-admin-prohibited": ["admin-prohib"],
  },
  ipv6: {
    "icmp6-no-route": ["no-route"],
    "icmp6-adm-prohibited": ["adm-prohibited"],
    "icmp6-addr-unreachable": ["addr-unreach"],
    "icmp6-port-unreachable": ["port-unreach"],
    "tcp-reset": [],
    "icmp6-policy-fail": ["policy-fail"],
    "icmp6-reject-route": ["reject-route"],
  },
};

const DEFAULT: Readonly<Record<Family, string>> = {
  ipv4: "icmp-port-unreachable",
  ipv6: "icmp6-port-unreachable",
};

const answerKind: ValueKind<string> = {
  expects: `an answer: ${Object.keys(ANSWERS.ipv4).join(", ")} (IPv6: ${Object.keys(ANSWERS.ipv6).join(", ")})`,
  grammar: (family) =>
    reading(`one of ${Object.keys(ANSWERS[family]).join(", ")}`, (text) => readAnswer(text, family)),
  print: (answer) => answer,
};

export const REJECT = defineTarget({
  name: "REJECT",
  summary: "the packet is dropped and its sender told so",
  tables: ["filter"],
  hooks: ["INPUT", "FORWARD", "OUTPUT"],
  options: { with: { name: "--reject-with", value: answerKind } },
  complete(given, { family, protocol }) {
    if (given.with?.value === "tcp-reset" && (protocol?.value !== PROTOCOL.tcp || protocol.negated)) {
      return { refused: "--reject-with tcp-reset needs -p tcp" };
    }
    return { with: { value: DEFAULT[family], negated: false }, ...given };
  },
  meaning: (given, { family }) => ({ kind: "reject", with: given.with?.value ?? DEFAULT[family] }),
  listed: [listedOption("reject-with ", "--reject-with")],
  examples: [
    { typed: "-j REJECT", saved: "-j REJECT --reject-with icmp-port-unreachable" },
    { typed: "-j REJECT", saved: "-j REJECT --reject-with icmp6-port-unreachable", family: "ipv6" },
    { typed: "-j REJECT --reject-with host-unreach", saved: "-j REJECT --reject-with icmp-host-unreachable" },
    { typed: "-j REJECT --reject-with Host-unr", saved: "-j REJECT --reject-with icmp-host-unreachable" },
    { typed: '-j REJECT --reject-with ""', saved: "-j REJECT --reject-with icmp-net-unreachable" },
    { typed: "-p tcp -j REJECT --reject-with tcp-reset" },
    { typed: "-j REJECT --reject-with tcp-reset", refused: true },
    { typed: "-j REJECT", table: "nat", refused: true },
    { typed: "-j REJECT --reject-with icmp-nothing", refused: true },
  ],
});

function readAnswer(text: string, family: Family): string | undefined {
  // The beginning of a word, in any case: the first that fits counts.
  const begins = (word: string) => word.toLowerCase().startsWith(text.toLowerCase());
  const answers = Object.entries(ANSWERS[family]);
  return answers.find(([word, aliases]) => begins(word) || aliases.some(begins))?.[0];
}
