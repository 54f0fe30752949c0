// Laws of the IPVS schedulers; what real connections did is in test/evaluate/ipvs.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAddress } from "../../grammar/address.js";
import type { Client, Load, Moment, RealServer, Scheduler } from "../../grammar/schedulers/description.js";
import { fold, goldenHash, sipHash } from "../../grammar/schedulers/hashes.js";
import { MH_SLOTS, mhTable } from "../../grammar/schedulers/mh.js";
import { IPVS_SCHEDULERS, ipvsScheduler } from "../../grammar/schedulers.js";

const CLIENT: Client = { source: 0x0a090001, sourcePort: 40000, destination: 0x0a60000a };

const named = (name: string): Scheduler => {
  const found = ipvsScheduler(name);
  if (found === undefined) throw new Error(`no scheduler ${name}`);
  return found;
};

const server = (index: number, weight: number, lastWeight = weight): RealServer => ({
  name: `server-${index}`,
  address: 0x0af40000 + 257 * index,
  port: 8080,
  weight,
  lastWeight,
});

const list = (...weights: readonly number[]): readonly RealServer[] =>
  weights.map((weight, index) => server(index, weight));

const IDLE: Load = { active: 0, inactive: 0, overloaded: false };

const moment = (
  servers: readonly RealServer[],
  loads: ReadonlyMap<string, Partial<Load>> = new Map(),
  flags: readonly string[] = [],
): Moment => ({ servers, flags, loadOf: ({ name }) => ({ ...IDLE, ...loads.get(name) }), now: 0 });

/** Names of the servers of so many connections that end at once; undefined: refused. */
function sequence(scheduler: Scheduler, now: Moment, count: number, from?: unknown): (string | undefined)[] {
  let memory = from ?? scheduler.start(now.servers);
  return Array.from({ length: count }, () => {
    const [choice] = scheduler.choose(now, CLIENT, memory);
    memory = choice?.memory;
    return choice?.server?.name;
  });
}

const weights = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 7 });
const someWeight = weights.filter((all) => all.some((weight) => weight > 0));

describe("every scheduler", () => {
  const schedulers = IPVS_SCHEDULERS.map((one) => [one.name, one] as const);

  test.each(schedulers)("%s: names nobody that is closed, and the shares are whole", (_, scheduler) => {
    fc.assert(
      fc.property(
        weights,
        fc.func(fc.nat(300)),
        fc.func(fc.boolean()),
        fc.nat(),
        (all, active, full, source) => {
          const servers = list(...all);
          const loads = new Map(
            servers.map(({ name }) => [name, { active: active(name), overloaded: full(name) }] as const),
          );
          const now = moment(servers, loads);
          const client = { ...CLIENT, source };
          const choices = scheduler.choose(now, client, scheduler.start(servers));
          expect(choices.length).toBeGreaterThan(0);
          for (const choice of choices) {
            expect(choice.weight).toBeGreaterThan(0);
            if (choice.server === undefined) expect(choices).toHaveLength(1);
            else {
              expect(servers).toContain(choice.server);
              expect(choice.server.weight).toBeGreaterThan(0);
              expect(loads.get(choice.server.name)?.overloaded).toBe(false);
            }
          }
          const { ways } = scheduler.inTheLongRun(now, client);
          expect(ways.reduce((sum, { weight }) => sum + weight, 0)).toBeGreaterThan(0);
          for (const way of ways) expect(way.server?.weight ?? 1).toBeGreaterThan(0);
        },
      ),
    );
  });

  test.each(schedulers)("%s: refuses when there is no server, or none has a weight", (_, scheduler) => {
    for (const servers of [[], list(0, 0)]) {
      expect(sequence(scheduler, moment(servers), 3)).toEqual([undefined, undefined, undefined]);
      for (const { server: none } of scheduler.inTheLongRun(moment(servers), CLIENT).ways)
        expect(none).toBeUndefined();
    }
  });

  test.each(schedulers)("%s: a lone server gets all", (_, scheduler) => {
    expect(sequence(scheduler, moment(list(3)), 4)).toEqual(Array(4).fill("server-0"));
    expect(scheduler.inTheLongRun(moment(list(3)), CLIENT).assuming).toEqual([]);
  });
});

describe("turns", () => {
  test("rr: each cycle has every open server once, in the order of the list", () => {
    fc.assert(
      fc.property(someWeight, (all) => {
        const servers = list(...all);
        const open = servers.filter(({ weight }) => weight > 0).map(({ name }) => name);
        expect(sequence(named("rr"), moment(servers), 3 * open.length)).toEqual([...open, ...open, ...open]);
      }),
    );
  });

  test("rr: a server that goes leaves the turn to the one behind it", () => {
    const rr = named("rr");
    const before = list(1, 1, 1);
    const [choice] = rr.choose(moment(before), CLIENT, { last: "server-0" });
    const after = before.filter(({ name }) => name !== "server-1");
    const memory = rr.changed(choice?.memory, after, before);
    expect(sequence(rr, moment(after), 2, memory)).toEqual(["server-2", "server-0"]);
  });

  test("wrr: in a round each server comes as often as its weight says", () => {
    fc.assert(
      fc.property(someWeight, fc.nat(40), (all, skipped) => {
        const servers = list(...all);
        const wrr = named("wrr");
        const divisor = all.reduce((a, b) => (b === 0 ? a : gcd(a, b)), 0);
        const round = all.reduce((sum, weight) => sum + weight / divisor, 0);
        const names = sequence(wrr, moment(servers), skipped + round).slice(skipped);
        for (const { name, weight } of servers)
          expect(names.filter((one) => one === name)).toHaveLength(weight / divisor);
      }),
    );
  });

  test("wrr: the sequence of the documented example", () => {
    // A, B, C of weights 5, 2, 1; C is the newest. A fresh start at the highest threshold.
    const [c, b, a] = ["server-0", "server-1", "server-2"];
    const round = [a, a, a, b, a, c, b, a];
    expect(sequence(named("wrr"), moment(list(1, 2, 5)), 16)).toEqual([...round, ...round]);
  });

  test("wrr: huge weights cost no more", () => {
    const servers = list(0x7fffffff, 1);
    const full = new Map([["server-0", { overloaded: true }]]);
    expect(sequence(named("wrr"), moment(servers, full), 3)).toEqual(Array(3).fill("server-1"));
  });
});

describe("counts", () => {
  test("wlc, sed: nobody else would have been less busy", () => {
    fc.assert(
      fc.property(someWeight, fc.func(fc.nat(50)), fc.func(fc.nat(600)), (all, active, inactive) => {
        const servers = list(...all);
        const loadOf = ({ name }: RealServer): Load => ({
          active: active(name),
          inactive: inactive(name),
          overloaded: false,
        });
        const now = { ...moment(servers), loadOf };
        const costs = {
          wlc: (one: RealServer) => (256 * loadOf(one).active + loadOf(one).inactive) / one.weight,
          sed: (one: RealServer) => (loadOf(one).active + 1) / one.weight,
        };
        for (const [name, cost] of Object.entries(costs)) {
          const [choice] = named(name).choose(now, CLIENT, null);
          const chosen = choice?.server as RealServer;
          for (const other of servers)
            if (other.weight > 0) expect(cost(chosen)).toBeLessThanOrEqual(cost(other));
        }
      }),
    );
  });

  test("twos: as counting all pairs of draws", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
        fc.func(fc.nat(5)),
        (all, active) => {
          const servers = list(...all);
          const total = all.reduce((sum, weight) => sum + weight, 0);
          const drawn = (draw: number): number =>
            all.findIndex((_, index) => draw <= all.slice(0, index + 1).reduce((sum, one) => sum + one, 0));
          const won = all.map(() => 0);
          for (let one = 0; one <= total; one++) {
            for (let two = 0; two <= total; two++) {
              const [first, second] = [drawn(one), drawn(two)];
              const busy = (index: number): number => active(`server-${index}`) / (all[index] ?? 1);
              const winner = busy(first) > busy(second) ? second : first;
              won[winner] = (won[winner] ?? 0) + 1;
            }
          }
          const now = {
            ...moment(servers),
            loadOf: ({ name }: RealServer) => ({ ...IDLE, active: active(name) }),
          };
          const choices = named("twos").choose(now, CLIENT, null);
          expect(servers.map((one) => choices.find((choice) => choice.server === one)?.weight ?? 0)).toEqual(
            won,
          );
        },
      ),
    );
  });
});

describe("hashes", () => {
  test("SipHash-1-3: an implementation of its own by numbers of 32 bits agrees", () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (value) => {
        expect(sipHash(value, 2654435761n)).toBe(slowSipHash(value, 2654435761n));
      }),
    );
  });

  test("the golden-ratio hash has 256 values, and IPv6 addresses are folded", () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (value) => {
        expect(goldenHash(value)).toBe(Number(((BigInt(value) * 0x61c88647n) & 0xffffffffn) >> 24n));
      }),
    );
    expect(fold(readAddress("fd00:96::10") ?? 0)).toBe(0xfd000086);
  });

  test("mh: every slot has an owner, each server about its share, whatever the order of the list", () => {
    fc.assert(
      fc.property(someWeight, (all) => {
        const servers = list(...all);
        const table = mhTable(servers);
        expect(table).toHaveLength(MH_SLOTS);
        const total = all.reduce((sum, weight) => sum + weight, 0);
        for (const [index, weight] of all.entries()) {
          const slots = table.filter((owner) => owner === index).length;
          expect(Math.abs(slots - (MH_SLOTS * weight) / total)).toBeLessThanOrEqual(2 * total);
        }
        const reversed = [...servers].reverse();
        const other = mhTable(reversed);
        const moved = table.filter((owner, slot) => servers[owner] !== reversed[other[slot] ?? -1]).length;
        expect(moved / MH_SLOTS).toBeLessThan(0.2);
      }),
      { numRuns: 30 },
    );
  });

  test("mh: a weight of 0 moves no other client; one that is there from the start takes no slot", () => {
    const [before, quiesced] = [list(2, 1, 3), [server(0, 2), server(1, 0, 1), server(2, 3)]];
    expect(mhTable(quiesced)).toEqual(mhTable(before));
    expect(mhTable(list(2, 0, 3))).not.toContain(1);
  });

  test("sh, mh: with fallback nobody is refused while a server is open; the others stay", () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (source) => {
        for (const name of ["sh", "mh"]) {
          const servers = [server(0, 1), server(1, 0, 1), server(2, 1)];
          const client = { ...CLIENT, source };
          const plain = named(name).choose(moment(servers), client, null)[0]?.server;
          const falls = named(name).choose(moment(servers, new Map(), [`${name}-fallback`]), client, null)[0]
            ?.server;
          expect(falls).toBeDefined();
          if (plain !== undefined) expect(falls).toBe(plain);
        }
      }),
    );
  });
});

function gcd(left: number, right: number): number {
  return right === 0 ? left : gcd(right, left % right);
}

/** SipHash on pairs of 32-bit numbers (high, low), written apart from the one under test. */
function slowSipHash(value: number, key: bigint): number {
  type Pair = [number, number];
  const pair = (text: string): Pair => [
    Number.parseInt(text.slice(0, 8), 16),
    Number.parseInt(text.slice(8), 16),
  ];
  const keyPair = pair(key.toString(16).padStart(16, "0"));
  const xor = (a: Pair, b: Pair): Pair => [(a[0] ^ b[0]) >>> 0, (a[1] ^ b[1]) >>> 0];
  const add = (a: Pair, b: Pair): Pair => {
    const low = a[1] + b[1];
    return [(a[0] + b[0] + (low > 0xffffffff ? 1 : 0)) >>> 0, low >>> 0];
  };
  const turn = ([high, low]: Pair, by: number): Pair =>
    by === 32
      ? [low, high]
      : [((high << by) | (low >>> (32 - by))) >>> 0, ((low << by) | (high >>> (32 - by))) >>> 0];
  const text = (word: string): Pair => pair([...word].map((c) => c.charCodeAt(0).toString(16)).join(""));
  let [a, b, c, d] = ["somepseu", "dorandom", "lygenera", "tedbytes"].map((one) =>
    xor(text(one), keyPair),
  ) as [Pair, Pair, Pair, Pair];
  const round = (): void => {
    a = add(a, b);
    c = add(c, d);
    b = xor(turn(b, 13), a);
    d = xor(turn(d, 16), c);
    a = turn(a, 32);
    c = add(c, b);
    a = add(a, d);
    b = xor(turn(b, 17), c);
    d = xor(turn(d, 21), a);
    c = turn(c, 32);
  };
  const block: Pair = [0x04000000, value];
  d = xor(d, block);
  round();
  a = xor(a, block);
  c = xor(c, [0, 0xff]);
  for (let count = 0; count < 3; count++) round();
  return xor(xor(a, b), xor(c, d))[1];
}
