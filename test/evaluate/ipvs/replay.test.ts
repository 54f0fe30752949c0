// Replays without a recording: chance, what is not known, time, and what a packet meets.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAddress } from "../../../grammar/address.js";
import { PROTOCOL } from "../../../grammar/protocols.js";
import type { Opened } from "../../../src/evaluate/ipvs/replay.js";
import { serverFor } from "../../../src/evaluate/ipvs/server-for.js";
import { ipvsSettings, ipvsTable, serverName } from "../../../src/evaluate/ipvs/table.js";
import { lowestTerms } from "../../../src/evaluate/share.js";
import { readVirtualServers } from "../../../src/text/ipvsadm.js";
import { replayed } from "./fixtures.js";

const V = "10.96.0.10:80";

function servers(scheduler: string, weights: readonly number[], more: readonly string[] = []): string {
  const lines = weights.map((weight, index) => `-a -t ${V} -r 10.244.${index}.1:8080 -m -w ${weight}`);
  return [`-A -t ${V} -s ${scheduler}`, ...lines, ...more].join("\n");
}

const open = (id: number, source = `10.9.0.${id}`, port = 40000) =>
  `open\t${id}\ttcp\t${source}\t${port}\t10.96.0.10\t80`;

/** Shares by the third byte of the server's address; `refused` is `-`. */
function shares({ servers: all }: Opened): string {
  return all
    .map(({ address, share }) => {
      const { numerator, denominator } = lowestTerms(share);
      return `${address === "refused" ? "-" : address.split(".")[2]}:${numerator}/${denominator}`;
    })
    .sort()
    .join(" ");
}

function answers(restore: string, lines: readonly string[], options = {}): readonly string[] {
  const { answers: all, problems } = replayed(restore, lines.join("\n"), options);
  expect(problems).toEqual([]);
  return all.map(shares);
}

describe("chance", () => {
  /** By following every draw by itself. */
  function followed(counts: readonly number[], weights: readonly number[], steps: number): readonly number[] {
    // The list is newest first.
    const order = weights.map((_, index) => weights.length - 1 - index);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const drawn = (draw: number): number => {
      let sum = 0;
      for (const index of order) {
        sum += weights[index] ?? 0;
        if (draw <= sum) return index;
      }
      return -1;
    };
    const ends = weights.map(() => 0);
    for (let one = 0; one <= total; one++) {
      for (let two = 0; two <= total; two++) {
        const [first, second] = [drawn(one), drawn(two)];
        const busy = (index: number): number => (counts[index] ?? 0) / (weights[index] ?? 1);
        const winner = busy(first) > busy(second) ? second : first;
        if (steps === 0) ends[winner] = (ends[winner] ?? 0) + 1;
        else {
          const next = counts.map((count, index) => (index === winner ? count + 1 : count));
          for (const [index, part] of followed(next, weights, steps - 1).entries())
            ends[index] = (ends[index] ?? 0) + part;
        }
      }
    }
    return ends;
  }

  test("twos: the shares of each connection are those of all draws before", () => {
    const weights = [1, 2, 1];
    const all = replayed(servers("twos", weights), [open(0), open(1), open(2)].join("\n")).answers;
    for (const [step, answer] of all.entries()) {
      const ends = followed([0, 0, 0], weights, step);
      const sum = ends.reduce((total, end) => total + end, 0);
      for (const { address, share } of answer.servers) {
        const { numerator, denominator } = lowestTerms(share);
        const end = ends[Number(address.split(".")[2])] ?? 0;
        expect(numerator * BigInt(sum)).toBe(BigInt(end) * denominator);
      }
    }
  });

  test("what is closed makes no difference any more: the futures are one again", () => {
    const lines = Array.from({ length: 300 }, (_, id) => [
      open(id, "10.9.1.1", 1024 + id),
      `close\t${id}`,
      `expire\t${id}`,
    ]);
    const all = answers(servers("twos", [1, 1, 2]), lines.flat());
    expect(new Set(all).size).toBe(1);
  });

  test("too many futures are cut, which is said; shares add up to 1 all the same", () => {
    const lines = Array.from({ length: 400 }, (_, id) => open(id, "10.9.1.1", 1024 + id));
    const closes = Array.from({ length: 400 }, (_, id) => `close\t${id}`);
    const { answers: all } = replayed(servers("twos", [1, 2, 3, 4]), [...lines, ...closes].join("\n"));
    expect(all[1]?.assuming).toEqual([]);
    expect(all.at(-1)?.assuming[0]).toMatch(/less likely outcomes/);
    for (const { servers: ends } of all) {
      const terms = ends.map(({ share }) => lowestTerms(share));
      const whole = terms.reduce((product, { denominator }) => product * denominator, 1n);
      expect(terms.reduce((sum, one) => sum + (one.numerator * whole) / one.denominator, 0n)).toBe(whole);
    }
  }, 30_000);
});

describe("what is not known", () => {
  test("shares in the long run, and what they rest on", () => {
    const sorted = { sorted: true };
    const run = (scheduler: string) => {
      const read = replayed(servers(scheduler, [1, 2, 0]), open(1), sorted).answers[0];
      return read === undefined ? "" : [shares(read), ...read.assuming].join("; ");
    };
    expect(run("rr")).toBe("0:1/2 1:1/2; whose turn it is, is not known");
    expect(run("wrr")).toBe("0:1/3 1:2/3; whose turn it is, is not known");
    expect(run("wlc")).toBe("0:1/3 1:2/3; how many connections each real server has, is not known");
    expect(run("sh")).toBe("-:1/4 0:1/4 1:1/2; in which order the real servers were added, is not known");
    expect(run("sh -b sh-fallback")).toMatch(/^0:1\/3 1:2\/3;/);
    expect(run("fo")).toBe("1:1/1");
  });

  test("a client of a persistent service stays where it may be, until that is quiesced", () => {
    const quiesce = (index: number) => `ipvs\t-e -t ${V} -r 10.244.${index}.1:8080 -m -w 0`;
    const all = answers(
      servers("rr -p 100", [1, 1, 1]),
      [
        open(1, "10.9.0.1"),
        quiesce(0),
        open(2, "10.9.0.1", 2),
        open(3, "10.9.0.2"),
        quiesce(1),
        open(4, "10.9.0.1", 4),
      ],
      { sorted: true },
    );
    expect(all).toEqual(["0:1/3 1:1/3 2:1/3", "1:1/2 2:1/2", "1:1/2 2:1/2", "2:1/1"]);
  });

  test("a listing tells the connections, so that the least busy is known", () => {
    const listing = (first: number) => `Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  ${V} wlc
  -> 10.244.0.1:8080              Masq    2      ${first}          0
  -> 10.244.1.1:8080              Masq    1      3          0
  -> 10.244.2.1:8080              Masq    1      3          0
`;
    const of = (first: number) => {
      const [answer] = replayed(listing(first), open(1)).answers;
      return answer === undefined ? [] : [shares(answer), ...answer.assuming];
    };
    expect(of(5)).toEqual(["0:1/1"]);
    expect(of(7)).toEqual(["1:1/2 2:1/2", "in which order the real servers were added, is not known"]);
  });
});

describe("time", () => {
  test("a closed connection stops counting after two minutes", () => {
    const before = [open(1), open(2, "10.9.0.2"), "close\t1", "close\t2"];
    // One more closed connection on the newer server: the other is less busy while that counts.
    const again = [open(3, "10.9.0.3"), "close\t3", "wait\t100", open(4, "10.9.0.4")];
    expect(answers(servers("lc", [1, 1]), [...before, ...again])).toEqual([
      "1:1/1",
      "0:1/1",
      "1:1/1",
      "0:1/1",
    ]);
    const later = [open(3, "10.9.0.3"), "close\t3", "wait\t120", open(4, "10.9.0.4")];
    expect(answers(servers("lc", [1, 1]), [...before, ...later]).at(-1)).toBe("1:1/1");
  });

  test("a client is forgotten when its template runs out without connections", () => {
    const run = (seconds: number, ...more: readonly string[]) =>
      answers(servers("rr -p 300", [1, 1]), [
        open(1, "10.9.0.1"),
        ...more,
        `wait\t${seconds}`,
        open(2, "10.9.0.1", 1),
      ]);
    expect(run(299, "expire\t1")).toEqual(["1:1/1", "1:1/1"]);
    expect(run(300, "expire\t1")).toEqual(["1:1/1", "0:1/1"]);
    expect(run(9999)).toEqual(["1:1/1", "1:1/1"]);
    // Held by TIME_WAIT, and then gone at 300.
    expect(run(299, "close\t1")).toEqual(["1:1/1", "1:1/1"]);
    expect(run(301, "close\t1")).toEqual(["1:1/1", "0:1/1"]);
  });

  test("waiting at once or in parts is the same", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 6 }),
        fc.boolean(),
        (parts, closed) => {
          const run = (waits: readonly number[]) =>
            answers(servers("rr -p 70", [1, 1, 1]), [
              open(1, "10.9.0.1"),
              ...(closed ? ["close\t1"] : []),
              ...waits.map((seconds) => `wait\t${seconds}`),
              open(2, "10.9.0.1", 1),
              open(3, "10.9.0.3"),
            ]);
          expect(run(parts)).toEqual(run([parts.reduce((sum, one) => sum + one, 0)]));
        },
      ),
    );
  });
});

describe("settings", () => {
  const lines = [
    open(1),
    open(2, "10.9.0.2"),
    `ipvs\t-e -t ${V} -r 10.244.1.1:8080 -m -w 0`,
    open(3, "10.9.0.1", 1),
  ];
  const run = (sysctls: Readonly<Record<string, string>>) =>
    answers(servers("rr -p 100", [1, 1]), lines, {
      settings: ipvsSettings(new Map(Object.entries(sysctls))),
    });

  test("a quiesced server keeps its clients, unless told otherwise", () => {
    expect(run({}).at(-1)).toBe("0:1/1");
    expect(run({ "net.ipv4.vs.expire_quiescent_template": "0" }).at(-1)).toBe("1:1/1");
  });

  test("a deleted server has its connections still when it comes back, unless they are expired", () => {
    const lost = [
      ...[1, 2, 3, 4].map((id) => open(id, `10.9.0.${id}`)),
      `ipvs\t-d -t ${V} -r 10.244.0.1:8080`,
      `ipvs\t-a -t ${V} -r 10.244.0.1:8080 -m`,
      ...[5, 6, 7].map((id) => open(id, `10.9.0.${id}`)),
    ];
    const off = { settings: ipvsSettings(new Map([["net.ipv4.vs.expire_nodest_conn", "0"]])) };
    expect(answers(servers("lc", [1, 1]), lost, off).slice(4)).toEqual(["0:1/1", "1:1/1", "0:1/1"]);
    expect(answers(servers("lc", [1, 1]), lost).slice(4)).toEqual(["0:1/1", "0:1/1", "0:1/1"]);
  });
});

test("one-packet scheduling: each packet anew, and none counts", () => {
  const U = "10.96.0.10:53";
  const restore = (ops: string) =>
    `-A -u ${U} -s rr ${ops}\n-a -u ${U} -r 10.244.0.1:53 -m\n-a -u ${U} -r 10.244.1.1:53 -m`;
  const lines = [0, 1, 2, 3].map((id) => `open\t${id}\tudp\t10.9.0.1\t5000\t10.96.0.10\t53`);
  expect(answers(restore("-o"), lines)).toEqual(["1:1/1", "0:1/1", "1:1/1", "0:1/1"]);
  expect(answers(restore(""), lines)).toEqual(["1:1/1", "1:1/1", "1:1/1", "1:1/1"]);
});

describe("a packet in the INPUT hook", () => {
  const table = (text: string, options = {}) =>
    ipvsTable(readVirtualServers({ name: "typed", text }), options);
  const packet = (destination: string, destinationPort: number, more: object = {}) => ({
    family: "ipv4" as const,
    protocol: PROTOCOL.tcp,
    destination: readAddress(destination) ?? 0,
    destinationPort,
    ...more,
  });
  const text = `-A -f 5 -s rr
-a -f 5 -r 10.244.5.1:0 -m
-A -t 10.96.0.10:21 -s rr -p 60
-a -t 10.96.0.10:21 -r 10.244.2.1:21 -m
-A -t 10.96.0.11:21 -s rr
-a -t 10.96.0.11:21 -r 10.244.3.1:21 -m
-A -t 10.96.0.10:0 -s rr -p 60
-a -t 10.96.0.10:0 -r 10.244.4.1:0 -m
${servers("rr", [1])}
-A -u 10.96.0.10:80 -s rr
`;
  const lands = (...asked: Parameters<typeof packet>) =>
    serverFor(table(text), packet(...asked))
      ?.servers.map(({ to }) => (to === undefined ? "refused" : serverName(to)))
      .join(" ");

  test("mark, address and port, FTP data, all ports, in this order", () => {
    expect(lands("10.96.0.10", 80)).toBe("10.244.0.1:8080");
    expect(lands("10.96.0.10", 80, { mark: 5 })).toBe("10.244.5.1:80");
    expect(lands("10.96.0.10", 80, { mark: 6 })).toBe("10.244.0.1:8080");
    expect(lands("10.96.0.10", 2000)).toBe("10.244.2.1:2000");
    expect(lands("10.96.0.10", 443)).toBe("10.244.4.1:443");
    expect(lands("10.96.0.10", 80, { protocol: PROTOCOL.udp })).toBe("refused");
    expect(lands("10.96.0.10", 81, { protocol: PROTOCOL.udp })).toBeUndefined();
    expect(lands("10.96.0.11", 2000)).toBeUndefined();
    expect(lands("10.96.0.9", 80)).toBeUndefined();
  });

  test("with a source the hash decides, without one all clients share", () => {
    const hashed = table(servers("mh", [1, 1, 1]), { sorted: true });
    const all = serverFor(hashed, packet("10.96.0.10", 80));
    expect(all?.servers).toHaveLength(3);
    const one = serverFor(
      table(servers("mh", [1, 1, 1])),
      packet("10.96.0.10", 80, { source: 7, sourcePort: 1 }),
    );
    expect(one?.servers).toHaveLength(1);
    expect(one?.assuming).toEqual([]);
  });
});
