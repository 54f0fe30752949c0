// What the command line is like to use: help, width, ASCII, other names, completion.
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { memoryIO } from "../../src/cli/memory-io.js";
import { run } from "../../src/cli/run.js";
import { table, widthOf } from "../../src/cli/table.js";
import { EXAMPLE_DUMP, landfall, type World } from "./terminal.js";

const COMMANDS = "compile trace check simulate diff fmt explain services versions schema completion".split(
  " ",
);

describe("help", () => {
  test.each(COMMANDS)("%s: examples first, wherever -h stands", async (command) => {
    const last = await landfall([command, "no-such-file", "-h"]);
    expect(last).toMatchObject({ code: 0, stderr: "" });
    expect(last.stdout.startsWith("Examples:\n")).toBe(true);
    expect(last.stdout).toContain(`Usage: landfall ${command}`);
    expect(await landfall(["-h", command])).toEqual(last);
  });

  test("kubectl's plugin shows what kubectl's user types", async () => {
    const io = memoryIO({});
    expect(await run(["trace", "-h"], io, "kubectl landfall")).toBe(0);
    expect(io.text.stdout).toContain("Usage: kubectl landfall trace");
    expect(io.text.stdout).toContain("| kubectl landfall trace -");
    expect(io.text.stdout).not.toMatch(/(?<!kubectl )landfall trace/);
  });

  test("a beginning of a command is enough to know what was meant", async () => {
    const { code, stderr } = await landfall(["comple"]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "error: unknown command 'comple'\n  = help: did you mean compile?\n",
    });
  });
});

describe("width", () => {
  test("tables fit, and nothing is lost where words are short", () => {
    const rows = [
      ["a", "one two three four five six seven eight nine ten"],
      ["b", "\u001b[31mred words that go on and on\u001b[39m"],
    ];
    const lines = table([], rows, { columns: 30 }, 2);
    expect(lines.every((line) => widthOf(line) <= 28)).toBe(true);
    expect(lines.length).toBeGreaterThan(2);
    const words = lines
      .join(" ")
      .split(/\s+/)
      .filter((word) => word === "ten" || word === "nine");
    expect(words).toEqual(["nine", "ten"]);
    for (const line of lines) expect(line.split("\u001b[31m").length).toBe(line.split("\u001b[39m").length);
  });

  test("long words lose their middle", () => {
    expect(table([], [["nat:KUBE-SVC-TCOU7JCQXEZGVUNU:rule:1", "x"]], { columns: 32 })[0]).toContain("…");
  });

  test("a terminal's width counts, and --width goes before it; elsewhere nothing is wrapped", async () => {
    const ask = ["trace", "node-a.save", "10.1.2.3:4567", "to", "10.96.0.10:53/udp"];
    const widest = async (world: World, ...flags: string[]) =>
      Math.max(
        ...(await landfall([...ask, "-q", ...flags], world)).stdout.split("\n").slice(0, -4).map(widthOf),
      );
    expect(await widest({})).toBeGreaterThan(100);
    expect(await widest({ terminal: true })).toBeLessThanOrEqual(100);
    expect(await widest({ terminal: true }, "--width", "90")).toBeLessThanOrEqual(90);
    expect(await widest({}, "--width", "90")).toBeLessThanOrEqual(90);
    expect(await landfall(["services", "node-a.save", "--width", "3"])).toMatchObject({
      code: 2,
      stdout: "",
    });
  });
});

describe("--ascii", () => {
  const ask = ["trace", "node-a.save", "10.1.2.3:4567", "to", "10.96.0.10:53/udp"];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all that is not ASCII.
  const strange = /[^\u0000-\u007f]/;

  test("or a terminal without UTF-8 gets no other marks", async () => {
    expect((await landfall(ask)).stdout).toMatch(strange);
    expect((await landfall([...ask, "--ascii"])).stdout).not.toMatch(strange);
    const terminal = await landfall(ask, { terminal: true, env: { LC_ALL: "C" } });
    expect(terminal.stdout).not.toMatch(strange);
    expect((await landfall(ask, { terminal: true, env: { LANG: "de_DE.UTF-8" } })).stdout).toMatch(strange);
  });

  test("canonical text keeps its characters", async () => {
    const stdin = EXAMPLE_DUMP.replace("kubernetes service portals", "kubernetes → portals");
    expect((await landfall(["fmt", "-", "--ascii"], { stdin })).stdout).toContain("kubernetes → portals");
  });
});

test("-v prints all problems", async () => {
  const rules = Array.from({ length: 30 }, (_, index) => `-A X --nothing${index} 1`).join("\n");
  const stdin = `*nat\n:X - [0:0]\n${rules}\nCOMMIT\n`;
  expect((await landfall(["fmt", "-", "-v"], { stdin })).stderr.match(/: error\[/g)).toHaveLength(30);
});

describe("completion", () => {
  test.each(["zsh", "fish", "powershell"])("%s: all commands and output forms are in it", async (shell) => {
    const { code, stdout } = await landfall(["completion", shell]);
    expect(code).toBe(0);
    for (const word of [...COMMANDS, "svc", "kube-proxy", "endpointslices"]) expect(stdout).toContain(word);
  });

  test("an unknown shell", async () => {
    expect((await landfall(["completion", "fihs"])).stderr).toContain("Did you mean fish?");
  });

  const hasBash = spawnSync("bash", ["-c", "true"]).status === 0;
  if (!hasBash) console.log("skipped: no bash");
  test.runIf(hasBash)("bash completes commands, flags, values and files", async () => {
    const { stdout: script } = await landfall(["completion", "bash"]);
    const offered = (...words: string[]) => {
      const list = words.map((word) => `'${word}'`).join(" ");
      const ask = `COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _landfall; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const ran = spawnSync("bash", ["--norc", "-c", `${script}\n${ask}`], {
        encoding: "utf8",
        cwd: `${import.meta.dirname}/../../fixtures/example`,
      });
      expect(ran.stderr).toBe("");
      return ran.stdout.split("\n").filter((word) => word !== "");
    };
    expect(offered("landfall", "tr")).toEqual(["trace"]);
    expect(offered("landfall", "trace", "--pack")).toEqual(["--packets", "--packet-json"]);
    expect(offered("landfall", "trace", "-o", "j")).toEqual(["json"]);
    expect(offered("landfall", "svc", "--output", "=", "w")).toEqual(["wide"]);
    expect(offered("landfall", "fmt", "node-a")).toEqual(["node-a.save"]);
    expect(offered("landfall", "trace", "x", "--packets", "node-a")).toEqual(["node-a.save"]);
    expect(offered("landfall", "schema", "compi")).toEqual(["compile"]);
    expect(offered("landfall", "trace", "--node", "")).toEqual([]);
    const known = spawnSync("bash", ["--norc", "-c", `${script}\ncomplete -p landfall kubectl-landfall`], {
      encoding: "utf8",
    });
    expect(known.stdout).toBe("complete -F _landfall landfall\ncomplete -F _landfall kubectl-landfall\n");
  });
});

describe("faults that mend themselves", () => {
  test.each([
    ["an option", "*nat\n:X - [0:0]\n-A X -m statistic --mode random --probabilty 0.5 -j ACCEPT\nCOMMIT\n"],
    ["a table", "*nta\n:X - [0:0]\nCOMMIT\n"],
    ["a chain", "*nat\n:KUBE-SERVICES - [0:0]\n-A KUBE-SERVICE -j ACCEPT\nCOMMIT\n"],
    ["a scheduler", "-A -t 10.0.0.1:80 -s wrrr\n"],
  ])("%s: the edits of --diagnostics json", async (_name, text) => {
    const { stderr } = await landfall(["fmt", "-", "--diagnostics", "json"], { stdin: text });
    const { fix } = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .find((one) => one.fix !== null);
    expect(fix.applicability).toBe("maybe-incorrect");
    const lines = text.split("\n");
    for (const { line, col, endCol, text: replacement } of fix.edits)
      lines[line - 1] = lines[line - 1]?.slice(0, col - 1) + replacement + lines[line - 1]?.slice(endCol - 1);
    expect(await landfall(["fmt", "-"], { stdin: lines.join("\n") })).toMatchObject({ code: 0, stderr: "" });
  });
});

test("a loose rule that most of the rules' table refuses is of another table", async () => {
  const stdin =
    "-A KUBE-SVC-A -j KUBE-SEP-A\n-A KUBE-SEP-A -j KUBE-MARK-MASQ\n-A INPUT -s 192.0.2.1 -j DROP\n-A OWN -j DROP\n-A OWN -j RETURN\n";
  const { code, stdout } = await landfall(["fmt", "-", "-q"], { stdin });
  expect(code).toBe(0);
  const filter = stdout.slice(stdout.indexOf("*filter"), stdout.indexOf("COMMIT", stdout.indexOf("*filter")));
  expect(filter).toContain("-A INPUT -s 192.0.2.1/32 -j DROP");
  expect(filter).toContain("-A OWN -j DROP\n-A OWN -j RETURN");
});
