// What a user who types something wrong reads: one clear diagnostic, the exit code, and nothing on stdout.
import { describe, expect, test } from "vitest";
import { memoryIO } from "../../src/cli/memory-io.js";
import { run } from "../../src/cli/run.js";
import { SCHEMAS } from "../../src/cli/schemas.js";
import { landfall, type World } from "./terminal.js";

const DUMP = `*nat
:PREROUTING ACCEPT [0:0]
:KUBE-SVC-A - [0:0]
-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-A
-A KUBE-SVC-A -m statistic --mode random --probabilty 0.5 -j ACCEPT
COMMIT
`;

const SERVICE = `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
    - port: "80"
`;

const cases: readonly (readonly [string, readonly string[], World, number, string])[] = [
  [
    "a malformed rule",
    ["fmt", "a.save"],
    { files: { "a.save": DUMP } },
    3,
    `a.save:5:42: error[LF1007]: unknown option --probabilty in match statistic
5│ -A KUBE-SVC-A -m statistic --mode random --probabilty 0.5 -j ACCEPT
 │                                          ^^^^^^^^^^^^ did you mean --probability?
`,
  ],
  [
    "a port in quotes",
    ["compile", "svc.yaml"],
    { files: { "svc.yaml": SERVICE } },
    3,
    `svc.yaml:7:13: error[LF5002]: Service default/web: spec.ports[0].port must be a number, got "80"
7│     - port: "80"
 │             ^^^^ remove the quotes
`,
  ],
  [
    "a missing file",
    ["fmt", "nothing.save"],
    {},
    3,
    `error[LF1033]: nothing.save cannot be read: there is no such file
  = help: give the name of a file that is there, or - for standard input
`,
  ],
  [
    "a binary file",
    ["fmt", "ls"],
    { files: { ls: Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 1]) } },
    3,
    `ls:1:1: error[LF1032]: this is a binary file, not text
  = help: landfall reads text as iptables-save and kubectl print it
`,
  ],
  [
    "an empty standard input",
    ["fmt", "-"],
    { stdin: "" },
    3,
    `-:1:1: error[LF1030]: this input is empty
  = help: did the command before the pipe fail? iptables-save needs root
`,
  ],
  [
    "an unknown flag",
    ["fmt", "--famly", "6"],
    {},
    2,
    "error: unknown option '--famly'\n  = help: did you mean --family?\n",
  ],
  ["an unknown command", ["trac"], {}, 2, "error: unknown command 'trac'\n  = help: did you mean trace?\n"],
  [
    "an unknown form",
    ["versions", "-o", "jsn"],
    {},
    2,
    "error: option '-o, --output <form>' argument 'jsn' is invalid\n  = help: did you mean json?\n",
  ],
  [
    "an unknown version",
    ["compile", "cluster.yaml", "--kube-proxy", "1.99"],
    {},
    2,
    "error[LF5007]: landfall does not know kube-proxy 1.99\n  = help: it knows 1.24, 1.25, 1.26, 1.27, 1.28, 1.29, 1.30, 1.31, 1.32, 1.33, 1.34, 1.35; `landfall versions` tells what changed when\n",
  ],
  [
    "no packet",
    ["trace", "node-a.save"],
    {},
    2,
    "error: no packet was asked about\n  = help: landfall trace FILE… 10.1.2.3:4567 to 10.96.0.10:53/udp\n",
  ],
  [
    "an unquoted arrow",
    ["trace", "node-a.save", "10.1.2.3:4567", "-"],
    {},
    2,
    "error: the packet ends in a lone `-`: the shell took the `>` of an unquoted `->` as a redirection\n  = help: write →, or to, or put the packet in quotes\n",
  ],
  [
    "a packet that cannot be read",
    ["trace", "node-a.save", "10.1.2.3 to 10.96.0.10:99999/udp"],
    {},
    3,
    `packet:1:24: error[LF1050]: this packet cannot be read
1│ 10.1.2.3 to 10.96.0.10:99999/udp
 │                        ^^^^^^^^^ here should be a port from 0 to 65535
  = help: a packet is SOURCE:PORT to DESTINATION:PORT/PROTOCOL, for example 10.1.2.3:4567 to 10.96.0.10:53/udp
`,
  ],
  [
    "nft text",
    ["fmt", "-"],
    { stdin: "table ip nat {\n}\n" },
    3,
    `-:1:1: error[LF1031]: this looks like \`nft list ruleset\`
1│ table ip nat {
 │ ^^^^^^^^^^^^^^
  = help: landfall reads iptables-save text; on this node run \`iptables-nft-save\` as root
`,
  ],
  [
    "no input on a terminal",
    ["fmt"],
    {},
    2,
    "error: no input was named\n  = help: landfall fmt FILE, or … | landfall fmt -\n  = help: `landfall fmt -h` has examples and all flags\n",
  ],
];

describe("diagnostics", () => {
  test.each(cases)("%s", async (_name, args, world, code, stderr) => {
    expect(await landfall(args, world)).toEqual({ code, stdout: "", stderr, written: new Map() });
  });

  test("many faults are grouped and counted", async () => {
    const rules = Array.from({ length: 100 }, (_, index) => `-A X --nothing${index} 1`).join("\n");
    const { code, stderr } = await landfall(["fmt", "-"], { stdin: `*nat\n:X - [0:0]\n${rules}\nCOMMIT\n` });
    expect(code).toBe(3);
    expect(stderr.split("\n").filter((line) => line.includes(": error["))).toHaveLength(5);
    expect(stderr).toContain("… and 95 more like these: 95 × error[LF1007]");
  });

  test("faults of one kind are grouped, whatever names they hold", async () => {
    const rules = Array.from({ length: 9 }, (_, index) => `-A KUBE-SEP-${"ABCDEFGHI"[index]} -j ACCEPT`);
    const { stderr } = await landfall(["fmt", "-"], { stdin: `*nat\n${rules.join("\n")}\nCOMMIT\n` });
    expect(stderr.match(/error\[LF1012\]: /g)).toHaveLength(5);
    expect(stderr).toContain("… and 4 more like these: 4 × error[LF1012]");
  });

  /** Rules with 26 matches that iptables does not have: 26 kinds of fault. */
  const strange = Array.from(
    "abcdefghijklmnopqrstuvwxyz",
    (letter) => `-A X -m ${letter}${letter}match -j ACCEPT`,
  );

  test("at most 20 are printed, in the order of the input, and the rest is counted", async () => {
    const stdin = `*nat\n:X - [0:0]\n${strange.join("\n")}\nCOMMIT\n`;
    const { code, stderr } = await landfall(["fmt", "-"], { stdin });
    expect(code).toBe(3);
    const lines = [...stderr.matchAll(/^-:(\d+):\d+: error\[LF1003\]/gm)].map(([, line]) => Number(line));
    expect(lines).toEqual(Array.from({ length: 20 }, (_, index) => index + 3));
    expect(stderr).toContain("\n… and 6 more like these: 6 × error[LF1003]\n");
  });

  test("a flood of warnings hides no error", async () => {
    // In a dump that a node printed, an extension that iptables does not have is only a warning.
    const stdin = `# Generated by iptables-save\n*nat\n:X - [0:0]\n${strange.join("\n")}\n-A Y -j ACCEPT\nCOMMIT\n`;
    const { code, stderr } = await landfall(["fmt", "-"], { stdin });
    expect(code).toBe(3);
    expect(stderr.match(/warning\[LF1003\]: /g)).toHaveLength(19);
    expect(stderr).toContain("error[LF1012]: chain Y is not declared in table nat");
    expect(stderr).toContain("\n… and 7 more like these: 7 × warning[LF1003]\n");
  });

  test("what both families of a compilation say is said once", async () => {
    const { stderr } = await landfall(["compile", "cluster.yaml", "--node", "node-1", "-o", "json"]);
    expect(stderr.match(/no KubeProxyConfiguration was given/g)).toHaveLength(1);
  });

  test("the marks stand under what is meant, also behind letters beyond the basic plane", async () => {
    const { stderr } = await landfall(["fmt", "-"], {
      stdin: '*nat\n:X - [0:0]\n-A X -m comment --comment "😀😀" --commment b\nCOMMIT\n',
    });
    const [, line = "", marks = ""] = stderr.split("\n");
    const before = [...line.slice(0, line.indexOf("--commment"))].length;
    expect(marks).toBe(`${" ".repeat(1)}│${" ".repeat(before - 2)}^^^^^^^^^^ did you mean --comment?`);
  });

  test("--diagnostics json: faults of usage that have a code, and internal errors", async () => {
    const version = await landfall(["compile", "--kube-proxy", "1.99", "--diagnostics", "json"], {
      stdin: "x",
    });
    expect(version).toMatchObject({ code: 2, stdout: "" });
    expect(SCHEMAS.diagnostics.parse(JSON.parse(version.stderr))).toMatchObject({
      code: "LF5007",
      severity: "error",
      spans: [],
    });
    const io = memoryIO({});
    const broken = {
      ...io,
      stdout: {
        ...io.stdout,
        write() {
          throw new Error("a wire is cut\u001b[0m");
        },
      },
    };
    expect(await run(["versions", "--diagnostics", "json"], broken)).toBe(70);
    expect(SCHEMAS.diagnostics.parse(JSON.parse(io.text.stderr))).toMatchObject({ code: "LF9001" });
    expect(await run(["versions"], broken)).toBe(70);
    expect(io.text.stderr).toContain("error[LF9001]: an internal error: a wire is cut\\x1b[0m\n  = help: ");
  });

  test.each([
    ["an argument", ["schema", "\u001b]0;x\u0007"]],
    ["a flag", ["fmt", "--\u001b]0;x\u0007"]],
    ["the value of a flag", ["versions", "-o", "\u001b]0;x\u0007"]],
    ["a command", ["\u001b]0;x\u0007"]],
    ["a version", ["compile", "--kube-proxy", "\u001b]0;x\u0007"]],
  ])("control characters of %s do not reach the terminal", async (_what, args) => {
    const { code, stderr } = await landfall(args, { terminal: true, env: { NO_COLOR: "1" }, stdin: "" });
    expect(code).toBe(2);
    expect(stderr).toContain("\\x1b]0;x\\x07");
    expect(stderr).not.toContain("\u001b");
  });

  test.each([
    [
      "dport",
      '{"dst":"10.0.0.1","dport":70000,"proto":"tcp"}',
      "dport: must be a whole number from 0 to 65535",
    ],
    ["dst", '{"dport":80,"proto":"tcp"}', "dst: must be an IP address in quotes"],
    ["proto", '{"dst":"10.0.0.1","proto":[]}', "proto: must be a name in quotes, or a number from 0 to 255"],
    ["the record", "7", "the record: must be an object"],
  ])("a packet record whose fault is in %s", async (_field, record, message) => {
    const { code, stderr } = await landfall(["trace", "node-a.save", "--packet-json", record]);
    expect(code).toBe(3);
    expect(stderr).toContain(`--packet-json:1:1: error[LF1051]: packet: ${message}\n`);
  });

  test("--diagnostics json: one object a line", async () => {
    const ran = await landfall(["fmt", "a.save", "--diagnostics", "json"], { files: { "a.save": DUMP } });
    expect(JSON.parse(ran.stderr)).toEqual({
      code: "LF1007",
      severity: "error",
      message: "unknown option --probabilty in match statistic",
      spans: [
        {
          file: "a.save",
          line: 5,
          col: 42,
          endLine: 5,
          endCol: 54,
          label: "did you mean --probability?",
          primary: true,
        },
      ],
      notes: [],
      help: null,
      fix: {
        applicability: "maybe-incorrect",
        edits: [{ file: "a.save", line: 5, col: 42, endLine: 5, endCol: 54, text: "--probability" }],
      },
    });
  });

  test("control characters of an input do not reach the terminal", async () => {
    const evil = DUMP.replace("--probabilty", "--prob\u001b]0;x\u0007");
    const { stderr } = await landfall(["fmt", "-"], { stdin: evil, terminal: true, stdinIsTerminal: false });
    expect(stderr).toContain("\\x1b]0;x\\x07");
    expect(stderr).not.toContain("\u0007");
  });

  test("colours: by flag, by environment, by terminal", async () => {
    const coloured = async (world: World, ...flags: string[]) =>
      (await landfall(["fmt", "nothing", ...flags], world)).stderr.includes("\u001b[31m");
    expect(await coloured({})).toBe(false);
    expect(await coloured({ terminal: true, stdin: "x" })).toBe(true);
    expect(await coloured({ terminal: true, env: { NO_COLOR: "1" } })).toBe(false);
    expect(await coloured({ env: { FORCE_COLOR: "1" } })).toBe(true);
    expect(await coloured({ env: { FORCE_COLOR: "1" } }, "--no-color")).toBe(false);
    expect(await coloured({ env: { NO_COLOR: "1" } }, "--color", "always")).toBe(true);
    expect(await coloured({ terminal: true, env: { TERM: "dumb" } })).toBe(false);
  });
});
