// What hangs on state that no input holds, or on parts of the packet that were not told: the words of both answers.
import { describe, expect, test } from "vitest";
import { MATCHES, TARGETS } from "../../grammar/extensions.js";
import type { Condition, Effect } from "../../grammar/meaning.js";
import { readPackets } from "../../src/cli/packets.js";
import { readNetworkDocument } from "../../src/cluster/network.js";
import { readDocuments } from "../../src/documents/read.js";
import { evaluate } from "../../src/evaluate/evaluate.js";
import { ruleWords } from "../../src/explain/words.js";
import { meaningOf } from "../../src/state/meaning.js";
import { BUILT_IN_CHAINS, isTableName, type Rule, rulesOf } from "../../src/state/rules.js";
import { readRules } from "../../src/text/rules.js";

const NODE = `
interfaces:
- name: eth0
  addresses: [192.168.1.10/24]
- name: cni0
  kind: bridge
  addresses: [10.244.1.1/24]
  ports:
  - {name: veth1, hosts: [10.244.1.5]}
  - {name: veth2}
routes:
- {to: default, via: 192.168.1.1, dev: eth0}
`;

type Asked = Readonly<Record<string, string | number>>;

const through: Asked = { src: "198.51.100.7", in: "eth0", dst: "10.244.1.5" };
const local: Asked = { in: "local", dst: "198.51.100.7" };

/** The cases of a rule of FORWARD (or another chain) that drops: what each assumes, and its verdicts. */
function cases(rule: string, packet: Asked = through, { chain = "FORWARD", fresh = false } = {}) {
  const [read] = readPackets(
    {
      name: "packet",
      text: JSON.stringify({ proto: "tcp", dport: 80, sport: 40000, ...packet }),
    },
    [],
  );
  if (read?.kind !== "packet") throw new Error("no packet");
  const [document] = readDocuments({ name: "network", text: NODE }).documents;
  const network = document && readNetworkDocument(document).network;
  const { ruleset, problems } = readRules({
    name: "rules",
    text: `*mangle\n-A ${chain} ${rule} -j DROP\nCOMMIT\n*filter\n-A INPUT -m conntrack --ctstate NEW\nCOMMIT\n`,
  });
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  const state = { rulesets: { ipv4: ruleset }, ...(network ? { network } : {}) };
  const answer = evaluate(state, read.packet, { fresh });
  return {
    notes: answer.notes,
    cases: answer.cases.map(({ assuming, landings }) => [
      assuming.map(({ words }) => words).join("; "),
      landings.map(({ verdict }) => verdict).join(),
    ]),
  };
}

describe("both answers of a question, in words", () => {
  test.each<[string, string, string, Asked?, string?]>([
    [
      "-m limit --limit 2/sec",
      "the limit (2/sec, burst 5) is not used up (rule mangle:FORWARD:1)",
      "the limit (2/sec, burst 5) is used up (rule mangle:FORWARD:1)",
    ],
    [
      "-m hashlimit --hashlimit-above 9/min --hashlimit-mode srcip,dstport --hashlimit-name web",
      "the limit web (9/min, burst 5) for this source and destination port is used up",
      "the limit web (9/min, burst 5) for this source and destination port is not used up",
    ],
    ["-m quota --quota 1000", "fewer than 1000 bytes have passed", "1000 bytes or more have passed"],
    [
      "-m connlimit --connlimit-above 3 --connlimit-mask 24",
      "more than 3 connections of the /24 network of the source are open, this one included",
      "at most 3 connections of the /24 network of the source are open, this one included",
    ],
    [
      "-m time --timestart 10:00 --timestop 11:30 --weekdays Mon,Tue",
      "the packet comes between 10:00:00 and 11:30:00, on Mon,Tue (UTC)",
      "the packet does not come between 10:00:00 and 11:30:00, on Mon,Tue (UTC)",
    ],
    [
      "-m length --length 100:200",
      "the packet's length is in 100-200",
      "the packet's length is not in 100-200",
    ],
    ["-m dscp --dscp 10", "the packet's DSCP is 10", "the packet's DSCP is not 10"],
    [
      "-p tcp -m tcp --tcp-option 8",
      "the packet has the TCP option 8",
      "the packet does not have the TCP option 8",
    ],
    [
      "-m cpu --cpu 2",
      "the processor that handles the packet is 2",
      "the processor that handles the packet is not 2",
    ],
    [
      '-m string --string "GET /" --algo bm',
      'the packet holds the text "GET /"',
      'the packet does not hold the text "GET /"',
    ],
    [
      "-m mac --mac-source 02:00:00:00:00:01",
      "the packet comes from the MAC address 02:00:00:00:00:01",
      "the packet does not come from the MAC address 02:00:00:00:00:01",
    ],
    [
      "-m owner --uid-owner 5-9",
      "the user of the process that sends the packet is in 5-9",
      "the user of the process that sends the packet is not in 5-9",
      local,
      "OUTPUT",
    ],
    [
      "-m socket --nowildcard",
      "a socket of the node takes this packet",
      "no socket of the node takes this packet",
      { ...through, dst: "192.168.1.10" },
      "INPUT",
    ],
    [
      "-m physdev --physdev-in veth2",
      "the packet comes in by the bridge port veth2",
      "the packet does not come in by the bridge port veth2",
      { src: "10.244.1.77", dst: "8.8.8.8" },
    ],
  ])("%s", (rule, yes, no, packet = through, chain = "FORWARD") => {
    const asked = cases(rule, packet, { chain }).cases;
    const rest = (words: string) => words.replace(/ \(rule .*\)$/, "");
    expect(asked.map(([words]) => (yes.includes("(rule") ? words : rest(words ?? "")))).toEqual([yes, no]);
    expect(asked[0]?.[1]).toBe("drop");
    expect(asked[1]?.[1]).not.toBe("drop");
  });

  test("answers follow from each other", () => {
    expect(cases("-m dscp --dscp 10 -m dscp --dscp 12").cases).toEqual([["", "forward"]]);
    expect(cases("-m length --length 100: -m length ! --length 90:").cases).toEqual([["", "forward"]]);
    expect(cases("-m length --length 40:").cases).toEqual([["", "drop"]]);
    expect(cases("-m length --length :39").cases).toEqual([["", "forward"]]);
    expect(cases("-m tos --tos 0x03/0x01 -m ecn --ecn-ip-ect 1").cases).toEqual([["", "forward"]]);
    const uids = "-m owner ! --uid-owner 0-99 -m owner --uid-owner 5";
    expect(cases(uids, local, { chain: "OUTPUT" }).cases).toEqual([["", "forward"]]);
  });
});

describe("what is known is answered", () => {
  test.each<[string, Asked, string, string]>([
    ["-m owner ! --uid-owner 7", through, "POSTROUTING", "drop"],
    ["-m owner --uid-owner 7", { ...local, uid: 7 }, "OUTPUT", "drop"],
    ["-m owner --gid-owner 7", { ...local, gid: 8 }, "OUTPUT", "forward"],
    ["-m mac ! --mac-source 02:00:00:00:00:01", { ...through, mac: "02:00:00:00:00:02" }, "FORWARD", "drop"],
    ["-m mac ! --mac-source 02:00:00:00:00:01", { ...local, dst: "192.168.1.10" }, "INPUT", "local"],
    ["-m dscp --dscp-class EF", { ...through, dscp: 46 }, "FORWARD", "drop"],
    ["-m tos --tos 0x10", { ...through, tos: 16 }, "FORWARD", "drop"],
    ["-m physdev --physdev-in veth1", { src: "10.244.1.5", dst: "8.8.8.8" }, "FORWARD", "drop"],
    ["-m physdev --physdev-is-in", { src: "10.244.1.77", dst: "8.8.8.8" }, "FORWARD", "drop"],
    ["-m physdev --physdev-is-in", through, "FORWARD", "forward"],
    ["-m pkttype --pkt-type unicast", through, "FORWARD", "drop"],
    [
      "-m pkttype --pkt-type multicast",
      { src: "10.244.1.5", in: "veth1", dst: "224.0.0.1" },
      "INPUT",
      "drop",
    ],
    ["-m helper --helper ftp", through, "FORWARD", "forward"],
    ["-m socket", { ...through, proto: "sctp", dst: "192.168.1.10" }, "INPUT", "local"],
    ["-m policy --dir in --pol ipsec", through, "PREROUTING", "forward"],
  ])("%s of %o", (rule, packet, chain, verdict) => {
    expect(cases(rule, packet, { chain }).cases).toEqual([["", verdict]]);
  });

  test("a TTL that was not given is said to be taken", () => {
    const note = /TTL was not given/;
    expect(cases("-m ttl --ttl-lt 5").notes.some((one) => note.test(one))).toBe(true);
    expect(cases("-m ttl --ttl-lt 5", { ...through, ttl: 9 }).notes.some((one) => note.test(one))).toBe(
      false,
    );
    expect(cases("-m ttl --ttl-lt 9", { ...through, ttl: 9 }).cases).toEqual([["", "drop"]]);
  });

  test("a bucket is full when rules were just loaded", () => {
    expect(cases("-m limit --limit 1/day --limit-burst 1", through, { fresh: true }).cases).toEqual([
      ["", "drop"],
    ]);
  });
});

test("a queue that may be passed by", () => {
  const { ruleset } = readRules({
    name: "rules",
    text: "*filter\n-A FORWARD -j NFQUEUE --queue-num 3 --queue-bypass\n-A FORWARD -j DROP\nCOMMIT\n",
  });
  const [read] = readPackets({ name: "p", text: '{"dst":"10.0.0.1","src":"10.0.0.2","dport":80}' }, []);
  if (read?.kind !== "packet") throw new Error("no packet");
  const answer = evaluate({ rulesets: { ipv4: ruleset } }, read.packet).cases;
  expect(answer.map(({ assuming, landings }) => [assuming[0]?.words, landings[0]?.verdict])).toEqual([
    ["a process listens to queue 3", "queue"],
    ["no process listens to queue 3", "forward"],
  ]);
});

test("a mark that is a hash is asked about, as far as it is not known", () => {
  const verdicts = (rules: string) => {
    const hash = "-j HMARK --hmark-tuple src --hmark-mod 16 --hmark-rnd 1";
    const { ruleset } = readRules({
      name: "rules",
      text: `*mangle\n-A PREROUTING ${hash}\n${rules}COMMIT\n`,
    });
    const [read] = readPackets({ name: "p", text: '{"dst":"10.0.0.1","src":"10.0.0.2","dport":80}' }, []);
    if (read?.kind !== "packet") throw new Error("no packet");
    return evaluate({ rulesets: { ipv4: ruleset } }, read.packet).cases.map(({ assuming, landings }) => [
      assuming[0]?.words,
      landings[0]?.verdict,
    ]);
  };
  expect(verdicts("-A FORWARD -m mark --mark 1/3 -j DROP\n")).toEqual([
    ["the mark of HMARK is 0x1/0x3", "drop"],
    ["the mark of HMARK is not 0x1/0x3", "forward"],
  ]);
  expect(
    verdicts(
      "-A PREROUTING -j MARK --set-xmark 0x100/0x300\n-A FORWARD -m mark --mark 0x200/0x300 -j DROP\n",
    ),
  ).toEqual([[undefined, "forward"]]);
});

const RULES = [...MATCHES, ...TARGETS].flatMap((extension) =>
  extension.examples.flatMap(({ typed, refused, family = "ipv4", table = "filter" }) => {
    if (refused || !isTableName(table)) return [];
    const text = BUILT_IN_CHAINS[table].map((chain) => `*${table}\n-A ${chain} ${typed}\nCOMMIT\n`);
    const rules = text.flatMap((one): Rule[] => {
      const { ruleset } = readRules({ name: "rules", text: one }, { family });
      return [...(ruleset.tables.get(table)?.chains.values() ?? [])].flatMap((chain) => [...rulesOf(chain)]);
    });
    return rules.slice(0, 1).map((rule) => ({ extension, rule, family }));
  }),
);

test("every other extension is modelled", () => {
  const left = RULES.flatMap(({ extension, rule, family }) => {
    const { matches, effect } = meaningOf(rule, family);
    const open = matches.some(({ condition }) => asksUnmodelled(condition)) || isUnmodelled(effect);
    return open ? [extension.name] : [];
  });
  // A program, a hash, fingerprints and rates of the kernel; effects that are more than a change of the packet.
  const known = ["bpf", "cluster", "osf", "rateest", "u32", "CLUSTERIP", "DNPT", "SNPT", "SYNPROXY"];
  expect([...new Set(left)].filter((name) => !known.includes(name))).toEqual([]);
});

function asksUnmodelled(condition: Condition): boolean {
  switch (condition.kind) {
    case "unmodelled":
      return true;
    case "not":
      return asksUnmodelled(condition.of);
    case "all":
    case "any":
      return condition.of.some(asksUnmodelled);
    default:
      return false;
  }
}

function isUnmodelled(effect: Effect): boolean {
  return effect.kind === "unmodelled" || (effect.kind === "several" && effect.effects.some(isUnmodelled));
}

test("rules are told in words, not in names of fields", () => {
  for (const { rule, family } of RULES) {
    const words = ruleWords(rule, family).replace(/"[^"]*"/g, "");
    expect(words).not.toMatch(/undefined|\[object|not $|(?:reply|original|connection|entry|icmp|tcp)[A-Z]/);
  }
});
