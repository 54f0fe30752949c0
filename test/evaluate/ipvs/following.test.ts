// Packets one after another to virtual servers: what each choice tells of the next.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printAddress, readAddress } from "../../../grammar/address.js";
import type { Packet } from "../../../grammar/packet.js";
import { PROTOCOL } from "../../../grammar/protocols.js";
import { type ConversationStep, converse } from "../../../src/evaluate/conversation.js";
import { evaluate } from "../../../src/evaluate/evaluate.js";
import type { EvaluateOptions } from "../../../src/evaluate/options.js";
import { lowestTerms, plus } from "../../../src/evaluate/share.js";
import { readVirtualServers } from "../../../src/text/ipvsadm.js";
import { replayed } from "./fixtures.js";

const V = "10.96.0.10:80";

function table(scheduler: string, weights: readonly number[]): string {
  const lines = weights.map((weight, at) => `-a -t ${V} -r 10.244.0.${at + 10}:8080 -m -w ${weight}`);
  return [`-A -t ${V} -s ${scheduler}`, ...lines, ""].join("\n");
}

const stateOf = (text: string) => ({
  rulesets: {},
  virtualServers: readVirtualServers({ name: "servers", text }),
});

const packet = (source: string, sourcePort: number, tcpFlags = 2): Packet => ({
  family: "ipv4",
  protocol: PROTOCOL.tcp,
  source: readAddress(source) ?? 0,
  sourcePort,
  destination: readAddress("10.96.0.10") ?? 0,
  destinationPort: 80,
  in: "eth0",
  tcpFlags,
});

const step = (one: Packet): ConversationStep => ({ kind: "packet", packet: one });

/** Courses as the last numbers of the servers that the packets met, with their shares; `-` is refused. */
function courses(text: string, packets: readonly Packet[], options: EvaluateOptions = {}) {
  const { cases, notes } = converse(stateOf(text), packets.map(step), options);
  expect(cases).toHaveLength(1);
  const all = (cases[0]?.courses ?? []).map(({ share, steps }) => {
    const { numerator, denominator } = lowestTerms(share);
    const ends = steps.map((one) =>
      one?.verdict === "reject" ? "-" : printAddress(one?.dst ?? 0).split(".")[3],
    );
    return `${ends.join(" ")}: ${numerator}/${denominator}`;
  });
  return { courses: all.sort(), notes };
}

const clients = (count: number) =>
  Array.from({ length: count }, (_, at) => packet("198.51.100.9", 41000 + at));

describe("a listing, which is sorted", () => {
  test("rr: each server once before one has its second turn", () => {
    const { courses: all, notes } = courses(table("rr", [1, 1, 0, 1]), clients(4));
    expect(all).toEqual(
      ["10 11 13 10", "10 13 11 10", "11 10 13 11", "11 13 10 11", "13 10 11 13", "13 11 10 13"].map(
        (ends) => `${ends}: 1/6`,
      ),
    );
    expect(notes.some((note) => note.includes("whose turn it is"))).toBe(true);
  });

  test("wrr with equal weights is rr", () => {
    expect(courses(table("wrr", [3, 3]), clients(3)).courses).toEqual(["10 11 10: 1/2", "11 10 11: 1/2"]);
  });

  test("wrr: a round has each server as often as its weight", () => {
    for (const one of courses(table("wrr", [2, 1]), clients(3)).courses)
      expect(one.slice(0, 8).split(" ").sort()).toEqual(["10", "10", "11"]);
  });

  test("sh: a client stays with its server, whatever the order is", () => {
    const two = [packet("198.51.100.9", 41000), packet("198.51.100.9", 41001)];
    for (const one of courses(table("sh", [1, 2, 1]), two).courses) {
      const [first, second] = one.split(":")[0]?.split(" ") ?? [];
      expect(second).toBe(first);
    }
  });

  test("lc: without counts each choice is for itself; of a new table they are counted", () => {
    expect(courses(table("lc", [1, 1]), clients(2)).courses).toHaveLength(4);
    expect(courses(table("lc", [1, 1]), clients(3), { fresh: true }).courses).toEqual([
      "10 11 10: 1/2",
      "11 10 11: 1/2",
    ]);
  });

  test("law: whatever comes before, the share of the first packet is that of a single question", () => {
    // Of sh and dh a single question tells the share of all clients, a conversation that of its own client.
    const scheduler = fc.constantFrom("rr", "wrr", "lc", "wlc", "sed", "nq", "fo", "ovf");
    const weights = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(scheduler, weights, (name, list) => {
        const text = table(name, list);
        const single = evaluate(stateOf(text), packet("198.51.100.9", 41000)).cases[0]?.landings ?? [];
        const shares = new Map<string, string>();
        const sums = new Map<string, ReturnType<typeof plus>>();
        for (const { dst, verdict, share } of single) {
          const { numerator, denominator } = lowestTerms(share);
          shares.set(`${verdict} ${dst}`, `${numerator}/${denominator}`);
        }
        const { cases } = converse(stateOf(text), clients(2).map(step));
        for (const { share, steps } of cases[0]?.courses ?? []) {
          const key = `${steps[0]?.verdict} ${steps[0]?.dst}`;
          const before = sums.get(key);
          sums.set(key, before === undefined ? share : plus(before, share));
        }
        const added = [...sums].map(([key, share]) => {
          const { numerator, denominator } = lowestTerms(share);
          return [key, `${numerator}/${denominator}`] as const;
        });
        expect(new Map(added)).toEqual(shares);
      }),
      { numRuns: 60 },
    );
  });
});

describe("servers in the order in which they were added", () => {
  test("law: a conversation foresees what a replay does", () => {
    const scheduler = fc.constantFrom(
      "rr",
      "wrr",
      "lc",
      "wlc",
      "sed",
      "nq",
      "sh",
      "dh",
      "mh",
      "fo",
      "ovf",
      "lblc",
    );
    const weights = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 });
    const persistent = fc.constantFrom("", " -p 60");
    const sources = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean()), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(scheduler, weights, persistent, sources, (name, list, more, asked) => {
        const text = table(`${name}${more}`, list);
        const events: string[] = [];
        const packets: Packet[] = [];
        for (const [at, [host, closes]] of asked.entries()) {
          const source = `198.51.100.${host}`;
          packets.push(packet(source, 41000 + at));
          events.push(`open\t${at}\ttcp\t${source}\t${41000 + at}\t10.96.0.10\t80`);
          if (!closes) continue;
          packets.push(packet(source, 41000 + at, 17));
          events.push(`close\t${at}`);
        }
        const run = courses(text, packets, { fresh: true, serversInOrder: true });
        expect(run.courses).toHaveLength(1);
        const met = run.courses[0]?.split(":")[0]?.split(" ") ?? [];
        const opened = met.filter((_, at) => packets[at]?.tcpFlags === 2);
        const replay = replayed(text, events.join("\n")).answers.map(({ servers }) =>
          servers[0]?.address === "refused" ? "-" : servers[0]?.address.split(/[.:]/)[3],
        );
        expect(opened).toEqual(replay);
      }),
      { numRuns: 80 },
    );
  });

  test("a SYN with the ends of a connection that is over begins another; of one that is not, it belongs to it", () => {
    const first = packet("198.51.100.9", 41000);
    const fin = packet("198.51.100.9", 41000, 17);
    const ends = (packets: readonly Packet[]) =>
      courses(table("rr", [1, 1]), packets, { fresh: true, serversInOrder: true }).courses;
    expect(ends([first, first, first])).toEqual(["11 11 11: 1/1"]);
    expect(ends([first, fin, first])).toEqual(["11 11 10: 1/1"]);
  });
});

test("UDP never counts as active: sed, which asks for active ones alone, stays with the heaviest server", () => {
  const text = table("sed", [1, 5]).replaceAll("-t ", "-u ");
  const udp = clients(7).map((one): Packet => {
    const { tcpFlags: _, ...rest } = one;
    return { ...rest, protocol: PROTOCOL.udp };
  });
  const run = courses(text, udp, { fresh: true, serversInOrder: true });
  expect(run.courses).toEqual([`${"11 ".repeat(7).trim()}: 1/1`]);
  const lc = table("lc", [1, 1]).replaceAll("-t ", "-u ");
  expect(courses(lc, udp.slice(0, 3), { fresh: true, serversInOrder: true }).courses).toEqual([
    "11 10 11: 1/1",
  ]);
});

describe("connections that IPVS knows", () => {
  const heading = "IPVS connection entries\n";
  const entry = (state: string, source: string, server: number, time = "14:59") =>
    `TCP ${time} ${state} ${source} ${V} 10.244.0.${server}:8080\n`;

  test("a connection goes on where it is", () => {
    const text = `${table("rr", [1, 1])}${heading}${entry("ESTABLISHED", "198.51.100.9:41000", 10)}`;
    expect(courses(text, [packet("198.51.100.9", 41000, 16)]).courses).toEqual(["10: 1/1"]);
  });

  test("a template keeps its client, until its time is over", () => {
    const text = `${table("rr -p 600", [1, 1])}${heading}${entry("ASSURED", "198.51.100.9:0", 11, "05:00")}`;
    expect(courses(text, clients(1)).courses).toEqual(["11: 1/1"]);
    const { cases } = converse(stateOf(text), [
      { kind: "sleep", seconds: 301 },
      { kind: "packet", packet: packet("198.51.100.9", 41000) },
    ]);
    expect(cases[0]?.courses).toHaveLength(2);
    expect(courses(text, [packet("198.51.100.10", 41000)]).courses).toHaveLength(2);
  });

  test("they are counted", () => {
    const busy = [1, 2].map((at) => entry("ESTABLISHED", `198.51.100.9:${41000 + at}`, 10)).join("");
    const text = `${table("lc", [1, 1])}${heading}${busy}`;
    expect(courses(text, [packet("198.51.100.9", 42000)]).courses).toEqual(["11: 1/1"]);
    const closing = entry("TIME_WAIT", "198.51.100.9:41003", 11);
    expect(courses(`${text}${closing}`, [packet("198.51.100.9", 42000)]).courses).toEqual(["11: 1/1"]);
  });
});
