// Routes, policy rules, bridges and sockets as listings and documents tell them, and what is said where they do not.
import { describe, expect, test } from "vitest";
import { printAddress, readAddress } from "../../grammar/address.js";
import { readPacketQuestion } from "../../grammar/packet-question.js";
import { readNetworkDocument } from "../../src/cluster/network.js";
import { resolveQuestion } from "../../src/cluster/resolve.js";
import { readDocuments } from "../../src/documents/read.js";
import { evaluate } from "../../src/evaluate/evaluate.js";
import { certainRoute, wayTo } from "../../src/evaluate/route.js";
import { sourceFor } from "../../src/evaluate/source.js";
import { joinNetworks, type Network } from "../../src/state/network.js";
import { readInterfaces } from "../../src/text/ip-addr.js";
import { readRoutes } from "../../src/text/ip-route.js";
import { readPolicyRules } from "../../src/text/ip-rule.js";
import { readRules } from "../../src/text/rules.js";

const NO_RULES = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";

function network(yaml: string): Network {
  const [document] = readDocuments({ name: "network.yaml", text: yaml }).documents;
  const read = document && readNetworkDocument(document);
  expect(read?.problems).toEqual([]);
  return read?.network ?? { sysctls: new Map() };
}

/** As `ip addr`, `ip route show table all` and `ip rule` told it. */
function listed(texts: { addr?: string; route?: string; rule?: string }): Network {
  const source = (text: string) => ({ name: "listing", text });
  const { addr, route, rule } = texts;
  return joinNetworks([
    ...(addr === undefined
      ? []
      : [{ interfaces: readInterfaces(source(addr)).interfaces, sysctls: new Map() }]),
    ...(route === undefined ? [] : [{ routes: readRoutes(source(route)).routes, sysctls: new Map() }]),
    ...(rule === undefined
      ? []
      : [{ policyRules: readPolicyRules(source(rule)).policyRules, sysctls: new Map() }]),
  ]);
}

/** Cases in words: what is assumed, and where the packet lands. */
function answer(text: string, node: Network, rules = NO_RULES) {
  const asked = readPacketQuestion(text);
  if (!asked.ok) throw new Error(`${text} is no question`);
  const resolved = resolveQuestion(asked.question, undefined);
  if (!resolved.ok) throw new Error(resolved.message);
  const { packet } = resolved;
  const { ruleset } = readRules({ name: "rules", text: rules });
  const { cases, notes } = evaluate({ rulesets: { ipv4: ruleset }, network: node }, packet, { fresh: true });
  const words = cases.map(({ assuming, landings }) => {
    const ends = landings.map(({ verdict, out, src, with: how }) =>
      [verdict, out ?? how, src === null ? null : `from ${printAddress(src)}`]
        .filter((one) => one !== null)
        .join(" "),
    );
    return [...assuming.map((one) => one.words), ends.join(", ")].join(": ");
  });
  return { words, notes: notes.filter((note) => !note.includes("was not consulted")) };
}

const TWO = `interfaces:
- {name: eth0, addresses: [10.0.1.50/24]}
- {name: eth1, addresses: [10.0.2.50/24]}
- {name: cni0, addresses: [10.244.1.1/24]}
`;
const ADDR = `1: lo: <LOOPBACK,UP> mtu 65536
    inet 127.0.0.1/8 scope host lo
2: eth0: <UP> mtu 1500
    inet 10.0.1.50/24 scope global eth0
3: eth1: <UP> mtu 1500
    inet 10.0.2.50/24 scope global eth1
`;

describe("several next hops", () => {
  const hops = (...lines: string[]) =>
    `default \n${lines.map((line) => `\tnexthop ${line} weight 1 \n`).join("")}`;
  const both = listed({ addr: ADDR, route: hops("via 10.0.1.1 dev eth0", "via 10.0.2.1 dev eth1") });

  test("one case for each device", () => {
    expect(answer("10.0.1.9 -> 8.8.8.8:53/udp in eth0", both).words).toEqual([
      "the kernel's hash of the flow picks the next hop by eth0: forward eth0 from 10.0.1.9",
      "the kernel's hash of the flow picks the next hop by eth1: forward eth1 from 10.0.1.9",
    ]);
  });

  test("the source of a process goes with the hop, and so does MASQUERADE", () => {
    expect(answer("8.8.8.8:80/tcp from node", both).words).toEqual([
      "the kernel's hash of the flow picks the next hop by eth0: forward eth0 from 10.0.1.50",
      "the kernel's hash of the flow picks the next hop by eth1: forward eth1 from 10.0.2.50",
    ]);
    const masquerade = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n";
    expect(answer("10.0.1.9 -> 8.8.8.8:53/udp in eth0", both, masquerade).words).toEqual([
      "the kernel's hash of the flow picks the next hop by eth0: forward eth0 from 10.0.1.50",
      "the kernel's hash of the flow picks the next hop by eth1: forward eth1 from 10.0.2.50",
    ]);
  });

  test("no case where nothing hangs on it", () => {
    const same = listed({ addr: ADDR, route: hops("via 10.0.1.1 dev eth0", "via 10.0.1.2 dev eth0") });
    expect(answer("10.0.1.9 -> 8.8.8.8:53/udp in eth0", same).words).toEqual(["forward eth0 from 10.0.1.9"]);
  });

  test("three hops, one of them dead", () => {
    const three = hops("via 10.0.1.1 dev eth0", "via 10.0.2.1 dev eth1", "via 10.0.3.1 dev eth2");
    expect(answer("10.0.1.9 -> 8.8.8.8:53/udp in eth0", listed({ addr: ADDR, route: three })).words).toEqual([
      "the kernel's hash of the flow picks the next hop by eth0: forward eth0 from 10.0.1.9",
      "the kernel's hash of the flow does not pick the next hop by eth0: the kernel's hash of the flow picks the next hop by eth1: forward eth1 from 10.0.1.9",
      "the kernel's hash of the flow does not pick the next hop by eth0: the kernel's hash of the flow picks the next hop by eth2: forward eth2 from 10.0.1.9",
    ]);
    const dead = listed({
      addr: ADDR,
      route:
        "default \n\tnexthop via 10.0.1.1 dev eth0 weight 1 dead linkdown \n\tnexthop via 10.0.2.1 dev eth1 weight 1 \n",
    });
    expect(answer("10.0.1.9 -> 8.8.8.8:53/udp in eth0", dead).words).toEqual(["forward eth1 from 10.0.1.9"]);
  });
});

describe("policy rules", () => {
  const route = "default via 10.0.1.1 dev eth0 \ndefault via 10.0.2.1 dev eth1 table 100 \n";
  const rule = (lines: string) =>
    `0:\tfrom all lookup local\n${lines}32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n`;

  test("an open source splits where a rule asks for it", () => {
    const node = listed({ addr: ADDR, route, rule: rule("100:\tfrom 10.9.0.0/16 lookup 100\n") });
    const { words, notes } = answer("8.8.8.8:53/udp in eth0", node);
    expect(words).toHaveLength(2);
    expect(words.join("\n")).toMatch(/^the source is in 10\.9\.0\.0\/16: forward eth1$/m);
    expect(words.join("\n")).toMatch(/^the source is not in 10\.9\.0\.0\/16: forward eth0$/m);
    expect(notes).toEqual([]);
  });

  test("tables without rules, and rules without tables, are told", () => {
    const alone = answer("10.0.1.9 -> 8.8.8.8:53/udp in eth0", listed({ addr: ADDR, route }));
    expect(alone.words).toEqual(["forward eth0 from 10.0.1.9"]);
    expect(alone.notes).toEqual([
      "the policy rules (ip rule) are not known: taken to be the usual ones, so that no packet is routed by table 100",
    ]);
    const empty = listed({
      addr: ADDR,
      route: "default via 10.0.1.1 dev eth0 \n",
      rule: rule("100:\tfrom all lookup vpn\n"),
    });
    const other = answer("10.0.1.9 -> 8.8.8.8:53/udp in eth0", empty);
    expect(other.words).toEqual(["forward eth0 from 10.0.1.9"]);
    expect(other.notes).toEqual(["no routes of table vpn are given: taken to be empty"]);
  });

  test("ports and protocols of a rule; what only a socket knows is asked", () => {
    const node = listed({
      addr: ADDR,
      route,
      rule: rule(
        "100:\tfrom all ipproto udp dport 53-54 lookup 100\n101:\tfrom all uidrange 1000-2000 lookup 100\n",
      ),
    });
    expect(answer("10.0.1.9 -> 8.8.8.8:53/udp in eth0", node).words).toEqual(["forward eth1 from 10.0.1.9"]);
    expect(answer("10.0.1.9 -> 8.8.8.8:53/tcp in eth0", node).words).toEqual(["forward eth0 from 10.0.1.9"]);
    expect(answer("8.8.8.8:80/udp from node", node).words).toHaveLength(2);
  });

  test("a VRF's table is not known", () => {
    const node = listed({ addr: ADDR, route, rule: rule("1000:\tfrom all lookup [l3mdev-table]\n") });
    expect(answer("10.0.1.9 -> 8.8.8.8:53/udp in eth0", node).words).toEqual(["forward eth0 from 10.0.1.9"]);
    const interfaces =
      node.interfaces?.map((one) => (one.name === "eth1" ? { ...one, kind: "vrf" } : one)) ?? [];
    expect(answer("10.0.2.9 -> 8.8.8.8:53/udp in eth1", { ...node, interfaces }).words).toEqual([
      "forward from 10.0.2.9",
    ]);
  });

  test("the local table may come late", () => {
    const node = listed({
      addr: ADDR,
      route: `${route}local default dev lo table 2004 \n`,
      rule: "9:\tfrom all fwmark 0x200/0xf00 lookup 2004\n10:\tto 10.0.2.50 lookup 100\n100:\tfrom all lookup local\n32766:\tfrom all lookup main\n",
    });
    expect(wayTo(readAddress("10.0.2.50") ?? 0, node).kind).toBe("local");
    expect(wayTo(readAddress("8.8.8.8") ?? 0, node, { mark: 0x200 }).kind).toBe("local");
    expect(wayTo(readAddress("8.8.8.8") ?? 0, node).kind).toBe("out");
  });

  test("a network made local gives way to a longer prefix in main, until there are own rules", () => {
    const anyIP = "local 10.128.0.0/9 dev lo table local \n10.244.2.0/24 via 10.0.2.9 dev eth1 \n";
    const to = readAddress("10.244.2.7") ?? 0;
    const usual = listed({ addr: ADDR, route: route + anyIP, rule: rule("") });
    expect(wayTo(to, usual)).toMatchObject({ kind: "out", dev: "eth1" });
    expect(wayTo(readAddress("10.244.3.7") ?? 0, usual).kind).toBe("local");
    const own = listed({
      addr: ADDR,
      route: route + anyIP,
      rule: rule("100:\tfrom all fwmark 0x7 lookup 100\n"),
    });
    expect(wayTo(to, own).kind).toBe("local");
  });

  test("of equal IPv6 routes, one by the interface that the packet came in by", () => {
    const six = "fd00::/16 dev eth0 metric 256 \nfd00::/16 dev eth1 metric 256 \n";
    const node = listed({ addr: `${ADDR}    inet6 fd01::1/64 scope global\n`, route: six });
    const to = readAddress("fd00::9") ?? 0n;
    expect(wayTo(to, node)).toMatchObject({ dev: "eth0" });
    expect(wayTo(to, node, { source: 5n, inInterface: "eth1" })).toMatchObject({ dev: "eth1" });
  });

  test.each([
    ["goto backwards goes nowhere", "100:\tfrom all goto 50\n"],
    ["goto to a rule that is not there", "100:\tfrom all goto 500 [unresolved]\n"],
    ["an interface that no packet is bound to", "100:\tfrom all oif eth1 lookup 100\n"],
    ["an action that nobody knows", "100:\tfrom all nop\n"],
  ])("%s", (_what, line) => {
    const node = listed({ addr: ADDR, route, rule: rule(line) });
    expect(wayTo(readAddress("8.8.8.8") ?? 0, node)).toMatchObject({ kind: "out", dev: "eth0" });
  });

  test("the way back of a packet with an open source is not guessed", () => {
    const node = network(
      `${TWO}routes: [{to: default, via: 10.0.1.1, dev: eth0}]\nrules: [from 10.9.0.0/16 prohibit]\n`,
    );
    const to = readAddress("8.8.8.8") ?? 0;
    expect(certainRoute(to, node, { source: undefined, inInterface: "eth0" }).kind).toBe("unknown");
    expect(certainRoute(to, node, { source: null }).kind).toBe("route");
  });
});

describe("source addresses of IPv6", () => {
  const node = network(`family: ipv6
interfaces:
- {name: eth0, addresses: ["fe80::1/64", "fd00:1::50/64"]}
- {name: eth1, addresses: ["fe80::2/64"]}
- {name: dummy0, addresses: ["2001:db8:5::1/64"]}
routes:
- {to: default, via: "fe80::99", dev: eth1}
- {to: "fd00:9::/64", via: "fd00:1::1", dev: eth0}
`);
  test.each([
    // Of the same kind of network as the destination, wherever it stands.
    ["2001:db8:7::1", "2001:db8:5::1"],
    ["fd00:7::1", "fd00:1::50"],
    ["fd00:9::1", "fd00:1::50"],
    ["fe80::77", "fe80::1"],
    ["::1", "::1"],
    ["fd00:1::50", "fd00:1::50"],
  ])("towards %s", (destination, source) => {
    const chosen = sourceFor(readAddress(destination) ?? 0n, node);
    expect(chosen === undefined ? undefined : printAddress(chosen)).toBe(source);
  });
});

describe("what routing assumed is said only where it mattered", () => {
  const node = network(`${TWO}routes: [{to: default, via: 10.0.1.1, dev: eth0}]\n`);
  test("rp_filter", () => {
    expect(answer("10.9.9.9 -> 10.244.1.5:80/tcp in eth1", node).notes).toEqual([
      "net.ipv4.conf.eth1.rp_filter is taken to be 0: with 1 the packet would be dropped, since the way back to its source is another",
    ]);
    expect(answer("10.9.9.9 -> 10.244.1.5:80/tcp in eth0", node).notes).toEqual([]);
    const said = { ...node, sysctls: new Map([["net.ipv4.conf.all.rp_filter", "0"]]) };
    expect(answer("10.9.9.9 -> 10.244.1.5:80/tcp in eth1", said).notes).toEqual([]);
  });

  test("route_localnet", () => {
    const { words, notes } = answer("10.9.9.9 -> 127.0.0.1:80/tcp in eth0", node);
    expect(words).toEqual(["drop from 10.9.9.9"]);
    expect(notes).toEqual([
      "net.ipv4.conf.all.route_localnet is taken to be 0: 127.0.0.0/8 is for the node alone",
    ]);
  });
});

describe("bridges of which `ip addr` tells the ports", () => {
  const addr = `${ADDR}4: cni0: <UP> mtu 1500
    inet 10.244.1.1/24 scope global cni0
5: veth1@if2: <UP> mtu 1500 master cni0
6: veth2@if2: <UP> mtu 1500 master cni0
`;
  const node = listed({ addr, route: "default via 10.0.1.1 dev eth0 \n" });
  const dropsBridged = NO_RULES.replace("COMMIT", "-A FORWARD -i cni0 -o cni0 -j DROP\nCOMMIT");

  test("neighbours are behind the bridge, and rules see it", () => {
    const { words, notes } = answer("10.244.1.5 -> 10.244.1.6:80/tcp in veth1", node, dropsBridged);
    expect(words).toEqual(["drop from 10.244.1.5"]);
    expect(notes).toEqual([
      "hosts in the subnet of cni0 are taken to be behind ports of this bridge",
      "net.bridge.bridge-nf-call-iptables is taken to be 1: rules see what a bridge passes from port to port",
    ]);
    const off = { ...node, sysctls: new Map([["net.bridge.bridge-nf-call-iptables", "0"]]) };
    expect(answer("10.244.1.5 -> 10.244.1.6:80/tcp in veth1", off, dropsBridged).words).toEqual([
      "forward cni0 from 10.244.1.5",
    ]);
  });

  test("back to the port that it came by: only in hairpin mode", () => {
    const rules =
      "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.1.5:80\nCOMMIT\n";
    expect(answer("10.244.1.5 -> 10.96.0.1:80/tcp in veth1", node, rules).words).toEqual([
      "hairpin mode is on at bridge port veth1: forward cni0 from 10.244.1.5",
      "hairpin mode is off at bridge port veth1: drop from 10.244.1.5",
    ]);
    expect(answer("10.244.1.6 -> 10.96.0.1:80/tcp in veth2", node, rules).words).toEqual([
      "forward cni0 from 10.244.1.6",
    ]);
  });
});

describe("TPROXY", () => {
  const rules =
    "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 80 -j TPROXY --on-port 15001 --on-ip 127.0.0.1 --tproxy-mark 0x1/0xffffffff\nCOMMIT\n";
  const node = `${TWO}routes:
- {to: default, via: 10.0.1.1, dev: eth0}
- {to: default, type: local, dev: lo, table: 100}
rules: [fwmark 0x1 lookup 100]
`;
  test("whether somebody listens is asked, unless it is known", () => {
    expect(answer("10.244.1.5 -> 1.1.1.1:80/tcp in cni0", network(node), rules).words).toEqual([
      "a process listens transparently on 127.0.0.1:15001 (tcp): local from 10.244.1.5",
      "no process listens transparently on 127.0.0.1:15001 (tcp): drop from 10.244.1.5",
    ]);
    const silent = network(`${node}listen: []\n`);
    expect(answer("10.244.1.5 -> 1.1.1.1:80/tcp in cni0", silent, rules).words).toEqual([
      "drop from 10.244.1.5",
    ]);
  });
});
