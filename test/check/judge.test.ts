// What expectations come to: exact shares against bounds, and counterexamples that are ones.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readAddress } from "../../grammar/address.js";
import { readExpectation } from "../../grammar/expectation.js";
import type { Packet } from "../../grammar/packet.js";
import { PROTOCOL } from "../../grammar/protocols.js";
import { casesOfCourses, casesOfDistribution, type Names, unmetParts } from "../../src/check/judge.js";
import { converse } from "../../src/evaluate/conversation.js";
import { evaluate } from "../../src/evaluate/evaluate.js";
import type { NodeState } from "../../src/state/nodestate.js";
import { readRules } from "../../src/text/rules.js";
import { landfall } from "../cli/terminal.js";

const PACKET: Packet = {
  family: "ipv4",
  protocol: PROTOCOL.tcp,
  source: readAddress("192.0.2.9") ?? 0,
  sourcePort: 40000,
  destination: readAddress("10.96.0.1") ?? 0,
  destinationPort: 80,
};

/** The endpoint of a landing is a service port if its port is 8080. */
const NAMES: Names = { of: ({ dport }) => (dport === 8080 ? ["a/b"] : []), asked: undefined };

function stateOf(rules: string): NodeState {
  const { ruleset } = readRules({ name: "rules", text: `*nat\n:PREROUTING ACCEPT [0:0]\n${rules}COMMIT\n` });
  return { rulesets: { ipv4: ruleset } };
}

function isMet(text: string, state: NodeState, packet: Packet = PACKET): boolean {
  const read = readExpectation(text);
  if (!read.ok) throw new Error(`${text}: ${read.expected}`);
  return unmetParts(read.expectation, casesOfDistribution(evaluate(state, packet)), NAMES).length === 0;
}

describe("shares", () => {
  // As kube-proxy writes them: with ten digits.
  const ladder = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const chance =
        index === count - 1
          ? ""
          : ` -m statistic --mode random --probability ${(1 / (count - index)).toFixed(10)}`;
      return `-A PREROUTING -p tcp${chance} -j DNAT --to-destination 10.1.${index >> 8}.${index & 255}:8080\n`;
    }).join("");

  test.each([1, 2, 3, 7, 100, 2000])("of %i endpoints are about even", (count) => {
    const state = stateOf(ladder(count));
    expect(isMet(`share of each endpoint about 1/${count} and share of a/b = 1`, state)).toBe(true);
    expect(isMet(`share of each endpoint about 1/${count + 1}`, state)).toBe(false);
    expect(isMet(`share of each endpoint = 1/${count}`, state)).toBe(count < 3);
  });

  test("bounds are exact", () => {
    const state = stateOf(
      "-A PREROUTING -p tcp -m statistic --mode random --probability 0.25 -j DNAT --to-destination 10.1.0.1:8080\n",
    );
    const share = (bound: string) => isMet(`share of 10.1.0.1 ${bound}`, state);
    const met = [
      "= 1/4",
      "= 0.25",
      "= 25 %",
      ">= 1/4",
      "<= 1/4",
      "> 0.24999999",
      "< 25.0000001 %",
      "about 0.2",
      "about 25 %",
      "between 1/4 and 1/4",
    ];
    expect(met.filter((bound) => !share(bound))).toEqual([]);
    const unmet = [
      "= 0.2500001",
      "> 1/4",
      "< 1/4",
      "about 0.26",
      "about 24 %",
      "between 1/4 and 0",
      "about 1/5",
    ];
    expect(unmet.filter(share)).toEqual([]);
  });

  test("those of one endpoint add up, however it was reached", () => {
    const state =
      stateOf(`-A PREROUTING -p tcp -m statistic --mode random --probability 0.5 -j MARK --set-xmark 0x1/0x1
-A PREROUTING -p tcp -j DNAT --to-destination 10.1.0.1:8080
-A PREROUTING -j ACCEPT
`);
    expect(isMet("share of each endpoint = 1", state)).toBe(true);
  });

  test("without an endpoint there is no share of each", () => {
    expect(isMet("share of each endpoint >= 0", stateOf(""))).toBe(false);
  });
});

describe("what is open", () => {
  const state = stateOf("-A PREROUTING -p tcp -j DNAT --to-destination 10.1.0.1:8080\n");
  test.each([
    ["leaves by eth0", false],
    ["not leaves by eth0", false],
    ["leaves by eth0 or delivered", true],
    ["leaves by eth0 and dropped", false],
    ["never leaves by eth0", false],
    ["sometimes leaves by eth0", false],
    ["share of leaves by eth0 >= 0", true],
    ["share of leaves by eth0 > 0", false],
    ["share of (leaves by eth0 and dropped) = 0", true],
  ])("%s: %s", (text, met) => {
    expect(isMet(text, state)).toBe(met);
  });
});

describe("cases", () => {
  const state = stateOf(`-A PREROUTING -s 10.244.0.0/16 -p tcp -j DNAT --to-destination 10.1.0.1:8080
-A PREROUTING -p tcp -j DNAT --to-destination 10.1.0.2:8080
`);
  const { source: _source, ...anyone } = PACKET;
  test.each([
    ["lands on 10.1.0.1", false],
    ["lands on 10.1.0.1 or lands on 10.1.0.2", true],
    ["in some case lands on 10.1.0.1", true],
    ["in some case lands on 10.1.0.1 and in some case lands on 10.1.0.2", true],
    ["in every case lands on 10.1.0.1", false],
    ["in every case sometimes lands on 10.1.0.1", false],
    ["not (in some case dropped)", true],
    ["always lands on 10.1.0.1", false],
    ["(always lands on 10.1.0.1) or (always lands on 10.1.0.2)", true],
    ["(source is 10.244.0.0/16 and lands on 10.1.0.1) or lands on 10.1.0.2", true],
  ])("%s: %s", (text, met) => {
    expect(isMet(text, state, anyone)).toBe(met);
  });
});

describe("conversations", () => {
  const state =
    stateOf(`-A PREROUTING -p tcp -m statistic --mode random --probability 0.5 -j DNAT --to-destination 10.1.0.1:8080
-A PREROUTING -p tcp -j DNAT --to-destination 10.1.0.2:8080
`);
  const later = { ...PACKET, sourcePort: 40001 };
  const answer = converse(
    state,
    [
      { kind: "packet", packet: PACKET },
      { kind: "sleep", seconds: 1 },
      { kind: "again", step: 0, changes: {} },
      { kind: "packet", packet: later },
    ],
    { fresh: true },
  );
  test.each([
    ["step 3 lands where step 1 did", true],
    ["step 4 lands where step 1 did", false],
    ["share of (step 4 lands where step 1 did) = 1/2", true],
    ["delivered", true],
    ["step 1 lands on 10.1.0.1", false],
    ["step 1 share of 10.1.0.1 = 1/2", true],
    ["step 2 dropped", false],
    ["step 1 (lands on 10.1.0.1 or step 3 lands on 10.1.0.2)", true],
  ])("%s: %s", (text, met) => {
    const read = readExpectation(text);
    if (!read.ok) throw new Error(text);
    expect(unmetParts(read.expectation, casesOfCourses(answer), NAMES).length === 0).toBe(met);
  });
});

describe("counterexamples", () => {
  const dump = readFileSync(join(import.meta.dirname, "../../fixtures/example/node-a.save"), "utf8");
  const packets = [
    "to 10.96.0.10:53/udp",
    "10.244.0.0/16 to 10.96.41.17:80/tcp",
    "to 10.96.77.3:80/tcp",
    "0.0.0.0/0 to 10.0.1.50:30080/tcp",
  ];
  const expectations = [
    "never masqueraded",
    "masqueraded",
    "share of each endpoint about 1/3",
    "source is 10.244.0.0/16",
    "lands on 10.244.1.0/24",
  ];
  test.each(packets.flatMap((packet) => expectations.map((own) => [packet, own] as const)))(
    "%s: %s",
    async (packet, own) => {
      const files = (asked: string) => ({
        "node.save": dump,
        "e.yaml": `version: 1\nexpect:\n  - { packet: "${asked}", expect: ${own} }\n`,
      });
      const run = async (asked: string) => {
        const ran = await landfall(["check", "-f", "e.yaml", "node.save", "--fresh", "-o", "json"], {
          files: files(asked),
        });
        return JSON.parse(ran.stdout).results[0];
      };
      const all = await run(packet);
      if (all.met) return;
      const [{ counterexample, found }] = all.unmet;
      const one = await run(counterexample);
      expect(one.met).toBe(false);
      // The same is found of it, but for the source, which is known now.
      expect(one.unmet[0].found.split(",")[0]).toBe(found.split(",")[0]);
    },
  );
});
