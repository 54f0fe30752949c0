import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readIPv4, readIPv6 } from "../../grammar/address.js";
import type { Direction, SetPacket } from "../../grammar/sets/description.js";
import { SET_TYPES } from "../../grammar/sets/types.js";
import { membership } from "../../src/state/sets.js";
import { printSets } from "../../src/text/ipset/save.js";
import { readSets } from "../../src/text/ipset.js";
import { ENDLESS } from "../endless.js";
import { element, setText } from "./set-texts.js";

const FIXTURES = join(import.meta.dirname, "../../fixtures");
const fixture = (name: string) => readFileSync(join(FIXTURES, name), "utf8");
const read = (text: string) => readSets({ name: "test", text });
const problems = (text: string) =>
  read(text).problems.map(
    ({ code, severity, place }) => `${code} ${severity} ${place?.line}:${place?.column}-${place?.endColumn}`,
  );
/** What `ipset save` would print after `ipset restore` of the text. */
const saved = (text: string) => {
  const { sets, problems } = read(text);
  expect(problems).toEqual([]);
  return printSets(sets);
};
const HASH = "family inet hashsize 1024 maxelem 65536";

describe("texts of programs", () => {
  test.each(["sets/every-extension.save", "sets/kube-proxy-dual-stack.save"])("%s prints back", (name) => {
    expect(saved(fixture(name))).toBe(fixture(name));
  });

  test("a listing holds what the save holds", () => {
    expect(saved(fixture("sets/every-extension.list"))).toBe(fixture("sets/every-extension.save"));
    expect(saved(fixture("sets/kube-proxy-13.list"))).toContain("create KUBE-6-LOOP-BACK hash:ip,port,ip");
  });

  test("restoring is as the program does it, but for the random number and the order of hashes", () => {
    const lines = (text: string) =>
      text
        .replace(/ bucketsize 12 initval \S+/g, "")
        .split("\n")
        .sort();
    expect(lines(saved(fixture("sets/every-extension.restore")))).toEqual(
      lines(fixture("sets/every-extension.save")),
    );
    const dispatch = saved(fixture("kernel-packets/ipset-dispatch/ipset-save.txt"));
    expect(dispatch).toContain("add SVC 10.96.0.3,tcp:8003\n");
    expect(saved(dispatch)).toBe(dispatch);
  });

  test("members that were not listed are not known", () => {
    const { sets, problems } = read(fixture("sets/terse.list"));
    expect(problems.map(({ code }) => code)).toEqual(Array(5).fill("LF1022"));
    expect(sets.get("pings")?.entries).toBeUndefined();
    const packet = { family: "ipv4", source: 1, destination: 2, protocol: 47 } as const;
    expect(membership(sets, "pings", ["src", "dst"], packet)).toBe("open");
    expect(membership(sets, "all", ["src", "dst"], packet)).toBe("open");
    expect(membership(sets, "pings", ["src"], packet)).toBe("no");
  });

  test("fewer members than were counted", () => {
    expect(
      problems("Name: a\nType: hash:ip\nHeader: family inet\nNumber of entries: 3\nMembers:\n1.1.1.1\n"),
    ).toEqual(["LF1022 warning 1:7-8"]);
  });
});

describe("commands", () => {
  test("old spellings, prompts, remarks and -exist", () => {
    const text = `# made by hand
root@a:~# ipset create a iphash --hashsize 100 -exist
-N b hash:ip -6
create c portmap from 10 to 20
create d ipmap network 10.0.0.0/30

-A a 1.1.1.1
add a 1.1.1.1
COMMIT
some words
quit
add a nonsense
`;
    expect(problems(text)).toEqual(["LF1001 note 10:1-11"]);
    expect(printSets(read(text).sets)).toBe(`create a hash:ip family inet hashsize 128 maxelem 65536
add a 1.1.1.1
create b hash:ip family inet6 hashsize 1024 maxelem 65536
create c bitmap:port range 10-20
create d bitmap:ip range 10.0.0.0-10.0.0.3
`);
  });

  test("swap, rename, del, flush, destroy", () => {
    expect(
      saved(`create l list:set
create a hash:ip
create b hash:ip timeout 5
create c hash:ip
create d bitmap:port range 1-9
add l a
add a 1.1.1.0/30
del a 1.1.1.1-1.1.1.2
add b 2.2.2.2
swap a b
rename c e
add d 9
add d 3-4
flush e
add e 3.3.3.3
`),
    ).toBe(`create a hash:ip ${HASH} timeout 5
add a 2.2.2.2 timeout 5
create b hash:ip ${HASH}
add b 1.1.1.0
add b 1.1.1.3
create e hash:ip ${HASH}
add e 3.3.3.3
create d bitmap:port range 1-9
add d 3
add d 4
add d 9
create l list:set size 8
add l a
`);
  });

  test("places in a list", () => {
    const text = "create l list:set\ncreate a hash:ip\ncreate b hash:ip\ncreate c hash:ip\nadd l a\n";
    expect(saved(`${text}add l b before a\nadd l c after b\n`)).toMatch(/add l b\nadd l c\nadd l a\n$/);
  });

  test.each([
    ["create a hash:ipp", "LF1025 error 1:10-18"],
    ["create a hash:ip hashsise 5", "LF1007 error 1:18-26"],
    ["create a hash:ip hashsize", "LF1005 error 1:18-26"],
    ["create a hash:ip hashsize 5 hashsize 6", "LF1008 error 1:29-37"],
    ["create a hash:ip hashsize x", "LF1006 error 1:27-28"],
    ["create a hash:ip netmask 0", "LF1006 error 1:26-27"],
    ["create a bitmap:port", "LF1010 error 1:10-21"],
    ["create abcdefghijklmnopqrstuvwxyz012345 hash:ip", "LF1014 error 1:8-40"],
    ["create a hash:ip\ncreate a hash:ip", "LF1024 error 2:8-9"],
    ["add a 1.1.1.1", "LF1024 error 1:5-6"],
    ["create a hash:ip\nadd a 1.1.1.300", "LF1026 error 2:7-16"],
    ["create a hash:ip,port,ip\nadd a 1.1.1.1,tcp:99999,1.1.1.2", "LF1026 error 2:15-24"],
    ["create a hash:ip\nadd a 1.1.1.1 timeout 5", "LF1010 error 2:15-22"],
    ["create a hash:ip\nadd a 1.1.1.1\nadd a 1.1.1.1", "LF1026 error 3:7-14"],
    ["create a hash:ip maxelem 1\nadd a 1.1.1.0/31", "LF1026 error 2:7-17"],
    ["create a hash:ip maxelem 4294967295\nadd a 0.0.0.1-255.255.255.255", "LF1026 error 2:7-30"],
    ['create a hash:ip comment\nadd a 1.1.1.1 comment "x', "LF1016 error 2:23-25"],
    ["create l list:set\nadd l a", "LF1024 error 2:7-8"],
    ["create l list:set\ncreate m list:set\nadd l m", "LF1026 error 3:7-8"],
    ["create a hash:ip\ncreate l list:set\nadd l a\ndestroy a", "LF1024 error 4:9-10"],
    ["create a hash:ip\ncreate b hash:net\nswap a b", "LF1024 error 3:6-9"],
    ["<ipsets>\n</ipsets>", "LF1031 error 1:1-2"],
  ])("%s", (text, problem) => {
    expect(problems(text)).toEqual([problem]);
  });

  test("members that are not known stay so", () => {
    const { sets } = read("Name: a\nType: hash:ip\n\nadd a 1.1.1.1\ndel a 1.1.1.2\nflush a\n");
    expect(sets.get("a")?.entries).toBeUndefined();
  });

  test("a set that could not be made is not asked for again", () => {
    expect(problems("create a hash:ipp\nadd a 1\nadd a 2\n")).toHaveLength(1);
  });
});

describe("laws", () => {
  test("what is printed reads back as the same text", () => {
    fc.assert(
      // What ipset saves of a range in a set with a mask, it does not restore itself.
      fc.property(
        setText.filter((text) => !/netmask|bitmask/.test(text)),
        (text) => {
          const { sets } = read(text);
          const printed = printSets(sets);
          const again = read(printed);
          // A list may name a set that is not there.
          expect(again.problems.filter(({ code }) => code !== "LF1024")).toEqual([]);
          expect(printSets(again.sets)).toBe(printed);
        },
      ),
    );
  });

  test("any text is read", () => {
    const word = fc.oneof(
      fc.constantFrom(
        "create",
        "add",
        "a",
        "__proto__",
        "-exist",
        '"',
        "Name:",
        "Members:",
        "del",
        "swap",
        "\t",
      ),
      fc.constantFrom(...SET_TYPES.flatMap(({ name, options }) => [name, ...options])),
      fc.string(),
      element,
    );
    const line = fc.array(word, { maxLength: 6 }).map((words) => words.join(" "));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const { sets, problems } = read(lines.join("\n"));
        for (const { place } of problems)
          expect(place?.line).toBeLessThanOrEqual(lines.join("\n").split("\n").length);
        printSets(sets);
      }),
      { numRuns: 500 },
    );
  });
});

const packet = (more: Partial<SetPacket> = {}): SetPacket => ({
  family: "ipv4",
  protocol: 6,
  source: readIPv4("10.0.0.9") as number,
  sourcePort: 40000,
  destination: readIPv4("10.96.0.1") as number,
  destinationPort: 80,
  ...more,
});
const ask = (text: string, directions: string, asked = packet()) => {
  const { sets, problems } = read(text);
  expect(problems).toEqual([]);
  return membership(sets, [...sets.keys()].at(-1) ?? "", directions.split(",") as Direction[], asked);
};

describe("membership", () => {
  test("each dimension is asked in its direction", () => {
    const text = "create a hash:ip,port,ip\nadd a 10.96.0.1,tcp:80,10.0.0.9\n";
    expect(ask(text, "dst,dst,src")).toBe("yes");
    expect(ask(text, "dst,dst,dst")).toBe("no");
    expect(ask(text, "dst,dst")).toBe("no");
    expect(ask(text, "dst,dst,src,src")).toBe("yes");
    expect(ask(text, "dst,dst,src", packet({ protocol: 17 }))).toBe("no");
  });

  test("the longest prefix decides", () => {
    const text = "create a hash:net\nadd a 10.0.0.0/8\nadd a 10.0.0.0/24 nomatch\nadd a 10.0.0.9\n";
    expect(ask(text, "src")).toBe("yes");
    expect(ask(text, "src", packet({ source: 0x0a000008 }))).toBe("no");
    expect(ask(text, "src", packet({ source: 0x0a000108 }))).toBe("yes");
  });

  test("of two networks the first counts more", () => {
    const text =
      "create a hash:net,net\nadd a 10.0.0.0/24,10.96.0.0/16 nomatch\nadd a 10.0.0.0/16,10.96.0.1\nadd a 10.0.0.0/24,10.96.0.1\n";
    expect(ask(text, "src,dst")).toBe("yes");
    expect(ask(text, "src,dst", packet({ destination: 0x0a600002 }))).toBe("no");
    expect(ask(text, "src,dst", packet({ source: 0x0a000109 }))).toBe("yes");
  });

  test("what is not known is open where it matters", () => {
    const text = "create a hash:ip,port\nadd a 10.96.0.1,tcp:80\n";
    const { source: _, ...unknown } = packet();
    expect(ask(text, "src,dst", unknown)).toBe("open");
    expect(ask(text, "dst,dst", unknown)).toBe("yes");
    const { destinationPort: __, ...portless } = packet();
    expect(ask(text, "dst,dst", portless)).toBe("open");
    expect(ask(text, "src,dst", portless)).toBe("no");
    expect(ask(text, "dst,dst", packet({ destinationPort: null }))).toBe("no");
    expect(ask("create a hash:net\nadd a 10.0.0.0/8 nomatch\n", "src", unknown)).toBe("no");
  });

  test("bitmap:port asks TCP and UDP, and not which", () => {
    const text = "create a bitmap:port range 0-65535\nadd a 80\n";
    expect(ask(text, "dst")).toBe("yes");
    expect(ask(text, "dst", packet({ protocol: 17 }))).toBe("yes");
    expect(ask(text, "dst", packet({ protocol: 132 }))).toBe("no");
    expect(ask(text, "dst", packet({ family: "ipv6", source: 1n, destination: 2n }))).toBe("yes");
  });

  test("ICMP has its type and code for a port, other protocols 0", () => {
    const text = "create a hash:ip,port\nadd a 10.0.0.9,icmp:ping\nadd a 10.0.0.9,gre:0\n";
    const icmp = packet({ protocol: 1, icmpType: 8, icmpCode: 0 });
    expect(ask(text, "src,dst", icmp)).toBe("yes");
    expect(ask(text, "src,dst", { ...icmp, icmpType: 0 })).toBe("no");
    expect(ask(text, "src,dst", packet({ protocol: 47 }))).toBe("yes");
  });

  test("the families are kept apart", () => {
    const text = "create a hash:net family inet6\nadd a ::/1\n";
    expect(ask(text, "src")).toBe("no");
    expect(ask(text, "src", packet({ family: "ipv6", source: readIPv6("::1") as bigint }))).toBe("yes");
  });

  test("a list has what a member has, and passes over members of more dimensions", () => {
    const text =
      "create n hash:net\nadd n 10.0.0.0/8 nomatch\ncreate p hash:ip,port\nadd p 10.0.0.9,tcp:80\ncreate l list:set\nadd l n\nadd l p\n";
    expect(ask(text, "src,dst")).toBe("yes");
    expect(ask(text, "src")).toBe("no");
    expect(ask(`create l list:set\n`, "src")).toBe("no");
  });

  test("interfaces by name and by its beginning; bridge ports never", () => {
    const text =
      "create a hash:net,iface\nadd a 0.0.0.0/0,eth wildcard\nadd a 10.0.0.0/8,eth1 nomatch\nadd a 10.0.0.0/8,physdev:lo\n";
    // The search ends at the longest network that is there.
    expect(ask(text, "src,src", packet({ inInterface: "eth0" }))).toBe("no");
    expect(ask(text, "src,src", packet({ inInterface: "eth1" }))).toBe("no");
    expect(ask(text, "src,src", packet({ inInterface: "lo" }))).toBe("no");
    const far = packet({ source: 0x01010101 });
    expect(ask(text, "src,src", { ...far, inInterface: "eth0" })).toBe("yes");
    expect(ask(text, "src,src", { ...far, inInterface: "lo" })).toBe("no");
    expect(ask(text, "src,dst", far)).toBe("open");
    expect(ask(text, "src,dst", packet())).toBe("no");
    expect(ask(text, "src,dst", packet({ outInterface: null }))).toBe("no");
  });

  test("masks, marks and MAC addresses", () => {
    expect(ask("create a hash:ip netmask 24\nadd a 10.0.0.77\n", "src")).toBe("yes");
    expect(ask("create a hash:ip bitmask 255.0.0.255\nadd a 10.9.9.9\n", "src")).toBe("yes");
    const marked = "create a hash:ip,mark markmask 0xff\nadd a 10.0.0.9,0x101\n";
    expect(ask(marked, "src,src", packet({ mark: 0xff01 }))).toBe("yes");
    expect(ask(marked, "src,src", packet({ mark: 2 }))).toBe("no");
    const macs =
      "create a bitmap:ip,mac range 10.0.0.0/24\nadd a 10.0.0.9\nadd a 10.0.0.8,00:00:00:00:00:07\n";
    expect(ask(macs, "src,src", packet({ sourceMac: 5 }))).toBe("yes");
    expect(ask(macs, "src,src", packet({ source: 0x0a000008, sourceMac: 5 }))).toBe("no");
    expect(ask(macs, "src,src", packet({ source: 0x0a000008, sourceMac: 7 }))).toBe("yes");
    expect(ask(macs, "src,src", packet())).toBe("open");
    expect(ask(macs, "src,src", packet({ sourceMac: null }))).toBe("no");
  });

  test("the index agrees with a look at each element", () => {
    const nets = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 26, max: 32 }), fc.boolean()),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(nets, fc.integer({ min: 0, max: 63 }), (entries, source) => {
        const cut = entries.map(([address, length, nomatch]) => ({
          address: address & -(2 ** (32 - length)),
          length,
          nomatch,
        }));
        const text = cut.map((e) => `add a 0.0.0.${e.address}/${e.length}${e.nomatch ? " nomatch" : ""}`);
        const { sets } = read(["create a hash:net", ...text].join("\n"));
        const holds = cut.filter((e) => (source & -(2 ** (32 - e.length))) === e.address);
        const best = holds.reduce((most, e) => (e.length > most ? e.length : most), -1);
        // Of two equal elements the first was taken.
        const first = holds.find((e) => e.length === best);
        expect(membership(sets, "a", ["src"], packet({ source }))).toBe(
          first && !first.nomatch ? "yes" : "no",
        );
      }),
    );
  });
});

test.each([
  ["destroyed", (i: number) => `create a${i} hash:ip\nadd l a${i}`, (i: number) => `destroy a${i}`],
  ["renamed", (i: number) => `create a${i} hash:ip`, (i: number) => `rename a${i} b${i}`],
  [
    "put in places",
    (i: number) => `create a${i} hash:ip\nadd l a${i}`,
    (i: number) => `add l a${i} before a0 -exist`,
  ],
  ["missing", (i: number) => `create a${i} hash:ip`, (i: number) => `add l b${i}`],
])("many sets %s come to an end", { timeout: ENDLESS }, (_, make, then) => {
  const lines = ["create l list:set"];
  for (let i = 0; i < 15_000; i++) lines.push(make(i));
  for (let i = 0; i < 15_000; i++) lines.push(then(i));
  const { sets } = read(lines.join("\n"));
  expect(printSets(sets)).toContain("create l list:set");
});

test("long lines come to an end", { timeout: ENDLESS }, () => {
  for (const text of [`Name:${" ".repeat(200_000)}`, `Name: a\nType:${" x".repeat(100_000)}`]) {
    const { problems } = read(
      `${text}\nMembers:\n${"@".repeat(200_000)}\n${" ".repeat(200_000)}x\n${"$ ".repeat(100_000)}`,
    );
    expect(problems).not.toEqual([]);
  }
});

test("a big set", { timeout: ENDLESS }, () => {
  const lines = ["create a hash:ip,port maxelem 100000"];
  for (let i = 0; i < 65536; i++) lines.push(`add a 10.${i >> 8}.${i & 255}.1,tcp:${i}`);
  const { sets, problems } = read(lines.join("\n"));
  expect(problems).toEqual([]);
  let found = 0;
  for (let i = 0; i < 65536; i++)
    if (
      membership(sets, "a", ["src", "src"], packet({ source: 0x0a000001 + i * 256, sourcePort: i })) === "yes"
    )
      found++;
  expect(found).toBe(65536);
});
