// Files, folders, archives and streams of any kind, as people hand them over.
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { create } from "tar";
import { describe, expect, test } from "vitest";
import { processIO } from "../../src/cli/io.js";
import { landfall } from "./terminal.js";

const RULES = `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m set --match-set WEB dst,dst -j DNAT --to-destination 10.244.1.5:8080
COMMIT
`;
const SETS = `create WEB hash:ip,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x3b2bd5c2
add WEB 10.96.0.10,tcp:80
`;
const ADDRESSES = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether 02:42:ac:11:00:02 brd ff:ff:ff:ff:ff:ff
    inet 192.168.1.10/24 brd 192.168.1.255 scope global eth0
       valid_lft forever preferred_lft forever
`;
const ROUTES = `default via 192.168.1.1 dev eth0 
192.168.1.0/24 dev eth0 proto kernel scope link src 192.168.1.10 
`;
const CONNECTIONS =
  "tcp      6 431999 ESTABLISHED src=198.51.100.7 dst=10.96.0.10 sport=40000 dport=80 src=10.244.9.9 dst=198.51.100.7 sport=8080 dport=40000 [ASSURED] mark=0 use=1\n";
const ALL = RULES + SETS + ADDRESSES + ROUTES + CONNECTIONS;

describe("a stream of several kinds", () => {
  test("fmt prints each as its tool does", async () => {
    const { code, stdout, stderr } = await landfall(["fmt", "-"], { stdin: ALL });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(ALL);
  });

  test("trace uses all of it: sets, addresses, routes", async () => {
    const { code, stdout } = await landfall(
      ["trace", "-", "198.51.100.8:1234 to 10.96.0.10:80/tcp in eth0", "-o", "json"],
      { stdin: RULES + SETS + ADDRESSES + ROUTES },
    );
    expect(code).toBe(0);
    const { cases, notes } = JSON.parse(stdout);
    expect(cases).toHaveLength(1);
    expect(cases[0].landings[0]).toMatchObject({ dst: "10.244.1.5", dport: 8080, out: "eth0" });
    expect(notes.join()).not.toMatch(/addresses are not known/);
  });

  test("a live connection overrides the rules", async () => {
    const { stdout } = await landfall(
      ["trace", "-", "198.51.100.7:40000 to 10.96.0.10:80/tcp in eth0", "-o", "json"],
      { stdin: ALL },
    );
    expect(JSON.parse(stdout).cases[0].landings[0]).toMatchObject({ dst: "10.244.9.9", dport: 8080 });
  });

  test("problems stand at the lines of the stream", async () => {
    const { code, stderr } = await landfall(["fmt", "-"], { stdin: `${RULES}add NOPE 10.0.0.1,tcp:80\n` });
    expect(code).toBe(3);
    expect(stderr).toMatch(/^-:8:5: error\[/m);
  });
});

describe("packed and odd files", () => {
  test.each([
    ["gzip", gzipSync(RULES)],
    ["UTF-16 with its mark, as PowerShell writes it", Buffer.from(`\uFEFF${RULES}`, "utf16le")],
    ["CR LF", RULES.replaceAll("\n", "\r\n")],
    ["a NUL among much text", RULES.replace("*nat", `${"# remark\n".repeat(200)}# \0\n*nat`)],
  ])("%s", async (_, bytes) => {
    const { code, stdout } = await landfall(["fmt", "dump"], { files: { dump: bytes } });
    expect(code).toBe(0);
    expect(stdout.replace(/^#.*\n/gm, "")).toBe(RULES);
  });

  test.each([
    [
      "a gzip file that was cut off",
      gzipSync(ALL).subarray(0, 60),
      /LF1032.*cannot be unpacked: it ends too early/,
    ],
    ["a damaged one", Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), /LF1032/],
    ["a program", Buffer.from("\x7fELF\x02\0\0\0\0\0\0\0"), /LF1032.*binary/],
  ])("%s", async (_, bytes, said) => {
    const { code, stdout, stderr } = await landfall(["fmt", "dump"], { files: { dump: bytes } });
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(said);
  });

  test("a bundle, and the same unpacked as a folder", async () => {
    const folder = mkdtempSync(join(tmpdir(), "landfall-"));
    mkdirSync(join(folder, "node-a"));
    writeFileSync(join(folder, "node-a", "iptables-save.txt"), RULES);
    writeFileSync(join(folder, "node-a", "ipset.txt"), SETS);
    writeFileSync(join(folder, "node-a", "README"), "these are the dumps of node-a\n");
    const bundle = join(folder, "node-a.tgz");
    await create({ gzip: true, file: bundle, cwd: folder }, ["node-a"]);
    const io = processIO();
    const files = { "node-a.tgz": await io.readFile(bundle) };
    const packed = await landfall(["fmt", "node-a.tgz"], { files });
    expect(packed).toMatchObject({ code: 0 });
    expect(packed.stdout).toContain(RULES);
    expect(packed.stdout).toContain(SETS);
    expect(packed.stderr).toMatch(/^node-a\.tgz\/node-a\/README:1:1: note\[LF1034\]/m);
    expect((await io.listFolder(join(folder)))?.map((path) => path.slice(folder.length + 1))).toEqual([
      "node-a.tgz",
      "node-a/README",
      "node-a/ipset.txt",
      "node-a/iptables-save.txt",
    ]);
    const cut = await landfall(["fmt", "cut.tgz"], {
      files: { "cut.tgz": gzipSync(Buffer.alloc(1024, (await io.readFile(bundle)).subarray(0, 20))) },
    });
    expect(cut.code).toBe(3);
  });

  test("--as forces the kind, and knows which there are", async () => {
    const forced = await landfall(["fmt", "-", "--as", "rules"], { stdin: "-A X -j Y\n" });
    expect(forced.stdout).toContain("-A X -j Y");
    const wrong = await landfall(["fmt", "-", "--as", "ruels"], { stdin: RULES });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/did you mean rules\?/) });
  });

  test("rules of two inputs of one family: the last counts, and it is said", async () => {
    const { stderr } = await landfall(["trace", "a", "b", "10.0.0.1:1 to 10.0.0.2:2/tcp"], {
      files: { a: RULES, b: RULES },
    });
    expect(stderr).toMatch(/warning\[LF1023\]: 2 inputs hold IPv4 rules/);
  });

  test("rules of both back ends are both used, and it is said; empty tables of the other are none", async () => {
    const nft = `# Generated by iptables-nft-save v1.8.9 (nf_tables) on Sat Nov 21 11:01:07 2026\n*nat\n-A PREROUTING -j DNAT --to-destination 10.0.0.12\nCOMMIT\n`;
    const legacy = nft.replace("nft-save v1.8.9 (nf_tables)", "save v1.8.9").replace("0.12", "0.11");
    const empty = legacy.replace(/^-A.*\n/m, "");
    const both = await landfall(["trace", "both", "198.51.100.7:1 to 10.0.0.2:2/tcp"], {
      files: { both: legacy + nft },
    });
    expect(both.stderr).toContain(
      "iptables-legacy and iptables-nft both hold rules: packets are traced through both",
    );
    expect(both.stdout).toMatch(
      /if chain PREROUTING of nft's table nat[\s\S]*10\.0\.0\.12[\s\S]*if legacy's[\s\S]*10\.0\.0\.11/,
    );
    expect(both.stdout).toContain("nat:PREROUTING:rule:1 of nft");
    const one = await landfall(["trace", "a", "b", "198.51.100.7:1 to 10.0.0.2:2/tcp"], {
      files: { a: nft, b: empty },
    });
    expect(one.stderr).not.toContain("LF1023");
    expect(one.stdout).toContain("10.0.0.12");
  });
});
