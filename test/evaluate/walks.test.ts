// Walks that would be too long one by one: chains reached again and again, and long chains by their index.
import fc from "fast-check";
import { expect, test } from "vitest";
import { readAddress } from "../../grammar/address.js";
import type { Packet } from "../../grammar/packet.js";
import { converse } from "../../src/evaluate/conversation.js";
import { evaluate } from "../../src/evaluate/evaluate.js";
import { toNumber } from "../../src/evaluate/share.js";
import { traceLines } from "../../src/explain/trace-lines.js";
import { readRules } from "../../src/text/rules.js";

const PACKET: Packet = {
  family: "ipv4",
  protocol: 6,
  source: readAddress("192.0.2.1") ?? 0,
  sourcePort: 40000,
  destination: readAddress("10.96.0.1") ?? 0,
  destinationPort: 80,
  in: "eth0",
};

function ask(text: string, packet: Packet = PACKET) {
  const { ruleset } = readRules({ name: "rules", text }, { family: "ipv4" });
  return evaluate({ rulesets: { ipv4: ruleset } }, packet);
}

function chainsOf(count: number, jumps: readonly string[], last: string): string {
  const names = Array.from({ length: count + 1 }, (_, index) => `:C${index} - [0:0]`);
  const rules = Array.from({ length: count }, (_, index) =>
    jumps.map((how) => `-A C${index} ${how}-j C${index + 1}`),
  ).flat();
  return ["*filter", ":FORWARD DROP [0:0]", ...names, "-A FORWARD -j C0", ...rules, last, "COMMIT", ""].join(
    "\n",
  );
}

test("thirty chains that each jump twice to the next", () => {
  const { cases, notes } = ask(chainsOf(30, ["", ""], "-A C30 -p udp -j ACCEPT"));
  expect(cases.map(({ landings }) => landings.map(({ verdict }) => verdict))).toEqual([["drop"]]);
  expect(notes.join()).toContain("not every rule on the way is told");
});

test("the same, where each jump hangs on what is not known", () => {
  const limited = ["-m limit --limit 1/min ", "-m limit --limit 2/min "];
  const { cases } = ask(chainsOf(30, limited, "-A C30 -p udp -j ACCEPT"));
  expect(cases.map(({ landings }) => landings.map(({ verdict }) => verdict))).toEqual([["drop"]]);
});

test("the same, where each jump is drawn: what comes out is exact, or nothing is said", () => {
  const drawn = Array.from({ length: 2 }, () => "-m statistic --mode random --probability 0.5 ");
  const few = ask(chainsOf(4, drawn, "-A C4 -j ACCEPT"));
  const shares = few.cases[0]?.landings.map(({ verdict, share }) => [verdict, toNumber(share)]);
  // Of a chain of two such jumps 1 - (1 - x / 2)^2 is accepted, x being what the next chain accepts.
  const accepted = [1, 2, 3, 4].reduce((next) => 1 - (1 - next / 2) ** 2, 1);
  expect(Object.fromEntries(shares ?? [])).toEqual({
    forward: expect.closeTo(accepted, 12),
    drop: expect.closeTo(1 - accepted, 12),
  });
  const many = ask(chainsOf(30, drawn, "-A C30 -j ACCEPT"));
  expect(many.cases.length === 1 || many.notes.some((note) => note.startsWith("gave up"))).toBe(true);
});

test("the way through a chain that is reached often is told each time", () => {
  const jumps = Array.from(
    { length: 12 },
    (_, index) => `-A FORWARD -p tcp -m comment --comment ${index} -j U`,
  );
  const { cases } = ask(
    [
      "*filter",
      ":FORWARD ACCEPT [0:0]",
      ":U - [0:0]",
      ...jumps,
      "-A U -s 192.0.2.1 -j MARK --or-mark 0x0",
      "COMMIT",
      "",
    ].join("\n"),
  );
  const [landing] = cases[0]?.landings ?? [];
  const lines = landing === undefined ? [] : traceLines(landing).map(({ place }) => place);
  expect(lines).toEqual([
    ...jumps.flatMap((_, index) => [
      `filter:FORWARD:rule:${index + 1}`,
      "filter:U:rule:1",
      "filter:U:return:2",
    ]),
    "filter:FORWARD:policy:13",
  ]);
});

test("the index lets packets through to a rule that counts them, whatever the rule wants besides", () => {
  const counting = "-A FORWARD -p udp -m statistic --mode nth --every 2 --packet 1 -m udp --dport 80 -j DROP";
  const others = Array.from({ length: 20 }, (_, index) => `-A FORWARD -d 10.0.0.${index}/32 -j ACCEPT`);
  const text = ["*filter", ":FORWARD ACCEPT [0:0]", counting, ...others, "COMMIT", ""].join("\n");
  const { ruleset } = readRules({ name: "rules", text }, { family: "ipv4" });
  const packet = (destinationPort: number) =>
    ({ kind: "packet", packet: { ...PACKET, protocol: 17, destinationPort } }) as const;
  const { cases } = converse({ rulesets: { ipv4: ruleset } }, [packet(53), packet(80)], { fresh: true });
  const [course] = cases[0]?.courses ?? [];
  expect(course?.steps.map((landing) => landing?.verdict)).toEqual(["forward", "drop"]);
});

/** Rules of a dispatch chain: some want a service, some a port, some count, draw, remember or ask for the source. */
const rule = fc
  .tuple(
    fc.constantFrom("", "-s 192.0.2.0/24 ", "-s 203.0.113.9/32 ", "! -s 192.0.2.1/32 "),
    fc.constantFrom("", "-d 10.96.0.1/32 ", "-d 10.96.0.2/32 ", "! -d 10.96.0.1/32 ", "-d 10.96.0.0/16 "),
    fc.constantFrom("", "-p tcp ", "-p udp ", "! -p tcp "),
    fc.constantFrom(
      "",
      "-m statistic --mode nth --every 3 --packet 1 ",
      "-m statistic --mode random --probability 0.25 ",
      "-m recent --set --name L --rsource ",
      "-m recent --rcheck --name L --rsource ",
      "-m limit --limit 1/sec ",
    ),
    fc.constantFrom("", "--dport 80 ", "--dport 53 ", "--dport 50:90 ", "! --dport 80 "),
    fc.constantFrom("-j MARK --set-mark 0x1", "-j MARK --or-mark 0x2", "-j U", "-j RETURN", "-j ACCEPT"),
  )
  .map(([source, destination, protocol, match, port, target]) => {
    const withPort = /^-p/.test(protocol) ? `-m ${protocol.slice(3)}${port}` : "";
    return `${source}${destination}${protocol}${match}${port === "" ? "" : withPort}${target}`;
  });

test("a long chain by its index is the same as rule by rule", () => {
  fc.assert(
    fc.property(
      fc.array(rule, { minLength: 16, maxLength: 40 }),
      fc.constantFrom("10.96.0.1", "10.96.0.2", "10.97.0.1"),
      fc.constantFrom(6, 17, 1),
      fc.constantFrom(80, 53, 81),
      (rules, destination, protocol, destinationPort) => {
        const head = ["*mangle", ":PREROUTING ACCEPT [0:0]", ":LONG - [0:0]", ":U - [0:0]"];
        const tail = ["-A U -m mark ! --mark 0x0 -j MARK --or-mark 0x4", "COMMIT", ""];
        const long = [...head, "-A PREROUTING -j LONG", ...rules.map((one) => `-A LONG ${one}`), ...tail];
        // The same rules in chains too short for an index, each the continuation of the one before.
        const parts = Array.from({ length: Math.ceil(rules.length / 10) }, (_, at) => `:P${at} - [0:0]`);
        const split = rules.map((one, at) => `-A P${Math.floor(at / 10)} ${one}`);
        const joined = parts.slice(1).map((_, at) => `-A P${at} -g P${at + 1}`);
        const short = [...head, ...parts, "-A PREROUTING -j P0", ...split, ...joined, ...tail];
        const packet: Packet = {
          ...PACKET,
          protocol,
          destination: readAddress(destination) ?? 0,
          ...(protocol === 1 ? {} : { destinationPort }),
        };
        const { destinationPort: _none, sourcePort: _no, ...ping } = packet;
        const asked = protocol === 1 ? ping : packet;
        expect(outcome(long, asked)).toEqual(outcome(short, asked));
      },
    ),
    { numRuns: 300 },
  );
});

/** Shares and marks by what was assumed, with the rules' names and numbers left out of questions. */
function outcome(lines: readonly string[], packet: Packet) {
  const { ruleset } = readRules({ name: "rules", text: lines.join("\n") }, { family: "ipv4" });
  const { cases } = evaluate({ rulesets: { ipv4: ruleset } }, packet, { fresh: true });
  return cases.map(({ assuming, landings }) => ({
    questions: assuming.length,
    landings: landings.map(({ verdict, share, lastStep }) => [
      verdict,
      toNumber(share),
      lastStep?.headers.mark,
      visited(landings[0] as never),
    ]),
  }));
}

/** How many rules matched, and with which marks. */
function visited(landing: Parameters<typeof traceLines>[0]): readonly string[] {
  return traceLines(landing)
    .filter(({ place }) => !place.includes(":return:") && !/:P\d+:rule:11$/.test(place))
    .map(({ place, headers: { mark } }) => `${place.includes(":rule:") ? "rule" : "end"} ${mark}`);
}
