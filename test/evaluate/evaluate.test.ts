// Where packets land in small rule sets: one fact of the kernel each.
import { describe, expect, test } from "vitest";
import { printAddress, readAddress } from "../../grammar/address.js";
import { readPackets } from "../../src/cli/packets.js";
import { readNetworkDocument } from "../../src/cluster/network.js";
import { readDocuments } from "../../src/documents/read.js";
import { evaluate } from "../../src/evaluate/evaluate.js";
import type { Landing } from "../../src/evaluate/outcome.js";
import { lowestTerms } from "../../src/evaluate/share.js";
import { readRules } from "../../src/text/rules.js";

const NODE = `
interfaces:
- name: eth0
  addresses: [192.168.1.10/24, 192.168.1.11/24]
- name: cni0
  addresses: [10.244.1.1/24]
routes:
- {to: default, via: 192.168.1.1, dev: eth0}
- {to: 10.9.0.0/16, type: blackhole}
`;
const ALL = "*filter\nCOMMIT\n*nat\nCOMMIT\n";
/** A rule that makes the kernel track connections, and meets no packet of these tests. */
const TRACK = "-A POSTROUTING -d 203.0.113.99/32 -j MASQUERADE\n";

type Asked = Readonly<Record<string, string | number>>;

function ask(rules: string, packet: Asked, { network = NODE, fresh = true, sysctls = "" } = {}) {
  const { state, ...fields } = packet;
  const asked = JSON.stringify({ proto: "tcp", dport: 80, sport: 40000, ...fields });
  const [read] = readPackets({ name: "packet", text: asked }, []);
  if (read?.kind !== "packet") throw new Error(`no packet: ${asked}`);
  const [document] = readDocuments({ name: "network", text: network + sysctls }).documents;
  const known = document === undefined ? undefined : readNetworkDocument(document).network;
  const { ruleset } = readRules({ name: "rules", text: rules }, { family: read.packet.family });
  return evaluate(
    { rulesets: { [read.packet.family]: ruleset }, ...(known ? { network: known } : {}) },
    state === "established" ? { ...read.packet, state } : read.packet,
    { fresh },
  );
}

function words({ verdict, src, sport, dst, dport, out, with: how, from, answered, share }: Landing): string {
  const { numerator, denominator } = lowestTerms(share);
  const address = (value: Landing["src"]) => (value === null ? "?" : printAddress(value));
  const part = denominator === 1n ? "" : `${numerator}/${denominator} `;
  switch (verdict) {
    case "forward":
    case "local":
      return `${part}${verdict} ${address(src)}:${sport ?? "?"} > ${address(dst)}:${dport ?? "?"}${out === null ? "" : ` ${out}`}`;
    case "reject":
      return `${part}reject ${how} from ${address(from)}${answered ? "" : ` answered ${answered}`}`;
    default:
      return `${part}${verdict}${how === null ? "" : ` ${how}`}`;
  }
}

/** The landings of the only case. */
function lands(rules: string, packet: Asked, more?: Parameters<typeof ask>[2]): readonly string[] {
  const { cases } = ask(rules, packet, more);
  expect(cases.map(({ assuming }) => assuming)).toEqual([[]]);
  return (cases[0]?.landings ?? []).map(words);
}

/** All cases, each with what it assumes. */
function casesOf(rules: string, packet: Asked, more?: Parameters<typeof ask>[2]) {
  return ask(rules, packet, { fresh: false, ...more }).cases.map(({ assuming, landings }) => [
    assuming.map((one) => one.words).join("; "),
    landings.map(words).join(", "),
  ]);
}

const client = { src: "198.51.100.7", in: "eth0" };
const pod = { src: "10.244.1.5", in: "cni0" };
const local = { in: "local" };

describe("routing", () => {
  test.each<[string, Asked, string]>([
    ["to the node", { ...client, dst: "192.168.1.10" }, "local 198.51.100.7:40000 > 192.168.1.10:80"],
    ["through the node", { ...client, dst: "10.244.1.5" }, "forward 198.51.100.7:40000 > 10.244.1.5:80 cni0"],
    ["by the default route", { ...pod, dst: "8.8.8.8" }, "forward 10.244.1.5:40000 > 8.8.8.8:80 eth0"],
    ["into a black hole", { ...pod, dst: "10.9.1.1" }, "drop"],
    ["from the node's own address", { ...client, src: "192.168.1.10", dst: "10.244.1.5" }, "drop"],
    ["from loopback", { ...client, src: "127.0.0.1", dst: "10.244.1.5" }, "drop"],
    ["to loopback", { ...client, dst: "127.0.0.1" }, "drop"],
    ["to class E", { ...client, dst: "240.0.0.1" }, "drop"],
    [
      "to a subnet's broadcast",
      { ...client, dst: "192.168.1.255" },
      "local 198.51.100.7:40000 > 192.168.1.255:80",
    ],
    ["to all hosts", { ...client, dst: "224.0.0.1" }, "local 198.51.100.7:40000 > 224.0.0.1:80"],
    ["to a group not joined", { ...client, dst: "224.0.0.9" }, "drop"],
    [
      "DHCP",
      { src: "0.0.0.0", in: "eth0", dst: "255.255.255.255" },
      "local 0.0.0.0:40000 > 255.255.255.255:80",
    ],
    ["of a process", { ...local, dst: "8.8.8.8" }, "forward 192.168.1.10:40000 > 8.8.8.8:80 eth0"],
    [
      "of a process to a pod",
      { ...local, dst: "10.244.1.5" },
      "forward 10.244.1.1:40000 > 10.244.1.5:80 cni0",
    ],
    ["of a process to a black hole", { ...local, dst: "10.9.1.1" }, "error EINVAL"],
    [
      "to a secondary address",
      { ...local, dst: "192.168.1.11" },
      "local 192.168.1.10:40000 > 192.168.1.11:80",
    ],
  ])("%s", (_name, packet, landing) => {
    expect(lands(ALL, packet)).toEqual([landing]);
  });

  test("sysctls of one interface and of all", () => {
    const sysctls = (name: string, value: number) => ({ sysctls: `sysctls: {${name}: ${value}}\n` });
    const strange = { src: "10.244.1.5", in: "eth0", dst: "192.168.1.10" };
    expect(lands(ALL, strange, sysctls("net.ipv4.conf.eth0.rp_filter", 1))).toEqual(["drop"]);
    expect(lands(ALL, strange, sysctls("net.ipv4.conf.cni0.rp_filter", 1))).not.toEqual(["drop"]);
    expect(lands(ALL, strange, sysctls("net.ipv4.conf.all.rp_filter", 2))).not.toEqual(["drop"]);
    expect(lands(ALL, { ...client, dst: "10.244.1.5" }, sysctls("net.ipv4.ip_forward", 0))).toEqual(["drop"]);
    expect(
      lands(ALL, { ...client, dst: "127.0.0.1" }, sysctls("net.ipv4.conf.eth0.route_localnet", 1)),
    ).toEqual(["local 198.51.100.7:40000 > 127.0.0.1:80"]);
  });
});

describe("nat", () => {
  const service = `*nat\n${TRACK}-A PREROUTING -d 10.96.0.1/32 -p tcp -j DNAT --to-destination 10.244.1.5:8080\n-A OUTPUT -d 10.96.0.1/32 -p tcp -j DNAT --to-destination 10.244.1.5:8080\nCOMMIT\n*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n`;

  test("translates the first packet alone", () => {
    const to = { ...client, dst: "10.96.0.1" };
    expect(lands(service, to)).toEqual(["forward 198.51.100.7:40000 > 10.244.1.5:8080 cni0"]);
    expect(lands(service, { ...to, flags: "SA" })).toEqual(["drop"]);
    expect(lands(service, { ...to, flags: "A" })).toEqual([
      "forward 198.51.100.7:40000 > 10.244.1.5:8080 cni0",
    ]);
  });

  test("leaves a process the source that its first route gave", () => {
    expect(lands(service, { ...local, dst: "10.96.0.1" })).toEqual([
      "forward 192.168.1.10:40000 > 10.244.1.5:8080 cni0",
    ]);
  });

  test("a process without a route hears so, whatever rules say", () => {
    const network = "interfaces:\n- {name: cni0, addresses: [10.244.1.1/24]}\nroutes: []\n";
    expect(lands(service, { ...local, dst: "10.96.0.1" }, { network })).toEqual(["error ENETUNREACH"]);
    expect(lands(service, { ...pod, dst: "10.96.0.1" }, { network })).toEqual([
      "forward 10.244.1.5:40000 > 10.244.1.5:8080 cni0",
    ]);
  });

  test("is not consulted where nothing tracks connections, and that is said", () => {
    const { cases, notes } = ask(
      "*nat\n:PREROUTING DROP [0:0]\n-A PREROUTING -j MARK --set-xmark 0x1/0x1\nCOMMIT\n*filter\nCOMMIT\n",
      {
        ...client,
        dst: "10.244.1.5",
      },
    );
    expect(cases[0]?.landings.map(words)).toEqual(["forward 198.51.100.7:40000 > 10.244.1.5:80 cni0"]);
    expect(notes).toEqual([
      "no rule asks for connection tracking, so the kernel does not consult the nat table",
    ]);
  });

  test("a process that talks to its own node meets PREROUTING and INPUT, but not their nat", () => {
    const rules = `*mangle\n-A PREROUTING -i lo -j MARK --set-xmark 0x2/0x2\nCOMMIT\n*nat\n${TRACK}-A PREROUTING -p tcp -j DNAT --to-destination 10.244.1.5\nCOMMIT\n*filter\n-A INPUT -i lo -m mark --mark 0x2/0x2 -m conntrack --ctstate NEW -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n`;
    expect(lands(rules, { ...local, dst: "192.168.1.10" })).toEqual(["reject tcp-reset from 192.168.1.10"]);
  });

  test("MASQUERADE takes the address next to the next hop, SNAT keeps a port that it may", () => {
    const to = (target: string) => `*nat\n-A POSTROUTING -p tcp -j ${target}\nCOMMIT\n*filter\nCOMMIT\n`;
    const out = { ...pod, dst: "8.8.8.8" };
    expect(lands(to("MASQUERADE"), out)).toEqual(["forward 192.168.1.10:40000 > 8.8.8.8:80 eth0"]);
    expect(lands(to("MASQUERADE --random-fully"), out)).toEqual(["forward 192.168.1.10:? > 8.8.8.8:80 eth0"]);
    expect(lands(to("SNAT --to-source 192.0.2.1"), out)).toEqual([
      "forward 192.0.2.1:40000 > 8.8.8.8:80 eth0",
    ]);
    expect(lands(to("SNAT --to-source 192.0.2.1:100-200"), out)).toEqual([
      "forward 192.0.2.1:? > 8.8.8.8:80 eth0",
    ]);
    expect(lands(to("SNAT --to-source 192.0.2.1:40000-40001"), out)).toEqual([
      "forward 192.0.2.1:40000 > 8.8.8.8:80 eth0",
    ]);
  });
});

describe("REJECT", () => {
  const rules = (output: string) =>
    `*nat\n${TRACK}-A PREROUTING -d 10.96.0.1/32 -p tcp -j DNAT --to-destination 10.244.1.5:8080\nCOMMIT\n*filter\n${output}-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\n-A FORWARD -j REJECT\n-A INPUT -j REJECT --reject-with icmp-host-prohibited\nCOMMIT\n`;

  test("answers for the address that was asked, or from the way back", () => {
    expect(lands(rules(""), { ...client, dst: "10.96.0.1" })).toEqual(["reject tcp-reset from 10.96.0.1"]);
    expect(lands(rules(""), { ...client, dst: "10.244.1.5", proto: "udp" })).toEqual([
      "reject icmp-port-unreachable from 192.168.1.10",
    ]);
    expect(lands(rules(""), { ...pod, dst: "192.168.1.11" })).toEqual([
      "reject icmp-host-prohibited from 192.168.1.11",
    ]);
  });

  test("never answers a reset, an ICMP error, or what went to all", () => {
    expect(lands(rules(""), { ...client, dst: "10.244.1.5", flags: "R" })).toEqual([
      "reject tcp-reset from 10.244.1.5 answered false",
    ]);
    expect(lands(rules(""), { ...client, dst: "192.168.1.255" })[0]).toMatch(/answered false$/);
  });

  test("its answer meets the rules of OUTPUT, as a packet that is RELATED", () => {
    const only = (states: string) =>
      `:OUTPUT DROP [0:0]\n-A OUTPUT -m conntrack --ctstate ${states} -j ACCEPT\n`;
    const asked = { ...client, dst: "10.244.1.5" };
    expect(lands(rules(only("RELATED")), asked)).toEqual(["reject tcp-reset from 10.244.1.5"]);
    expect(lands(rules(only("NEW,ESTABLISHED")), asked)).toEqual([
      "reject tcp-reset from 10.244.1.5 answered false",
    ]);
    const lossy = "-A OUTPUT -m statistic --mode random --probability 0.25 -j DROP\n";
    expect(lands(rules(lossy), asked)).toEqual([
      "1/4 reject tcp-reset from 10.244.1.5 answered false",
      "3/4 reject tcp-reset from 10.244.1.5",
    ]);
  });

  test("what the sending process notices", () => {
    const out = (target: string) => `*filter\n-A OUTPUT -d 8.8.8.8/32 -j ${target}\nCOMMIT\n*nat\nCOMMIT\n`;
    const sees = (target: string, packet: Asked) =>
      ask(out(target), { ...local, dst: "8.8.8.8", ...packet }).cases[0]?.landings[0]?.processSees;
    expect(sees("DROP", {})).toBe("timeout");
    expect(sees("DROP", { proto: "udp" })).toBe("EPERM");
    expect(sees("REJECT", {})).toBe("ECONNREFUSED");
    expect(sees("REJECT", { proto: "udp" })).toBe("EPERM");
    expect(sees("REJECT --reject-with icmp-admin-prohibited", {})).toBe("EHOSTUNREACH");
    expect(sees("ACCEPT", {})).toBeNull();
  });
});

describe("hidden state", () => {
  const filter = (rules: string) => `*nat\nCOMMIT\n*filter\n${rules}COMMIT\n`;
  const asked = { ...client, dst: "10.244.1.5" };
  const through = "forward 198.51.100.7:40000 > 10.244.1.5:80 cni0";
  const recent = "-m recent --name L --mask 255.255.255.255 --rsource";

  test("splits the answer, and equal questions have equal answers", () => {
    const rules = filter(
      `-A FORWARD ${recent} --rcheck -j MARK --set-xmark 0x1/0x1\n-A FORWARD ${recent} ! --rcheck -m mark --mark 0x1/0x1 -j REJECT\n-A FORWARD ${recent} --rcheck -j DROP\n`,
    );
    expect(casesOf(rules, asked)).toEqual([
      ["the client was seen by list L", "drop"],
      ["the client was not seen by list L", through],
    ]);
    expect(lands(rules, asked)).toEqual([through]);
  });

  test("a list is told by the endpoint that it stands for", () => {
    const seen = `${recent} --rcheck --seconds 10800 --reap`;
    const rules = (ends: string) =>
      `*nat\n:E - [0:0]\n-A PREROUTING -p tcp ${seen} -j E\n-A E -s 10.244.1.7/32 -j MARK --set-xmark 0x4000/0x4000\n${ends}COMMIT\n`;
    const end = (to: string) => `-A E -p tcp ${recent} --set -j DNAT --to-destination ${to}\n`;
    const words = (ends: string) => casesOf(rules(ends), asked).map(([assuming]) => assuming);
    expect(words(end("10.244.1.7:8080"))).toEqual([
      "the client was seen on 10.244.1.7:8080 in the last 3 h (list L)",
      "the client was not seen on 10.244.1.7:8080 in the last 3 h (list L)",
    ]);
    const both = end("10.244.1.7:8080").replace("-p tcp", "-p tcp -s 10.9.9.9/32") + end("10.244.1.8:8080");
    expect(words(both)[0]).toBe("the client was seen by list L in the last 3 h");
  });

  test("what the packet itself has put into a list is known, and how often", () => {
    const set = `-A FORWARD ${recent} --set\n`;
    const twice = `-A FORWARD ${recent} --rcheck --hitcount 2 -j DROP\n`;
    expect(lands(filter(`${set}-A FORWARD ${recent} --rcheck -j DROP\n`), asked, { fresh: false })).toEqual([
      "drop",
    ]);
    expect(lands(filter(set + twice), asked)).toEqual([through]);
    expect(lands(filter(set + set + twice), asked)).toEqual(["drop"]);
    expect(casesOf(filter(set + twice), asked)).toHaveLength(2);
    const removed = `${set}-A FORWARD ${recent} --remove\n-A FORWARD ${recent} --rcheck -j DROP\n`;
    expect(lands(filter(removed), asked, { fresh: false })).toEqual([through]);
    const other = `${set}-A FORWARD -m recent --name L --mask 255.255.255.255 --rdest --rcheck -j DROP\n`;
    expect(lands(filter(other), asked)).toEqual([through]);
  });

  test("an answer that changes nothing is not told", () => {
    expect(lands(filter("-A FORWARD -m geoip --night -j ACCEPT\n"), asked)).toEqual([through]);
  });

  test("many rules that hang on unknown state, to no effect, are one answer", () => {
    const rules = Array.from(
      { length: 40 },
      (_, n) => `-A FORWARD -m geoip --count ${n} -j MARK --set-xmark 0x0/0x0\n`,
    );
    expect(lands(filter(rules.join("")), asked)).toEqual([through]);
  });

  test("more cases than can be read are left out, but never the one where nothing special holds", () => {
    const lists = Array.from(
      { length: 400 },
      (_, n) =>
        `-A PREROUTING -m recent --name L${n} --rcheck -p tcp -j DNAT --to-destination 10.244.1.5:${n + 1}\n`,
    );
    const { cases, notes } = ask(`*nat\n${lists.join("")}COMMIT\n*filter\nCOMMIT\n`, asked, { fresh: false });
    expect(cases).toHaveLength(256);
    expect(notes).toContain("more than 256 cases: the others are left out");
    expect(cases.at(-1)?.landings.map(words)).toEqual([through]);
  });

  test("a connection that is known may have been translated", () => {
    const rules = filter("-A FORWARD -m conntrack --ctstate DNAT -j DROP\n");
    expect(lands(rules, asked)).toEqual([through]);
    expect(casesOf(rules, { ...asked, state: "established" })).toEqual([
      ["the connection has gone through DNAT", "drop"],
      ["the connection has not gone through DNAT", through],
    ]);
  });
});

describe("an unknown node", () => {
  const nodeports =
    "*nat\n-A PREROUTING -p tcp -m tcp --dport 30080 -m addrtype --dst-type LOCAL -j DNAT --to-destination 10.244.1.5:8080\nCOMMIT\n";

  test("whether an address is the node's is a question only where it matters", () => {
    const asked = { src: "198.51.100.7", dst: "192.168.1.10" };
    expect(casesOf(nodeports, { ...asked, dport: 30080 }, { network: "" })).toEqual([
      ["192.168.1.10 is an address of the node", "forward 198.51.100.7:40000 > 10.244.1.5:8080"],
      ["192.168.1.10 is not an address of the node", "forward 198.51.100.7:40000 > 192.168.1.10:30080"],
    ]);
    const { cases, notes } = ask(nodeports, { ...asked, dport: 80 }, { network: "" });
    expect(cases.map(({ landings }) => landings.map(words))).toEqual([
      ["forward 198.51.100.7:40000 > 192.168.1.10:80"],
    ]);
    expect(notes).toEqual([
      "only nat is in this dump; filter was not consulted",
      "the node's addresses are not known: the source and the destination are taken to be none of them",
    ]);
  });

  test("UNICAST is the other side of the same question", () => {
    const rules =
      "*nat\nCOMMIT\n*filter\n-A FORWARD -m addrtype --dst-type UNICAST -m addrtype --dst-type LOCAL -j DROP\n-A FORWARD -m addrtype ! --dst-type UNICAST -j DROP\n-A INPUT -j ACCEPT\nCOMMIT\n";
    expect(
      casesOf(rules, { src: "198.51.100.7", dst: "192.168.1.10" }, { network: "" }).map(
        ([, landing]) => landing,
      ),
    ).toEqual(["drop", "forward 198.51.100.7:40000 > 192.168.1.10:80"]);
  });

  test("an interface that is not known is asked for once", () => {
    const rules =
      "*nat\nCOMMIT\n*filter\n-A FORWARD -i eth+ -j RETURN\n-A FORWARD -i eth0 -j DROP\n-A FORWARD ! -i cni0 -j DROP\nCOMMIT\n";
    expect(casesOf(rules, { src: "198.51.100.7", dst: "10.244.1.5" }, { network: "" })).toEqual([
      ["the packet comes in by an interface named eth…", "forward 198.51.100.7:40000 > 10.244.1.5:80"],
      [
        "the packet comes in by another interface than an interface named eth…; the packet comes in by cni0",
        "forward 198.51.100.7:40000 > 10.244.1.5:80",
      ],
      [
        "the packet comes in by another interface than an interface named eth…; the packet comes in by another interface than cni0",
        "drop",
      ],
    ]);
  });

  test("addresses without interfaces say what is the node's, and nothing of routes", () => {
    const rules = "*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n*filter\nCOMMIT\n";
    const { ruleset } = readRules({ name: "rules", text: rules });
    const own = readAddress("192.168.1.10") ?? 0;
    const network = {
      interfaces: [{ name: "", addresses: [{ address: own, subnet: { address: own, mask: 0xffffffff } }] }],
      sysctls: new Map(),
    };
    const packet = { family: "ipv4", protocol: 6, source: 7, sourcePort: 1, destinationPort: 80 } as const;
    const landing = (destination: string) =>
      evaluate(
        { rulesets: { ipv4: ruleset }, network },
        { ...packet, destination: readAddress(destination) ?? 0 },
      ).cases[0]?.landings[0];
    expect(landing("192.168.1.10")).toMatchObject({ verdict: "local" });
    expect(landing("10.244.1.5")).toMatchObject({
      verdict: "forward",
      out: null,
      src: null,
      masqueraded: true,
    });
  });
});

test("deep chains and long ladders", () => {
  const chains = Array.from({ length: 300 }, (_, n) => `:c${n} - [0:0]\n`).join("");
  const jumps = Array.from({ length: 299 }, (_, n) => `-A c${n} -j c${n + 1}\n`).join("");
  const { notes } = ask(`*filter\n${chains}-A FORWARD -j c0\n${jumps}COMMIT\n*nat\n${TRACK}COMMIT\n`, {
    ...client,
    dst: "10.244.1.5",
  });
  expect(notes).toEqual(["chains of table filter call each other more than 256 deep: not followed further"]);
  const ladder = Array.from(
    { length: 1000 },
    (_, n) =>
      `-A PREROUTING -p tcp ${n === 999 ? "" : `-m statistic --mode random --probability ${(1 / (1000 - n)).toFixed(11)} `}-j DNAT --to-destination 10.244.1.5:${n + 1}\n`,
  ).join("");
  const { cases } = ask(`*nat\n${ladder}COMMIT\n*filter\nCOMMIT\n`, { ...client, dst: "10.96.0.1" });
  expect(cases[0]?.landings).toHaveLength(1000);
  const [first] = cases[0]?.landings ?? [];
  // The kernel's integer for 1/1000 is 2147484 of 2^31.
  expect(first && lowestTerms(first.share)).toEqual({ numerator: 536871n, denominator: 2n ** 29n });
});
