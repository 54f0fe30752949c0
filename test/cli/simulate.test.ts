// `landfall simulate` as a user types it.
import { describe, expect, test } from "vitest";
import { simulateSchema } from "../../src/cli/schemas/simulate.js";
import { landfall } from "./terminal.js";

const SERVERS = `-A -t 10.96.0.10:80 -s rr
-a -t 10.96.0.10:80 -r 10.244.1.10:8080 -m -w 1
-a -t 10.96.0.10:80 -r 10.244.3.12:8080 -m -w 1
`;
const EVENTS = `event\tid\tproto\tsrc\tsport\tdst\tdport\treal
open\t0\ttcp\t10.9.11.6\t39689\t10.96.0.10\t80\tignored
close\t0\t\t\t\t\t\t
ipvs\t-e -t 10.96.0.10:80 -r 10.244.1.10:8080 -m -w 0
open\tb\ttcp\t10.9.11.6\t39690\t10.96.0.10\t80\t
ipvs\t-e -t 10.96.0.10:80 -r 10.244.3.12:8080 -m -w 0
open\tc\ttcp\t10.9.11.6\t39691\t10.96.0.10\t80\t
`;
const files = { "ipvsadm.txt": SERVERS, "events.tsv": EVENTS };
const ARGS = ["simulate", "ipvsadm.txt", "--connections", "events.tsv"];

describe("simulate", () => {
  test("prints a line for each connection", async () => {
    const { code, stdout, stderr } = await landfall([...ARGS, "-o", "ndjson"], { files });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const certain = `"probability":{"numerator":"1","denominator":"1","value":1}`;
    expect(stdout).toBe(`{"id":"0","servers":[{"address":"10.244.3.12:8080",${certain}}],"assuming":[]}
{"id":"b","servers":[{"address":"10.244.3.12:8080",${certain}}],"assuming":[]}
{"id":"c","servers":[{"address":"refused",${certain}}],"assuming":[]}
`);
    for (const line of stdout.trimEnd().split("\n")) simulateSchema.parse(JSON.parse(line));
    expect((await landfall(ARGS, { files })).stdout).toBe(stdout);
  });

  test("prints a table on a terminal, also by its short name", async () => {
    const { stdout } = await landfall(["sim", ...ARGS.slice(1)], {
      files,
      terminal: true,
      env: { NO_COLOR: "1" },
    });
    expect(stdout).toBe(`ID   CONNECTION                            LANDS ON
0    10.9.11.6:39689 → 10.96.0.10:80/tcp   10.244.3.12:8080
b    10.9.11.6:39690 → 10.96.0.10:80/tcp   10.244.3.12:8080
c    10.9.11.6:39691 → 10.96.0.10:80/tcp   refused
`);
  });

  test("--sorted: shares, and what they rest on", async () => {
    const args = [...ARGS, "--sorted", "-o", "text", "--exact"];
    const { code, stdout } = await landfall(args, { files });
    expect(code).toBe(0);
    expect(stdout).toContain("1/2 10.244.1.10:8080 · 1/2 10.244.3.12:8080\n");
    expect(stdout).toMatch(/given that whose turn it is, is not known\n$/);
    expect((await landfall([...args, "--strict"], { files })).code).toBe(4);
  });

  test("sysctls of the node count", async () => {
    const persistent = SERVERS.replace("-s rr", "-s rr -p 60");
    const events = EVENTS.replaceAll("10.244.3.12:8080", "10.244.1.10:8080").replace(
      "-r 10.244.1.10:8080 -m -w 0",
      "-r 10.244.3.12:8080 -m -w 0",
    );
    const world = {
      files: {
        "ipvsadm.txt": persistent,
        "events.tsv": events,
        "sysctl.txt": "net.ipv4.vs.expire_quiescent_template = 0\n",
      },
    };
    const second = async (...more: readonly string[]) =>
      (await landfall([...ARGS, ...more], world)).stdout.split("\n")[1];
    expect(await second()).toContain("10.244.1.10");
    expect(await second("sysctl.txt")).toContain("10.244.3.12");
  });

  test("a fault in the events: its place, and nothing on stdout", async () => {
    const bad = { ...files, "events.tsv": EVENTS.replace("39690", "396900") };
    const { code, stdout, stderr } = await landfall([...ARGS, "--diagnostics", "json"], { files: bad });
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(JSON.parse(stderr)).toMatchObject({
      code: "LF1053",
      spans: [{ file: "events.tsv", line: 5, col: 22 }],
    });
  });

  test("usage: no connections, no virtual servers, one standard input for both", async () => {
    expect((await landfall(["simulate", "ipvsadm.txt"], { files })).code).toBe(2);
    expect((await landfall(["simulate", "--connections", "-"], { files })).code).toBe(2);
    const { code, stderr } = await landfall(["simulate", "node-a.save", "--connections", "events.tsv"], {
      files,
    });
    expect(code).toBe(3);
    expect(stderr).toContain("no input holds virtual servers");
  });
});
