// Random rules that count packets, in a network namespace with a real kernel: what landfall says of the next packet after
// each `iptables-save -c`, against what becomes of it.
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Flavour } from "../../grammar/description.js";
import { readPackets } from "../../src/cli/packets.js";
import { evaluate } from "../../src/evaluate/evaluate.js";
import { isCertain } from "../../src/evaluate/share.js";
import type { Problem } from "../../src/problems/problem.js";
import { mergeStates } from "../../src/state/nodestate.js";
import { readNodeText } from "../../src/text/read.js";
import { segmentsOf } from "../../src/text/segments.js";
import { randomNumbers } from "./random-rules.js";
import { whyNot } from "./real.js";

const SEED = Number(process.env.LANDFALL_FUZZ_SEED ?? 1);
const CASES = Number(process.env.LANDFALL_FUZZ_CASES ?? 25);
const PACKETS = 7;
const PORTS = [53, 54] as const;

const reason = whyNot();
if (reason !== undefined) console.info(`skipped: ${reason}`);

function pick<T>(from: readonly T[], draw: (below: number) => number): T {
  return from[draw(from.length)] as T;
}

/** A filter table whose chain OUTPUT counts, and drops some. */
function rulesOf(draw: (below: number) => number): string {
  const asks = [
    "",
    "-p udp",
    "-p udp -m udp --dport 53",
    "-p udp -m udp --dport 54",
    "-d 127.0.0.1/32 -p udp",
  ];
  const counting = () => {
    const every = 2 + draw(3);
    return draw(4) === 0
      ? `-m quota ${draw(3) === 0 ? "! " : ""}--quota ${30 + draw(120)}`
      : `-m statistic --mode nth ${draw(5) === 0 ? "! " : ""}--every ${every} --packet ${draw(every)}`;
  };
  const rule = (chain: string, targets: readonly string[]) => {
    const match = draw(3) === 0 ? "" : counting();
    const behind = draw(6) === 0 ? "-m udp --sport 1:65535" : "";
    const ask = match !== "" && behind !== "" ? "-p udp" : pick(asks, draw);
    const target = pick(match === "" ? ["", "-j RETURN", ...targets.slice(0, 1)] : targets, draw);
    return `-A ${chain} ${ask} ${match} ${match === "" ? "" : behind} ${target}`.replace(/ +/g, " ").trim();
  };
  const many = (chain: string, targets: readonly string[]) =>
    Array.from({ length: 1 + draw(4) }, () => rule(chain, targets));
  return [
    "*filter",
    ":INPUT ACCEPT [0:0]",
    ":FORWARD ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ":A - [0:0]",
    ":B - [0:0]",
    ...many("OUTPUT", ["-j A", "-j ACCEPT", "-j DROP", "-j DROP"]),
    ...many("A", ["-j B", "-j DROP", "-j DROP"]),
    ...many("B", ["-j ACCEPT", "-j DROP"]),
    "COMMIT",
    "",
  ].join("\n");
}

interface Sent {
  readonly port: number;
  readonly sport?: number;
  /** As `iptables-save -c` printed it before. */
  readonly dump: string;
  readonly dropped: boolean;
}

const MARK = "=====";

/** Loads the rules, and sends packets to the node itself. What a rule of OUTPUT drops, the sender hears of. */
function send(rules: string, ports: readonly number[], flavour: Flavour): readonly Sent[] {
  const steps = ports.map(
    (port) =>
      `iptables-${flavour}-save -c; (printf 0123456789 > /dev/udp/127.0.0.1/${port}) 2>/dev/null; echo "${MARK} $?"`,
  );
  const script = ["ip link set lo up", `iptables-${flavour}-restore`, ...steps].join("\n");
  const run = spawnSync("unshare", ["-n", "bash", "-c", script], { input: rules, encoding: "utf8" });
  const parts = run.stdout.split(new RegExp(`^${MARK} (\\d+)\\n`, "m"));
  return ports.map((port, index) => ({
    port,
    dump: parts[2 * index] ?? "",
    dropped: parts[2 * index + 1] !== "0",
  }));
}

const NETWORK = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
`;

/** The verdicts that the packet may come to. */
function verdicts({ dump, port, sport = 40000 }: Sent): readonly string[] {
  const texts = [
    { name: "rules", text: dump },
    { name: "addresses", text: NETWORK },
  ].flatMap((source) => segmentsOf(source).flatMap((segment) => readNodeText(segment)));
  const packet = {
    in: "local",
    sport,
    dst: "127.0.0.1",
    dport: port,
    proto: "udp",
    length: 38,
  };
  const problems: Problem[] = [];
  const [asked] = readPackets({ name: "packet", text: JSON.stringify(packet) }, problems);
  if (asked?.kind !== "packet") throw new Error(JSON.stringify(problems));
  const { cases } = evaluate(mergeStates(texts.map(({ state }) => state)), asked.packet);
  expect(
    cases.every(({ landings }) => landings.length === 1 && landings.every(({ share }) => isCertain(share))),
  ).toBe(true);
  return [...new Set(cases.flatMap(({ landings }) => landings.map(({ verdict }) => verdict)))];
}

describe.skipIf(reason !== undefined).each(["legacy", "nft"] as const)(
  "counters of iptables-%s",
  (flavour) => {
    test(`${CASES} tables from seed ${SEED} on`, { timeout: 600_000 }, () => {
      let told = 0;
      const wrong: string[] = [];
      for (let index = 0; index < CASES; index++) {
        const dice = randomNumbers(SEED * 1000 + index);
        const draw = (below: number) => Math.floor(dice() * below);
        const rules = rulesOf(draw);
        const ports = Array.from({ length: PACKETS }, () => pick(PORTS, draw));
        for (const one of send(rules, ports, flavour)) {
          const known = verdicts(one);
          const real = one.dropped ? "drop" : "local";
          if (known.length === 1) told++;
          if (!known.includes(real)) wrong.push(`port ${one.port} is ${real}, not ${known}\n${one.dump}`);
        }
      }
      console.info(`${flavour}: ${told} of ${CASES * PACKETS} packets told`);
      expect(wrong.slice(0, 3)).toEqual([]);
      expect(told).toBeGreaterThan(CASES * PACKETS * 0.4);
    });
  },
);

/** Drops what some random questions of connections and sets say. */
function questionsOf(draw: (below: number) => number): string {
  const kinds = [
    () =>
      `-m connbytes ${draw(4) === 0 ? "! " : ""}--connbytes ${draw(3)}:${3 + draw(4)} --connbytes-mode packets --connbytes-dir ${pick(["original", "reply", "both"], draw)}`,
    () =>
      `-m connbytes --connbytes ${30 + draw(150)} --connbytes-mode ${pick(["bytes", "avgpkt"], draw)} --connbytes-dir ${pick(["original", "both"], draw)}`,
    () =>
      `-m connlimit ${pick(["--connlimit-above", "--connlimit-upto"], draw)} ${draw(4)} ${pick(["--connlimit-saddr", "--connlimit-daddr"], draw)} --connlimit-mask ${pick([32, 8, 0], draw)}`,
    () =>
      `-m set ${draw(4) === 0 ? "! " : ""}--match-set ${pick(["c", "p"], draw)} dst,dst ${draw(4) === 0 ? "! --update-counters " : ""}${draw(4) === 0 ? "! --packets-eq" : pick(["--packets-gt", "--packets-lt", "--packets-eq"], draw)} ${draw(6)}`,
    () => `-m set --match-set c dst,dst ${pick(["--bytes-gt", "--bytes-lt"], draw)} ${draw(200)}`,
    () => "-m set --match-set c dst,dst",
  ];
  const rules = Array.from({ length: 1 + draw(3) }, (_, index) => {
    const target = index === 0 && draw(3) === 0 ? "" : " -j DROP";
    return `-A OUTPUT -p udp ${pick(kinds, draw)()}${target}`;
  });
  // Errors that come back would keep the socket from sending.
  return ["*filter", "-A OUTPUT -p icmp -j DROP", ...rules, "COMMIT", ""].join("\n");
}

const FLOWS = [53, 54, 55] as const;

/** Sends packets of some sockets; each with what the node's tables were before. */
function sendOn(rules: string, flows: readonly number[], flavour: Flavour) {
  const open = FLOWS.map((port, index) => `exec ${5 + index}<>/dev/udp/127.0.0.1/${port}`);
  // For a moment, connlimit counts connections that it has just refused.
  const pause = rules.includes("connlimit") ? "sleep 0.05; " : "";
  const dump = `${pause}iptables-${flavour}-save -c; ipset save; cat /proc/self/net/nf_conntrack`;
  const steps = flows.map(
    (flow) => `${dump}; (printf 0123456789 >&${5 + flow}) 2>/dev/null; echo "${MARK} $?"`,
  );
  const script = [
    "ip link set lo up",
    "ipset create c hash:ip,port counters; ipset create p hash:ip,port",
    "ipset add c 127.0.0.1,udp:53 packets 2 bytes 70; ipset add c 127.0.0.1,udp:54; ipset add p 127.0.0.1,udp:53",
    `iptables-${flavour}-restore`,
    ...open,
    "cat /proc/self/net/udp",
    `echo "${MARK} 0"`,
    ...steps,
  ].join("\n");
  const run = spawnSync("unshare", ["-n", "bash", "-c", script], { input: rules, encoding: "utf8" });
  const [sockets = "", , ...parts] = run.stdout.split(new RegExp(`^${MARK} (\\d+)\\n`, "m"));
  const sourcePort = (port: number) => {
    const remote = port.toString(16).toUpperCase().padStart(4, "0");
    const local = new RegExp(`: 0100007F:([0-9A-F]{4}) 0100007F:${remote} `).exec(sockets)?.[1];
    return local === undefined ? undefined : Number.parseInt(local, 16);
  };
  return flows.map((flow, index): Sent => {
    const port = FLOWS[flow] as number;
    const sport = sourcePort(port);
    return {
      port,
      ...(sport === undefined ? {} : { sport }),
      dump: parts[2 * index] ?? "",
      dropped: parts[2 * index + 1] !== "0",
    };
  });
}

describe.skipIf(reason !== undefined).each(["legacy", "nft"] as const)(
  "connections and sets, %s",
  (flavour) => {
    test(`${CASES} tables from seed ${SEED} on`, { timeout: 600_000 }, () => {
      let told = 0;
      const wrong: string[] = [];
      for (let index = 0; index < CASES; index++) {
        const dice = randomNumbers(SEED * 1000 + index);
        const draw = (below: number) => Math.floor(dice() * below);
        const rules = questionsOf(draw);
        const flows = Array.from({ length: PACKETS }, () => draw(FLOWS.length));
        for (const one of sendOn(rules, flows, flavour)) {
          const known = verdicts(one);
          const real = one.dropped ? "drop" : "local";
          if (known.length === 1) told++;
          if (!known.includes(real)) wrong.push(`port ${one.port} is ${real}, not ${known}\n${one.dump}`);
        }
      }
      console.info(`${flavour}: ${told} of ${CASES * PACKETS} packets told`);
      expect(wrong.slice(0, 3)).toEqual([]);
      expect(told).toBeGreaterThan(CASES * PACKETS * 0.5);
    });
  },
);
