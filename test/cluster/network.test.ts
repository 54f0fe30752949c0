import { describe, expect, test } from "vitest";
import { printAddress, printNetwork } from "../../grammar/address.js";
import { isNetworkDocument, readNetworkDocument } from "../../src/cluster/network.js";
import type { Document } from "../../src/documents/document.js";
import { readDocuments } from "../../src/documents/read.js";
import { printPolicyRules } from "../../src/text/ip-rule.js";

function document(text: string): Document {
  return readDocuments({ name: "network.yaml", text }).documents[0] as Document;
}

const NETWORK = `interfaces:
- name: eth0
  addresses: [10.0.1.50/24, fd00:1::50/64]
- name: cni0
  kind: bridge
  addresses: [10.244.1.1]
  ports:
  - {name: veth1, hosts: [10.244.1.5]}
  - {name: veth2}
routes:
- {to: default, via: 10.0.1.1, dev: eth0, metric: 100}
- {to: default, via: "fd00:1::1", dev: eth0}
- {to: 10.244.2.7/24, via: 10.0.1.51, dev: eth0, src: 10.0.1.50, onlink: true}
- {to: 192.0.2.1, type: blackhole}
sysctls:
  net.ipv4.ip_forward: 1
  net/ipv4/conf/eth0.5/rp_filter: "2"
`;

test("interfaces, routes and sysctls", () => {
  const { network, family, problems } = readNetworkDocument(document(NETWORK));
  expect(problems).toEqual([]);
  expect(family).toBeUndefined();
  const shown = network?.interfaces?.map(({ name, addresses, ports }) => [
    name,
    addresses.map(({ address, subnet }) => `${printAddress(address)} in ${printNetwork(subnet)}`),
    ...(ports ? [ports.map((port) => [port.name, port.hosts?.map(printAddress)])] : []),
  ]);
  expect(shown).toEqual([
    ["eth0", ["10.0.1.50 in 10.0.1.0/24", "fd00:1::50 in fd00:1::/64"]],
    [
      "cni0",
      ["10.244.1.1 in 10.244.1.1/32"],
      [
        ["veth1", ["10.244.1.5"]],
        ["veth2", undefined],
      ],
    ],
    ["lo", ["127.0.0.1 in 127.0.0.0/8", "::1 in ::1/128"]],
  ]);
  const routes = network?.routes?.map(({ to, via, src, ...rest }) => ({
    to: printNetwork(to),
    ...(via === undefined ? {} : { via: printAddress(via) }),
    ...(src === undefined ? {} : { src: printAddress(src) }),
    ...rest,
  }));
  expect(routes).toEqual([
    { type: "unicast", to: "0.0.0.0/0", via: "10.0.1.1", dev: "eth0", metric: 100 },
    { type: "unicast", to: "::/0", via: "fd00:1::1", dev: "eth0" },
    {
      type: "unicast",
      to: "10.244.2.0/24",
      via: "10.0.1.51",
      src: "10.0.1.50",
      dev: "eth0",
      flags: ["onlink"],
    },
    { type: "blackhole", to: "192.0.2.1/32" },
  ]);
  expect([...(network?.sysctls ?? [])]).toEqual([
    ["net.ipv4.ip_forward", "1"],
    ["net.ipv4.conf.eth0/5.rp_filter", "2"],
  ]);
});

test("policy rules come on top of the usual ones, tables at their routes, listeners", () => {
  const text = `interfaces: [{name: eth0}, {name: br0, ports: [{name: p1, hairpin: true}, {name: p2}]}]
routes:
- {to: default, dev: eth0, table: 100}
- {to: default, dev: eth0, table: vpn}
rules:
- fwmark 0x1/0xff lookup 100
- from 10.1.0.0/16 table vpn
- not from 10.2.0.0/16 iif eth0 goto 9000 pref 8000
- "to fd00::/8 prohibit priority 5"
- dev eth0 type nop priority 9000
- l3mdev
listen: [{proto: udp, address: 0.0.0.0, port: 53}, {proto: tcp, address: 10.0.0.1, port: 80, transparent: true}]
`;
  const { network, problems } = readNetworkDocument(document(text));
  expect(problems).toEqual([]);
  expect(network?.routes?.map(({ table }) => table)).toEqual(["100", "vpn"]);
  expect(network?.interfaces?.[1]?.ports?.map(({ hairpin }) => hairpin)).toEqual([true, false]);
  // As the kernel numbers them when `ip rule add` is given the same, and as `ip rule` lists them.
  expect(printPolicyRules(network?.policyRules ?? []).replaceAll("\t", " ")).toBe(`0: from all lookup local
7999: from all lookup [l3mdev-table]
8000: not from 10.2.0.0/16 iif eth0 goto 9000
9000: from all iif eth0 nop
32764: from 10.1.0.0/16 lookup vpn
32765: from all fwmark 0x1/0xff lookup 100
32766: from all lookup main
32767: from all lookup default
0: from all lookup local
5: from all to fd00::/8 prohibit
32766: from all lookup main
`);
  expect(network?.listeners).toEqual([
    { protocol: 17, port: 53, transparent: false },
    { protocol: 6, address: 0x0a000001, port: 80, transparent: true },
  ]);
});

test("a default route without gateway is of the document's family", () => {
  const text = "family: ipv6\ninterfaces: [{name: eth0}, {name: lo}]\nroutes: [{to: default, dev: eth0}]";
  const { network, family } = readNetworkDocument(document(text));
  expect(family).toBe("ipv6");
  expect(network?.routes?.map(({ to }) => printNetwork(to))).toEqual(["::/0"]);
  expect(network?.interfaces?.map(({ name }) => name)).toEqual(["eth0", "lo"]);
});

test.each([
  [NETWORK, true],
  ["interfaces: []", true],
  ["apiVersion: k8s.cni.cncf.io/v1\ninterfaces: []", false],
  ["kind: VirtualMachine\ninterfaces: []", false],
  ["routes: []", false],
  ["- interfaces", false],
])("is %j a network?", (text, expected) => {
  expect(isNetworkDocument(document(text))).toBe(expected);
});

describe("what is wrong is said at its place", () => {
  test.each([
    [
      "interfaces: [{name: eth0, addresses: [10.0.0.256/24]}]",
      '1:39 error network: interfaces[0].addresses[0] is no address such as 10.0.1.50/24, got "10.0.0.256/24"',
    ],
    [
      "interfaces: [{name: '[fd00::1]', addresses: ['[fd00::1]/64']}]",
      '1:46 error network: interfaces[0].addresses[0] is no address such as 10.0.1.50/24, got "[fd00::1]/64"',
    ],
    [
      "interfaces: [{name: a-name-that-is-too-long}]",
      '1:21 error network: interfaces[0].name must have at most 15 characters, got "a-name-that-is-too-long"',
    ],
    [
      "interfaces: []\nroutes: [{to: 10.0.0.0/8, via: eth0}]",
      '2:32 error network: routes[0].via is no IP address, got "eth0"',
    ],
    ["interfaces: []\nroutes: [{via: 10.0.0.1}]", "2:10 error network: routes[0].to is missing"],
    [
      "interfaces: []\nroutes: [{to: default, type: blakhole}]",
      '2:30 error network: routes[0].type must be unicast, local, broadcast, multicast, blackhole, unreachable, prohibit or throw, got "blakhole" (did you mean blackhole?)',
    ],
    [
      "interfaces: []\nrules: [from nowhere lookup 100]",
      '2:9 error network: rules[0] is no policy rule as `ip rule add` takes it, such as from 10.1.0.0/16 fwmark 0x1 lookup 100, got "from nowhere lookup 100"',
    ],
    [
      "interfaces: []\nrules: [fwmark 0x1 lokup 100 pref x]",
      '2:9 error network: rules[0] is no policy rule as `ip rule add` takes it, such as from 10.1.0.0/16 fwmark 0x1 lookup 100, got "fwmark 0x1 lokup 100 pref x"',
    ],
    [
      "interfaces: []\nroutes: [{to: default, table: true}]",
      "2:31 error network: routes[0].table is no name and no number of a table, got true",
    ],
    [
      "interfaces: []\nlisten: [{proto: sctp, port: 5}]",
      '2:18 error network: listen[0].proto must be tcp or udp, got "sctp"',
    ],
    [
      "interfaces: [{name: eth0}]\nroutes: [{to: default, dev: eth1}]",
      "2:29 warning network: no interface is called eth1 (did you mean eth0?)",
    ],
    [
      "interfaces: [{name: eth0, adresses: []}]\nroute: []",
      "1:37 warning network: interfaces[0].adresses is not one of its fields (did you mean addresses?)\n2:8 warning network: route is not one of its fields (did you mean routes?)",
    ],
  ])("%j", (text, expected) => {
    const { problems } = readNetworkDocument(document(text));
    const said = problems.map(
      ({ place, severity, message, label }) =>
        `${place?.line}:${place?.column} ${severity} ${message}${label === undefined ? "" : ` (${label})`}`,
    );
    expect(said.join("\n")).toBe(expected);
  });
});
