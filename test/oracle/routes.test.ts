// Random interfaces, addresses, routes and policy rules in a network namespace: the way and the source that `ip route get`
// tells against those that follow from the texts of `ip`. The seed is LANDFALL_FUZZ_SEED, the number of nodes _CASES.
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import {
  type Address,
  type Family,
  printAddress,
  printNetwork,
  readAddress,
  readNetwork,
} from "../../grammar/address.js";
import { wayTo } from "../../src/evaluate/route.js";
import { sourceBy } from "../../src/evaluate/source.js";
import type { Network } from "../../src/state/network.js";
import { joinNetworks } from "../../src/state/network.js";
import { readInterfaces } from "../../src/text/ip-addr.js";
import { readRoutes } from "../../src/text/ip-route.js";
import { readPolicyRules } from "../../src/text/ip-rule.js";
import { randomNumbers } from "./random-rules.js";

const SEED = Number(process.env.LANDFALL_FUZZ_SEED ?? 1);
const NODES = Number(process.env.LANDFALL_FUZZ_CASES ?? 6);
const QUERIES = 40;

interface Query {
  readonly destination: string;
  readonly source?: string;
  readonly inInterface?: string;
  readonly mark: number;
}

const POOLS: Readonly<
  Record<Family, { readonly hosts: readonly string[]; readonly lengths: readonly number[] }>
> = {
  ipv4: {
    hosts: [
      "10.0.0.1",
      "10.0.0.9",
      "10.0.1.7",
      "10.1.2.3",
      "10.1.2.130",
      "172.16.5.5",
      "192.168.3.4",
      "203.0.113.9",
    ],
    lengths: [8, 16, 24, 25, 31, 32],
  },
  ipv6: {
    hosts: [
      "fd00::1",
      "fd00::9",
      "fd00:0:0:1::7",
      "fd00:1:2::3",
      "fd00:1:2::83",
      "fd16::5",
      "2001:db8::9",
      "fe80::77",
    ],
    lengths: [16, 32, 48, 64, 121, 128],
  },
};

const DEVICES = ["d0", "d1", "d2"];

function nodeOf(
  seed: number,
  family: Family,
): { readonly scene: string; readonly queries: readonly Query[] } {
  const random = randomNumbers(seed);
  const below = (count: number) => Math.floor(random() * count);
  const chance = (probability: number) => random() < probability;
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const { hosts, lengths } = POOLS[family];
  const ip = family === "ipv4" ? "ip" : "ip -6";
  const own: string[] = [];
  const lines: string[] = DEVICES.map(
    (device) =>
      `ip link add ${device} type veth peer name ${device}p; ip link set ${device}p up; ip link set ${device} up`,
  );
  const count = 1 + below(4);
  for (let index = 0; index < count; index++) {
    const address = pick(hosts);
    own.push(address);
    const nodad = family === "ipv6" ? " nodad" : "";
    lines.push(`${ip} addr add ${address}/${pick(lengths)} dev ${pick(DEVICES)}${nodad}`);
  }
  const network = () => {
    const around = readNetwork(`${pick(hosts)}/${pick(lengths)}`);
    return around === undefined || chance(0.15) ? "default" : printNetwork(around);
  };
  const routes = below(8);
  for (let index = 0; index < routes; index++) {
    const type = chance(0.2) ? `${pick(["unreachable", "prohibit", "blackhole", "throw", "local"])} ` : "";
    const way = type === "" || type === "local " ? ` dev ${type === "" ? pick(DEVICES) : "lo"}` : "";
    const via = type === "" && chance(0.5) ? ` via ${pick(hosts)} onlink` : "";
    const source = type === "" && chance(0.2) ? ` src ${pick(own)}` : "";
    const metric = chance(0.3) ? ` metric ${pick([50, 100, 2000])}` : "";
    const table = chance(0.25) ? " table 100" : "";
    lines.push(`${ip} route add ${type}${network()}${via}${way}${source}${metric}${table}`);
  }
  const rules = chance(0.6) ? below(4) : 0;
  for (let index = 0; index < rules; index++) {
    const selectors = [
      chance(0.4) ? `from ${network()}` : "",
      chance(0.4) ? `to ${network()}` : "",
      chance(0.3) ? `iif ${pick([...DEVICES, "lo"])}` : "",
      chance(0.3) ? `fwmark ${pick(["1", "0x1/0x1", "2/0x3"])}` : "",
    ].filter(Boolean);
    const action = pick([
      "lookup 100",
      "lookup 100",
      "lookup main",
      "unreachable",
      "prohibit",
      "blackhole",
      "lookup main suppress_prefixlength 0",
    ]);
    const not = selectors.length > 0 && chance(0.15) ? "not " : "";
    lines.push(`${ip} rule add ${not}${selectors.join(" ")} ${action} pref ${100 + below(5) * 100}`);
  }
  const scene = lines.join("\n");
  const sources = [...own, undefined, undefined, undefined];
  const queries = Array.from({ length: QUERIES }, (): Query => {
    const mark = chance(0.3) ? 1 + below(3) : 0;
    const destination = pick([...hosts, ...hosts, ...own]);
    if (chance(0.4)) return { destination, mark, source: pick(hosts), inInterface: pick(DEVICES) };
    const source = pick(sources);
    return { destination, mark, ...(source === undefined ? {} : { source }) };
  });
  return { scene, queries };
}

/** Whatever `ip` refuses of the random commands is left out. */
const PRELUDE = `
exec 3>&1 >/dev/null 2>&1
sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
sysctl -w net.ipv6.conf.default.addr_gen_mode=1
ip link set lo up
`;
const MARK = "@@@@";

function ask(family: Family, scene: string, queries: readonly Query[]): readonly string[] {
  const ip = family === "ipv4" ? "ip" : "ip -6";
  const asked = queries.map(({ destination, source, inInterface, mark }) => {
    const from = source === undefined ? "" : ` from ${source}`;
    const iif = inInterface === undefined ? "" : ` iif ${inInterface}`;
    return `${ip} route get ${destination}${from}${iif}${mark === 0 ? "" : ` mark ${mark}`} 2>&1`;
  });
  const texts = ["ip addr", `${ip} route show table all`, `${ip} rule`];
  // IPv6 addresses come into use a little later.
  const settled = family === "ipv4" ? "" : "sleep 0.7";
  const script = [
    PRELUDE,
    scene,
    settled,
    "exec 1>&3 2>/dev/null",
    [...texts, ...asked].join(`; echo ${MARK}; `),
  ].join("\n");
  const run = spawnSync("unshare", ["-n", "sh", "-c", script], { encoding: "utf8" });
  return run.stdout.split(`${MARK}\n`);
}

/** `out DEV via ADDRESS src ADDRESS`, `local`, or how it is refused. */
function toldBy(text: string): string {
  if (/No route to host/.test(text)) return "unreachable";
  if (/Network is unreachable/.test(text)) return "none";
  if (/Permission denied/.test(text)) return "prohibit";
  if (/Invalid argument/.test(text)) return "blackhole";
  if (/^RTNETLINK|^Error/.test(text)) return text.trim();
  const [first = ""] = text.split("\n");
  if (/^(?:unreachable|prohibit|blackhole) /.test(first)) return first.split(" ")[0] ?? "";
  if (first.startsWith("local ")) return "local";
  const part = (name: string) => new RegExp(` ${name} (\\S+)`).exec(first)?.[1];
  return `out ${part("dev")} via ${part("via")} src ${part("src")}`;
}

function foretold(network: Network, query: Query): string {
  const destination = readAddress(query.destination) as Address;
  const source = query.source === undefined ? null : (readAddress(query.source) as Address);
  const inInterface = query.inInterface ?? null;
  const way = wayTo(destination, network, { source, mark: query.mark, inInterface });
  switch (way.kind) {
    case "out": {
      const chosen = source === null ? sourceBy(way, destination, network) : undefined;
      const text = (one: Address | undefined) => (one === undefined ? undefined : printAddress(one));
      return `out ${way.dev} via ${text(way.via)} src ${text(chosen)}`;
    }
    case "refused":
      return way.type;
    default:
      return way.kind;
  }
}

const possible =
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["-n", "ip", "link", "add", "x", "type", "veth", "peer", "name", "y"]).status === 0;
if (!possible) console.info("skipped: needs root, unshare and veth interfaces");

describe.skipIf(!possible)(`random routes from seed ${SEED} on`, () => {
  test.each(["ipv4", "ipv6"] as const)("%s", { timeout: 600_000 }, (family) => {
    const differences: string[] = [];
    let compared = 0;
    for (let index = 0; index < NODES; index++) {
      const { scene, queries } = nodeOf(SEED * 1000 + index, family);
      const [addresses = "", routes = "", rules = "", ...answers] = ask(family, scene, queries);
      const network = joinNetworks([
        { ...emptyNetwork(), interfaces: readInterfaces({ name: "addr", text: addresses }).interfaces },
        { ...emptyNetwork(), routes: readRoutes({ name: "route", text: routes }, family).routes },
        {
          ...emptyNetwork(),
          policyRules: readPolicyRules({ name: "rule", text: rules }, family).policyRules,
        },
      ]);
      for (const [at, query] of queries.entries()) {
        compared++;
        // Packets from outside with a source of the node's own go nowhere (test/evaluate/routing.test.ts).
        if (query.inInterface !== undefined && isOwn(query, network)) continue;
        const told = toldBy(answers[at] ?? "");
        const own = foretold(network, query);
        const bare = query.source === undefined ? told : told.replace(/ src .*/, "");
        if ((query.source === undefined ? own : own.replace(/ src .*/, "")) !== bare)
          differences.push(
            `node ${SEED * 1000 + index} ${JSON.stringify(query)}\n  ip       ${told}\n  landfall ${own}\n${routes}${rules}${addresses.match(/inet6? \S+.*/g)?.join("\n")}`,
          );
      }
    }
    console.info(`${family}: ${NODES} nodes, ${compared} questions, ${differences.length} differences`);
    if (differences.length > 0) console.info(differences.slice(0, 4).join("\n\n"));
    expect(compared).toBe(NODES * QUERIES);
    expect(differences.length).toBe(0);
  });
});

function isOwn({ source = "", destination, inInterface, mark }: Query, network: Network): boolean {
  const from = readAddress(source) as Address;
  const back = { source: readAddress(destination) as Address, mark: 0 };
  const ways = [back, { ...back, source: null }, { ...back, mark }].flatMap((one) => [
    wayTo(from, network, one),
    wayTo(from, network, { ...one, inInterface: inInterface ?? null }),
  ]);
  return ways.some(({ kind }) => kind === "local");
}

function emptyNetwork(): Network {
  return { sysctls: new Map() };
}
