// `landfall check` and `trace --expect`, and every example of docs/expectations.md.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import { readExpectation } from "../../grammar/expectation.js";
import { checkSchema } from "../../src/cli/schemas/check.js";
import { landfall, type World } from "./terminal.js";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/expectations.md"), "utf8");

function blocks(language: string): readonly string[] {
  return [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(
    ([, text = ""]) => text,
  );
}

/** Words of a command line; single quotes hold words together. */
function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
}

const FILES: NonNullable<World["files"]> = Object.fromEntries(
  blocks("yaml").map((text) => [/^# (\S+)/.exec(text)?.[1] ?? "", text]),
);

describe("docs/expectations.md", () => {
  const sessions = blocks("console");

  test("has examples of everything", () => {
    expect(sessions.length).toBeGreaterThanOrEqual(5);
    expect(Object.keys(FILES)).toEqual(["expectations.yaml", "more.yaml"]);
    expect(blocks("expectation")).toHaveLength(1);
  });

  test.each(sessions.map((session) => [session.split("\n")[0], session]))("%s", async (_command, session) => {
    let code: number | undefined;
    for (const [, line = "", printed = ""] of (session ?? "").matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)) {
      if (line === "echo $?") {
        expect(`${code}\n`).toBe(printed);
        continue;
      }
      const ran = await landfall(wordsOf(line).slice(1), { files: FILES });
      code = ran.code;
      const notes = /^note: .*\n/gm;
      const [stdout, stderr] = [ran.stdout, ran.stderr.replace(notes, "")];
      const [before, after] = printed.split("…\n");
      if (after === undefined || before !== "") expect(`${stdout}${stderr}`).toBe(printed);
      else expect(stderr).toBe(after);
    }
    expect(code).toBeDefined();
  });

  test.each(blocks("expectation").flatMap((block) => block.trimEnd().split("\n")))("%s", (line) => {
    expect(readExpectation(line)).toMatchObject({ ok: true });
  });
});

const WEB = "10.244.9.8:41000 to 10.96.41.17:80/tcp";

async function trace(expectation: string, packet = WEB, more: readonly string[] = []) {
  return landfall(["trace", "node-a.save", ...more, packet, "--expect", expectation]);
}

describe("trace --expect", () => {
  test.each([
    ["lands on default/web:http", 0],
    ["lands on 10.244.0.0/16", 0],
    ["lands on 10.244.1.14", 1],
    ["lands on 10.244.1.14:8080 or lands on 10.244.2.21:8080 or lands on 10.244.3.9:8080", 0],
    ["lands on 10.244.1.14:8080 or lands on 10.244.2.21:8080", 1],
    ["lands on 10.244.1.0/24:8080 or lands on 10.244.2.0/23:8080", 0],
    ["sometimes lands on 10.244.1.14:8080", 0],
    ["always lands on 10.244.1.14:8080", 1],
    ["not always lands on 10.244.1.14:8080", 0],
    ["not lands on 10.244.1.14:8080", 1],
    ["never lands on 10.244.1.15", 0],
    ["lands on an endpoint", 0],
    ["lands on the node", 1],
    ["never lands on the node", 0],
    ["delivered and not dropped and not queued and not rejected and not fails", 0],
    ["source is 10.244.9.8:41000", 0],
    ["source is 10.244.9.8:41001", 1],
    ["source is 10.244.9.0/24 and not masqueraded", 0],
    ["share of default/web:http = 1", 0],
    ["share of 10.244.1.14 about 1/3", 0],
    ["share of 10.244.1.14 about 33.3 %", 0],
    ["share of 10.244.1.14 about 33 %", 0],
    ["share of 10.244.1.14 about 0.34", 1],
    ["share of 10.244.1.14 = 1/3", 1],
    ["share of 10.244.1.14 > 1/3", 0],
    ["share of 10.244.2.21 < 1/3", 0],
    ["share of 10.244.2.21 >= 1/3", 1],
    ["share of (lands on 10.244.1.14 or lands on 10.244.2.21) between 66 % and 67 %", 0],
    ["share of each endpoint about 1/3", 0],
    ["share of each endpoint about 1/2", 1],
    ["share of each endpoint of default/cart:http about 1/2", 1],
    ["share of dropped = 0", 0],
    ["in some case delivered", 0],
    ["in every case never dropped", 0],
    ["leaves by eth0", 1],
    ["not leaves by eth0", 1],
    ["step 1 delivered", 0],
  ])("%s → %i", async (expectation, code) => {
    const ran = await trace(expectation);
    expect({ code: ran.code, told: ran.stderr !== "" }).toEqual({ code, told: code === 1 });
    expect(ran.stdout).toContain("10.244.1.14:8080");
  });

  test("an exact share that rounding misses gets a hint", async () => {
    expect((await trace("share of 10.244.1.14 = 1/3")).stderr).toContain("write `about` for `=`");
    expect((await trace("share of 10.244.1.14 = 1/4")).stderr).not.toContain("about");
  });

  test("what is left open is open, or known for the whole class", async () => {
    const anyone = "to 10.96.0.10:53/udp";
    expect((await trace("source is 10.244.0.0/16", `10.244.0.0/16 ${anyone}`)).code).toBe(1);
    expect((await trace("masqueraded or source is 10.244.0.0/16", `10.244.0.0/16 ${anyone}`)).code).toBe(0);
    const other = await trace("not masqueraded", `10.1.2.3 ${anyone}`);
    expect(other.stderr).toMatch(/counterexample +10\.1\.2\.3:40000 → 10\.96\.0\.10:53\/udp\n/);
    const open = await trace("never masqueraded", anyone);
    expect(open.stderr).toMatch(/counterexample +10\.244\.1\.5:40000 → /);
    const outside = await trace("dropped", "to 10.9.9.9:80/tcp");
    expect(outside.stderr).toMatch(/counterexample +192\.0\.2\.9:40000 → /);
  });

  test("source networks, also of IPv6", async () => {
    const six = await trace("dropped", "[fd00::]/64 to [fd00:1::1]:80/tcp");
    expect(six.stderr).toMatch(/counterexample +\[fd00::1\]:40000 → \[fd00:1::1\]:80\/tcp\n/);
    const mixed = await landfall(["trace", "node-a.save", "fd00::/64 to 10.96.0.10:53/udp"]);
    expect(mixed).toMatchObject({ code: 3 });
    expect(mixed.stderr).toContain("source and destination are of different families");
    const answered = await landfall(["trace", "node-a.save", "10.244.0.0/16 to svc/kube-system/kube-dns"]);
    expect(answered).toMatchObject({ code: 0 });
    expect(answered.stdout).toContain("the source is 10.244.1.5");
    expect(answered.stdout).not.toContain("the source is not in 10.244.0.0/16");
  });

  test("a source network that cannot come in has no answer", async () => {
    const ran = await trace("never dropped", "127.0.0.0/8 to 10.96.0.10:53/udp");
    expect(ran).toMatchObject({ code: 1 });
    expect(ran.stderr).toContain("no answer");
  });

  test.each([
    ["droped", "1:1", "did you mean dropped?"],
    ["never dropped and masqeraded", "1:19", "did you mean masqueraded?"],
    ["lands in 10.0.0.1", "1:7", "did you mean on?"],
    ["lands on 10.0.0.300", "1:10", "an address or network"],
    ["share of dropped = 33", "1:20", "a share from 0 to 1"],
    ["share of dropped", "1:17", "a bound such as"],
    ["(dropped", "1:9", "`)`"],
    ["dropped rejected", "1:9", "the end"],
  ])("%s: the fault is shown at %s", async (expectation, place, words) => {
    const ran = await trace(expectation);
    expect(ran).toMatchObject({ code: 3, stdout: "" });
    expect(ran.stderr).toContain(`--expect:${place}: error[LF1052]`);
    expect(ran.stderr).toContain(words);
  });

  test("an empty expectation is none", async () => {
    const ran = await trace("");
    expect(ran).toMatchObject({ code: 3, stdout: "" });
    expect(ran.stderr).toContain("error[LF1052]: this expectation is empty");
  });

  test("names and steps that are not there are refused", async () => {
    expect((await trace("never lands on default/wep:http")).stderr).toContain(
      "did you mean default/web:http?",
    );
    expect((await trace("step 2 dropped")).stderr).toContain("there is no step 2");
    const bare = await landfall(["trace", "-", WEB, "--expect", "lands on default/web:http"], {
      stdin: "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n",
    });
    expect(bare).toMatchObject({ code: 3 });
    expect(bare.stderr).toContain("names come from objects");
  });

  test("each of several packets has to meet it", async () => {
    const packet = (id: string, dst: string) =>
      JSON.stringify({ id, src: "10.244.9.8", dst, dport: 80, proto: "tcp" });
    const files = { "asked.ndjson": `${packet("web", "10.96.41.17")}\n${packet("cart", "10.96.77.3")}\n` };
    const ran = await landfall(
      ["trace", "node-a.save", "--packets", "asked.ndjson", "--expect", "lands on default/web:http"],
      { files },
    );
    expect(ran.code).toBe(1);
    expect(ran.stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(ran.stderr).toContain("the expectation is not met by cart\n");
    expect(ran.stderr).not.toContain("by web");
  });
});

/** Runs a file of expectations against the example node. */
async function check(file: string, form = "text", world: World = {}) {
  return landfall(["check", "-f", "e.yaml", "node-a.save", "-o", form], {
    ...world,
    files: { "e.yaml": file, ...world.files },
  });
}

const one = (fields: string, packet = WEB) => `version: 1\nexpect:\n  - packet: ${packet}\n    ${fields}\n`;

describe("check", () => {
  test.each([
    ["lands: { on: default/web:http }", 0],
    ["lands: { on: [10.244.1.14, 10.244.2.21, 10.244.3.9] }", 0],
    ["lands: { on: [10.244.1.14, 10.244.2.21] }", 1],
    ["lands: { on: 10.244.1.14, share: 1/3 }", 0],
    ["lands: { on: 10.244.1.14, share: { about: 33.3 % } }", 0],
    ["lands: { on: default/web:http, share: 0.33 }", 0],
    ["lands: { on: endpoints, share: { min: 0.4 } }", 1],
    ["lands: { share: { max: 0.4 } }", 0],
    ["lands: { on: node }", 1],
    ["snat: never", 0],
    ["snat: always", 1],
    ["dropped: never", 0],
    ["rejected: sometimes", 1],
    ["{ expect: never dropped, snat: sometimes }".slice(2, -2).replace(", ", "\n    "), 1],
  ])("%s → %i", async (fields, code) => {
    expect((await check(one(fields))).code).toBe(code);
  });

  test("is JSON or YAML, and knows both ends by name", async () => {
    const file = JSON.stringify({
      version: 1,
      expect: [{ packet: "pod/a/b to svc/default/web", expect: "delivered" }],
    });
    expect((await check(file)).stderr).toContain(
      "e.yaml:1:35: error[LF1050]: Pod a/b: no Pod objects were given",
    );
    expect((await check(file.replace("pod/a/b", "10.1.2.3"))).code).toBe(0);
  });

  test("inputs are found beside the file; a flag comes before a fact", async () => {
    const file = `version: 1
inputs: [../dumps/a.save]
facts: { set: { masquerade: 10.0.1.50 }, localIps: [10.0.1.50] }
expect:
  - { packet: "198.51.100.7:40000 to 10.0.1.50:30080/tcp", expect: source is 10.0.1.50 }
`;
    const dump = readFileSync(join(import.meta.dirname, "../../fixtures/example/node-a.save"));
    const files = { "ci/e.yaml": file, "dumps/a.save": dump };
    expect(await landfall(["check", "-f", "ci/e.yaml"], { files })).toMatchObject({ code: 0 });
    const other = await landfall(["check", "-f", "ci/e.yaml", "--set", "masquerade=10.0.1.51"], { files });
    expect(other).toMatchObject({ code: 1 });
    expect(other.stdout).toContain("from 10.0.1.51");
  });

  test("standard input serves several files", async () => {
    const stdin = readFileSync(join(import.meta.dirname, "../../fixtures/example/node-a.save"), "utf8");
    const files = { "a.yaml": one("snat: never"), "b.yaml": one("snat: always") };
    const ran = await landfall(["check", "-f", "a.yaml", "-f", "b.yaml"], { files, stdin });
    expect(ran).toMatchObject({ code: 1 });
    expect(ran.stdout).toContain("2 expectations, 1 not met");
  });

  test("compiles objects when no rules are given", async () => {
    const file = one("lands: { on: endpoints, share: 1/3 }", "10.244.1.10:39123 to svc/shop/product-service");
    const ran = await landfall(["check", "-f", "e.yaml", "cluster.yaml", "kube-proxy.yaml"], {
      files: { "e.yaml": file },
    });
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.stderr).toContain("no live rules given");
  });

  test("usage: no file, no input, standard input twice", async () => {
    expect((await landfall(["check", "node-a.save"])).code).toBe(2);
    expect(
      (await landfall(["check", "-f", "e.yaml"], { files: { "e.yaml": one("snat: never") } })).code,
    ).toBe(2);
    expect((await landfall(["check", "-f", "-", "-"], { stdin: "" })).code).toBe(2);
    expect((await landfall(["check", "-f", "missing.yaml", "node-a.save"])).code).toBe(3);
  });

  test("--strict: met, but not for certain", async () => {
    const files = { "e.yaml": one("snat: never") };
    expect((await landfall(["check", "-f", "e.yaml", "node-a.save", "--strict"], { files })).code).toBe(4);
  });

  test.each([
    ["version: 2\nexpect: []\n", "1:10", "version"],
    ["version: 1\n", "1:1", "expect is missing"],
    [one("expects: dropped"), "4:14", "did you mean expect?"],
    [one("lands: { onn: 10.0.0.1 }"), "4:19", "did you mean on?"],
    [one("lands: { on: 10.0.0.300 }"), "4:18", "is no address"],
    [one("lands: { share: 33 }"), "4:21", "is no share"],
    [one("snat: nevr"), "4:11", "did you mean never?"],
    [one("expect: never droped"), "4:19", "did you mean dropped?"],
    [one("expect: 'never droped'"), "4:20", "did you mean dropped?"],
    [one("name: x"), "3:5", "expects nothing"],
    [one("expect: dropped", "10.1.2.3 too 10.0.0.1:80"), "3:22", "here should be"],
    [one("expect: dropped", "{ src: 10.1.2.3 }"), "3:13", "dst"],
    ["version: 1\nexpect:\n  - expect: dropped\n", "3:5", "asks about no packet"],
    ["version: 1\nfacts: { set: { nonsense: 1 } }\nexpect: []\n", "2:8", "nonsense"],
  ])("a fault has its place: %s", async (file, place, words) => {
    const ran = await check(file);
    expect(ran).toMatchObject({ code: 3, stdout: "" });
    expect(ran.stderr).toContain(`e.yaml:${place}: error`);
    expect(ran.stderr).toContain(words);
  });
});

const NASTY = `version: 1
expect:
  - { name: "a <b> & \\"c\\" 'd' # SKIP 100%, x: y \\\\ \\e[31m\\n::error::no", packet: "${WEB}", expect: dropped }
  - { name: plain, packet: "${WEB}", expect: delivered and (dropped or masqueraded) and never lands on 10.244.1.14 }
`;

describe("forms of output, with names that mean mischief", () => {
  test("TAP", async () => {
    const { stdout } = await check(NASTY, "tap");
    const lines = stdout.trimEnd().split("\n");
    expect(lines.slice(0, 2)).toEqual(["TAP version 14", "1..2"]);
    const points = lines.filter((line) => /^(not )?ok /.test(line));
    expect(points).toHaveLength(2);
    // A `#` that is not escaped would begin a directive.
    for (const point of points) expect(point).not.toMatch(/(?<!\\)(?:\\\\)*#/);
    const diagnoses = [...stdout.matchAll(/^ {2}---\n([\s\S]*?)^ {2}\.\.\.\n/gm)].map(([, text = ""]) =>
      parseDocument(text),
    );
    expect(diagnoses).toHaveLength(2);
    expect(diagnoses.flatMap(({ errors }) => errors)).toEqual([]);
    expect(diagnoses[0]?.toJS()).toMatchObject({ expected: "dropped", at: "e.yaml:3" });
    expect(diagnoses[1]?.toJS().unmet).toMatchObject([
      { expected: "dropped or masqueraded" },
      { expected: "never lands on 10.244.1.14" },
    ]);
    expect(lines.every((line) => /^(TAP|1\.\.|ok|not ok| {2})/.test(line))).toBe(true);
  });

  test("JUnit", async () => {
    const { stdout } = await check(NASTY, "junit");
    expect(wellFormed(stdout)).toEqual([
      "testsuites",
      "testsuite",
      "testcase",
      "failure",
      "testcase",
      "failure",
    ]);
    expect(stdout).toContain('name="a &lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;');
    expect(stdout).toContain('tests="2" failures="2"');
  });

  test("GitHub", async () => {
    const { stdout } = await check(NASTY, "github");
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    for (const line of lines.slice(0, 2))
      expect(line).toMatch(/^::error file=e\.yaml,line=\d,title=[^,:]*::[^\r\n]*$/);
    expect(lines[0]).toContain("100%25%2C x%3A y");
    expect(lines[2]).toBe("0 of 2 expectations met");
  });

  test("JSON is what its schema says", async () => {
    const { stdout } = await check(NASTY, "json");
    const document = checkSchema.parse(JSON.parse(stdout));
    expect(document).toMatchObject({ met: 0, unmet: 2 });
    expect(document.results.map(({ unmet }) => unmet.length)).toEqual([1, 2]);
  });

  test("text shows no control characters", async () => {
    expect((await check(NASTY)).stdout).not.toContain("\u001b");
    expect((await check(NASTY)).stdout).toContain("\\x1b[31m");
  });
});

/** Names of the elements of an XML document in order; throws when it is not well-formed. */
function wellFormed(xml: string): readonly string[] {
  const names: string[] = [];
  const open: string[] = [];
  const body = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, "");
  const left = body.replace(
    /<(\/?)([a-z]+)((?: [a-z]+="[^"<>]*")*)(\/?)>/g,
    (_all, closing, name, _attributes, empty) => {
      if (closing) expect(open.pop()).toBe(name);
      else names.push(name);
      if (!closing && !empty) open.push(name);
      return "";
    },
  );
  expect(open).toEqual([]);
  expect(left).not.toMatch(/[<>]|&(?!(?:amp|lt|gt|quot|apos);)/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no place for them.
  expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
  return names;
}

describe("hostile files", () => {
  const bomb = `a: &a [x]\n${[..."bcdefghijk"].map((name, index) => `${name}: &${name} [${`*${"abcdefghij"[index]},`.repeat(9)}]\n`).join("")}`;
  test.each([
    ["an alias bomb", `version: 1\n${bomb}expect: []\n`],
    [
      "a prototype",
      "version: 1\n__proto__: { expect: 1 }\nexpect:\n  - __proto__: { packet: x }\n    expect: dropped\n",
    ],
    [
      "a record that holds itself",
      `version: 1\nexpect:\n  - packet: &p { dst: 10.0.0.1, dport: 80, self: *p }\n    expect: dropped\n`,
    ],
    ["deep brackets", `version: 1\nexpect: ${"[".repeat(5000)}${"]".repeat(5000)}\n`],
    ["a deep expectation", one(`expect: "${"(".repeat(20_000)}"`)],
    ["a long expectation", one(`expect: "${"not ".repeat(100_000)}dropped"`)],
    ["a long share", one(`lands: { share: ${"9".repeat(100_000)} }`)],
    ["nothing", "# nothing\n"],
    ["a scalar", "version\n"],
    ["binary", "\u0000\u0001\u0002"],
  ])("%s", async (_what, file) => {
    const ran = await check(file);
    expect([0, 1, 3]).toContain(ran.code);
    expect(ran.code === 3 ? ran.stdout : "").toBe("");
    expect(Object.hasOwn(Object.prototype, "expect")).toBe(false);
  });

  test("a thousand expectations, and as many faults", async () => {
    const item = (condition: string) => `  - { packet: "${WEB}", expect: ${condition} }\n`;
    const met = await check(`version: 1\nexpect:\n${item("delivered").repeat(1000)}`, "github");
    expect(met).toMatchObject({ code: 0, stdout: "1000 of 1000 expectations met\n" });
    const faults = await check(`version: 1\nexpect:\n${item("delivred").repeat(1000)}`);
    expect(faults).toMatchObject({ code: 3, stdout: "" });
  });
});
