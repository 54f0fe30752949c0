// Text of the connection tracking table: its forms, its faults, and the laws of reading and printing.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAddress } from "../../grammar/address.js";
import {
  type Connection,
  connectionKey,
  destinationNat,
  findConnection,
  hasSeenReply,
  sourceNat,
  zoneOf,
} from "../../src/state/connections.js";
import { readConnections } from "../../src/text/conntrack.js";
import { type ConnectionForm, printConnections } from "../../src/text/conntrack-print.js";
import { ENDLESS } from "../endless.js";
import { connection } from "./connections.js";

const read = (text: string) => readConnections({ name: "table", text });
const codes = (text: string) => read(text).problems.map(({ code, severity }) => `${severity} ${code}`);
const places = (text: string) =>
  read(text).problems.map(({ place }) => place && `${place.line}:${place.column}-${place.endColumn}`);

function only(text: string): Connection {
  const { connections, problems } = read(text);
  expect(problems).toEqual([]);
  expect(connections).toHaveLength(1);
  return connections[0] as Connection;
}

const address = (text: string) => readAddress(text) ?? expect.fail(text);

/** As the real conntrack and the real kernel printed them. */
const LISTED = `tcp      6 999 ESTABLISHED src=10.0.0.1 dst=10.96.0.10 sport=1000 dport=80 packets=5 bytes=269 src=10.244.0.5 dst=10.0.0.1 sport=8080 dport=1000 packets=3 bytes=164 [ASSURED] mark=16384 delta-time=0 use=1
tcp      6 99 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1005 dport=80 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1005 mark=0 zone=7 use=1
tcp      6 99 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1006 dport=80 zone-orig=8 packets=0 bytes=0 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1006 packets=0 bytes=0 mark=0 use=1
tcp      6 99 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1007 dport=80 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1007 zone-reply=9 mark=0 use=1
sctp     132 99 SHUTDOWN_ACK_SENT src=10.0.0.1 dst=10.0.0.2 sport=1 dport=3 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=3 dport=1 mark=0 use=1
dccp     33 99 src=10.0.0.1 dst=10.0.0.2 sport=0 dport=0 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=0 dport=0 mark=0 use=1
udplite  136 99 src=10.0.0.1 dst=10.0.0.2 sport=1001 dport=53 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=53 dport=1001 mark=0 use=1
gre      47 99 src=10.0.0.1 dst=10.0.0.2 srckey=0x11 dstkey=0x0 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 srckey=0x0 dstkey=0x11 mark=0 use=1
icmp     1 99 src=10.0.0.1 dst=10.0.0.2 type=13 code=0 id=77 src=10.0.0.2 dst=10.0.0.1 type=14 code=0 id=77 mark=0 use=1 id=3125848722
icmpv6   58 99 src=fd00::1 dst=fd00::2 type=128 code=0 id=1234 [UNREPLIED] src=fd00::2 dst=fd00::1 type=129 code=0 id=1234 mark=0 use=1
unknown  112 99 src=fd00::3 dst=fd00::2 [UNREPLIED] src=fd00::2 dst=fd00::3 mark=0 use=1
udp      17 99 src=fd00::1 dst=::ffff:10.0.0.2 sport=1008 dport=80 [UNREPLIED] src=::ffff:10.0.0.2 dst=fd00::1 sport=80 dport=1008 mark=0 use=1
tcp      6 119 TIME_WAIT src=127.0.0.1 dst=127.0.0.1 sport=60822 dport=21 src=127.0.0.1 dst=127.0.0.1 sport=21 dport=60822 [ASSURED] mark=0 delta-time=0 [start=Sat Nov 21 07:54:32 2026] helper=ftp use=1 id=4087274984
udp      17 99 src=10.0.0.1 dst=10.0.0.2 sport=1099 dport=53 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=53 dport=1099 mark=0 secctx=system_u:object_r:unlabeled_t:s0 use=1 id=1899019517 labels=eth0-in,foo
tcp      6 src=10.0.0.1 dst=10.0.0.2 sport=1010 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1010 [HW_OFFLOAD] mark=0 use=2
`;

const PROC = `ipv4     2 gre      47 99 timeout=0, stream_timeout=180 src=10.0.0.1 dst=10.0.0.2 srckey=0x1 dstkey=0x2 packets=0 bytes=0 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 srckey=0x2 dstkey=0x1 packets=0 bytes=0 mark=0 zone=0 delta-time=0 use=2
ipv4     2 tcp      6 99 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1006 dport=80 zone-orig=8 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1006 mark=0 use=2
ipv6     10 udp      17 99 src=fd00:0000:0000:0000:0000:0000:0000:0001 dst=0000:0000:0000:0000:0000:ffff:0a00:0002 sport=1008 dport=80 [UNREPLIED] src=0000:0000:0000:0000:0000:ffff:0a00:0002 dst=fd00:0000:0000:0000:0000:0000:0000:0001 sport=80 dport=1008 mark=0 zone=0 use=2
ipv4     2 unknown  33 99 src=10.0.0.1 dst=10.0.0.2 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 mark=0 zone=0 use=2
`;

const EXTENDED = LISTED.replace(/^/gm, "ipv4     2 ")
  .replace(/^ipv4 {5}2 (.*:.*:)/gm, (line, rest: string) =>
    /src=\S*:/.test(line) ? `ipv6     10 ${rest}` : line,
  )
  .replace(/ipv4 {5}2 $/, "");

describe("what the tools print", () => {
  test.each<[ConnectionForm, string]>([
    ["list", LISTED],
    ["extended", EXTENDED],
    ["proc", PROC],
  ])("%s is read and printed back", (form, text) => {
    const { connections, problems, form: found } = read(text);
    expect(problems).toEqual([]);
    expect(found).toBe(form);
    expect(printConnections(connections, { form })).toBe(text);
  });

  test("an entry holds all that its line says", () => {
    const { place, ...entry } = only(LISTED.split("\n")[0] as string);
    expect(place).toMatchObject({ line: 1, column: 1 });
    expect(entry).toEqual({
      family: "ipv4",
      protocol: 6,
      protocolName: "tcp",
      timeoutSeconds: 999,
      state: "ESTABLISHED",
      original: {
        source: address("10.0.0.1"),
        destination: address("10.96.0.10"),
        ports: { source: 1000, destination: 80 },
        counters: { packets: 5n, bytes: 269n },
      },
      reply: {
        source: address("10.244.0.5"),
        destination: address("10.0.0.1"),
        ports: { source: 8080, destination: 1000 },
        counters: { packets: 3n, bytes: 164n },
      },
      standing: "ASSURED",
      mark: 0x4000,
      deltaTimeSeconds: 0,
      use: 1,
    });
    expect(hasSeenReply(only(LISTED.split("\n")[0] as string))).toBe(true);
  });

  test("the tool's own last line is no problem, prose is a note", () => {
    const text = `node# conntrack -L\n${LISTED}conntrack v1.4.7 (conntrack-tools): 15 flow entries have been shown.\n\n`;
    expect(codes(text)).toEqual(["note LF1001"]);
    expect(read(text).connections).toHaveLength(15);
  });

  test("what stands before an entry is passed over", () => {
    const line =
      "udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=1 use=1";
    for (const before of ["\t", "12:", "> ", "+ ", "node-a.conntrack:", "Jan 02 03:04:05 node: "]) {
      const entry = only(before + line);
      expect(printConnections([entry])).toBe(`${line}\n`);
      expect(entry.place?.column).toBe(before.length + 1);
    }
  });

  test("words that are not known stay where they stood", () => {
    const line =
      "tcp      6 9 NEW_STATE early=1 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 flag=x [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 [SEEN] mark=0 __proto__=5 use=1 last=\n";
    expect(printConnections([only(line)])).toBe(line);
  });

  test("entries that a terminal has wrapped are joined", () => {
    const [line = ""] = LISTED.split("\n");
    for (let width = 20; width < line.length; width++) {
      const wrapped = line.replace(new RegExp(`.{${width}}`, "g"), "$&\n");
      if (wrapped.split("\n").length > 8) continue;
      expect(`${width} ${printConnections(read(wrapped).connections)}`).toBe(`${width} ${line}\n`);
    }
  });
});

describe("events", () => {
  const tuples = "src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1";
  const unreplied = tuples.replace(" src=10.0.0.2", " [UNREPLIED] src=10.0.0.2");

  test("the last state counts, and an update keeps what it does not say", () => {
    const entry = only(
      `    [NEW] tcp      6 120 SYN_SENT ${unreplied} mark=5 helper=ftp\n [UPDATE] tcp      6 60 SYN_RECV ${tuples}\n [UPDATE] tcp      6 432000 ESTABLISHED ${tuples} [ASSURED] mark=6\n`,
    );
    expect(printConnections([entry])).toBe(
      `tcp      6 432000 ESTABLISHED ${tuples} [ASSURED] mark=6 helper=ftp\n`,
    );
  });

  test("what was destroyed is gone, and a note says so", () => {
    const text = `tcp      6 99 ESTABLISHED ${tuples} [ASSURED] mark=0 use=1
[1795247672.566174]\t    [NEW] ipv4     2 udp      17 30 ${unreplied} id=7
[1795247672.588805]\t[DESTROY] ipv4     2 tcp      6 ${tuples} packets=1 bytes=2 delta-time=0 [USERSPACE] portid=2404447789
conntrack v1.4.7 (conntrack-tools): 2 flow events have been shown.
`;
    expect(read(text).connections.map(({ protocolName }) => protocolName)).toEqual(["udp"]);
    expect(codes(text)).toEqual(["note LF1041"]);
  });

  test("a connection that comes again stands at the end", () => {
    const text = `[NEW] tcp      6 9 SYN_SENT ${unreplied}\n[NEW] udp      17 9 ${unreplied}\n[DESTROY] tcp      6 ${unreplied}\n[NEW] tcp      6 8 SYN_SENT ${unreplied}\n`;
    expect(read(text).connections.map(({ timeoutSeconds }) => timeoutSeconds)).toEqual([9, 8]);
  });
});

describe("faults", () => {
  const good =
    "tcp      6 9 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 [ASSURED] mark=0 use=1";

  test("a line cut off before its end is an error or a warning at the place, wherever that shows", () => {
    // Behind `dport=2` nothing is missing that an entry must have, so only the other entries tell.
    const complete = good.lastIndexOf("dport=1") + "dport=1".length;
    for (let length = "tcp      6 9".length; length < good.length; length++) {
      const cut = good.slice(0, length).trimEnd();
      const text = `${good.replace("sport=1 ", "sport=9 ")}\n${cut}\n`;
      const [problem, ...more] = read(text).problems;
      expect(`${cut}: ${more.length}`).toBe(`${cut}: 0`);
      if (length < complete) expect(`${cut}: ${problem?.severity}`).toBe(`${cut}: error`);
      else if (cut.endsWith("use=1")) expect(problem).toBeUndefined();
      else expect(`${cut}: ${problem?.code}`).toMatch(/LF10(?:40|06|17)$/);
      expect(problem?.place?.line ?? 2).toBe(2);
    }
  });

  test.each([
    [
      "tcp      6 9 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 [UNREPLIED] src=10.0.0.2 dst",
      "1:93-96",
    ],
    ["tcp      6 9 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2", "1:67-68"],
    [
      "tcp      6 9 ESTABLISHED src=10.0.0.1 dst=10.0.0.299 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1",
      "1:39-53",
    ],
    [
      "tcp      6 9 ESTABLISHED src=10.0.0.1 dst=fd00::1 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1",
      "1:39-50",
    ],
    [
      "tcp      6 9 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=65536 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1",
      "1:52-63",
    ],
    [
      "udp      6 9 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1",
      "1:10-11",
    ],
    [good.replace("mark=0", "mark=0 mark=1"), "1:127-133"],
    [good.replace("mark=0", "mark=4294967296"), "1:120-135"],
    [good.replace("mark=0", "mark"), "1:120-124"],
    [good.replace("tcp      ", ""), "1:1-2"],
  ])("%s", (line, place) => {
    expect(read(line).connections).toEqual([]);
    expect(codes(line)).toHaveLength(1);
    expect(codes(line)[0]).toMatch(/^error LF10/);
    expect(places(line)).toEqual([place]);
  });

  test("a connection that is listed twice is kept twice, with a warning", () => {
    const text = `${good}\n${good.replace(" 9 ", " 8 ")}\n`;
    expect(codes(text)).toEqual(["warning LF1042"]);
    expect(read(text).connections).toHaveLength(2);
  });

  test("lists of other things are notes", () => {
    const expectation =
      "297 proto=6 src=10.0.0.1 dst=10.0.0.2 sport=0 dport=21 mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535 master-src=10.0.0.1 master-dst=10.0.0.2 sport=1 dport=2 class=0 helper=ftp";
    const statistics = "cpu=0   \tfound=0 invalid=0 insert=7 insert_failed=0 drop=0 early_drop=0 error=0";
    expect(codes(`${expectation}\n${statistics}\n`)).toEqual(["note LF1001", "note LF1001"]);
  });
});

describe("NAT", () => {
  const entry = (original: string, reply: string) =>
    only(`tcp      6 9 ESTABLISHED ${original} ${reply} use=1`);

  test("to a pod, masqueraded", () => {
    const found = entry(
      "src=10.0.0.1 dst=10.96.0.10 sport=1000 dport=80",
      "src=10.244.0.5 dst=192.168.0.7 sport=8080 dport=61000",
    );
    expect(destinationNat(found)).toEqual({
      from: { address: address("10.96.0.10"), port: 80 },
      to: { address: address("10.244.0.5"), port: 8080 },
    });
    expect(sourceNat(found)).toEqual({
      from: { address: address("10.0.0.1"), port: 1000 },
      to: { address: address("192.168.0.7"), port: 61000 },
    });
  });

  test("ports alone", () => {
    const found = entry(
      "src=1.1.1.1 dst=2.2.2.2 sport=1 dport=80",
      "src=2.2.2.2 dst=1.1.1.1 sport=8080 dport=1",
    );
    expect(destinationNat(found)?.to.port).toBe(8080);
    expect(sourceNat(found)).toBeUndefined();
  });

  test("none", () => {
    const found = entry(
      "src=1.1.1.1 dst=2.2.2.2 sport=1 dport=80",
      "src=2.2.2.2 dst=1.1.1.1 sport=80 dport=1",
    );
    expect([destinationNat(found), sourceNat(found)]).toEqual([undefined, undefined]);
  });
});

describe("the entry of a packet", () => {
  const { connections } = read(LISTED);

  test("packets of both directions are found, an answer by where it comes from", () => {
    const packet = {
      protocol: 6,
      source: address("10.244.0.5"),
      destination: address("10.0.0.1"),
      ports: { source: 8080, destination: 1000 },
    };
    expect(findConnection(connections, packet)).toEqual({ connection: connections[0], direction: "reply" });
    expect(findConnection(connections, { ...packet, protocol: 17 })).toBeUndefined();
    expect(findConnection(connections, { ...packet, zone: 7 })).toBeUndefined();
  });

  test("zones of one direction", () => {
    const packet = {
      protocol: 6,
      source: address("10.0.0.1"),
      destination: address("10.0.0.2"),
      ports: { source: 1006, destination: 80 },
    };
    expect(findConnection(connections, packet)).toBeUndefined();
    expect(findConnection(connections, { ...packet, zone: 8 })?.direction).toBe("original");
  });

  test("protocols that the kernel does not know are told by addresses", () => {
    const packet = {
      protocol: 112,
      source: address("fd00::2"),
      destination: address("fd00::3"),
      ports: { source: 1, destination: 2 },
    };
    expect(findConnection(connections, packet)?.direction).toBe("reply");
  });

  test("the index finds what a search through all entries finds", () => {
    fc.assert(
      fc.property(fc.array(connection, { minLength: 1, maxLength: 30 }), fc.nat(), (all, pick) => {
        const wanted = all[pick % all.length] as Connection;
        const { original, protocol } = wanted;
        const last = all.findLast((one) => connectionKey(one) === connectionKey(wanted));
        const found = findConnection(all, { ...original, protocol, zone: zoneOf(wanted, "original") });
        // A reply tuple of a later entry may be the same.
        if (found?.direction === "original") expect(found.connection).toBe(last);
        else expect(all.indexOf(found?.connection as Connection)).toBeGreaterThan(all.indexOf(wanted));
      }),
    );
  });
});

describe("laws", () => {
  const bare = (connections: readonly Connection[]) => connections.map(({ place: _, ...rest }) => rest);

  test("what is printed is read as the same connections", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(connection, { maxLength: 10, selector: connectionKey }),
        fc.constantFrom<ConnectionForm>("list", "extended"),
        (connections, form) => {
          const { connections: found, problems } = read(printConnections(connections, { form }));
          expect(problems).toEqual([]);
          expect(bare(found)).toEqual(connections);
        },
      ),
    );
  });

  test("so is the form of /proc, but for what it does not show", () => {
    fc.assert(
      fc.property(connection, (one) => {
        const { start, stop, helper, id, labels, others, ...shown } = one;
        const wanted = { ...shown, zone: one.zone ?? 0 };
        const { connections, problems, form } = read(printConnections([wanted], { form: "proc" }));
        expect(problems).toEqual([]);
        expect(bare(connections)).toEqual([wanted]);
        if (one.zone === undefined) expect(form).toBe("proc");
      }),
    );
  });

  test("any text is read without throwing, and what could be read prints back", () => {
    const noise = fc.oneof(
      fc.string(),
      fc.constantFrom(" src=", "dst=", "[", "]", "tcp 6 ", "\n", "=", "[NEW]", "zone-orig=", "1.2.3.4", "::"),
      fc.constantFrom(...LISTED.split("\n"), ...PROC.split("\n")),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 12 }), (parts) => {
        const { connections } = read(parts.join(""));
        const printed = printConnections(connections);
        expect(printConnections(read(printed).connections)).toBe(printed);
      }),
    );
  });

  test("one long line and many come to an end", { timeout: ENDLESS }, () => {
    const size = 100_000;
    for (const unit of [
      "[",
      "[ ",
      "src= ",
      "a=b ",
      "tcp 6 src=1.1.1.1\n",
      "1 ",
      " ",
      "tcp 6 1\n9\n",
      "sport=1 \n",
    ]) {
      expect(read(unit.repeat(size / unit.length)).connections.length).toBeLessThanOrEqual(size);
    }
    expect(read(LISTED.repeat(1000)).connections.length).toBeGreaterThan(1000);
  });
});
