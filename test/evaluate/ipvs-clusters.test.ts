// Every virtual server that the real kube-proxy made: a client lands on the servers that ipvsadm lists, in equal shares.
import { describe, expect, test } from "vitest";
import { familyOf, printAddress, readAddress } from "../../grammar/address.js";
import { protocolNumber } from "../../grammar/protocols.js";
import { evaluate } from "../../src/evaluate/evaluate.js";
import type { Distribution } from "../../src/evaluate/outcome.js";
import { lowestTerms } from "../../src/evaluate/share.js";
import type { NodeState } from "../../src/state/nodestate.js";
import { goldens, IPVS_SCENARIOS } from "../compile/goldens.js";
import { kubeProxyNode } from "./ipvs-nodes.js";

const GOLDENS = goldens("ipvs-1.30");

interface Listed {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly scheduler: string;
  readonly servers: readonly string[];
}

/** The text itself, read without landfall's own reader. */
function listed(scenario: string): readonly Listed[] {
  const lines = (GOLDENS.get(`${scenario} ipvsadm-save.txt`) ?? "").split("\n");
  return lines.flatMap((line): readonly Listed[] => {
    const [, flag = "", end = "", scheduler = ""] =
      /^-A (-t|-u|--sctp-service) (\S+) -s (\S+)/.exec(line) ?? [];
    if (flag === "") return [];
    const [, bare, bracketed, port] = /^(?:([\d.]+)|\[(.+)\]):(\d+)$/.exec(end) ?? [];
    const servers = lines
      .filter((other) => other.startsWith(`-a ${flag} ${end} -r `))
      .map((other) => other.split(" ")[4] ?? "");
    const protocol = flag === "-t" ? "tcp" : flag === "-u" ? "udp" : "sctp";
    return [{ protocol, address: bare ?? bracketed ?? "", port: Number(port), scheduler, servers }];
  });
}

const CLIENT = { ipv4: "192.0.2.77", ipv6: "2001:db8:77::1" } as const;

function ask(state: NodeState, { protocol, address, port }: Listed): Distribution {
  const destination = readAddress(address) ?? 0;
  const family = familyOf(destination);
  return evaluate(
    state,
    {
      family,
      protocol: protocolNumber(protocol) ?? 0,
      source: readAddress(CLIENT[family]) ?? 0,
      sourcePort: 41000,
      destination,
      destinationPort: port,
      in: "eth0",
    },
    { fresh: true },
  );
}

/** A hash of the client decides, or of slots that have no equal shares. */
const HASHED: readonly string[] = ["sh", "dh", "mh"];

describe.each(IPVS_SCENARIOS)("%s", (scenario) => {
  const state = kubeProxyNode(scenario);
  // One that was there before has an address that the node has not, and meets no packets.
  const bound = new Set(
    state.network?.interfaces?.flatMap(({ addresses }) =>
      addresses.map(({ address }) => printAddress(address)),
    ),
  );
  const all = listed(scenario).filter(({ address }) => bound.has(address));
  test.runIf(all.length > 0)("each virtual server", () => {
    const kept = state.sets?.get("KUBE-LOAD-BALANCER-FW")?.entries ?? [];
    for (const one of all) {
      const { cases } = ask(state, one);
      expect(cases).toHaveLength(1);
      const landings = cases[0]?.landings ?? [];
      const what = `${one.address} ${one.port}/${one.protocol}`;
      const verdicts = [...new Set(landings.map(({ verdict }) => verdict))];
      const isKeptOut =
        kept.some(({ parts }) => printedPart(parts[0]) === one.address) ||
        (state.sets?.get("KUBE-6-LOAD-BALANCER-FW")?.entries ?? []).some(
          ({ parts }) => printedPart(parts[0]) === one.address,
        );
      if (isKeptOut) {
        expect(verdicts, what).toEqual(["drop"]);
        continue;
      }
      if (one.servers.length === 0) {
        expect(verdicts, what).toEqual(["reject"]);
        expect(landings[0]?.with).toMatch(/^icmp6?-port-unreachable$/);
        continue;
      }
      const ends = landings.map(({ dst, dport }) => {
        const text = printAddress(dst ?? 0);
        return typeof dst === "bigint" ? `[${text}]:${dport}` : `${text}:${dport}`;
      });
      if (HASHED.includes(one.scheduler)) {
        expect(one.servers, what).toEqual(expect.arrayContaining(ends));
        continue;
      }
      expect([...ends].sort(), what).toEqual([...one.servers].sort());
      for (const { share } of landings)
        expect(lowestTerms(share), what).toEqual({ numerator: 1n, denominator: BigInt(ends.length) });
    }
  });
});

function printedPart(part: unknown): string {
  return typeof part === "number" || typeof part === "bigint" ? printAddress(part) : String(part);
}

test("there is something to test", () => {
  const all = IPVS_SCENARIOS.flatMap(listed);
  expect(all.length).toBeGreaterThan(100);
  expect(all.some(({ servers }) => servers.length > 2)).toBe(true);
});
