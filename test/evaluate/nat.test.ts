// What the kernel chooses for translations, with values that a real kernel gave.
import { expect, test } from "vitest";
import { type Address, type Family, printAddress, readAddress } from "../../grammar/address.js";
import { readPackets, stepsOn } from "../../src/cli/packets.js";
import { readNetworkDocument } from "../../src/cluster/network.js";
import { readDocuments } from "../../src/documents/read.js";
import { converse } from "../../src/evaluate/conversation.js";
import { natHash } from "../../src/evaluate/nat.js";
import type { NodeState } from "../../src/state/nodestate.js";
import { readRules } from "../../src/text/rules.js";

test.each([
  ["198.51.100.1", "10.96.0.1", 0xc574dae6],
  ["198.51.100.2", "10.96.0.1", 0x2535679c],
  ["198.51.100.1", undefined, 0xde430d1f],
  ["10.244.1.20", "8.8.8.8", 0xe1219a54],
])("%s to %s", (source, destination, hash) => {
  expect(
    natHash(readAddress(source) ?? 0, destination === undefined ? undefined : readAddress(destination)),
  ).toBe(hash);
});

/** What comes of each step, on a node with eth0 towards everything and one pod network. */
function sent(rules: string, steps: readonly object[], family: Family = "ipv4"): readonly string[] {
  const isIPv4 = family === "ipv4";
  const network = {
    family,
    interfaces: [
      { name: "eth0", addresses: [isIPv4 ? "192.168.1.10/24" : "fd00:1::10/64"] },
      { name: "cni0", addresses: [isIPv4 ? "10.244.1.1/24" : "fd00:244:1::1/64"] },
    ],
    routes: [{ to: "default", via: isIPv4 ? "192.168.1.1" : "fd00:1::1", dev: "eth0" }],
  };
  const [document] = readDocuments({ name: "network", text: JSON.stringify(network) }).documents;
  const around = document === undefined ? undefined : readNetworkDocument(document).network;
  const { ruleset } = readRules({ name: "rules", text: rules }, { family });
  const state: NodeState = {
    rulesets: { [family]: ruleset },
    ...(around === undefined ? {} : { network: around }),
  };
  const [asked] = readPackets({ name: "steps", text: JSON.stringify([{ steps }]) }, []);
  if (asked?.kind !== "conversation") throw new Error("no conversation");
  const { cases } = converse(state, stepsOn(asked, state, []), { fresh: true });
  const [course, ...others] = cases[0]?.courses ?? [];
  expect([cases.length, others.length]).toEqual([1, 0]);
  const end = (address: Address | null, port: number | null) =>
    `${address === null ? "?" : printAddress(address)}:${port ?? "?"}`;
  return (course?.steps ?? []).map((landing) =>
    landing === null
      ? ""
      : landing.verdict === "forward" || landing.verdict === "local"
        ? `${end(landing.src, landing.sport)} > ${end(landing.dst, landing.dport)}`
        : landing.verdict,
  );
}

const nat = (...rules: readonly string[]) => ["*nat", ...rules, "COMMIT", ""].join("\n");
const udp = { in: "eth0", src: "203.0.113.9", sport: 4000, dst: "10.96.0.1", dport: 9, proto: "udp" };
const tcp = { ...udp, proto: "tcp", dport: 80 };

test.each([
  ["2001:db8::1", "fd00:244:2::8"],
  ["2001:db8::2", "fd00:244:2::9"],
  ["2001:db8::3", "fd00:244:2::a"],
  ["2001:db8::4", "fd00:244:2::7"],
])("DNAT to a range of IPv6 addresses, from %s", (src, chosen) => {
  const rules = nat("-A PREROUTING -p udp -j DNAT --to-destination [fd00:244:2::7-fd00:244:2::a]:8080");
  expect(sent(rules, [{ ...udp, src, dst: "fd00:1::77" }], "ipv6")).toEqual([`${src}:4000 > ${chosen}:8080`]);
});

test.each([
  [100, 5009],
  [85, 5005],
  [79, 5008],
])("a range with a base goes round: port %i", (dport, chosen) => {
  const rules = nat("-A PREROUTING -p udp -j DNAT --to-destination 10.244.1.5:5000-5010/80");
  expect(sent(rules, [{ ...udp, dport }])).toEqual([`203.0.113.9:4000 > 10.244.1.5:${chosen}`]);
});

test("of a range of ports DNAT takes one that makes no two connections alike", () => {
  const rules = nat("-A PREROUTING -p tcp -j DNAT --to-destination 10.244.1.5:5000-5003");
  const other = { ...tcp, dst: "10.96.0.2" };
  expect(sent(rules, [tcp, other, { ...other, dport: 5000 }])).toEqual([
    "203.0.113.9:4000 > 10.244.1.5:5000",
    "203.0.113.9:4000 > 10.244.1.5:5001",
    "203.0.113.9:4000 > 10.244.1.5:5002",
  ]);
});

test("DNAT --random draws the id of a ping", () => {
  const rules = nat("-A PREROUTING -p icmp -j DNAT --to-destination 10.244.1.5 --random");
  const { dport: _none, ...ping } = { ...udp, proto: "icmp" };
  expect(sent(rules, [ping])).toEqual(["203.0.113.9:? > 10.244.1.5:?"]);
});

test("SNAT leaves a source that lies in its range", () => {
  const rules = nat("-A POSTROUTING -j SNAT --to-source 203.0.113.1-203.0.113.20");
  expect(sent(rules, [udp])).toEqual(["203.0.113.9:4000 > 10.96.0.1:9"]);
});

test("when all ports of a source range are in use towards a server, the packet is dropped", () => {
  const rules = nat("-A POSTROUTING -p udp -j SNAT --to-source 192.168.1.10:9000");
  const steps = [udp, { ...udp, src: "198.51.100.7" }, { ...udp, src: "198.51.100.7", dst: "10.96.0.2" }];
  expect(sent(rules, steps)).toEqual([
    "192.168.1.10:9000 > 10.96.0.1:9",
    "drop",
    "192.168.1.10:9000 > 10.96.0.2:9",
  ]);
});

test("MASQUERADE over lo takes the address of another interface", () => {
  const rules = nat("-A POSTROUTING -j MASQUERADE");
  const own = { in: "local", sport: 4000, dport: 9, proto: "udp" };
  expect(sent(rules, [{ ...own, dst: "127.0.0.2" }])).toEqual(["192.168.1.10:4000 > 127.0.0.2:9"]);
});

test("the mark of a connection stays with it when the packet that set it is dropped, and no packet without one asks", () => {
  const rules = [
    "*mangle",
    "-A PREROUTING -p icmp -j CONNMARK --set-mark 0x1",
    "-A FORWARD -m connmark --mark 0x1 -j DROP",
    "-A FORWARD -p tcp -m connmark ! --mark 0x1 -j ACCEPT",
    "-A FORWARD -p tcp -j DROP",
    "COMMIT",
    "",
  ].join("\n");
  expect(sent(rules, [udp, { icmpError: [3, 13] }, { reply: true }])).toEqual([
    "203.0.113.9:4000 > 10.96.0.1:9",
    "drop",
    "drop",
  ]);
  expect(sent(rules, [{ ...tcp, flags: "SA" }])).toEqual(["drop"]);
});

test("an answer to a SYN that did not fit makes the connection known anew; FIN alone is no packet of it", () => {
  const rules = nat("-A PREROUTING -p tcp -j DNAT --to-destination 10.244.1.5:80");
  const translated = "203.0.113.9:4000 > 10.244.1.5:80";
  const steps = [
    { ...tcp, flags: "A" },
    { again: 0, flags: "S" },
    { reply: true },
    { again: 0, flags: "SA" },
  ];
  expect(sent(rules, steps)).toEqual([translated, translated, "10.96.0.1:80 > 203.0.113.9:4000", translated]);
  expect(
    sent(rules, [
      { ...tcp, flags: "A" },
      { again: 0, flags: "F" },
    ]),
  ).toEqual([translated, "203.0.113.9:4000 > 10.96.0.1:80"]);
});

test("lists: what is inverted acts as well, but for --update of what is not listed", () => {
  const rules = (match: string) =>
    [
      "*filter",
      `-A FORWARD -m recent ${match} --name L -j DROP`,
      "-A FORWARD -m recent --rcheck --name L -j ACCEPT",
      "-A FORWARD -j DROP",
      "COMMIT",
      "",
    ].join("\n");
  expect(sent(rules("! --set"), [udp])).toEqual(["203.0.113.9:4000 > 10.96.0.1:9"]);
  expect(sent(rules("! --update"), [udp, udp])).toEqual(["drop", "drop"]);
});
