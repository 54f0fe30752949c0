// What the command line is like to use: help, width, ASCII, other names, completion.
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { memoryIO } from "../../src/cli/memory-io.js";
import { run } from "../../src/cli/run.js";
import { table, widthOf } from "../../src/cli/table.js";
import { EXAMPLE_DUMP, landfall, type World } from "./terminal.js";

const COMMANDS =
  "compile trace check simulate diff fmt explain services lint versions schema completion".split(" ");

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

describe("the pager", () => {
  const ask = ["explain", "node-a.save"];
  const shown = async (args: readonly string[], world: World) => {
    const io = memoryIO({ terminal: true, rows: 12, files: { "node-a.save": EXAMPLE_DUMP }, ...world });
    const code = await run(args, io);
    return { code, ...io.text, paged: io.paged };
  };

  test("gets what is longer than the screen", async () => {
    const plain = await shown([...ask, "--no-pager"], {});
    expect(plain.paged).toEqual([]);
    expect(plain.stdout.split("\n").length).toBeGreaterThan(12);
    expect(await shown(ask, {})).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
      paged: [["less -FIRX", plain.stdout]],
    });
  });

  test.each([
    [{ LANDFALL_PAGER: "more", PAGER: "most" }, "more"],
    [{ PAGER: "most -s" }, "most -s"],
    [{ PAGER: "cat" }, undefined],
    [{ LANDFALL_PAGER: "", PAGER: "most" }, undefined],
    [{ TERM: "dumb" }, undefined],
    [{ LANDFALL_NO_PAGER: "1" }, undefined],
  ])("%j", async (env, pager) => {
    expect((await shown(ask, { env })).paged.map(([name]) => name)).toEqual(
      pager === undefined ? [] : [pager],
    );
  });

  test("needs two terminals and a long text", async () => {
    for (const world of [{ rows: 100 }, { terminal: false }, { stdinIsTerminal: false, stdin: "" }]) {
      const ran = await shown(ask, world);
      expect(ran.paged).toEqual([]);
      expect(ran.stdout).toContain("3 service ports");
    }
    // Lines that are wider than the screen take several of its lines.
    const { stdout } = await shown(["services", "node-a.save", "--width", "300"], { rows: 4 });
    expect(stdout).toBe("");
  });

  test("notes stay behind what they are about, faults are seen at once", async () => {
    const stdin = EXAMPLE_DUMP.split("\n")
      .filter((line) => line.includes("default/web"))
      .join("\n");
    const files = { "part.save": stdin };
    const ran = await shown(["services", "part.save"], { files, rows: 2 });
    expect(ran.paged).toHaveLength(1);
    expect(ran.stderr).toContain("assumed: ");
    expect(await shown(["explain", "nothing"], { rows: 2 })).toMatchObject({
      code: 2,
      stdout: "",
      paged: [],
    });
  });
});

describe("LANDFALL_ variables", () => {
  const ask = ["services", "node-a.save"];

  test("mirror flags, which go before them", async () => {
    const env = { LANDFALL_OUTPUT: "name", LANDFALL_NAMESPACE: "default" };
    expect((await landfall(ask, { env })).stdout).toBe("default/cart:http\ndefault/web:http\n");
    expect((await landfall([...ask, "-o", "name", "-n", "kube-system"], { env })).stdout).toBe(
      "kube-system/kube-dns:dns\n",
    );
    expect((await landfall([...ask, "-o", "name"], { env: { LANDFALL_NAMESPACE: "" } })).stdout).toContain(
      "kube-system/kube-dns:dns",
    );
  });

  test("of flags without value, flags that read their value, and flags that deny", async () => {
    const exact = await landfall(ask, { env: { LANDFALL_EXACT: "1", LANDFALL_QUIET: "0" } });
    expect(exact.stdout).toContain("715827883/2147483648");
    const wide = await landfall(ask, { env: { LANDFALL_WIDTH: "80" } });
    expect(Math.max(...wide.stdout.split("\n").map(widthOf))).toBeLessThan(150);
    const packet = ["trace", "node-a.save", "10.0.0.9", "to", "10.0.0.1:30080"];
    const known = await landfall(packet, { env: { LANDFALL_LOCAL_IP: "10.0.0.1,10.0.0.2" } });
    expect(known.stdout).toContain("node port 10.0.0.1:30080/tcp");
    const plain = await landfall(ask, { terminal: true, env: { LANDFALL_NO_COLOR: "yes" } });
    expect(plain.stdout).not.toContain("\u001b");
    expect((await landfall(["fmt", "-", "--help"], { env: { LANDFALL_ASCII: "1" } })).stdout).not.toContain(
      "…",
    );
  });

  test.each([
    [{ LANDFALL_OUTPUT: "jsn" }, "error: LANDFALL_OUTPUT cannot be jsn\n  = help: did you mean json?\n"],
    [{ LANDFALL_STRICT: "maybe" }, "error: LANDFALL_STRICT is 1 or 0, not maybe\n"],
    [{ LANDFALL_WIDTH: "3" }, "error: LANDFALL_WIDTH cannot be 3\n"],
  ])("%j is wrong usage", async (env, message) => {
    const ran = await landfall(ask, { env });
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toContain(message);
  });
});

describe("colour", () => {
  const ask = ["explain", "LF1007"];
  const isColoured = async (world: World, ...flags: readonly string[]) =>
    (await landfall([...ask, ...flags], world)).stdout.includes("\u001b[");

  test.each([
    [{}, [], false],
    [{ terminal: true }, [], true],
    [{ terminal: true, env: { NO_COLOR: "1" } }, [], false],
    [{ terminal: true, env: { NO_COLOR: "" } }, [], true],
    [{ terminal: true, env: { NO_COLOR: "1", FORCE_COLOR: "1" } }, [], false],
    [{ terminal: true, env: { NO_COLOR: "1" } }, ["--color", "always"], true],
    [{ env: { FORCE_COLOR: "1" } }, [], true],
    [{ terminal: true, env: { FORCE_COLOR: "0" } }, [], false],
    [{ env: { CLICOLOR_FORCE: "1" } }, [], true],
    [{ env: { CLICOLOR_FORCE: "0" } }, [], false],
    [{ terminal: true, env: { CLICOLOR: "0" } }, [], false],
    [{ terminal: true, env: { TERM: "dumb" } }, [], false],
    [{ env: { FORCE_COLOR: "1" } }, ["--no-color"], false],
    [{ env: { CI: "1" } }, [], false],
  ] satisfies [World, string[], boolean][])("%j %j", async (world, flags, expected) => {
    expect(await isColoured(world, ...flags)).toBe(expected);
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
    expect((await landfall(["completion", "fihs"])).stderr).toContain("did you mean fish?");
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
    expect(offered("landfall", "fmt", "--family", "")).toEqual(["4", "6"]);
    expect(offered("landfall", "lint", "-o", "y")).toEqual(["yaml"]);
    expect(offered("landfall", "check", "-f", "cluster")).toEqual(["cluster.yaml"]);
    expect(offered("landfall", "lint", "--baseline", "cluster")).toEqual(["cluster.yaml"]);
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
