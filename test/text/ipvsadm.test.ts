// ipvsadm's text: what the real program made of its lines, its listings, faults with their places, and laws.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Address, type Family, prefixMask, readAddress } from "../../grammar/address.js";
import { PROTOCOL } from "../../grammar/protocols.js";
import {
  type Destination,
  type Forwarding,
  familyOfService,
  flagsOfScheduler,
  SCHEDULERS,
  type Scheduling,
  type ServiceKey,
  type VirtualServer,
} from "../../src/state/virtual-servers.js";
import { printVirtualServers, readVirtualServers } from "../../src/text/ipvsadm.js";
import { ENDLESS } from "../endless.js";

const FIXTURES = join(import.meta.dirname, "../../fixtures/ipvs");
const file = (name: string) => readFileSync(join(FIXTURES, name), "utf8");
const read = (text: string) => readVirtualServers({ name: "typed", text });
const printed = (text: string) => printVirtualServers(read(text).services);
const errors = (text: string) => read(text).problems.filter(({ severity }) => severity === "error");

interface Measured {
  readonly lines: readonly string[];
  readonly saved: string;
  readonly said: readonly string[];
}

function measuredCases(): readonly Measured[] {
  return file("measured.txt")
    .split(/^== /m)
    .slice(1)
    .map((text) => {
      const [head = "", ...rest] = text.split("\n");
      const marked = (mark: string) =>
        rest.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
      return {
        lines: head.split(" ; "),
        saved: marked("= ")
          .map((line) => `${line}\n`)
          .join(""),
        said: marked("! "),
      };
    });
}

/** Complaints after which ipvsadm -R goes on: those of the kernel, and unknown options. */
const GOES_ON = /^(?:No such|Service|Destination|Scheduler|Numerical|Invalid operation|-\S+: )/;

/** The lines that ipvsadm read: up to the one at which it stopped, if it did. */
function linesRead({ lines, said }: Measured): readonly string[] {
  const stopped = said.findIndex((message) => !GOES_ON.test(message));
  if (stopped < 0) return lines;
  const faulty = [...new Set(errors(lines.join("\n")).map(({ place }) => place?.line))];
  return lines.slice(0, faulty[stopped]);
}

describe("what the real ipvsadm made of its lines", () => {
  const cases = measuredCases();

  test("there are enough of them", () => {
    expect(cases.length).toBeGreaterThan(350);
    expect(cases.filter(({ said }) => said.length > 0).length).toBeGreaterThan(100);
  });

  test.each(cases.map((one) => [one.lines.join(" ; "), one] as const))("%s", (_, one) => {
    const text = linesRead(one).join("\n");
    expect(printed(text)).toBe(one.saved);
    expect(errors(text)).toHaveLength(one.said.length);
  });

  test("a table of all forms is saved word for word, in ipvsadm's order", () => {
    const { services, problems } = read(file("listings/restore.txt"));
    expect(problems).toEqual([]);
    expect(printVirtualServers(services)).toBe(file("listings/Sn.txt"));
  });

  test("what it saves reads back, even what it refuses itself", () => {
    const saved = file("listings/Sn.txt");
    expect(printed(saved)).toBe(saved);
    expect(read(saved).problems.map(({ code, severity }) => [code, severity])).toEqual([
      ["LF1005", "warning"],
    ]);
    const marks = "-A -f -6 -s rr\n-a -f -6 -r 10.2.0.1:0 -g -w 1\n";
    expect(printed(marks)).toBe(marks);
    expect(read(marks).services[0]?.key).toEqual({ kind: "mark", mark: 4294967290, family: "ipv4" });
    expect(read(marks).problems[0]).toMatchObject({ severity: "warning", help: "write 4294967290" });
  });
});

describe("order", () => {
  test("a saved text stays as it is, also where ipvsadm's order goes in a circle", () => {
    const address = fc.constantFrom(
      "10.0.0.1",
      "100.64.0.1",
      "192.168.0.1",
      "138.0.0.1",
      "fd00::1",
      "7d00::1",
      "1::1",
    );
    fc.assert(
      fc.property(fc.uniqueArray(address, { maxLength: 7 }), (addresses) => {
        const name = (one: string) => (one.includes(":") ? `[${one}]:80` : `${one}:80`);
        const lines = addresses.map((one) => `-A -t ${name(one)} -s rr`);
        const servers = addresses.map((one) => `-a -f 1 -r ${name(one)} -i`);
        const saved = printed([...lines, "-A -f 1 -s rr", ...servers].join("\n"));
        expect(printed(saved)).toBe(saved);
      }),
    );
  });
});

describe("listings", () => {
  const restored = read(file("listings/restore.txt")).services;
  /** What a listing shows of a destination besides its address. */
  const shown = (name: string) =>
    read(file(`listings/${name}.txt`)).services.map(({ key, scheduling, destinations }) => ({
      key,
      scheduling,
      destinations,
    }));
  const keys = (services: readonly { key: ServiceKey }[]) => services.map(({ key }) => key);
  const sorted = read(file("listings/Sn.txt")).services;

  test("with the types of tunnels, a listing says as much as a save", () => {
    const { services, problems } = read(file("listings/Ln--tun-info.txt"));
    expect(problems).toEqual([]);
    expect(printVirtualServers(services)).toBe(file("listings/Sn.txt"));
  });

  test("the plain listing shows schedulers, methods and weights, and no types of tunnels", () => {
    const { services, problems } = read(file("listings/Ln.txt"));
    expect(services.map(({ key, scheduling }) => ({ key, scheduling }))).toEqual(
      sorted.map(({ key, scheduling }) => ({ key, scheduling })),
    );
    expect(services[0]?.destinations[0]).toEqual({
      address: readAddress("10.244.1.10"),
      port: 8080,
      forwarding: { kind: "masquerade" },
      weight: 1,
      activeConnections: 0,
      inactiveConnections: 0,
    });
    expect(problems).toMatchObject([{ code: "LF1022", severity: "warning", help: "run `ipvsadm -Sn`" }]);
    expect(problems[0]?.message).toContain("types of tunnels");
  });

  test.each(["Ln--stats", "Ln--rate"])("%s: nothing but addresses, and that is said", (name) => {
    const services = shown(name);
    expect(keys(services)).toEqual(keys(sorted));
    for (const { scheduling, destinations } of services) {
      expect(scheduling).toBeUndefined();
      for (const destination of destinations) expect(Object.keys(destination)).toEqual(["address", "port"]);
    }
    const [problem] = read(file(`listings/${name}.txt`)).problems;
    expect(problem?.message).toContain("schedulers, weights, forwarding methods");
  });

  test("thresholds, persistent connections and timeouts", () => {
    expect(shown("Ln--thresholds")[0]?.destinations[0]).toMatchObject({
      upperThreshold: 100,
      lowerThreshold: 50,
    });
    expect(shown("Ln--thresholds")[0]?.destinations[0]).not.toHaveProperty("weight");
    expect(shown("Ln--persistent-conn")[0]?.destinations[0]).toMatchObject({
      weight: 1,
      persistentConnections: 0,
    });
    expect(shown("Ln--persistent-conn")[0]?.destinations[0]).not.toHaveProperty("forwarding");
    expect(read(file("listings/Ln--timeout.txt")).timeouts).toEqual({ tcp: 900, tcpFin: 120, udp: 300 });
  });

  test("listings of one table complete each other", () => {
    const text = ["Ln--stats", "Ln--thresholds", "Ln--tun-info", "Ln"]
      .map((name) => file(`listings/${name}.txt`))
      .join("");
    const { services, problems } = read(text);
    expect(problems).toEqual([]);
    expect(printVirtualServers(services)).toBe(file("listings/Sn.txt"));
    expect(services[0]?.destinations[0]).toMatchObject({
      upperThreshold: 100,
      weight: 1,
      activeConnections: 0,
    });
    expect(services).toHaveLength(restored.length);
  });

  test("without -n, services have names, and hosts that have some are not known", () => {
    const withoutLocalhost = (text: string) => text.replace(/^.*(?:localhost|127\.0\.0\.1).*\n/gm, "");
    for (const name of ["L.txt", "S.txt"]) {
      const { services, problems } = read(file(`listings/${name}`));
      const plain = read(file(name === "L.txt" ? "listings/Ln.txt" : "listings/Sn.txt")).services;
      expect(printVirtualServers(services)).toBe(withoutLocalhost(printVirtualServers(plain)));
      const said = problems.filter(({ severity }) => severity === "error");
      expect(said.length).toBeGreaterThan(0);
      for (const problem of said) {
        expect(problem).toMatchObject({ code: "LF1006", help: expect.stringContaining("ipvsadm -Sn") });
        expect(underlined(file(`listings/${name}`), problem)).toMatch(/^localhost:/);
      }
    }
  });

  test("counts of connections, long counters, and the node's own address", () => {
    const { services } = read(
      [
        "TCP  10.96.0.1:443 rr",
        "  -> 10.0.0.1:6443                Masq    1      3          12",
        "  -> 10.0.0.2:6443                Local   2147483647 0          4294967295",
        "UDP  10.96.0.10:53                 99999999   100000K 12345M 1234567G      99T",
        "  -> 10.0.0.1:53                  100000K 12345M 1234567G 99T 1",
      ].join("\n"),
    );
    expect(services[0]?.destinations).toMatchObject([
      { activeConnections: 3, inactiveConnections: 12 },
      { forwarding: { kind: "local" }, weight: 2147483647, inactiveConnections: 4294967295 },
    ]);
    expect(services[1]?.destinations).toEqual([{ address: readAddress("10.0.0.1"), port: 53 }]);
    expect(printVirtualServers(services)).toContain("-r 10.0.0.2:6443 -g -w 2147483647\n");
  });
});

/** The characters that a problem points at. */
function underlined(
  text: string,
  { place }: { place?: { line: number; column: number; endColumn: number } },
): string {
  if (place === undefined) return "";
  return (text.split("\n")[place.line - 1] ?? "").slice(place.column - 1, place.endColumn - 1);
}

describe("faults", () => {
  const web = "-A -t 10.0.0.1:80 -s rr\n";
  test.each([
    ["-A -t 10.0.0.1:80 -s rrr", "LF1006", "rrr", "did you mean rr?"],
    ["-A -t 10.0.0.1:80 -s", "LF1005", "-s"],
    ["-A -t 10.0.0.1:80 -s rr -b ,", "LF1005", ","],
    ["-A -t 10.0.0.1:80 -s rr -b flag-1,sh-port", "LF1010", "sh-port"],
    ["-A -t 10.0.0.1:80 -s sh -b sh-prot", "LF1006", "sh-prot", "did you mean sh-port?"],
    ["-A -t 10.0.0.1:80 -s rr -p 9999999", "LF1006", "9999999"],
    [
      "-A -t 10.0.0.1:80 -s rr -p 60 -M /24",
      "LF1006",
      "/24",
      "an IPv4 netmask is written like 255.255.255.0",
    ],
    ["-A -t 10.0.0.1:80 -s rr -o", "LF1010", "-o"],
    ["-A -t 10.0.0.1 -s rr", "LF1010", "10.0.0.1", "write address:port, or add -p for all ports"],
    ["-A -t 10.0.0.1:66000 -s rr", "LF1006", "10.0.0.1:66000"],
    ["-A -t fd00::1:x -s rr", "LF1006", "fd00::1:x"],
    ["-A -t [fd00::1] -s rr", "LF1006", "[fd00::1]", "IPv6 is written [address]:port"],
    [
      "-A -t web.example.com:80 -s rr",
      "LF1006",
      "web.example.com:80",
      "print addresses as numbers: ipvsadm -Sn, or ipvsadm -Ln",
    ],
    ["-A -f 0 -s rr", "LF1006", "0"],
    ["-A -6 -f 1 -s rr", "LF1010", "-6", "write -f MARK -6"],
    ["-A -t 10.0.0.1:80 -s rr --schduler wrr", "LF1007", "--schduler", "did you mean --scheduler?"],
    ["-A -t 10.0.0.1:80 -s rr -s wrr", "LF1008", "-s wrr"],
    ["-A -t 10.0.0.1:80 -s rr -w 1", "LF1010", "-w 1"],
    ["-A -t 10.0.0.1:80 -s rr more", "LF1017", "more"],
    ["-t 10.0.0.1:80 -A -s rr", "LF1014", "-t", "begin the line with -A"],
    ["--add-servce -t 10.0.0.1:80", "LF1014", "--add-servce", "did you mean --add-service?"],
    ["-A -s rr", "LF1010", "-A", "name it with -t, -u, --sctp-service or -f"],
    [
      "-a -t 10.0.0.9:80 -r 10.2.0.1:80 -m",
      "LF1014",
      "-a -t 10.0.0.9:80 -r 10.2.0.1:80 -m",
      "a line that adds it must come before: -A -t 10.0.0.9:80 -s SCHEDULER",
    ],
    ["-a -t 10.0.0.7:80 -m", "LF1010", "-a", "name it with -r address:port"],
    ["-a -t 10.0.0.7:80 -r 10.2.0.1:80 -m -w 2147483648", "LF1006", "2147483648"],
    ["-a -t 10.0.0.7:80 -r 10.2.0.1:80 -mg", "LF1008", "g"],
    ["-a -t 10.0.0.7:80 -r 10.2.0.1:80 -m -x 5 -y 6", "LF1010", "6"],
    ["-a -t 10.0.0.7:80 -r [fd00::1]:80 -m", "LF1010", "[fd00::1]:80"],
    ["-a -t 10.0.0.7:80 -r 224.0.0.1:80 -m", "LF1006", "224.0.0.1:80"],
    ["-a -t 10.0.0.7:80 -r 10.2.0.1:80 -m --tun-type gue", "LF1010", "--tun-type gue"],
    ["-a -t 10.0.0.7:80 -r 10.2.0.1:80 -i --tun-type gue", "LF1010", "gue", "add --tun-port"],
    ["-a -t 10.0.0.7:80 -r 10.2.0.1:80 -i --tun-type vxlan", "LF1006", "vxlan"],
    [
      "-e -t 10.0.0.7:80 -r 10.2.0.1:8080 -w 2",
      "LF1014",
      "-e -t 10.0.0.7:80 -r 10.2.0.1:8080 -w 2",
      "without -m, the port of the virtual server is taken",
    ],
    ["--set 900 120", "LF1010", "--set", "0 leaves one as it is"],
    ["  -> 10.2.0.1:80 Masq 1 0 0", "LF1014", "  ->", "the row of its virtual server must come before it"],
    ["TCP 10.0.0.3:80 rr sometimes", "LF1006", "sometimes"],
  ])("%s", (line, code, under, advice?: string) => {
    const text = `-A -t 10.0.0.7:80 -s rr\n\n${line}`;
    const problems = errors(text);
    expect(problems).toHaveLength(1);
    const [problem] = problems;
    expect(problem).toMatchObject({ code, place: { line: 3 } });
    expect(underlined(text, problem as NonNullable<typeof problem>)).toBe(under);
    expect(problem?.label ?? problem?.help).toSatisfy((said) => advice === undefined || said === advice);
  });

  test("lines about a service whose own line is faulty are no further fault", () => {
    const text =
      "-A -t 10.0.0.1:80 -s\n-a -t 10.0.0.1:80 -r 10.2.0.1:80 -m\n-a -t 10.0.0.1:80 -r 10.2.0.2:80 -w -3\n";
    expect(errors(text).map(({ code, place }) => [code, place?.line])).toEqual([
      ["LF1005", 1],
      ["LF1006", 3],
    ]);
  });

  test("a second line for the same service tells where the first is", () => {
    expect(errors(`\n${web}${web}`)[0]?.message).toBe("virtual server -t 10.0.0.1:80 is there since line 2");
  });

  test("a default that counts is said", () => {
    expect(read("-A -t 10.0.0.1:80").problems).toMatchObject([{ code: "LF2010", severity: "note" }]);
  });
});

describe("pastes", () => {
  test("prompts, prose and comments are notes; commands behind a prompt are read", () => {
    const text = [
      "here is what the node has:",
      "root@lb1:~# ipvsadm -A -t 10.0.0.1:80 -s rr",
      "$ sudo /sbin/ipvsadm -a -t 10.0.0.1:80 -r 10.2.0.1:80 -m",
      "# ipvsadm -D -t 10.0.0.1:80",
      "ipvsadm -Ln",
      "[root@lb1 ~]# ipvsadm -Ln",
      "IP Virtual Server version 1.2.1 (size=4096)\r",
      "Prot LocalAddress:Port Scheduler Flags\r",
      "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\r",
      "TCP  10.0.0.1:80 rr\r",
      "  -> 10.2.0.1:80                  Masq    1      5          0         \r",
      "IPVS connection entries",
      "pro expire state       source             virtual            destination",
      "TCP 14:57  ESTABLISHED 10.9.0.1:40000     10.0.0.1:80        10.2.0.1:80",
      "TCP and UDP are fine",
    ].join("\n");
    const { services, problems } = read(text);
    expect(printVirtualServers(services)).toBe(
      "-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.2.0.1:80 -m -w 1\n",
    );
    expect(services[0]?.destinations[0]?.activeConnections).toBe(5);
    expect(problems.map(({ code, severity, place }) => [code, severity, place?.line])).toEqual(
      [1, 4, 5, 6, 15].map((line) => ["LF1001", "note", line]),
    );
  });

  test("lines of other kinds are blank, and places stay", () => {
    expect(errors("\n\n\n-A -t 10.0.0.1:80 -s nope")[0]?.place).toMatchObject({
      line: 4,
      column: 22,
      endColumn: 26,
    });
  });
});

describe("laws", () => {
  const ipv4 = fc.nat(0xffffff).map((low): Address => 0x0a000000 + low);
  const ipv6 = fc.bigInt(0n, (1n << 64n) - 1n).map((low): Address => (0xfd00n << 112n) | low);
  const family = fc.constantFrom<Family>("ipv4", "ipv6");
  const port = fc.integer({ min: 1, max: 65535 });
  const key = fc.oneof(
    fc.record({
      kind: fc.constant("address" as const),
      protocol: fc.constantFrom(PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp),
      address: fc.oneof(ipv4, ipv6),
      port,
    }),
    fc.record({ kind: fc.constant("mark" as const), mark: fc.integer({ min: 1, max: 0x7fffffff }), family }),
  );
  const forwarding = fc.oneof(
    fc.constant<Forwarding>({ kind: "masquerade" }),
    fc.constant<Forwarding>({ kind: "route" }),
    fc
      .oneof(
        fc.constant({ type: "ipip" as const }),
        fc.record({
          type: fc.constant("gre" as const),
          checksum: fc.constantFrom("none" as const, "full" as const),
        }),
        fc.record({
          type: fc.constant("gue" as const),
          port,
          checksum: fc.constantFrom("none" as const, "full" as const, "remote" as const),
        }),
      )
      .map((tunnel): Forwarding => ({ kind: "tunnel", tunnel })),
  );
  const scheduling = (of: ServiceKey) =>
    fc.constantFrom(...SCHEDULERS).chain((scheduler) =>
      fc
        .record({
          flags: fc.subarray(
            flagsOfScheduler(scheduler).filter((name) => scheduler[1] !== "h" || name !== "flag-3"),
          ),
          persistent: fc.option(
            fc.tuple(fc.integer({ min: 1, max: 2678400 }), fc.integer({ min: 1, max: 32 })),
          ),
          engine: fc.boolean(),
          once: fc.boolean(),
        })
        .map(
          ({ flags, persistent, engine, once }): Scheduling => ({
            scheduler,
            flags,
            ...(persistent === null
              ? {}
              : {
                  persistence: {
                    timeoutSeconds: persistent[0],
                    mask: prefixMask(persistent[1], familyOfService(of)),
                  },
                }),
            ...(engine ? { persistenceEngine: "sip" } : {}),
            onePacket: once && (of.kind === "mark" || of.protocol === PROTOCOL.udp),
          }),
        ),
    );
  const destination = (of: ServiceKey) =>
    fc
      .record({
        address: familyOfService(of) === "ipv4" ? ipv4 : ipv6,
        port,
        forwarding,
        weight: fc.nat(0x7fffffff),
      })
      .map(
        (one): Destination => ({
          ...one,
          // Without rewriting, the port is that of the service.
          port: of.kind === "address" && one.forwarding.kind !== "masquerade" ? of.port : one.port,
          upperThreshold: 0,
          lowerThreshold: 0,
        }),
      );
  const service: fc.Arbitrary<VirtualServer> = key.chain((of) =>
    fc.record({
      key: fc.constant(of),
      scheduling: scheduling(of),
      destinations: fc.uniqueArray(destination(of), {
        maxLength: 8,
        selector: (one) => `${one.address} ${one.port}`,
      }),
    }),
  );
  const services = fc.uniqueArray(service, {
    maxLength: 8,
    selector: ({ key: { kind, ...of } }) => Object.values(of).map(String).join(" ") + kind,
  });

  test("what is printed reads back as the same table, and prints the same", () => {
    fc.assert(
      fc.property(services, (table) => {
        const text = printVirtualServers(table);
        const second = read(text);
        expect(second.problems).toEqual([]);
        const byText = (one: VirtualServer) => printVirtualServers([one]);
        const inOrder = (all: readonly VirtualServer[]) =>
          [...all]
            .sort((left, right) => (byText(left) < byText(right) ? -1 : 1))
            .map((one) => ({ ...one, destinations: new Set(one.destinations) }));
        expect(inOrder(second.services)).toEqual(inOrder(table));
        expect(printVirtualServers(second.services)).toBe(text);
      }),
    );
  });

  test("the order of options does not matter, once command and service stand first", () => {
    const options = ["-s sh", "-p 60", "-M 255.255.0.0", "--pe sip", "-o", "-b sh-port,sh-fallback"];
    const expected = "-A -u 10.0.0.1:53 -s sh -p 60 -M 255.255.0.0 --pe sip -o -b sh-fallback,sh-port\n";
    fc.assert(
      fc.property(fc.shuffledSubarray(options, { minLength: options.length }), (words) => {
        expect(printed(`-A -u 10.0.0.1:53 ${words.join(" ")}`)).toBe(expected);
      }),
    );
  });

  test("no text throws, and all problems have places inside it", () => {
    const lines = readdirSync(join(FIXTURES, "listings"))
      .flatMap((name) => file(`listings/${name}`).split("\n"))
      .concat(file("measured.txt").split(/ ; |\n== /));
    const edit = fc.record({
      line: fc.nat(lines.length - 1),
      at: fc.nat(80),
      length: fc.nat(10),
      by: fc.oneof(
        fc.string(),
        fc.constantFrom("-", "--", "[", "]", ":", " ", "__proto__", "-b", "\t", '"', "(", "="),
      ),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 20 }), (edits) => {
        const text = edits
          .map(({ line, at, length, by }) => {
            const old = lines[line] ?? "";
            return old.slice(0, at) + by + old.slice(at + length);
          })
          .join("\n");
        const { services: table, problems } = read(text);
        printVirtualServers(table);
        const all = text.split("\n");
        for (const { place } of problems) {
          expect(place?.line).toBeLessThanOrEqual(all.length);
          expect(place?.column).toBeGreaterThanOrEqual(1);
          expect(place?.column).toBeLessThanOrEqual((all[(place?.line ?? 1) - 1] ?? "").length + 1);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("long lines and long tables come to an end", { timeout: ENDLESS }, () => {
    const long = 200_000;
    for (const line of [
      ":".repeat(long),
      `-A -t ${":".repeat(long)}`,
      `x#${" ".repeat(long)}`,
      `${" ".repeat(long)}x`,
      `-A -t 10.0.0.1:80 -s rr -b ${"flag-1,".repeat(long / 10)}`,
      `-A ${"-6 ".repeat(long / 10)}`,
      `TCP a:${"b ".repeat(long / 10)}`,
      `-${"o".repeat(long)}`,
      `-A -${"6".repeat(long)}`,
    ]) {
      read(line);
    }
    const table = ["-A -t 10.0.0.1:80 -s rr"];
    for (let index = 0; index < long / 4; index++)
      table.push(`-a -t 10.0.0.1:80 -r 10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:80 -m`);
    const { services: [one] = [] } = read(table.join("\n"));
    expect(one?.destinations).toHaveLength(long / 4);
  });
});
