// What iptables-restore's commands do, and what of a text cannot be read, line by line.
import { describe, expect, test } from "vitest";
import { applyRestore, readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";

/** Rules and user chains of one table after reading; problems as `line:column code`. */
function load(lines: readonly string[], table = "filter"): { rules: string[]; problems: string[] } {
  const text = [`*${table}`, ...lines, "COMMIT", ""].join("\n");
  const { ruleset, problems } = readRules({ name: "text", text }, { family: "ipv4" });
  return {
    rules: printRuleset(ruleset)
      .split("\n")
      .filter((line) => line.startsWith("-A") || / - \[/.test(line) || line.startsWith("[")),
    problems: problems.map(
      ({ code, severity, place }) => `${place?.line}:${place?.column} ${severity} ${code}`,
    ),
  };
}

describe("commands", () => {
  test("append, insert, replace, delete", () => {
    const rules = [
      "-A INPUT -s 10.0.0.1 -j ACCEPT",
      "-A INPUT -s 10.0.0.2 -j ACCEPT",
      "-I INPUT -s 10.0.0.3 -j DROP",
      "-I INPUT 2 -s 10.0.0.4 -j DROP",
      "-R INPUT 3 -s 10.0.0.5 -j DROP",
      "-D INPUT 1",
      "-D INPUT -s 10.0.0.2/32 -j ACCEPT",
    ];
    expect(load(rules)).toEqual({
      rules: ["-A INPUT -s 10.0.0.4/32 -j DROP", "-A INPUT -s 10.0.0.5/32 -j DROP"],
      problems: [],
    });
  });

  test("chains are made, renamed, flushed and deleted; they print in the order of their bytes", () => {
    const rules = [
      ":b - [0:0]",
      ":B - [0:0]",
      "-N a",
      "-N gone",
      "-X gone",
      "-E a A",
      "-A INPUT -j A",
      "-A b -j DROP",
      "-F b",
    ];
    expect(load(rules)).toEqual({
      rules: [":A - [0:0]", ":B - [0:0]", ":b - [0:0]", "-A INPUT -j A"],
      problems: [],
    });
  });

  test("what cannot be done is said", () => {
    expect(
      load([":a - [0:0]", "-A a -j DROP", "-X a", "-X nothing", "-D INPUT 3", "-I INPUT 7 -j DROP"]).problems,
    ).toEqual(["4:1 error LF1014", "5:4 error LF1012", "6:1 error LF1014", "7:1 error LF1014"]);
  });

  test("the second text of a table replaces the first; --noflush adds, and empties declared chains", () => {
    const twice = "*filter\n-A INPUT -j DROP\nCOMMIT\n*filter\n-A OUTPUT -j DROP\nCOMMIT\n";
    const { ruleset } = readRules({ name: "text", text: twice }, { family: "ipv4" });
    expect(printRuleset(ruleset)).not.toContain("-A INPUT");
    const base = readRules({
      name: "base",
      text: "*filter\n:a - [0:0]\n:b - [0:0]\n-A a -j DROP\n-A b -j DROP\nCOMMIT\n",
    }).ruleset;
    const after = applyRestore(base, {
      name: "payload",
      text: "*filter\n:a - [0:0]\n-A INPUT -j a\nCOMMIT\n",
    });
    expect(after.problems).toEqual([]);
    expect(printRuleset(after.ruleset).match(/^-A.*/gm)).toEqual(["-A INPUT -j a", "-A b -j DROP"]);
  });
});

describe("rules", () => {
  test.each([
    [
      "-A INPUT -s 10.0.0.1,10.0.0.2 -j DROP",
      ["-A INPUT -s 10.0.0.1/32 -j DROP", "-A INPUT -s 10.0.0.2/32 -j DROP"],
    ],
    ["-A INPUT --protocol TCP --dport=80 -j DROP", ["-A INPUT -p tcp -m tcp --dport 80 -j DROP"]],
    [
      "-A INPUT -j DROP -m comment --comment late -s 1.2.3.4",
      ["-A INPUT -s 1.2.3.4/32 -m comment --comment late -j DROP"],
    ],
    ["-A INPUT -6 -s fd00::1 -j DROP", []],
    ["-A INPUT -s 10/8 ! -d 192.168.0.0/255.255.0.0", ["-A INPUT -s 10.0.0.0/8 ! -d 192.168.0.0/16"]],
    ["-A INPUT -i + -o eth0 -j DROP", []],
    ["[3:180] -A INPUT -j DROP", ["[3:180] -A INPUT -j DROP"]],
    [
      "-A INPUT -m geoip --night 3 ! --fast -s 1.2.3.4 -j TARPIT --loud",
      ["-A INPUT -s 1.2.3.4/32 -m geoip --night 3 ! --fast -j TARPIT --loud"],
    ],
    ['-A INPUT -m comment --comment "a\nb" -j DROP', ['-A INPUT -m comment --comment "a']],
  ])("%s", (typed, saved) => {
    expect(load([typed]).rules).toEqual(saved);
  });

  test.each<[string, string]>([
    ["-A INPUT --dport 80 -j DROP", "2:10 error LF1019"],
    ["-A INPUT -p tcp --dport 80x -j DROP", "2:25 error LF1006"],
    ["-A INPUT -p tcp --dport", "2:17 error LF1005"],
    ["-A INPUT -p tcp -p udp", "2:17 error LF1008"],
    ["-A INPUT ! -j DROP", "2:10 error LF1009"],
    ["-A INPUT -j DROP !", "2:18 error LF1009"],
    ["-A INPUT -m tcp -j DROP", "2:13 error LF1010"],
    ["-A INPUT -j DNAT --to-destination 1.2.3.4", "2:13 error LF1011"],
    ["-A NOWHERE -j DROP", "2:4 error LF1012"],
    [":TOO - [0:0:0]", "2:8 error LF1013"],
    ["-Q INPUT", "2:1 error LF1014"],
    ['-A INPUT -m comment --comment "open', "2:31 error LF1016"],
    ["-A INPUT stray -j DROP", "2:10 error LF1017"],
    ["-A INPUT -o eth0 -j DROP", "2:10 error LF1010"],
    ["-A INPUT -m owl --night", "2:13 error LF1003"],
    ["-A INPUT -m geoip --src-cc XX", "2:13 warning LF1003"],
    ["-A INPUT -j HOOT", "2:13 error LF1004"],
    ["-A INPUT -j TARPIT", "2:13 warning LF1004"],
    ["-A INPUT -j kube-nothing", "2:13 warning LF1004"],
  ])("%s", (line, problem) => {
    expect(load([line]).problems).toEqual([problem]);
  });

  test("a whole dump knows its chains, a payload may name those of the node", () => {
    expect(load([":INPUT ACCEPT [0:0]", "-A INPUT -j kube-nothing"]).problems).toEqual(["3:13 error LF1004"]);
  });
});

test.each<[string, string[]]>([
  ["*filter\n-A INPUT -j DROP\n", ["1:1 LF1015"]],
  ["*filtr\nCOMMIT\n", ["1:1 LF1018"]],
  ["-A INPUT -j DROP\n", ["1:1 LF1002"]],
  ["$ iptables-save\n*filter\nCOMMIT\n", ["1:1 LF1001"]],
  ["COMMIT\n", ["1:1 LF1014"]],
])("%j", (text, problems) => {
  const read = readRules({ name: "text", text });
  expect(read.problems.map(({ code, place }) => `${place?.line}:${place?.column} ${code}`)).toEqual(problems);
});

test("lines that end in CR LF read as others do", () => {
  const { ruleset, problems } = readRules({
    name: "text",
    text: "*filter\r\n-A INPUT -j DROP\r\nCOMMIT\r\n",
  });
  expect(problems).toEqual([]);
  expect(printRuleset(ruleset)).toContain("-A INPUT -j DROP\n");
});

test("# lines stay where they stood", () => {
  const text =
    "# Generated by iptables-save v1.8.9 on Fri\n*filter\n:INPUT ACCEPT [1:2]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n# why\n-A INPUT -j DROP\nCOMMIT\n# Completed on Fri\n";
  expect(printRuleset(readRules({ name: "text", text }).ruleset)).toBe(text);
});
