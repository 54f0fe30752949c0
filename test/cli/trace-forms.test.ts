// Other forms of trace's answer: the way back, the kernel's TRACE lines, all rules, step by step, live connections.
import { describe, expect, test } from "vitest";
import { conversationSchema } from "../../src/cli/schemas/conversation.js";
import { landfall } from "./terminal.js";

const WEB = ["trace", "node-a.save", "network.yaml", "10.1.2.3:4567 to 10.96.41.17:80/tcp"];

describe("--reply", () => {
  test("the conntrack entry, who answers, and what the client receives", async () => {
    const { code, stdout } = await landfall([...WEB, "--reply"]);
    expect(code).toBe(0);
    expect(stdout).toContain(
      "tcp      6 120 SYN_SENT src=10.1.2.3 dst=10.96.41.17 sport=4567 dport=80 [UNREPLIED] src=10.244.1.14 dst=10.244.1.1 sport=8080 dport=? mark=0 use=1",
    );
    expect(stdout).toContain("answered          from 10.244.1.14:8080");
    expect(stdout).toContain("client receives   10.96.41.17:80 → 10.1.2.3:4567   the address it dialled");
  });

  test("as a document: a conversation of two steps", async () => {
    const { stdout } = await landfall([...WEB, "--reply", "-o", "json"]);
    const { cases } = conversationSchema.parse(JSON.parse(stdout));
    expect(cases[0]?.courses.map(({ steps }) => steps[1]?.src)).toEqual([
      "10.96.41.17",
      "10.96.41.17",
      "10.96.41.17",
    ]);
  });
});

test("-o trace prints what the kernel's TRACE would", async () => {
  const { stdout } = await landfall([...WEB, "-o", "trace"]);
  expect(stdout).toContain(
    "# 715827883/2147483648 forward\nTRACE: nat:PREROUTING:rule:1 IN=eth0 OUT= SRC=10.1.2.3 DST=10.96.41.17 PROTO=TCP SPT=4567 DPT=80 SYN\n",
  );
  expect(stdout).toMatch(
    /^TRACE: nat:POSTROUTING:rule:1 IN=eth0 OUT=cni0 SRC=10\.1\.2\.3 DST=10\.244\.1\.14 PROTO=TCP SPT=4567 DPT=8080 SYN MARK=0x4000$/m,
  );
});

test("--all-rules shows each landing's whole way", async () => {
  const { stdout } = await landfall([...WEB, "--all-rules"]);
  expect(stdout.match(/^33\.3 % 10\.244\./gm)).toHaveLength(3);
  expect(stdout).toMatch(/nat:KUBE-MARK-MASQ:return:2 +end of the chain +mark 0x4000/);
});

describe("--step", () => {
  test("goes the way that is chosen, back, and explains", async () => {
    const { code, stdout } = await landfall([...WEB, "--step"], {
      stdin: "y\ny\ny\ny\ny\ne\ns\nn\nb\nn\ny\ny\ny\ny\ny\ny\ny\n",
    });
    expect(code).toBe(0);
    expect(stdout).toContain("[y] take it (33.3 %)  [n] go on (66.7 %)");
    expect(stdout).toContain("1 in 3 → KUBE-SEP-2HP72ZIPYAM5HUSK");
    expect(stdout).toContain("nat: PREROUTING → KUBE-SERVICES → KUBE-SVC-CDGGSHYLG3RE2FKL");
    expect(stdout).toContain("[y] take it (50 %)  [n] go on (50 %)");
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^.*10\.244\.2\.21:8080 by/);
  });

  test("ends with its input, and with q", async () => {
    expect((await landfall([...WEB, "--step"], { stdin: "" })).code).toBe(0);
    expect((await landfall([...WEB, "--step"], { stdin: "q\ny\n" })).stdout).not.toContain("KUBE-SVC");
  });
});

test("a live connection is told first", async () => {
  const live =
    "tcp      6 431999 ESTABLISHED src=10.1.2.3 dst=10.96.41.17 sport=4567 dport=80 src=10.244.9.9 dst=10.1.2.3 sport=8080 dport=4567 [ASSURED] mark=0 use=1\n";
  const { stdout } = await landfall([...WEB.slice(0, 3), "live.txt", WEB[3] ?? ""], {
    files: { "live.txt": live },
  });
  expect(stdout.split("\n")[2]).toBe("a live connection decides, whatever the rules of nat say now");
  expect(stdout).toContain(`  ${live}`);
  expect(stdout).toContain("10.244.9.9:8080 by");
});

describe("-o mermaid", () => {
  const draw = (...words: readonly string[]) => landfall(["trace", ...words, "-o", "mermaid"]);

  test("the chains on the way, with shares where ways part", async () => {
    const { code, stdout } = await draw("node-a.save", "10.244.9.8:41000 to 10.96.41.17:80/tcp");
    expect(code).toBe(0);
    const [head, ...lines] = stdout.trimEnd().split("\n");
    expect(head).toBe("flowchart LR");
    for (const line of lines)
      expect(line).toMatch(/^ {2}c0n\d+(?:\["[^"]*"\]|\(\["[^"]*"\]\)| -->(?:\|"[^"]*"\|)? c0n\d+)$/);
    expect(stdout).toContain('(["10.244.9.8:41000 → 10.96.41.17:80/tcp"])');
    for (const end of ["10.244.1.14:8080", "10.244.2.21:8080", "10.244.3.9:8080"])
      expect(stdout).toContain(`(["${end}"])`);
    expect(stdout).toContain('|"1 in 3 · 33.3 %"|');
    expect(stdout).toContain('["nat: KUBE-SVC-CDGGSHYLG3RE2FKL"]');
  });

  test("cases are parts of their own", async () => {
    const { stdout } = await draw("node-a.save", "to 10.96.41.17:80/tcp");
    expect(stdout.match(/^ {2}subgraph s\d+\["if /gm)?.length).toBeGreaterThan(1);
    expect(stdout.match(/^ {2}end$/gm)?.length).toBe(stdout.match(/subgraph/g)?.length);
  });

  test("the way back and conversations have none", async () => {
    const back = await draw("node-a.save", "10.244.9.8 to 10.96.41.17:80/tcp", "--reply");
    expect(back).toMatchObject({ code: 2, stdout: "" });
  });
});
