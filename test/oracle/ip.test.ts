/** What the real `ip` prints of a network namespace: read, printed again, and compared with what `ip -j` says. */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { printInterfaces, readInterfaces } from "../../src/text/ip-addr.js";
import { printRoutes, readRoutes } from "../../src/text/ip-route.js";
import { printPolicyRules, readPolicyRules } from "../../src/text/ip-rule.js";
import { printSysctls, readSysctls } from "../../src/text/sysctl.js";

/** Devices of kinds that this kernel lacks are left out, and what stands on them. */
const SCENE = `
exec 3>&1 >/dev/null 2>&1
mount -t tmpfs none /run
ip link set lo up
ip link add br0 type bridge; ip link set br0 up; ip addr add 172.17.0.1/16 brd + dev br0
ip link add v0 type veth peer name v0p; ip link set v0 up mtu 1400; ip link set v0p up
ip link add port type veth peer name portp; ip link set port master br0; ip link set port up
ip link add gone type veth peer name eth0; ip netns add pod; ip link set eth0 netns pod; ip link set gone up
ip addr add 10.0.1.50/24 brd 10.0.1.255 dev v0
ip addr add 10.0.1.51/24 dev v0 label v0:1
ip addr add 10.9.9.1 peer 10.9.9.2/32 dev v0
ip addr add 10.8.8.8/32 dev v0 scope link
ip addr add 10.7.7.7/24 dev v0 valid_lft 9000 preferred_lft 0
ip addr add 10.6.6.7/24 dev v0 valid_lft 9000 preferred_lft 8000 noprefixroute metric 50
ip addr add fd00:1::1/64 dev v0 nodad
ip addr add fd00:1::2/64 dev v0 nodad preferred_lft 0
ip addr add fd00:9::1 peer fd00:9::2/128 dev v0 nodad
ip link add dum0 type dummy; ip link set dum0 alias "my alias"; ip link property add dev dum0 altname other
ip link set br0 alias "of the pods"; ip link property add dev br0 altname podbridge
ip link add link v0 name v0.5 type vlan id 5
ip link add vx0 type vxlan id 1 local 10.0.1.50 dev v0 dstport 8472; ip link set vx0 up; ip addr add 10.244.1.0/32 dev vx0
ip link add mv0 link v0 type macvlan mode bridge
ip tuntap add tap0 mode tap; ip tuntap add tun0 mode tun; ip addr add 10.66.0.1 peer 10.66.0.2 dev tun0; ip link set tun0 up
ip link add tnl0 type ipip local 10.0.1.50 remote 10.0.1.60; ip link set tnl0 up
ip link add vrf0 type vrf table 10; ip link set vrf0 up; ip link set mv0 master vrf0
ip route add default via 10.0.1.1 dev v0
ip route add default via 10.0.1.2 dev v0 metric 100 proto dhcp src 10.0.1.50
ip route add 10.244.2.0/24 via 10.244.2.0 dev vx0 onlink
ip route add 10.244.3.0/24 nexthop via 10.0.1.3 dev v0 weight 1 nexthop via 10.0.1.4 dev v0 weight 5
ip route add blackhole 10.1.0.0/16 proto 80
ip route add unreachable 10.2.0.0/16 metric 4278198272
ip route add prohibit 10.3.0.0/16
ip route add throw 10.4.0.0/16
ip route add 10.11.0.0/16 via inet6 fd00:1::5 dev v0
ip route add 10.12.0.0/16 dev v0 scope link mtu 1300 advmss 1200 initcwnd 10
ip route add 10.13.0.1 dev v0 tos 0x10
ip route add multicast 224.0.0.0/4 dev v0
ip route add local 10.14.0.0/16 dev lo
ip route add default via 10.0.1.9 table 100
ip route add 10.16.0.0/16 via 10.0.1.9 realm 5
ip nexthop add id 1 via 10.0.1.3 dev v0; ip nexthop add id 2 via 10.0.1.4 dev v0; ip nexthop add id 3 group 1/2
ip route add 10.20.0.0/16 nhid 1; ip route add 10.21.0.0/16 nhid 3
ip -6 route add fd00:2::/64 via fd00:1::5
ip -6 route add fd00:3::/64 nexthop via fd00:1::5 dev v0 nexthop via fd00:1::6 dev v0 weight 3
ip -6 route add default via fe80::1 dev v0 metric 5 pref high
ip -6 route add unreachable default metric 9999
ip -6 route add fd00:6::/64 from fd00:1::/64 via fd00:1::5
ip rule add from 10.0.1.0/24 to 10.9.0.0/16 fwmark 0x1/0xff iif v0 table 100 priority 100
ip rule add not from 10.0.2.0/24 oif v0 fwmark 7 table 100 priority 150
ip rule add ipproto tcp dport 80-90 sport 5 unreachable pref 200
ip rule add to 10.5.5.5 blackhole pref 301
ip rule add goto 32766 pref 310
ip rule add goto 9999 pref 311
ip rule add uidrange 0-100 lookup main suppress_prefixlength 0 pref 400
ip rule add lookup main suppress_ifgroup 5 tos 0x10 pref 401
ip rule add l3mdev pref 1000
ip rule add nop pref 1001
ip rule add iif none oif none2 table 7 protocol 99 pref 1002
ip -6 rule add from fd00::/64 table 100
sleep 3
`;

const COMMANDS = [
  ...["", "-4 ", "-6 ", "-d ", "-o ", "-br ", "-s ", "-c ", "-j ", "-j -d ", "-j -p "].map(
    (o) => `ip ${o}addr`,
  ),
  ...["", "-d ", "-o ", "-br ", "-j "].map((o) => `ip ${o}link`),
  ...["", "-d ", "-o ", "-j ", "-6 ", "-6 -o ", "-6 -d ", "-j -6 "].map((o) => `ip ${o}route`),
  ...["", "-j "].flatMap((o) => ["all", "local", "100"].map((table) => `ip ${o}route show table ${table}`)),
  ...["", "-j ", "-d ", "-6 ", "-j -6 "].map((o) => `ip ${o}rule`),
  "sysctl -a",
];

function look(): ReadonlyMap<string, string> | string {
  if (process.getuid?.() !== 0) return "needs root";
  const script = `${SCENE}\nexec >&3\n${COMMANDS.map((command) => `echo '@@@@ ${command}'; ${command}`).join("\n")}`;
  const run = spawnSync("unshare", ["-n", "-m", "sh", "-c", script], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const printed = new Map(
    (run.stdout ?? "")
      .split(/^@@@@ /m)
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)] as const),
  );
  return printed.get("ip addr")?.includes("v0@v0p")
    ? printed
    : `ip or unshare does not work here: ${run.stderr}`;
}

const seen = look();
const printed = typeof seen === "string" ? new Map<string, string>() : seen;
if (typeof seen === "string") console.info(`skipped: the real ip (${seen})`);

/** Without what is counting down. */
const still = (text: string): string => text.replace(/\b\d+sec\b/g, "0sec");
const source = (name: string) => ({ name, text: still(printed.get(name) ?? "") });
const alike = (value: unknown) =>
  JSON.stringify(value, (_, one) => (typeof one === "bigint" ? `${one}` : one)).replace(
    /\b\d+sec\b/g,
    "0sec",
  );

describe.skipIf(typeof seen === "string")("the real ip", () => {
  test.each(["ip addr", "ip -4 addr", "ip -6 addr", "ip link"])("%s: printed as it was", (name) => {
    const read = readInterfaces(source(name));
    expect(read.problems).toEqual([]);
    expect(read.interfaces.length).toBeGreaterThan(3);
    expect(printInterfaces(read.interfaces)).toBe(source(name).text);
  });

  test.each(["ip -s addr", "ip -c addr", "ip -j addr", "ip -j -p addr"])("%s: as `ip addr`", (name) => {
    const read = readInterfaces(source(name));
    expect(read.problems).toEqual([]);
    expect(still(printInterfaces(read.interfaces)).replace(/ link-netnsid \d+/g, " link-netns pod")).toBe(
      source("ip addr").text.replace(/ link-netnsid \d+/g, " link-netns pod"),
    );
  });

  test("ip -d addr: as ip -j -d addr, kinds included", () => {
    const read = readInterfaces(source("ip -d addr"));
    expect(read.problems).toEqual([]);
    expect(read.interfaces.find(({ name }) => name === "br0")?.kind).toBe("bridge");
    const named = alike(read.interfaces).replaceAll('"link-netns","pod"', '"link-netnsid","0"');
    expect(named).toBe(alike(readInterfaces(source("ip -j -d addr")).interfaces));
  });

  test.each(["ip -o addr", "ip -br addr"])("%s: the addresses of ip addr", (name) => {
    const read = readInterfaces(source(name));
    expect(read.problems).toEqual([]);
    const addresses = (text: string) =>
      alike(
        readInterfaces(source(text)).interfaces.flatMap(({ name: device, addresses: all }) =>
          all.map(({ address, subnet }) => [device, `${address}`, `${subnet.address}`, `${subnet.mask}`]),
        ),
      );
    expect(addresses(name)).toBe(addresses("ip addr"));
  });

  test.each(["ip -o link", "ip -br link", "ip -d link", "ip -j link"])("%s: the links of ip link", (name) => {
    const read = readInterfaces(source(name));
    expect(read.problems).toEqual([]);
    const links = (text: string) =>
      readInterfaces(source(text)).interfaces.map(({ name: device, flags, linkAddress }) => [
        device,
        flags,
        linkAddress,
      ]);
    expect(links(name)).toEqual(links("ip link"));
    expect(read.families).toEqual([]);
  });

  test.each([
    "ip route",
    "ip -6 route",
    "ip route show table all",
    "ip route show table local",
    "ip route show table 100",
  ])("%s: printed as it was", (name) => {
    const read = readRoutes(source(name));
    expect(read.problems).toEqual([]);
    expect(read.routes.length).toBeGreaterThan(0);
    expect(printRoutes(read.routes)).toBe(source(name).text);
  });

  test.each([
    ["ip -o route", "ip route"],
    ["ip -j route", "ip route"],
    ["ip -6 -o route", "ip -6 route"],
    ["ip -j -6 route", "ip -6 route"],
    ["ip -j route show table all", "ip route show table all"],
    ["ip -j route show table local", "ip route show table local"],
  ])("%s: as %s", (name, plain) => {
    const read = readRoutes(source(name));
    expect(read.problems).toEqual([]);
    expect(still(printRoutes(read.routes))).toBe(source(plain).text);
  });

  test.each(["ip -d route", "ip -6 -d route"])("%s: the routes, with what is left out else", (name) => {
    const read = readRoutes(source(name));
    expect(read.problems).toEqual([]);
    const ways = (text: string) =>
      alike(readRoutes(source(text)).routes.map(({ to, via, dev, nextHops }) => [to, via, dev, nextHops]));
    expect(ways(name)).toBe(ways(name.replace("-d ", "")));
  });

  test.each(["ip rule", "ip -6 rule", "ip -d rule"])("%s: printed as it was", (name) => {
    const read = readPolicyRules(source(name));
    expect(read.problems).toEqual([]);
    expect(read.policyRules.length).toBeGreaterThan(2);
    expect(printPolicyRules(read.policyRules)).toBe(source(name).text);
  });

  test.each(["rule", "-6 rule"])("ip -j %s: as without -j", (name) => {
    const read = readPolicyRules(source(`ip -j ${name}`));
    expect(read.problems).toEqual([]);
    expect(printPolicyRules(read.policyRules)).toBe(source(`ip ${name}`).text);
  });

  test("sysctl -a: printed as it was", () => {
    const read = readSysctls(source("sysctl -a"));
    expect(read.problems).toEqual([]);
    expect(read.sysctls.size).toBeGreaterThan(500);
    // A value of several lines comes as several lines with one name (kernel.core_modes): the last one stays.
    const lines = source("sysctl -a").text.split("\n");
    const nameOf = (line: string | undefined) => line?.split(" =", 1)[0];
    const last = lines.filter((line, index) => nameOf(line) !== nameOf(lines[index + 1]));
    expect(printSysctls(read.sysctls)).toBe(last.join("\n"));
  });
});
