import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { familyOf, printAddress, printNetwork, readAddress } from "../../grammar/address.js";
import { addressType } from "../../src/evaluate/addresses.js";
import { seenInterface } from "../../src/evaluate/bridge.js";
import { wayTo } from "../../src/evaluate/route.js";
import type { Problem } from "../../src/problems/problem.js";
import type { Network } from "../../src/state/network.js";
import { readInterfaces } from "../../src/text/ip-addr.js";
import { printRoutes, readRoutes } from "../../src/text/ip-route.js";
import { printPolicyRules, readPolicyRules } from "../../src/text/ip-rule.js";

const ROUTES = `default via 10.0.1.1 dev eth0 proto dhcp src 10.0.1.50 metric 100 
10.0.1.0/24 dev eth0 proto kernel scope link src 10.0.1.50 metric 100 
10.0.9.2 dev tun0 proto kernel scope link src 10.0.9.1 linkdown 
blackhole 10.244.1.64/26 proto bird 
10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink 
10.244.3.0/24 proto bird 
	nexthop via 10.0.1.3 dev eth0 weight 1 
	nexthop via 10.0.1.4 dev eth0 weight 5 
10.244.4.0/24 via inet6 fe80::1 dev eth0 
10.20.0.0/16  encap ip id 5 src 0.0.0.0 dst 10.0.1.9 ttl 0 tos 0 dev vx0 scope link 
10.21.0.0/16 nhid 7 via 10.0.1.3 dev eth0 mtu lock 1300 advmss 1200 
default via 10.0.1.9 dev eth1 table 100 
local 10.0.1.50 dev eth0 table local proto kernel scope host src 10.0.1.50 
broadcast 10.0.1.255 dev eth0 table local proto kernel scope link src 10.0.1.50 
fd00:1::/64 dev eth0 proto kernel metric 256 pref medium
fd00:3::/64 metric 1024 pref medium
	nexthop via fd00:1::5 dev eth0 weight 1 
	nexthop via fd00:1::6 dev eth0 weight 3 
unreachable default dev lo metric 4294967295 pref medium
`;

const RULES = `0:	from all lookup local
99:	not from 10.0.2.0/24 to 10.0.0.1 fwmark 0x7 oif eth0 [detached] lookup 100
100:	from all fwmark 0x1/0xff iif eth0 lookup 100 suppress_prefixlength 0 proto bird
200:	from all ipproto tcp sport 5 dport 80-90 unreachable
310:	from all goto 9999 [unresolved]
1000:	from all lookup [l3mdev-table]
32766:	from all lookup main
32767:	from all lookup default
`;

const read = (text: string, family?: "ipv4" | "ipv6") => readRoutes({ name: "x", text }, family);
const rules = (text: string) => readPolicyRules({ name: "x", text });
const told = (problems: readonly Problem[]) =>
  problems.map(({ code, severity, place }) => `${code} ${severity} ${place?.line}:${place?.column}`);
const address = (text: string) => readAddress(text) ?? 0;

test("what was printed is printed again", () => {
  const { routes, families, problems } = read(ROUTES);
  expect(problems).toEqual([]);
  expect(families).toEqual(["ipv4", "ipv6"]);
  expect(routes).toHaveLength(15);
  expect(printRoutes(routes)).toBe(ROUTES);
});

test("routes as they are meant", () => {
  const { routes } = read(ROUTES);
  const of = (to: string) => routes.find((route) => printNetwork(route.to) === to);
  expect(of("0.0.0.0/0")).toMatchObject({ type: "unicast", dev: "eth0", proto: "dhcp", metric: 100 });
  expect(of("10.0.9.2/32")?.flags).toEqual(["linkdown"]);
  expect(of("10.244.1.64/26")?.type).toBe("blackhole");
  expect(of("10.244.3.0/24")?.nextHops?.map(({ via, weight }) => [printAddress(via ?? 0), weight])).toEqual([
    ["10.0.1.3", 1],
    ["10.0.1.4", 5],
  ]);
  expect(of("10.244.4.0/24")?.via).toBe(address("fe80::1"));
  expect(of("10.21.0.0/16")?.attributes).toEqual([
    ["nhid", "7"],
    ["mtu", "lock 1300"],
    ["advmss", "1200"],
  ]);
  expect(of("::/0")?.type).toBe("unreachable");
});

test.each([
  ["default dev tun0 scope link", undefined, "0.0.0.0/0"],
  ["default dev tun0 scope link", "ipv6" as const, "::/0"],
  ["default dev tun0 metric 1024 pref medium", undefined, "::/0"],
  ["default via fe80::1 dev eth0", undefined, "::/0"],
  ["default via inet6 fe80::1 dev eth0 src 10.0.0.1", undefined, "0.0.0.0/0"],
  ["# ip -6 route\ndefault dev tun0", undefined, "::/0"],
  ["10.0/16 dev eth0", undefined, "10.0.0.0/16"],
  ["unicast 10.1.2.3 dev eth0 proto boot scope link", undefined, "10.1.2.3/32"],
  ["fd00::7 dev eth0 metric 1024", undefined, "fd00::7/128"],
])("%j of %s goes to %s", (text, family, to) => {
  expect(read(text, family).routes.map((route) => printNetwork(route.to))).toEqual([to]);
});

test("a command line names the table; the main table alone tells the routes of a family", () => {
  expect(read("$ ip route show table 100\ndefault via 10.0.1.9 dev eth1\n").routes[0]?.table).toBe("100");
  expect(read("$ ip route show table 100\ndefault via 10.0.1.9 dev eth1\n").families).toEqual([]);
  expect(read("local 10.0.1.50 dev eth0 proto kernel scope host src 10.0.1.50 \n").families).toEqual([]);
});

describe("lines that are cut off or malformed", () => {
  test.each([
    ["default", "LF1005 error 1:1"],
    ["default via", "LF1005 error 1:9"],
    ["default via 10.0.1", "LF1006 error 1:13"],
    ["default vai 10.0.1.1 dev eth0", "LF1017 error 1:9"],
    ["10.0.1.0/ dev eth0", "LF1006 error 1:1"],
    ["10.0.1.0/40 dev eth0", "LF1006 error 1:1"],
    ["10.0.1.300 dev eth0", "LF1006 error 1:1"],
    ["10.0.1.0/24 dev eth0 proto kern sco", "LF1017 error 1:33"],
    ["10.0.1.0/24 dev eth0 metric x", "LF1006 error 1:29"],
    ["10.244.3.0/24 nhid 3", "LF1005 error 1:1"],
    ["\tnexthop via 10.0.1.3 dev eth0 weight 1", "LF1001 error 1:2"],
    ["blackhole", "LF1005 error 1:1"],
    ['[{"dst":"10.0.1.300","dev":"eth0"}]', "LF1006 error 1:1"],
    ['[{"dst":"10.0.0.0/8","encap":"ip","dst":"10.0.1.9","dev":"x"}]', "LF1005 error 1:1"],
    ["Kernel IP routing table", "LF1001 note 1:1"],
    ["default is what I would expect here", "LF1001 note 1:1"],
  ])("%j", (text, problem) => {
    expect(told(read(text).problems)[0]).toBe(problem);
  });
});

test("policy rules: as printed, and as meant", () => {
  const { policyRules, problems } = rules(RULES);
  expect(problems).toEqual([]);
  expect(printPolicyRules(policyRules)).toBe(RULES);
  expect(policyRules[1]).toMatchObject({
    not: true,
    fwmark: { value: 7, mask: 0xffffffff },
    oif: "eth0",
    table: "100",
  });
  expect(policyRules[2]?.fwmark).toEqual({ value: 1, mask: 0xff });
  expect(policyRules[4]).toMatchObject({ action: "goto", goto: 9999 });
  const six = "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n";
  expect(
    rules(RULES + six)
      .policyRules.map(({ family }) => family)
      .slice(-3),
  ).toEqual(["ipv4", "ipv6", "ipv6"]);
});

test.each([
  ["100: from", "LF1005 error 1:6"],
  ["100: from 10.0.0.300 lookup main", "LF1006 error 1:11"],
  ["100: from all fwmark 0xx lookup main", "LF1006 error 1:22"],
  ["100: from all", "LF1005 error 1:1"],
  ["100: from all lokup main", "LF1017 error 1:15"],
  ["root@a:~# ip rule", "LF1001 note 1:1"],
])("the policy rule %j", (text, problem) => {
  expect(told(rules(text).problems)[0]).toBe(problem);
});

test("any text is read without a throw, and what was read prints to what reads the same", () => {
  const some = (listing: string) =>
    fc.oneof(
      fc.string(),
      fc
        .array(fc.constantFrom(...listing.split(/(?<=[ \n])/)), { maxLength: 60 })
        .map((words) => words.join("")),
    );
  fc.assert(
    fc.property(some(ROUTES), some(RULES), (routes, listing) => {
      const first = printRoutes(read(routes).routes);
      expect(printRoutes(read(first).routes)).toBe(first);
      const second = printPolicyRules(rules(listing).policyRules);
      expect(printPolicyRules(rules(second).policyRules)).toBe(second);
    }),
  );
});

describe("ways", () => {
  const { routes, families } = read(ROUTES);
  const addresses = readInterfaces({
    name: "x",
    text: "2: eth0    inet 10.0.1.50/24 brd 10.0.1.255 scope global eth0\n3: down: <BROADCAST> mtu 1500\n    inet 10.7.0.1/16 scope global down\n",
  });
  const network: Network = {
    interfaces: addresses.interfaces,
    addressFamilies: addresses.families,
    routes,
    routeFamilies: families,
    sysctls: new Map(),
  };
  const alone: Network = { routes, routeFamilies: families, sysctls: new Map() };

  test.each([
    ["10.0.1.7", { kind: "out", dev: "eth0" }],
    ["10.244.1.70", { kind: "refused", type: "blackhole" }],
    ["10.244.3.1", { kind: "out", dev: "eth0" }],
    // Subnets of an interface that is off are not reached by it, and other tables are for policy rules.
    ["10.7.0.9", { kind: "out", dev: "eth0", via: address("10.0.1.1") }],
    ["2001:db8::1", { kind: "refused", type: "unreachable" }],
  ])("to %s", (to, way) => {
    expect(wayTo(address(to), network)).toMatchObject(way);
    expect(wayTo(address(to), alone)).toMatchObject(way);
  });

  test("of a family that was not listed nothing is known", () => {
    const four = read(ROUTES.replace(/^(?:fd00|unreachable|\tnexthop via fd).*\n/gm, ""));
    expect(wayTo(address("2001:db8::1"), { ...network, routeFamilies: four.families }).kind).toBe("unknown");
    expect(addressType(address("2001:db8::1"), network)).toBeUndefined();
    expect(addressType(address("10.0.1.99"), network)).toBe("UNICAST");
  });

  test("the local table tells the node's addresses", () => {
    expect(addressType(address("10.0.1.50"), alone)).toBe("LOCAL");
    expect(addressType(address("10.0.1.255"), alone)).toBe("BROADCAST");
    expect(addressType(address("10.0.1.99"), alone)).toBe("UNICAST");
    const main = routes.filter(({ table, to }) => table !== "local" && familyOf(to.address) === "ipv4");
    expect(addressType(address("10.0.1.99"), { ...alone, routes: main })).toBeUndefined();
  });

  test("several hops over several devices: which is taken is not known", () => {
    const two = read(
      "10.5.0.0/16 \n\tnexthop via 10.0.1.3 dev eth0 weight 1 \n\tnexthop dev eth1 weight 1 \n",
    );
    expect(wayTo(address("10.5.0.1"), { ...network, routes: two.routes }).kind).toBe("unknown");
  });

  test("rules see the bridge of a port", () => {
    const { interfaces } = readInterfaces({
      name: "x",
      text: "5: veth1@if2: <UP> mtu 1450 master cni0 state UP\n",
    });
    expect(seenInterface("veth1", { interfaces, sysctls: new Map() })).toBe("cni0");
  });
});
