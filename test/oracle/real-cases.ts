/**
 * The rules of real nodes for a real kernel: around them a made-up node with the interfaces, networks and sets that the
 * rules name, and random packets between the addresses and ports that they name.
 */
import {
  ALL_ONES,
  addressBits,
  type Family,
  hostBits,
  prefixLength,
  printAddress,
  readAddress,
  readNetwork,
} from "../../grammar/address.js";
import type { ConversationSpec, KernelCase, StepSpec } from "./kernel-cases.js";
import { randomNumbers } from "./random-rules.js";

type Step = Record<string, string | number | boolean | readonly number[]>;

const NODE: Readonly<Record<Family, string>> = { ipv4: "192.168.77.10", ipv6: "fd77::10" };
const ROUTER: Readonly<Record<Family, string>> = { ipv4: "192.168.77.1", ipv6: "fd77::1" };
const CLIENTS: Readonly<Record<Family, readonly string[]>> = {
  ipv4: ["192.168.77.20", "203.0.113.9"],
  ipv6: ["fd77::20", "2001:db8::9"],
};

/** A case from a complete dump; the same seed gives the same case. */
export function realCase(
  name: string,
  text: string,
  { seed, family, packets, repeats }: { seed: number; family: Family; packets: number; repeats: number },
): KernelCase {
  const random = randomNumbers(seed);
  const below = (count: number) => Math.floor(random() * count);
  const chance = (probability: number) => random() < probability;
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;

  // Buckets run empty in the course of the repeats, and helpers read the payload.
  const rules = text
    .split("\n")
    .filter((line) => !/^#| --helper /.test(line))
    .join("\n")
    .replace(/ -m (?:hash)?limit(?: --(?:hash)?limit\S* \S+)+/g, "");
  const words = (pattern: RegExp) => [
    ...new Set([...rules.matchAll(pattern)].flatMap(([, word]) => (word === undefined ? [] : [word]))),
  ];

  const devices = words(/ -[io] (\S+)/g)
    .map((device) => (device.endsWith("+") ? `${device.slice(0, -1)}7` : device).slice(0, 15))
    .filter((device) => device !== "lo" && /^[\w.-]+$/.test(device))
    .slice(0, 12);
  const others = [...new Set([...devices, "pod0"])].filter((device) => device !== "eth0");

  const networks = words(/ -[sd] (\S+)/g).flatMap((word) => readNetwork(word) ?? []);
  const within = (index: number): string => {
    const network = networks[index];
    if (network === undefined) return pick(CLIENTS[family]);
    const host = hostBits(network.mask);
    if (typeof network.address === "number" && typeof host === "number")
      return printAddress((network.address + Math.floor(random() * (host + 1))) >>> 0);
    const bits = BigInt(Math.floor(random() * 2 ** 32));
    return printAddress(BigInt(network.address) + (bits & BigInt(host)));
  };
  const plain = (address: string) => {
    const value = readAddress(address);
    if (value === undefined || value === ALL_ONES[family]) return false;
    return family === "ipv4"
      ? !/^(?:0|127|22[4-9]|23\d|24\d|25\d)\./.test(address)
      : !/^(?:::|ff|fe80)/.test(address);
  };
  const targets = words(/--to-destination \[?([\d.]+|[\da-f:]+)\]?(?::|\s|$)/g).filter(plain);
  const hosts = networks
    .flatMap((network, index) => (prefixLength(network.mask) === addressBits(family) ? [within(index)] : []))
    .filter(plain);
  const anywhere = () => {
    const kind = random();
    if (kind < 0.25 && targets.length > 0) return pick(targets);
    if (kind < 0.75 && networks.length > 0) {
      const one = within(below(networks.length));
      if (plain(one)) return one;
    }
    return pick([...CLIENTS[family], NODE[family]]);
  };

  // Some addresses that the rules name are the node's own, and the rest lies behind interfaces.
  const own = [NODE[family], ...hosts.filter(() => chance(0.04)).slice(0, 3)];
  const isIPv4 = family === "ipv4";
  const around = (address: string) => {
    const value = readAddress(address);
    if (typeof value === "number") return `${printAddress((value & 0xffffff00) >>> 0)}/24`;
    return `${printAddress((BigInt(value ?? 0) >> 64n) << 64n)}/64`;
  };
  const routes: Record<string, string | boolean>[] = [
    { to: "default", via: ROUTER[family], dev: "eth0" },
    ...[...new Set([...targets, ...CLIENTS[family].slice(0, 0)].map(around))]
      .filter((to) => to !== around(NODE[family]))
      .slice(0, 20)
      .map((to) => ({ to, dev: pick(others) })),
  ];
  const sysctls: Record<string, string | number> = isIPv4
    ? {
        "net.ipv4.icmp_echo_ignore_all": 1,
        ...(chance(0.5) ? { "net.ipv4.conf.all.route_localnet": 1 } : {}),
      }
    : { "net.ipv6.icmp.echo_ignore_all": 1 };

  const ports = [
    ...new Set(
      [...rules.matchAll(/--(?:dports?|sports?|to-ports) ([\d,:]+)/g)].flatMap(([, list = ""]) =>
        list.split(/[,:]/).map(Number),
      ),
    ),
    80,
    41,
  ];
  const packet = (): Step => {
    const proto = pick(["tcp", "tcp", "tcp", "udp", "udp", isIPv4 ? "icmp" : "ipv6-icmp"]);
    const from = pick(["eth0", "eth0", "eth0", ...others, "local"]);
    const dst = chance(0.15) ? pick(own) : anywhere();
    const step: Step = { in: from, dst, proto };
    if (from !== "local") {
      const src = anywhere();
      step.src = own.includes(src) ? pick(CLIENTS[family]) : src;
    }
    if (proto === "tcp" || proto === "udp") {
      step.sport = 1024 + below(60000);
      step.dport = pick(ports);
    }
    if (proto === "tcp") step.flags = chance(0.85) ? "S" : pick(["A", "SA", "R", "FA"]);
    if (proto === "icmp") step.icmpType = 8;
    if (proto === "ipv6-icmp") step.icmpType = 128;
    return step;
  };
  const conversation = (): readonly StepSpec[] => {
    const steps: Step[] = [packet()];
    if (chance(0.5)) {
      const query = steps[0]?.icmpType;
      steps.push({
        reply: true,
        flags: "SA",
        ...(query === undefined ? {} : { icmpType: query === 8 ? 0 : 129 }),
      });
      if (chance(0.5)) steps.push({ again: 0, flags: "A" });
      if (chance(0.2)) steps.push({ icmpError: isIPv4 ? [3, 1] : [1, 0] });
    } else if (chance(0.3))
      steps.push({
        icmpError: isIPv4
          ? pick([
              [3, 3],
              [11, 0],
            ])
          : [1, 4],
      });
    return steps;
  };
  const draws = /--mode random|--random|-m recent|--mode nth/.test(rules);
  const sets = setsText(
    rules,
    family,
    () => anywhere(),
    () => pick(ports),
    below,
  );
  return {
    name,
    rules,
    draws,
    network: {
      family,
      interfaces: [
        {
          name: "eth0",
          addresses: own.map(
            (one) => `${one}/${one === NODE[family] ? (isIPv4 ? 24 : 64) : isIPv4 ? 32 : 128}`,
          ),
        },
        ...others.map((device, index) => ({
          name: device,
          addresses: [isIPv4 ? `172.31.${index}.1/32` : `fd31:${index}::1/128`],
        })),
      ],
      routes,
      sysctls,
      ...(sets === "" ? {} : { ipset: sets }),
    },
    probes: Array.from(
      { length: packets },
      (_, index): ConversationSpec => ({
        id: `${index}`,
        repeat: draws ? repeats : 1,
        steps: conversation(),
      }),
    ),
  };
}

/** The sets that rules name, with random members. */
function setsText(
  rules: string,
  family: Family,
  address: () => string,
  port: () => number,
  below: (count: number) => number,
): string {
  const inet = family === "ipv4" ? "inet" : "inet6";
  const dimensions = new Map<string, number>();
  for (const [, name = "", sides = ""] of rules.matchAll(/--match-set (\S+) (\S+)/g))
    dimensions.set(name, Math.max(dimensions.get(name) ?? 1, sides.split(",").length));
  const lines: string[] = [];
  for (const [name, count] of dimensions) {
    const type = count === 1 ? "hash:net" : count === 2 ? "hash:ip,port" : "hash:ip,port,ip";
    lines.push(`create ${name} ${type} family ${inet}`);
    for (let index = 0; index < 4; index++) {
      const middle = () => `,${below(2) === 0 ? "tcp" : "udp"}:${port()}`;
      lines.push(
        `add ${name} ${address()}${count > 1 ? middle() : ""}${count > 2 ? `,${address()}` : ""} -exist`,
      );
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}
