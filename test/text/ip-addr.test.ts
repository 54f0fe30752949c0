import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printAddress, printNetwork } from "../../grammar/address.js";
import type { Problem } from "../../src/problems/problem.js";
import { joinNetworks, sysctlName } from "../../src/state/network.js";
import { printInterfaces, readInterfaces } from "../../src/text/ip-addr.js";
import { printSysctls, readSysctls } from "../../src/text/sysctl.js";
import { ENDLESS } from "../endless.js";

const NODE = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
    inet6 ::1/128 scope host proto kernel_lo 
       valid_lft forever preferred_lft forever
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000
    link/ether 52:54:00:12:34:56 brd ff:ff:ff:ff:ff:ff
    altname enp1s0
    inet 10.0.1.50/24 metric 100 brd 10.0.1.255 scope global dynamic noprefixroute eth0
       valid_lft 86313sec preferred_lft 86313sec
    inet 10.0.1.51/24 scope global secondary eth0:1
       valid_lft forever preferred_lft forever
    inet 10.9.9.1 peer 10.9.9.2/32 scope global eth0
       valid_lft forever preferred_lft forever
    inet6 fd00:1::2/64 scope global deprecated 
       valid_lft forever preferred_lft 0sec
3: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UP group default qlen 1000
    link/ether 0a:58:0a:f4:01:01 brd ff:ff:ff:ff:ff:ff
    inet 10.244.1.1/24 brd 10.244.1.255 scope global cni0
       valid_lft forever preferred_lft forever
5: veth1a@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue master cni0 state UP group default 
    link/ether 0a:58:0a:f4:01:02 brd ff:ff:ff:ff:ff:ff link-netnsid 0
6: tun0: <NO-CARRIER,POINTOPOINT,MULTICAST,NOARP,UP> mtu 1500 qdisc pfifo_fast state DOWN group default qlen 500
    link/none 
`.replace("default \n    link/ether 0a:58:0a:f4:01:02", "default\n    link/ether 0a:58:0a:f4:01:02");

const read = (text: string) => readInterfaces({ name: "x", text });
const told = (problems: readonly Problem[]) =>
  problems.map(({ code, severity, place }) => `${code} ${severity} ${place?.line}:${place?.column}`);

test("what is read of a node", () => {
  const { interfaces, families, problems } = read(NODE);
  expect(problems).toEqual([]);
  expect(families).toEqual(["ipv4", "ipv6"]);
  const [, eth0, , veth] = interfaces;
  expect(veth).toMatchObject({ name: "veth1a", index: 5, link: "if2", master: "cni0", mtu: 1450 });
  expect(eth0?.flags).toContain("LOWER_UP");
  expect(
    eth0?.addresses.map(({ address, subnet, peer, flags }) => [
      printAddress(address),
      printNetwork(subnet),
      peer === undefined ? undefined : printAddress(peer),
      flags,
    ]),
  ).toEqual([
    ["10.0.1.50", "10.0.1.0/24", undefined, ["dynamic", "noprefixroute"]],
    ["10.0.1.51", "10.0.1.0/24", undefined, ["secondary"]],
    ["10.9.9.1", "10.9.9.2/32", "10.9.9.2", undefined],
    ["fd00:1::2", "fd00:1::/64", undefined, ["deprecated"]],
  ]);
  expect(printInterfaces(interfaces)).toBe(NODE);
});

test("a prompt and prose are notes, and change nothing", () => {
  const pasted = `root@node-a:~# ip addr\n${NODE}\nthat is all there is\n`;
  const { interfaces, problems } = read(pasted);
  expect(printInterfaces(interfaces)).toBe(NODE);
  expect(told(problems)).toEqual(["LF1001 note 1:1", `LF1001 note ${pasted.split("\n").length - 1}:1`]);
});

describe("lines that are cut off or malformed", () => {
  test.each([
    ["2: eth0", "LF1005 error 1:4"],
    ["2: eth0: <BROADCAST,UP", "LF1006 error 1:10"],
    ["2: eth0: <UP> mtu", "LF1005 error 1:15"],
    ["2: eth0: <UP> mtu 15x", "LF1006 error 1:19"],
    ["2: eth0: <UP> mtu 1500 maste cni0", "LF1017 error 1:24"],
    ["2: eth0: <UP> mtu 1500\n    inet", "LF1005 error 2:5"],
    ["2: eth0: <UP> mtu 1500\n    inet 10.0.1.300/24 scope global eth0", "LF1006 error 2:10"],
    ["2: eth0: <UP> mtu 1500\n    inet 10.0.1.3/33 scope global eth0", "LF1006 error 2:10"],
    ["2: eth0: <UP> mtu 1500\n    inet 10.0.1.3/ scope global eth0", "LF1006 error 2:10"],
    ["2: eth0: <UP> mtu 1500\n    inet 10.0.1.3/24 scope", "LF1005 error 2:22"],
    ["2: eth0: <UP> mtu 1500\n    inet 10.0.1.3/24 scope global", "LF1005 error 2:28"],
    ["2: eth0: <UP> mtu 1500\n    inet6 fd00::1/64 scope global secondry", "LF1017 error 2:35"],
    ["2: eth0: <UP> mtu 1500\n       valid_lft fore", "LF1006 error 2:18"],
    ["    inet 10.0.1.3/24 scope global eth0", "LF1001 error 1:5"],
    ["2: eth0    inet 10.0.1.3/24 scope glob", "LF1005 error 1:35"],
    ['[{"ifindex":1,"ifname":"lo","fl', "LF5001 error 1:1"],
    [
      '[{"ifname":"lo","addr_info":[{"family":"inet","local":"1.2.3","prefixlen":8,"scope":"host","label":"lo"}]}]',
      "LF1006 error 1:1",
    ],
    ["eth0: flags=4163<UP>  mtu 1500\n        inet 10.0.1.3  netmask 255.0.0.0", "LF1031 error 1:1"],
  ])("%j", (text, problem) => {
    const { problems } = read(text);
    expect(told(problems)[0]).toBe(problem);
    expect(
      problems.filter(({ severity }) => severity === "error").every((one) => one.help ?? one.label),
    ).toBe(true);
  });
});

test("an object of JSON cannot make lines of its own", () => {
  const { interfaces } = read(
    JSON.stringify([{ ifname: "a", master: "b\n9: evil: <UP>", mtu: 1, flags: ["UP"] }]),
  );
  expect(interfaces.map(({ name, master }) => [name, master])).toEqual([["a", undefined]]);
});

test("ip link tells no addresses; with ip addr it completes them", () => {
  const link = read(
    "2: eth0: <UP> mtu 1500 qdisc noop master br0 state UP mode DEFAULT group default qlen 1000\n",
  );
  const address = read(
    "2: eth0    inet 10.0.1.50/24 brd 10.0.1.255 scope global eth0\\       valid_lft forever preferred_lft forever\n",
  );
  expect([link.families, address.families]).toEqual([[], ["ipv4"]]);
  const joined = joinNetworks(
    [link, address].map(({ interfaces, families }) => ({
      interfaces,
      addressFamilies: families,
      sysctls: new Map(),
    })),
  );
  expect(joined.addressFamilies).toEqual(["ipv4"]);
  expect(joined.interfaces?.map(({ name, master, addresses }) => [name, master, addresses.length])).toEqual([
    ["eth0", "br0", 1],
  ]);
});

test("addresses without a scope, as brief listings have them, read back", () => {
  const printed = printInterfaces(read("eth0 UP 10.0.1.51/24 fd00::1/64\n").interfaces);
  expect(printed).toContain("    inet 10.0.1.51/24 \n");
  const { interfaces, problems } = read(printed);
  expect(problems).toEqual([]);
  expect(printInterfaces(interfaces)).toBe(printed);
});

test("any text is read without a throw, and what was read prints to what reads the same", () => {
  const pieces = NODE.split(/(?<=[ \n])/);
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((some) => some.join("")),
  );
  fc.assert(
    fc.property(text, (some) => {
      const first = printInterfaces(read(some).interfaces);
      expect(printInterfaces(read(first).interfaces)).toBe(first);
    }),
  );
});

test("long inputs come to an end", { timeout: ENDLESS }, () => {
  const many = (count: number) =>
    `2: kube-ipvs0: <UP> mtu 1500\n${"    inet 10.96.0.1/32 scope global kube-ipvs0\n    altname x\n".repeat(count)}`;
  expect(read(many(50_000)).interfaces[0]?.addresses).toHaveLength(1);
  read(`1: ${"@".repeat(500_000)}`);
  read("[".repeat(200_000));
  expect(read("[{\n".repeat(50_000)).interfaces).toEqual([]);
});

test("sysctls: names, blanks, remarks", () => {
  const text =
    "# sysctl -a\nnet.ipv4.ip_forward = 1\nnet/ipv4/conf/eth0.5/rp_filter=2\nhello there\nnet.ipv4.x\nk.a = 1\t2\n";
  const { sysctls, problems } = readSysctls({ name: "x", text });
  expect([...sysctls]).toEqual([
    ["net.ipv4.ip_forward", "1"],
    ["net.ipv4.conf.eth0/5.rp_filter", "2"],
    ["k.a", "1\t2"],
  ]);
  expect(told(problems)).toEqual(["LF1001 note 4:1", "LF1005 error 5:1"]);
  expect(printSysctls(sysctls)).toContain("net.ipv4.ip_forward = 1\n");
  expect(sysctlName("net.ipv4.conf.eth0/5.rp_filter")).toBe("net.ipv4.conf.eth0/5.rp_filter");
});
