// Files of /proc/net/xt_recent: how they come, their faults, and the laws of reading and printing.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAddress } from "../../grammar/address.js";
import { ageSeconds, newestStamp, type RecentList } from "../../src/state/recent.js";
import { printRecent, printRecentList, readRecent } from "../../src/text/recent.js";
import { ENDLESS } from "../endless.js";
import { address } from "./connections.js";

const read = (text: string, name?: string) => readRecent({ name: "lists", text }, name);
const codes = (text: string, name?: string) =>
  read(text, name).problems.map(({ code, severity }) => `${severity} ${code}`);
const bare = (lists: readonly RecentList[]) =>
  lists.map(({ entries, ...rest }) => ({ ...rest, entries: entries.map(({ place: _, ...entry }) => entry) }));

/** As the real kernel printed it: a list that has gone round, one of IPv6, and one written into the file. */
const ROUND = "src=10.9.9.9 ttl: 64 last_seen: 4300564875 oldest_pkt: 2 4300564874, 4300564875, 4300560001";
const SIX =
  "src=0000:0000:0000:0000:0000:0000:0000:0001 ttl: 64 last_seen: 4300564874 oldest_pkt: 1 4300564874";
const WRITTEN = "src=1.2.3.4 ttl: 0 last_seen: 4300564876 oldest_pkt: 1 4300564876";
const FILE = `${ROUND}\n${SIX}\n`;
const TAIL = `==> /proc/net/xt_recent/B <==\n${FILE}\n==> /proc/net/xt_recent/EMPTY <==\n\n==> /proc/net/xt_recent/KUBE-SEP-A <==\n${WRITTEN}\n`;

describe("how lists come", () => {
  test("one file", () => {
    const { lists, problems } = read(FILE, "KUBE-SEP-A");
    expect(problems).toEqual([]);
    expect(bare(lists)).toEqual([
      {
        name: "KUBE-SEP-A",
        entries: [
          {
            address: readAddress("10.9.9.9"),
            ttl: 64,
            lastSeen: 4300564875n,
            oldestPacket: 2,
            stamps: [4300564874n, 4300564875n, 4300560001n],
          },
          { address: 1n, ttl: 64, lastSeen: 4300564874n, oldestPacket: 1, stamps: [4300564874n] },
        ],
      },
    ]);
    expect(lists[0]?.entries[1]?.place).toMatchObject({ line: 2, column: 1 });
    expect(printRecentList(lists[0] as RecentList)).toBe(FILE);
    expect(read("", "EMPTY").lists).toEqual([{ name: "EMPTY", entries: [] }]);
  });

  test("tail -n +1", () => {
    const { lists, problems } = read(TAIL, "other");
    expect(problems).toEqual([]);
    expect(lists.map(({ name, entries }) => `${name} ${entries.length}`)).toEqual([
      "B 2",
      "EMPTY 0",
      "KUBE-SEP-A 1",
    ]);
    expect(printRecent(lists)).toBe(TAIL);
  });

  test.each([
    ["grep -r", "/proc/net/xt_recent/B:"],
    ["grep -rn", "/proc/net/xt_recent/B:17:"],
    ["grep in the folder", "B:"],
  ])("%s", (_, prefix) => {
    const { lists, problems } = read(
      `${prefix}${ROUND}\n/proc/net/xt_recent/C:${SIX}\n${prefix}${WRITTEN}\n`,
    );
    expect(problems).toEqual([]);
    expect(lists.map(({ name, entries }) => `${name} ${entries.length}`)).toEqual(["B 2", "C 1"]);
  });

  test("cat after a prompt, and a name in a line of its own", () => {
    const { lists } = read(
      `root@node:~# cat /proc/net/xt_recent/B\n${ROUND}\n/proc/net/xt_recent/C:\n${WRITTEN}\nroot@node:~#\n`,
    );
    expect(lists.map(({ name, entries }) => `${name} ${entries.length}`)).toEqual(["B 1", "C 1"]);
  });

  test("a list that nothing names has no name, and a warning says so", () => {
    expect(read(FILE).lists[0]).not.toHaveProperty("name");
    expect(codes(FILE)).toEqual(["warning LF1043"]);
    expect(codes(`$ cat /proc/net/xt_recent/*\n${FILE}`)).toEqual(["note LF1001", "warning LF1043"]);
  });

  test("a list that comes twice is the later one, with a warning", () => {
    const header = "==> /proc/net/xt_recent/B <==\n";
    const { lists } = read(`${header}${FILE}\n${header}${WRITTEN}\n`);
    expect(lists.map(({ entries }) => entries.length)).toEqual([1]);
    expect(codes(`${header}${FILE}\n${header}${WRITTEN}\n`)).toEqual(["warning LF1023"]);
  });
});

test("ages are told only with the kernel's HZ", () => {
  const { lists } = read(FILE, "A");
  const now = newestStamp(lists);
  expect(now).toBe(4300564875n);
  expect([250, 1000].map((hz) => ageSeconds(4300560001n, now as bigint, hz))).toEqual([19.496, 4.874]);
  expect(newestStamp([])).toBeUndefined();
});

describe("faults", () => {
  test("a line cut off anywhere is an error or a warning, unless only a stamp or its end is missing", () => {
    const head = ROUND.length - ", 4300560001".length;
    for (let length = "src=".length; length < ROUND.length; length++) {
      const cut = ROUND.slice(0, length);
      const [problem, ...more] = read(`${cut}\n`, "A").problems;
      expect(`${cut}: ${more.length}`).toBe(`${cut}: 0`);
      const undetectable = length === head || length > head + 2;
      expect(`${cut}: ${problem !== undefined}`).toBe(`${cut}: ${!undetectable}`);
    }
  });

  test.each([
    ["src=10.0.0.299 ttl: 64 last_seen: 1 oldest_pkt: 1 1", "error LF1006 1-15"],
    ["src=10.0.0.1 ttl: 256 last_seen: 1 oldest_pkt: 1 1", "error LF1006 19-22"],
    ["src=10.0.0.1 ttl: 64 last_seen: 18446744073709551616 oldest_pkt: 1 1", "error LF1006 33-53"],
    ["src=10.0.0.1 ttl: 64 oldest_pkt: 1 1", "error LF1040 22-33"],
    ["src=10.0.0.1 ttl: 64 last_seen: 1 oldest_pkt: 1 1 2", "error LF1006 49-50"],
    ["src=10.0.0.1 ttl: 64 last_seen: 1 oldest_pkt: 1 1,", "error LF1040 51-52"],
    ["src=10.0.0.1 ttl: 64 last_seen: 1 oldest_pkt: 3 1", "warning LF1040 1-50"],
    ["src=10.0.0.1 dst=10.0.0.2 sport=1", "note LF1001 1-34"],
  ])("%s", (line, expected) => {
    const found = read(line, "A").problems.map(
      ({ code, severity, place }) => `${severity} ${code} ${place?.column}-${place?.endColumn}`,
    );
    expect(found).toEqual([expected]);
  });
});

describe("laws", () => {
  const jiffies = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const entry = fc
    .tuple(
      fc.oneof(address("ipv4"), address("ipv6")),
      fc.integer({ min: 0, max: 255 }),
      fc.array(jiffies, { minLength: 1, maxLength: 40 }),
      fc.nat(),
    )
    .map(([where, ttl, stamps, pick]) => {
      const oldestPacket = (pick % stamps.length) + 1;
      return { address: where, ttl, lastSeen: stamps[oldestPacket - 1] ?? 0n, oldestPacket, stamps };
    });
  const list = fc.record({
    name: fc.constantFrom("__proto__", "KUBE-SEP-ABC", "a b", "x:1", "constructor", "<==", "src=1"),
    entries: fc.array(entry, { maxLength: 5 }),
  });

  test("what is printed is read as the same lists", () => {
    fc.assert(
      fc.property(fc.uniqueArray(list, { selector: ({ name }) => name }), (lists) => {
        const { lists: found, problems } = read(printRecent(lists));
        expect(problems).toEqual([]);
        expect(bare(found)).toEqual(lists);
      }),
    );
  });

  test("any text is read without throwing, and what could be read prints back", () => {
    const noise = fc.oneof(
      fc.string(),
      fc.constantFrom("src=", " ttl: ", "\n", "==> ", " <==", "/xt_recent/", ROUND, SIX, "A:", "1, "),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 12 }), (parts) => {
        const { lists } = read(parts.join(""), "A");
        const printed = printRecent(lists);
        expect(printRecent(read(printed).lists)).toBe(printed);
      }),
    );
  });

  test("long texts come to an end", { timeout: ENDLESS }, () => {
    const size = 100_000;
    for (const unit of [
      "src=",
      "1, ",
      "/xt_recent/",
      "==> /",
      "a ",
      `${ROUND}\n`,
      "==> A <==\n",
      "src=1.1.1.1 ttl: 1 ",
    ]) {
      expect(read(unit.repeat(size / unit.length)).problems).not.toEqual([]);
    }
  });
});
