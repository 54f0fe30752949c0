// What landfall predicts of packets to virtual servers against what a real kernel did, with the rules on the way.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { printAddress, readAddress } from "../../grammar/address.js";
import type { Packet } from "../../grammar/packet.js";
import { protocolNumber } from "../../grammar/protocols.js";
import { conntrackLine } from "../../src/cli/conntrack-line.js";
import { converse } from "../../src/evaluate/conversation.js";
import { evaluate } from "../../src/evaluate/evaluate.js";
import type { Landing } from "../../src/evaluate/outcome.js";
import { lowestTerms, toNumber } from "../../src/evaluate/share.js";
import { traceLines } from "../../src/explain/trace-lines.js";
import { mergeStates } from "../../src/state/nodestate.js";
import { readNodeText } from "../../src/text/read.js";
import { segmentsOf } from "../../src/text/segments.js";

const ROOT = join(import.meta.dirname, "../../fixtures/kernel-ipvs");

interface Seen {
  readonly id: string;
  readonly packet: {
    readonly src?: string;
    readonly sport: number;
    readonly dst: string;
    readonly dport: number;
    readonly proto: string;
    readonly in: string;
    readonly ttl?: number;
  };
  readonly landed?: {
    readonly src: string;
    readonly sport: number;
    readonly dst: string;
    readonly dport: number;
  };
  readonly client?: string;
  readonly entry?: string;
  readonly way: readonly string[];
  readonly answer?: readonly string[];
}

function nodeOf(name: string) {
  const source = { name: "node.txt", text: readFileSync(join(ROOT, name, "node.txt"), "utf8") };
  return mergeStates(
    segmentsOf(source).flatMap((segment) => readNodeText(segment).map(({ state }) => state)),
  );
}

function packetsOf(name: string): readonly Seen[] {
  const text = readFileSync(join(ROOT, name, "packets.ndjson"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function packetOf({ packet }: Seen): Packet {
  const { src, sport, dst, dport, proto, ttl } = packet;
  return {
    family: "ipv4",
    protocol: protocolNumber(proto) ?? 0,
    ...(src === undefined ? {} : { source: readAddress(src) ?? 0 }),
    sourcePort: sport,
    destination: readAddress(dst) ?? 0,
    destinationPort: dport,
    in: packet.in,
    ...(ttl === undefined ? {} : { ttl }),
  };
}

/** The way as the fixture writes it; `?` for ports that the kernel draws. */
function wayOf(landing: Landing): readonly string[] {
  return traceLines(landing).flatMap(({ place, headers }) => {
    if (place.startsWith("raw:")) return [];
    const { source, sourcePort, destination, destinationPort, inInterface, outInterface, mark } = headers;
    const end = (address: typeof source, port: typeof sourcePort) =>
      `${address === undefined || address === null ? "?" : printAddress(address)}:${port ?? "?"}`;
    const ends = `${end(source, sourcePort)}>${end(destination, destinationPort)}`;
    const by = `in=${inInterface ?? ""} out=${outInterface ?? ""}`;
    return [`${place} ${by} ${ends} mark=0x${mark.toString(16)}`];
  });
}

/** With `?` for all that the kernel chose. */
function agrees(line: string, seen: string | undefined): boolean {
  const parts = line.split(/[ :>]/);
  const others = (seen ?? "").split(/[ :>]/);
  return parts.length === others.length && parts.every((part, at) => part === "?" || part === others[at]);
}

describe.each(["kube-proxy", "foreign", "no-conntrack"])("%s", (name) => {
  const state = nodeOf(name);
  const all = packetsOf(name);
  test.each(all.map((seen) => [`${seen.id} ${seen.packet.sport}`, seen] as const))("%s", (_, seen) => {
    const packet = packetOf(seen);
    const { cases } = evaluate(state, packet, { fresh: true });
    expect(cases).toHaveLength(1);
    const landings = cases[0]?.landings ?? [];
    const { landed, way } = seen;
    const walked = landings.find((landing) => {
      const own = wayOf(landing);
      const kernel = way;
      return own.length === kernel.length && own.every((line, at) => agrees(line, kernel[at]));
    });
    if (walked === undefined) expect(landings.map(wayOf)).toContainEqual(way);
    if (landed === undefined) {
      expect(OUTCOMES[seen.client ?? ""]).toContain(walked?.verdict);
      return;
    }
    const { src, sport, dst, dport } = walked ?? {};
    expect({
      src: src === null || src === undefined ? src : printAddress(src),
      dst: dst === null || dst === undefined ? dst : printAddress(dst),
      dport,
    }).toEqual({ src: landed.src, dst: landed.dst, dport: landed.dport });
    if (sport !== null) expect(sport).toBe(landed.sport);
    // As many connections as the fixture has of this kind have met each server in turn.
    const alike = all.filter(
      (one) => one.id === seen.id && JSON.stringify(packetKey(one)) === JSON.stringify(packetKey(seen)),
    );
    if (seen.id !== "affinity" && alike.length === 2 && alike.every((one) => one.landed)) {
      const dsts = new Set(alike.map((one) => one.landed?.dst));
      expect(new Set(landings.map((one) => printAddress(one.dst ?? 0)))).toEqual(dsts);
    }
    if (seen.entry !== undefined && walked?.connection) {
      const line = conntrackLine(walked.connection)
        .replace(/^(\S+)\s+(\d+) (?:\d+ )?(?:[A-Z_]+ )?/, "$1 ")
        .replace(/ (?:\[\w+\]|mark=\d+|use=\d+)/g, "");
      expect(agrees(line.replaceAll("=", " "), seen.entry.replaceAll("=", " "))).toBe(true);
    } else expect(walked?.connection ?? null).toBe(seen.entry === undefined ? null : "an entry");
  });

  test.each(
    all
      .filter(({ answer, landed }) => answer !== undefined && landed !== undefined)
      .map((seen) => [seen.id, seen] as const),
  )("the answer: %s", (_, seen) => {
    const packet = packetOf(seen);
    const { cases } = converse(
      state,
      [
        { kind: "packet", packet },
        { kind: "reply", changes: {} },
      ],
      { fresh: true },
    );
    const own = cases
      .flatMap(({ courses }) => courses)
      .filter(({ steps: [first] }) => first && printAddress(first.dst ?? 0) === seen.landed?.dst);
    expect(own).toHaveLength(1);
    const answer = own[0]?.steps[1];
    if (!answer) throw new Error("no answer");
    const kernel = seen.answer ?? [];
    const walked = wayOf(answer);
    if (walked.length !== kernel.length || !walked.every((line, at) => agrees(line, kernel[at])))
      expect(walked).toEqual(kernel);
    // It comes from where the client had sent to, for the client is content with it.
    expect(`${printAddress(answer.src ?? 0)}:${answer.sport}`).toBe(
      `${seen.packet.dst}:${seen.packet.dport}`,
    );
    expect(answer.dport).toBe(seen.packet.sport);
  });
});

function packetKey({ packet }: Seen) {
  return { ...packet, sport: 0 };
}

const OUTCOMES: Readonly<Record<string, readonly string[]>> = {
  "Connection refused": ["reject", "local"],
  "No route to host": ["reject"],
  // Kept out, or forwarded to where nobody answers.
  timeout: ["drop", "forward"],
};

test("shares by weight", () => {
  const packet: Packet = {
    family: "ipv4",
    protocol: 6,
    source: readAddress("198.51.100.9") ?? 0,
    destination: readAddress("203.0.113.99") ?? 0,
    destinationPort: 80,
    in: "eth0",
  };
  const { cases, notes } = evaluate(nodeOf("foreign"), packet, { fresh: true });
  expect(cases[0]?.landings.map(({ dst, share }) => [printAddress(dst ?? 0), toNumber(share)])).toEqual(
    expect.arrayContaining([
      ["10.244.1.10", 0.75],
      ["10.244.2.20", 0.25],
    ]),
  );
  expect(cases[0]?.landings.map(({ share }) => lowestTerms(share).denominator)).toEqual([4n, 4n]);
  expect(notes).toContain(
    "IPVS 203.0.113.99:80/tcp, wrr: whose turn it is, is not known: shares are those of the long run",
  );
});

test("session affinity keeps a client with its server", () => {
  const first: Packet = {
    family: "ipv4",
    protocol: 17,
    source: readAddress("198.51.100.9") ?? 0,
    sourcePort: 41071,
    destination: readAddress("10.96.0.14") ?? 0,
    destinationPort: 53,
    in: "eth0",
  };
  const { cases } = converse(
    nodeOf("kube-proxy"),
    [
      { kind: "packet", packet: first },
      { kind: "packet", packet: { ...first, sourcePort: 41072 } },
      { kind: "sleep", seconds: 20_000 },
      { kind: "packet", packet: { ...first, sourcePort: 41073 } },
    ],
    { fresh: true },
  );
  const ends = cases[0]?.courses.map(({ steps }) => steps.map((step) => step && printAddress(step.dst ?? 0)));
  // After the template is gone it is the other server's turn.
  expect(ends).toHaveLength(2);
  for (const [one, two, , later] of ends ?? []) {
    expect(two).toBe(one);
    expect(later).not.toBe(one);
  }
});
