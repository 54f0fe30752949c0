/**
 * Random nodes, rule sets and packets for a real kernel: what iptables can be told in every table and at every hook, on a
 * small network. Nearly all are accepted by the tools; what a kernel does with them is the question.
 */
import type { Family } from "../../grammar/address.js";
import { randomNumbers } from "./random-rules.js";

/** As the lab and landfall read it (fixtures/kernel-packets/README.md tells the fields). */
export interface KernelCase {
  readonly name: string;
  readonly rules: string;
  readonly network: NetworkSpec;
  readonly probes: readonly ConversationSpec[];
  /** Some rule draws: paths differ from packet to packet. */
  readonly draws: boolean;
}

export interface NetworkSpec {
  readonly family: Family;
  readonly interfaces: readonly {
    readonly name: string;
    readonly kind?: string;
    readonly addresses?: readonly string[];
    readonly ports?: readonly { readonly name: string; readonly hosts: readonly string[] }[];
  }[];
  readonly routes: readonly Readonly<Record<string, string | boolean>>[];
  /** As `ip rule add` takes them. */
  readonly rules?: readonly string[];
  readonly sysctls: Readonly<Record<string, string | number>>;
  readonly ipset?: string;
  /** As `ipvsadm -R` takes it. */
  readonly ipvs?: string;
}

export interface ConversationSpec {
  readonly id: string;
  readonly repeat: number;
  readonly steps: readonly StepSpec[];
}

export type StepSpec = Readonly<Record<string, string | number | boolean | readonly (number | string)[]>>;

/** What is asked of the generator. */
export interface Wanted {
  readonly family: Family;
  /** `nft` keeps the counters of rules over a restore, so that it gets none. */
  readonly backend: "legacy" | "nft";
  /** How often a conversation in which something is drawn is repeated. */
  readonly repeats: number;
}

export interface Dice {
  chance(probability: number): boolean;
  below(count: number): number;
  pick<T>(list: readonly T[]): T;
}

export function diceOf(seed: number): Dice {
  const random = randomNumbers(seed);
  const below = (count: number) => Math.floor(random() * count);
  return {
    below,
    chance: (probability) => random() < probability,
    pick<T>(list: readonly T[]): T {
      return list[below(list.length)] as T;
    },
  };
}

/** The addresses that a case plays with. */
interface Places {
  readonly clients: readonly string[];
  readonly pods: readonly string[];
  readonly services: readonly string[];
  readonly node: readonly string[];
  readonly others: readonly string[];
  /** Prefix lengths of networks, the longest first. */
  readonly prefixes: readonly number[];
  readonly all: string;
}

const PLACES: Readonly<Record<Family, Places>> = {
  ipv4: {
    clients: ["192.168.1.77", "192.168.1.1", "203.0.113.9"],
    pods: ["10.244.1.5", "10.244.1.6"],
    services: ["10.96.0.1", "10.96.0.10"],
    node: ["192.168.1.10", "10.244.1.1"],
    others: ["10.244.2.7", "172.16.0.9", "8.8.8.8", "10.99.0.1"],
    prefixes: [32, 32, 31, 24, 16, 8],
    all: "0.0.0.0/0",
  },
  ipv6: {
    clients: ["fd00:1::77", "fd00:1::1", "2001:db8::9"],
    pods: ["fd00:244:1::5", "fd00:244:1::6"],
    services: ["fd00:96::1", "fd00:96::10"],
    node: ["fd00:1::10", "fd00:244:1::1"],
    others: ["fd00:244:2::7", "fd00:172::9", "2001:db8:8::8", "fd00:99::1"],
    prefixes: [128, 128, 127, 64, 48, 32, 61],
    all: "::/0",
  },
};

const ODD_DESTINATIONS: Readonly<Record<Family, readonly string[]>> = {
  ipv4: ["192.168.1.255", "255.255.255.255", "224.0.0.1", "127.0.0.1", "127.0.0.2", "192.168.1.11"],
  ipv6: ["ff02::1", "::1", "fd00:1::10"],
};

/** Addresses of many: what a process sends there comes back to the node, too. */
const MANY = /255$|^224|^ff/;

const PORTS = [80, 443, 53, 8080, 30080, 1000];
const CLIENT_PORTS = [40000, 40001, 50000, 500, 700, 1024, 8080];

/** What is made up on the way to a case. */
interface Making {
  readonly dice: Dice;
  readonly family: Family;
  readonly places: Places;
  readonly backend: Wanted["backend"];
  readonly devices: readonly string[];
  draws: boolean;
  counts: boolean;
  lists: boolean;
  sets: boolean;
  /** Rules are added between packets. */
  readonly restores: boolean;
  /** Rules of raw put packets into zones; then they ask nothing of connections, which a zone makes look like one. */
  readonly zones: boolean;
}

/** The case of a seed; the same seed gives the same case. */
export function kernelCase(seed: number, { family, backend, repeats }: Wanted): KernelCase {
  const dice = diceOf(seed);
  const network = networkOf(dice, family);
  const making: Making = {
    dice,
    family,
    backend,
    places: PLACES[family],
    devices: network.interfaces.map(({ name }) => name).filter((name) => name !== "lo"),
    draws: false,
    counts: false,
    lists: false,
    sets: dice.chance(0.3),
    restores: dice.chance(0.15),
    zones: dice.chance(0.4),
  };
  const rules = rulesText(making);
  // Counters of rules go on from one repeat to the next, and start with the rules.
  const once = making.counts || making.restores;
  const count = once ? 1 : 8;
  const repeat = once ? 1 : making.draws ? repeats : 1;
  const probes = Array.from(
    { length: count },
    (_, index): ConversationSpec => ({
      id: `${index}`,
      repeat,
      steps: stepsOf(making, network),
    }),
  );
  return {
    name: `${seed}`,
    rules,
    network: making.sets ? { ...network, ipset: setsText(making) } : network,
    probes,
    draws: making.draws,
  };
}

function networkOf(dice: Dice, family: Family): NetworkSpec {
  const isIPv4 = family === "ipv4";
  const bridged = dice.chance(0.2);
  const [eth, pod, far] = isIPv4
    ? ["192.168.1.10/24", "10.244.1.1/24", "172.16.0.2/24"]
    : ["fd00:1::10/64", "fd00:244:1::1/64", "fd00:172::2/64"];
  // Which of two IPv6 addresses is a source hangs on the order of their making.
  const second = "192.168.1.11/24";
  const hosts = PLACES[family].pods;
  const hasFar = dice.chance(0.4);
  const routes: Record<string, string | boolean>[] = [];
  if (dice.chance(0.93))
    routes.push({ to: "default", via: isIPv4 ? "192.168.1.1" : "fd00:1::1", dev: "eth0" });
  if (hasFar) {
    const to = isIPv4 ? "10.244.2.0/24" : "fd00:244:2::/64";
    routes.push({ to, via: isIPv4 ? "172.16.0.9" : "fd00:172::9", dev: "eth1" });
  }
  if (dice.chance(0.3)) {
    const to = isIPv4 ? "10.99.0.0/16" : "fd00:99::/64";
    const type = dice.pick(["unreachable", "prohibit", "blackhole", "local"]);
    routes.push({ to, type, ...(type === "local" ? { dev: "lo" } : {}) });
  }
  const rules: string[] = [];
  if (dice.chance(0.3)) {
    const type = dice.pick(["unicast", "unicast", "unreachable", "blackhole", "prohibit", "local"]);
    const via = isIPv4 ? "10.244.1.9" : "fd00:244:1::9";
    if (type === "unicast") routes.push({ to: "default", via, dev: bridged ? "br0" : "cni0", table: "100" });
    else routes.push({ to: "default", type, table: "100", ...(type === "local" ? { dev: "lo" } : {}) });
    const from = dice.pick([...PLACES[family].pods, ...PLACES[family].clients]);
    const selector = dice.pick(["fwmark 0x1", "fwmark 0x4000/0x4000", "fwmark 0x1/0xf", `from ${from}`]);
    rules.push(`${dice.chance(0.1) ? "not " : ""}${selector} lookup 100 priority 1000`);
  }
  const sysctls: Record<string, string | number> = {};
  if (isIPv4) {
    if (dice.chance(0.5)) sysctls["net.ipv4.conf.all.route_localnet"] = 1;
    if (dice.chance(0.15)) sysctls["net.ipv4.conf.all.rp_filter"] = dice.pick([1, 2]);
    if (dice.chance(0.03)) sysctls["net.ipv4.ip_forward"] = 0;
    sysctls["net.ipv4.icmp_echo_ignore_all"] = 1;
  } else sysctls["net.ipv6.icmp.echo_ignore_all"] = 1;
  if (bridged) sysctls["net.bridge.bridge-nf-call-iptables"] = 0;
  if (bridged) sysctls["net.bridge.bridge-nf-call-ip6tables"] = 0;
  return {
    family,
    interfaces: [
      { name: "eth0", addresses: [eth as string, ...(isIPv4 && dice.chance(0.3) ? [second] : [])] },
      bridged
        ? {
            name: "br0",
            kind: "bridge",
            addresses: [pod as string],
            ports: hosts.map((host, index) => ({ name: `veth${index}`, hosts: [host] })),
          }
        : { name: "cni0", addresses: [pod as string] },
      ...(hasFar ? [{ name: "eth1", addresses: [far as string] }] : []),
    ],
    routes,
    rules,
    sysctls,
  };
}

/** Names of sets with their dimensions: `a` an address, `n` a network, `p` protocol and port, `i` an interface. */
const SETS: readonly (readonly [name: string, type: string, dimensions: string])[] = [
  ["ips", "hash:ip", "a"],
  ["ports", "bitmap:port", "q"],
  ["pairs", "hash:ip,port", "ap"],
  ["nets", "hash:net", "n"],
  ["netports", "hash:net,port", "np"],
  ["two", "hash:ip,port,ip", "apa"],
  ["three", "hash:ip,port,net", "apn"],
  ["ifaces", "hash:net,iface", "ni"],
];

function setsText(making: Making): string {
  const { dice, family, places, devices } = making;
  const inet = family === "ipv4" ? "inet" : "inet6";
  const part = (kind: string): string => {
    switch (kind) {
      case "n":
        return networkAround(anyAddress(making), making);
      case "p":
        return `${dice.pick(["tcp", "udp", "sctp"])}:${dice.pick(PORTS)}`;
      case "q":
        return `${dice.pick(PORTS)}`;
      case "i":
        return dice.pick(devices);
      default:
        return dice.pick([...places.clients, ...places.pods, ...places.services]);
    }
  };
  const creation = (type: string) => (type === "bitmap:port" ? " range 0-65535" : ` family ${inet}`);
  const lines = SETS.map(([name, type]) => `create ${name} ${type}${creation(type)}`);
  lines.push("create all list:set size 8", "add all ips -exist", "add all nets -exist");
  for (const [name, , dimensions] of SETS) {
    for (let index = 0; index < 4; index++) {
      const hole = dimensions.includes("n") && dice.chance(0.2) ? " nomatch" : "";
      lines.push(`add ${name} ${[...dimensions].map(part).join(",")}${hole} -exist`);
    }
  }
  return `${lines.join("\n")}\n`;
}

const HOOKS_OF: Readonly<Record<string, readonly string[]>> = {
  raw: ["PREROUTING", "OUTPUT"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  security: ["INPUT", "FORWARD", "OUTPUT"],
};

const USES: readonly (readonly [table: string, probability: number])[] = [
  ["raw", 0.25],
  ["mangle", 0.4],
  ["nat", 0.9],
  ["filter", 0.8],
  ["security", 0.1],
];

function rulesText(making: Making): string {
  const { dice, backend } = making;
  const tables = USES.filter(([, probability]) => dice.chance(probability))
    .map(([table]) => tableText(table, making))
    .join("");
  return backend === "nft" ? `# Generated by iptables-nft-save v1.8.9 (nf_tables)\n${tables}` : tables;
}

/** User chains of one sort may call the later ones of it: there are no loops, and none meets a hook that it is not for. */
interface ChainSort {
  readonly table: string;
  readonly hooks: readonly string[];
  readonly user: readonly string[];
}

function tableText(table: string, making: Making): string {
  const { dice } = making;
  const hooks = HOOKS_OF[table] ?? [];
  const chains = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  const sorts: ChainSort[] =
    table === "nat"
      ? [
          { table, hooks: ["PREROUTING", "OUTPUT"], user: chains("D", dice.below(4)) },
          { table, hooks: ["POSTROUTING"], user: chains("S", dice.below(3)) },
          { table, hooks: ["INPUT"], user: [] },
        ]
      : // The lab counts the ways into raw OUTPUT to tell answers apart: no chains there.
        [{ table, hooks, user: chains("U", table === "raw" ? 0 : dice.below(5)) }];
  const policies = hooks.map((hook) => {
    const drops = dice.chance(table === "filter" ? 0.15 : 0.02);
    return `:${hook} ${drops ? "DROP" : "ACCEPT"} [0:0]`;
  });
  const lines: string[] = [];
  const declared: string[] = [];
  for (const sort of sorts) {
    for (const hook of sort.hooks) {
      const few = table === "nat" && (hook === "INPUT" || hook === "OUTPUT");
      const count = dice.below(few ? 3 : 5);
      for (let index = 0; index < count; index++) lines.push(ruleOf(hook, sort, sort.user, making));
    }
    for (const [at, name] of sort.user.entries()) {
      declared.push(`:${name} - [0:0]`);
      const count = dice.below(4);
      for (let index = 0; index < count; index++)
        lines.push(ruleOf(name, sort, sort.user.slice(at + 1), making));
    }
  }
  if (table === "nat" && dice.chance(0.5)) {
    const ladder = ladderText(making);
    declared.push(...ladder.declared);
    lines.push(...ladder.lines);
  }
  return [`*${table}`, ...policies, ...declared, ...lines, "COMMIT", ""].join("\n");
}

/** A service as kube-proxy writes it. */
function ladderText(making: Making): { readonly declared: string[]; readonly lines: string[] } {
  const { dice, places } = making;
  const pods = [...places.pods, places.others[0] as string].slice(0, 1 + dice.below(3));
  const protocol = dice.pick(["tcp", "udp"]);
  const port = dice.pick(PORTS);
  const affinity = dice.chance(0.3);
  const declared = [":KS - [0:0]", ":SVC - [0:0]", ":KMARK - [0:0]", ":POST - [0:0]"];
  const service = dice.pick([...places.services, places.node[0] as string]);
  const lines = [
    "-A PREROUTING -j KS",
    "-A OUTPUT -j KS",
    "-A POSTROUTING -j POST",
    "-A KMARK -j MARK --set-xmark 0x4000/0x4000",
    "-A POST -m mark ! --mark 0x4000/0x4000 -j RETURN",
    "-A POST -j MARK --set-xmark 0x4000/0x0",
    `-A POST -j MASQUERADE${dice.chance(0.7) ? " --random-fully" : ""}`,
    `-A KS -d ${service} -p ${protocol} --dport ${port} -j SVC`,
  ];
  if (dice.chance(0.3)) lines.push(`-A SVC ! -s ${networkAround(places.pods[0] as string, making)} -j KMARK`);
  if (dice.chance(0.3)) lines.push(`-A KS -p ${protocol} -m addrtype --dst-type LOCAL --dport 30080 -j SVC`);
  if (pods.length > 1) making.draws = true;
  if (affinity) {
    making.lists = true;
    for (const [index] of pods.entries())
      lines.push(`-A SVC -m recent --name SEP${index} --rcheck --seconds 100 --reap -j SEP${index}`);
  }
  for (const [index, pod] of pods.entries()) {
    declared.push(`:SEP${index} - [0:0]`);
    const left = pods.length - index;
    const chance = left > 1 ? `-m statistic --mode random --probability ${(1 / left).toFixed(10)} ` : "";
    lines.push(`-A SVC ${chance}-j SEP${index}`);
    lines.push(`-A SEP${index} -s ${pod} -j KMARK`);
    const to = pod.includes(":") ? `[${pod}]:8080` : `${pod}:8080`;
    const set = affinity ? `-m recent --name SEP${index} --set ` : "";
    lines.push(`-A SEP${index} -p ${protocol} ${set}-j DNAT --to-destination ${to}`);
  }
  return { declared, lines };
}

function ruleOf(chain: string, sort: ChainSort, callable: readonly string[], making: Making): string {
  const { dice } = making;
  const protocol = dice.pick(["", "", "tcp", "tcp", "udp", "icmp", "sctp"]);
  const isICMP = protocol === "icmp";
  const named = isICMP && making.family === "ipv6" ? "ipv6-icmp" : protocol;
  const words: string[] = ["-A", chain];
  const not = (probability = 0.15) => (dice.chance(probability) ? "! " : "");
  if (dice.chance(0.3)) words.push(`${not()}-s ${networkAround(anyAddress(making), making)}`);
  if (dice.chance(0.35)) words.push(`${not()}-d ${networkAround(anyAddress(making), making)}`);
  const isUser = !HOOKS_OF[sort.table]?.includes(chain);
  if ((isUser || /PREROUTING|INPUT|FORWARD/.test(chain)) && dice.chance(0.1))
    words.push(`${not()}-i ${device(making)}`);
  if ((isUser || /OUTPUT|POSTROUTING|FORWARD/.test(chain)) && dice.chance(0.1))
    words.push(`${not()}-o ${device(making)}`);
  if (named !== "") words.push(`${isICMP || named === "" ? "" : ""}-p ${named}`);
  else if (dice.chance(0.05)) words.push(`! -p ${dice.pick(["tcp", "udp"])}`);
  const count = dice.pick([0, 0, 1, 1, 2]);
  for (let index = 0; index < count; index++) words.push(matchOf(protocol, making, sort, chain));
  words.push(...targetOf(chain, protocol, sort, callable, making));
  return words.filter((word) => word !== "").join(" ");
}

function device({ dice, devices }: Making): string {
  return dice.pick([...devices, "lo", "eth+", "c+"]);
}

function anyAddress({ dice, places, family }: Making): string {
  const { clients, pods, services, node, others } = places;
  return dice.pick([
    ...clients,
    ...pods,
    ...pods,
    ...services,
    ...services,
    ...node,
    ...others,
    ...(family === "ipv4" ? ["127.0.0.1"] : ["::1"]),
  ]);
}

function networkAround(address: string, { dice, places }: Making): string {
  return `${address}/${dice.pick(places.prefixes)}`;
}

function portsOf(dice: Dice): string {
  const one = dice.pick([...PORTS, ...CLIENT_PORTS]);
  return dice.chance(0.3) ? `${one}:${one + dice.pick([1, 100, 10000])}` : `${one}`;
}

const STATES = ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "SNAT", "DNAT"];
const STATUSES = ["NONE", "SEEN_REPLY", "ASSURED", "CONFIRMED", "EXPECTED"];
const MARKS = ["0x1", "0x4000", "0x4001", "0x0", "0x2/0x2", "0x1/0xf", "0x4000/0x4000", "0x0/0x1"];

function some(dice: Dice, list: readonly string[]): string {
  const chosen = list.filter(() => dice.chance(0.3));
  return chosen.length > 0 ? chosen.join(",") : dice.pick(list);
}

function matchOf(protocol: string, making: Making, { table }: ChainSort, chain: string): string {
  const { dice, family } = making;
  const not = () => (dice.chance(0.2) ? "! " : "");
  const hasPorts = protocol === "tcp" || protocol === "udp" || protocol === "sctp";
  if (hasPorts && dice.chance(0.5)) {
    const ports = () => `${not()}--${dice.pick(["dport", "dport", "sport"])} ${portsOf(dice)}`;
    if (protocol === "tcp" && dice.chance(0.3)) {
      return dice.pick([
        `-m tcp ${not()}--syn`,
        `-m tcp ${not()}--tcp-flags ${dice.pick(["SYN,ACK,FIN,RST SYN", "ACK ACK", "RST RST", "ALL SYN,ACK", "FIN,ACK ACK", "ALL NONE"])}`,
      ]);
    }
    if (dice.chance(0.4))
      return `-m multiport ${not()}--${dice.pick(["dports", "sports", "ports"])} ${[0, 1, 2].map(() => portsOf(dice)).join(",")}`;
    return `-m ${protocol} ${ports()}`;
  }
  if (protocol === "icmp" && dice.chance(0.6)) {
    return family === "ipv4"
      ? `-m icmp ${not()}--icmp-type ${dice.pick(["8", "0", "3", "3/1", "3/3", "13", "11"])}`
      : `-m icmp6 ${not()}--icmpv6-type ${dice.pick(["128", "129", "1", "1/4", "1/3", "3"])}`;
  }
  const kind = dice.below(16);
  if (making.zones && table === "raw" && kind >= 2 && kind <= 6) return "";
  switch (kind) {
    case 0:
    case 1:
      return `-m mark ${not()}--mark ${dice.pick(MARKS)}`;
    case 2:
      return `-m connmark ${not()}--mark ${dice.pick(MARKS)}`;
    case 3:
    case 4:
    case 5:
      return `-m conntrack ${conntrackOptions(making)}`;
    case 6:
      return `-m state ${not()}--state ${some(dice, STATES.slice(0, 5))}`;
    case 7: {
      const side = dice.pick(["src", "dst"]);
      const types =
        family === "ipv4"
          ? ["LOCAL", "UNICAST", "BROADCAST", "MULTICAST"]
          : ["LOCAL", "UNICAST", "MULTICAST"];
      const limit = chain === "PREROUTING" && dice.chance(0.2) ? " --limit-iface-in" : "";
      return `-m addrtype ${not()}--${side}-type ${some(dice, types)}${limit}`;
    }
    case 8: {
      const from = anyAddress(making);
      return `-m iprange ${not()}--${dice.pick(["src", "dst"])}-range ${from}-${later(from, dice.pick([0, 1, 4]))}`;
    }
    case 9:
      if (!dice.chance(0.5)) return "";
      making.draws = true;
      return `-m statistic --mode random ${not()}--probability ${dice.pick(["0.5", "0.25", "0.3333333333", "0.9", "1", "0"])}`;
    case 10: {
      if (!dice.chance(0.3) || (making.restores && making.backend === "nft")) return "";
      making.counts = true;
      const every = 1 + dice.below(4);
      return `-m statistic --mode nth ${not()}--every ${every} --packet ${dice.below(every)}`;
    }
    case 11:
      return recentMatch(making);
    case 12: {
      if (!making.sets) return "";
      const [set, , dimensions] = dice.pick([...SETS, ["all", "list:set", "a"] as const]);
      const sides = [...dimensions].map(() => dice.pick(["src", "dst"]));
      // Some lists ask for the interface that packets leave by, which exists at some hooks alone; the kernel refuses none.
      return `-m set ${not()}--match-set ${set} ${sides.join(",")}`;
    }
    case 13:
    case 14:
      return headerMatch(making, chain);
    default:
      return table === "raw" ? "" : `-m comment --comment "a ${chain} b"`;
  }
}

/** What is asked of headers that no rule before may have set. */
function headerMatch({ dice, family }: Making, chain: string): string {
  const not = dice.chance(0.2) ? "! " : "";
  const [hops, hop] = family === "ipv4" ? ["ttl", "ttl"] : ["hl", "hl"];
  const kinds = [
    `-m ${hops} --${hop}-${dice.pick(["eq 64", "lt 63", "gt 62", "gt 63"])}`,
    `-m dscp ${not}--dscp ${dice.pick(["0x00", "0x2e", "0x0a"])}`,
    `-m tos ${not}--tos ${dice.pick(["0x00/0xff", "0x10/0x10", "0xb8/0xfc"])}`,
    `-m ecn ${not}--ecn-ip-ect ${dice.pick(["0", "1"])}`,
  ];
  if (chain === "PREROUTING")
    kinds.push(`-m rpfilter ${dice.pick(["", "--loose ", "--invert ", "--accept-local "])}`);
  if (chain === "OUTPUT" || chain === "POSTROUTING")
    kinds.push(
      `-m owner ${not}--${dice.pick(["uid-owner 0", "uid-owner 7", "gid-owner 0-9", "socket-exists"])}`,
    );
  return dice.pick(kinds).trim();
}

function later(address: string, by: number): string {
  const at = Math.max(address.lastIndexOf("."), address.lastIndexOf(":")) + 1;
  const isIPv6 = address.includes(":");
  const last = Number.parseInt(address.slice(at), isIPv6 ? 16 : 10);
  return address.slice(0, at) + (last + by).toString(isIPv6 ? 16 : 10);
}

function recentMatch(making: Making): string {
  const { dice } = making;
  making.lists = true;
  const name = `--name ${dice.pick(["A", "B"])} --${dice.pick(["rsource", "rdest"])}`;
  const not = dice.chance(0.15) ? "! " : "";
  const hits = dice.chance(0.4) ? ` --hitcount ${1 + dice.below(3)}` : "";
  const seconds = dice.chance(0.5)
    ? ` --seconds ${dice.pick([60, 100])}${dice.chance(0.5) ? " --reap" : ""}`
    : "";
  const ttl = dice.chance(0.2) ? " --rttl" : "";
  switch (dice.below(4)) {
    case 0:
    case 1:
      return `-m recent ${not}--set ${name}`;
    case 2:
      return `-m recent ${not}--remove ${name}`;
    default:
      return `-m recent ${not}--${dice.pick(["rcheck", "update"])}${seconds}${hits}${ttl} ${name}`;
  }
}

function conntrackOptions(making: Making): string {
  const { dice } = making;
  const not = () => (dice.chance(0.2) ? "! " : "");
  const address = () => networkAround(anyAddress(making), making);
  switch (dice.below(8)) {
    case 0:
    case 1:
    case 2:
      return `${not()}--ctstate ${some(dice, STATES)}`;
    case 3:
      return `${not()}--ctstatus ${some(dice, STATUSES)}`;
    case 4:
      return `--ctdir ${dice.pick(["ORIGINAL", "REPLY"])}`;
    case 5:
      return `${not()}--ct${dice.pick(["origsrc", "origdst", "replsrc", "repldst"])} ${address()}`;
    case 6:
      return `${not()}--ctproto ${dice.pick(["tcp", "udp"])} ${not()}--ct${dice.pick(["origsrcport", "origdstport", "replsrcport", "repldstport"])} ${portsOf(dice)}`;
    default:
      return `${not()}--ctstate ${some(dice, STATES)} ${not()}--ctstatus ${some(dice, STATUSES)} ${not()}--ctorigdst ${address()}`;
  }
}

function targetOf(
  chain: string,
  protocol: string,
  { table, hooks }: ChainSort,
  callable: readonly string[],
  making: Making,
): readonly string[] {
  const { dice, family } = making;
  if (callable.length > 0 && dice.chance(0.35)) return [dice.chance(0.75) ? "-j" : "-g", dice.pick(callable)];
  if (dice.chance(0.07)) return [];
  if (table === "nat" && dice.chance(0.75)) return ["-j", natTarget(chain, protocol, hooks, making)];
  if (table === "filter" && dice.chance(0.15)) {
    const kinds =
      family === "ipv4"
        ? [
            "icmp-net-unreachable",
            "icmp-host-unreachable",
            "icmp-proto-unreachable",
            "icmp-port-unreachable",
            "icmp-net-prohibited",
            "icmp-host-prohibited",
            "icmp-admin-prohibited",
          ]
        : ["icmp6-no-route", "icmp6-adm-prohibited", "icmp6-addr-unreachable", "icmp6-port-unreachable"];
    const kind = protocol === "tcp" && dice.chance(0.5) ? "tcp-reset" : dice.pick(kinds);
    return ["-j", `REJECT --reject-with ${kind}`];
  }
  if (table === "raw" && dice.chance(0.15)) return ["-j", dice.pick(["NOTRACK", "CT --notrack"])];
  if (table === "raw" && making.zones && dice.chance(0.4)) {
    const zone = dice.pick(["1", "2", "mark"]);
    const zones = [`--zone ${zone}`, `--zone ${zone}`, `--zone-orig ${zone}`, `--zone-reply ${zone}`];
    return ["-j", `CT ${dice.pick(zones)}`];
  }
  if (table === "mangle" && dice.chance(0.15)) {
    const hops = family === "ipv4" ? "TTL --ttl" : "HL --hl";
    const kinds = [
      `${hops}-set 64`,
      `${hops}-dec 1`,
      `${hops}-inc 2`,
      "DSCP --set-dscp 0x2e",
      "TOS --set-tos 0x10/0x10",
    ];
    return ["-j", dice.pick([...kinds, "CHECKSUM --checksum-fill"])];
  }
  if (dice.chance(0.03)) return ["-j", dice.pick(["LOG --log-prefix x", "NFLOG --nflog-group 5"])];
  if ((table === "mangle" || table === "nat" || table === "raw") && dice.chance(0.5))
    return ["-j", markTarget(dice)];
  const verdicts = table === "nat" ? ["ACCEPT", "RETURN"] : ["ACCEPT", "ACCEPT", "RETURN", "DROP"];
  return ["-j", dice.pick([...verdicts, markTarget(dice)])];
}

function markTarget(dice: Dice): string {
  const marks = ["0x1", "0x4000/0x4000", "0x4001/0xff", "0x2/0x0", "0x0/0xf", "0x101/0xff"];
  return dice.pick([
    `MARK --set-xmark ${dice.pick(marks)}`,
    `MARK --set-mark ${dice.pick(marks)}`,
    `MARK --or-mark ${dice.pick(["0x1", "0x4000"])}`,
    `CONNMARK --set-xmark ${dice.pick(marks)}`,
    `CONNMARK --set-mark ${dice.pick(marks)}`,
    `CONNMARK --save-mark --nfmask ${dice.pick(["0xffffffff", "0xff"])} --ctmask ${dice.pick(["0xffffffff", "0xf"])}`,
    `CONNMARK --restore-mark --nfmask ${dice.pick(["0xffffffff", "0xff"])} --ctmask ${dice.pick(["0xffffffff", "0xf"])}`,
  ]);
}

function natTarget(chain: string, protocol: string, hooks: readonly string[], making: Making): string {
  const { dice, family, places } = making;
  const takesPorts = protocol === "tcp" || protocol === "udp" || protocol === "sctp";
  const bracketed = (text: string) => (family === "ipv6" ? `[${text}]` : text);
  const first = dice.pick([
    ...places.pods,
    ...places.pods,
    places.others[0] as string,
    ...places.node,
    ...places.clients,
  ]);
  const range = dice.chance(0.25) ? `-${later(first, 1 + dice.below(4))}` : "";
  const persistent = range !== "" && dice.chance(0.3) ? " --persistent" : "";
  const ports = () =>
    dice.chance(0.35) ? dice.pick(["1000-1003", "5000-5003", "8080-8090"]) : `${dice.pick([8080, 80, 9000])}`;
  const address = `${first}${range}`;
  const randomly = (probability: number) =>
    dice.chance(probability) ? dice.pick([" --random", " --random-fully"]) : "";
  const lengths = family === "ipv4" ? [24, 16, 28, 32] : [64, 112, 120, 128];
  if (dice.chance(0.1)) {
    const base = dice.pick([...places.pods, ...places.services, ...places.others]);
    return `NETMAP --to ${base}/${dice.pick(lengths)}`;
  }
  if (hooks.includes("PREROUTING")) {
    if (dice.chance(0.15)) {
      return takesPorts && dice.chance(0.8)
        ? `REDIRECT --to-ports ${ports()}${dice.chance(0.2) ? " --random" : ""}`
        : "REDIRECT";
    }
    const random = dice.chance(0.1) ? " --random" : "";
    if (!takesPorts || dice.chance(0.3)) return `DNAT --to-destination ${address}${persistent}${random}`;
    const to = dice.chance(0.15) ? `:${ports()}` : `${bracketed(address)}:${ports()}`;
    return `DNAT --to-destination ${to}${persistent}${random}`;
  }
  if (chain !== "INPUT" && dice.chance(0.5)) {
    return takesPorts && dice.chance(0.4)
      ? `MASQUERADE --to-ports ${ports()}${randomly(0.2)}`
      : `MASQUERADE${randomly(0.3)}`;
  }
  if (!takesPorts || dice.chance(0.6)) return `SNAT --to-source ${address}${persistent}${randomly(0.15)}`;
  return `SNAT --to-source ${bracketed(address)}:${ports()}${persistent}${randomly(0.15)}`;
}

const FLAGS = ["S", "S", "S", "S", "S", "A", "PA", "SA", "R", "RA", "F", "FA", "SF", "", "SEC", "FPU"];
const ECHO_REPLIES: Readonly<Record<number, number>> = { 8: 0, 13: 14, 128: 129 };
const LATER_FLAGS = ["A", "A", "PA", "S", "SA", "FA", "R", "RA", "F"];

/** One packet, or several of a conversation. */
function stepsOf(making: Making, network: NetworkSpec): readonly StepSpec[] {
  const { dice, family } = making;
  const steps: StepSpec[] = [packetOf(making, network)];
  const several = dice.chance(making.counts || making.lists ? 0.9 : 0.6);
  const count = several ? 1 + dice.below(5) : 0;
  let answered = false;
  // The packet whose connection the other end has spoken in, so that there is something to acknowledge.
  let known = -1;
  for (let index = 0; index < count; index++) {
    const isSctp = steps.some(({ proto }) => proto === "sctp");
    const kind = dice.below(12);
    if (making.restores && dice.chance(0.25)) {
      steps.push({ restore: moreRules(making) });
    } else if (kind <= 3) {
      const flags: string = answered
        ? dice.pick(LATER_FLAGS)
        : dice.pick(["SA", "SA", "SA", "SA", "RA", "R", "A", "S", "FA"]);
      const seq = flags.includes("S") ? 5000 : answered ? 5001 : 0;
      const query = steps.findLast((step) => "dst" in step)?.icmpType;
      const root = { uid: 0, gid: 0, tos: dice.pick([0, 0, 0xb8]) };
      const answer = query === undefined ? {} : { icmpType: ECHO_REPLIES[Number(query)] ?? Number(query) };
      steps.push(
        isSctp ? { reply: true, ...root } : { reply: true, flags, seq, ack: 1001, ...answer, ...root },
      );
      if (flags === "SA") {
        answered = true;
        known = steps.findLastIndex((step) => "dst" in step);
      }
    } else if (kind <= 6) {
      const which = dice.pick(steps.flatMap((step, at) => ("dst" in step ? [at] : [])));
      const flags = dice.pick(answered ? LATER_FLAGS : ["S", "S", "A", "FA", "R"]);
      const seq = flags.includes("S") ? 1000 : 1001;
      steps.push({ again: which, flags, seq, ack: flags.includes("A") && which === known ? 5001 : 0 });
    } else if (kind === 7 || kind === 8) {
      const types =
        family === "ipv4"
          ? [
              [3, 1],
              [3, 3],
              [3, 13],
              [11, 0],
            ]
          : [
              [1, 4],
              [1, 3],
              [3, 0],
            ];
      steps.push({
        icmpError: dice.pick(types),
        ...(dice.chance(0.4) ? { from: dice.pick(making.places.others) } : {}),
      });
    } else if (kind === 9) {
      if (dice.chance(0.3)) steps.push({ flush: dice.pick(["conntrack", "recent"]) });
      else if (dice.chance(0.1)) steps.push({ sleep: 0.2 });
    } else
      steps.push(
        packetOf(
          making,
          network,
          steps.find((step) => "dst" in step),
        ),
      );
  }
  return steps;
}

/** Rules for chains that are there, behind those that they have. */
function moreRules(making: Making): string {
  const { dice } = making;
  const [table] = dice.pick([["filter"], ["nat"], ["mangle"]] as const);
  const hook = dice.pick(HOOKS_OF[table] as readonly string[]);
  const sort: ChainSort = { table, hooks: [hook], user: [] };
  const before = { draws: making.draws, counts: making.counts };
  const rules = [0, 1].map(() => ruleOf(hook, sort, [], making));
  Object.assign(making, before);
  const steady = rules.filter((rule) => !/--mode|-m limit/.test(rule));
  return `*${table}\n${steady.join("\n")}\nCOMMIT\n`;
}

/** A packet; with `before`, one from the same client, more often than not. */
function packetOf(
  { dice, places, family, devices }: Making,
  network: NetworkSpec,
  before?: StepSpec,
): StepSpec {
  const { clients, pods, services, node, others } = places;
  const proto = dice.pick([
    "tcp",
    "tcp",
    "tcp",
    "udp",
    "udp",
    family === "ipv4" ? "icmp" : "ipv6-icmp",
    "sctp",
  ]);
  const own = [...node];
  const bridge = network.interfaces.find(({ name }) => name === "br0")?.ports;
  const from = dice.pick([
    "eth0",
    "eth0",
    "cni0",
    "cni0",
    "local",
    devices.includes("eth1") ? "eth1" : "eth0",
  ]);
  // Hosts behind one bridge talk to each other without the node; a process needs leave to write to all.
  const near = bridge !== undefined && from === "cni0";
  const odd = ODD_DESTINATIONS[family].filter((one) => from !== "local" || !MANY.test(one));
  const dst = dice.chance(0.12)
    ? dice.pick(odd)
    : dice.pick([
        ...services,
        ...services,
        ...services,
        ...(near ? services : pods),
        ...own,
        ...others,
        ...clients,
      ]);
  const src =
    from === "eth0"
      ? dice.chance(0.05)
        ? dice.pick([...pods, ...own])
        : dice.pick(clients)
      : from === "eth1"
        ? dice.pick([others[0] as string, others[1] as string])
        : from === "cni0"
          ? dice.pick(pods)
          : undefined;
  const device =
    from === "cni0" && bridge ? bridge.find(({ hosts }) => hosts.includes(src as string))?.name : from;
  const sameClient = before !== undefined && dice.chance(0.7);
  const proto2 = sameClient ? before.proto : proto;
  const isICMP = proto2 === "icmp" || proto2 === "ipv6-icmp";
  const type = family === "ipv4" ? dice.pick([8, 8, 8, 0, 13, 14]) : dice.pick([128, 128, 128, 129]);
  const packet: Record<string, string | number> = {
    in: (sameClient ? before.in : device) as string,
    dst: (sameClient && dice.chance(0.4) ? before.dst : dst) as string,
    proto: proto2 as string,
    sport: sameClient && dice.chance(0.7) ? (before.sport as number) : dice.pick(CLIENT_PORTS),
  };
  // What comes back would look like an answer.
  if (packet.dst === (sameClient ? before.src : src)) packet.dst = dice.pick(services);
  if (packet.in === "local" && MANY.test(packet.dst as string)) packet.dst = dice.pick(services);
  if (bridge !== undefined && packet.in?.toString().startsWith("veth") && pods.includes(packet.dst as string))
    packet.dst = dice.pick(services);
  const source = sameClient ? before.src : src;
  if (source !== undefined) packet.src = source as string;
  if (!isICMP) packet.dport = sameClient && dice.chance(0.6) ? (before.dport as number) : dice.pick(PORTS);
  else packet.icmpType = type;
  if (proto2 === "tcp") {
    const flags = dice.pick(FLAGS);
    packet.flags = flags;
    // In the window, if it should belong to a connection that is there.
    if (before !== undefined && !flags.includes("S")) {
      packet.seq = 1001;
    }
  }
  // A source that another table makes local is none for a process, and the lab looks for one for every protocol.
  const strange = network.routes.some(({ table, type }) => table === "100" && type === "local");
  if (packet.in === "local" && !strange && dice.chance(0.15)) packet.mark = dice.pick([1, 0x4000]);
  if (packet.in === "local") Object.assign(packet, { uid: dice.pick([0, 0, 7]), gid: dice.pick([0, 0, 10]) });
  packet.ttl = dice.pick([64, 64, 64, 63, 2, 1]);
  packet.tos = dice.pick([0, 0, 0x10, 0xb8, 1]);
  if (family === "ipv6" && dice.chance(0.15))
    return {
      ...packet,
      extensions: dice.pick([["destination"], ["hop"], ["hop", "destination"], ["fragment"]]),
    };
  return packet;
}
