// `landfall lint`: what it prints, for people and for programs, and how it ends.
import { describe, expect, test } from "vitest";
import { lintSchema } from "../../src/cli/schemas/lint.js";
import { landfall } from "./terminal.js";

const MASQUERADED_TWICE = `*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING ! -s 10.244.0.0/16 -d 10.244.0.0/16 -j MASQUERADE
-A POSTROUTING -s 10.244.0.0/16 -j MASQUERADE --random-fully
COMMIT
`;
const REFUSED = `*filter
:INPUT ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
-A INPUT -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.9/32 -p tcp -m comment --comment "default/gone:http has no endpoints" -m tcp --dport 80 -j REJECT
COMMIT
`;
const files = {
  "a.save": MASQUERADED_TWICE + REFUSED,
  "clean.save": "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n",
};

async function findings(...args: readonly string[]) {
  const { stdout } = await landfall(["lint", "-o", "json", ...args], { files });
  return lintSchema.parse(JSON.parse(stdout)).findings.map(({ code }) => code);
}

describe("lint", () => {
  test("the count first, then each finding with what it means, how sure it is, and what to do", async () => {
    const { code, stdout, stderr } = await landfall(["lint", "a.save"], { files });
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toMatch(/^2 findings: 2 warnings; 1 less grave: --severity info\n\n/);
    expect(stdout).toContain(
      `a.save:10: warning[LF3001]: default/gone:http has no endpoints: connections to 10.96.0.9:80 are refused
  filter:KUBE-SERVICES:rule:1 to 10.96.0.9, tcp, port 80 → REJECT with icmp-port-unreachable   line 10
  means   kube-proxy knows no ready endpoint of the Service, and refuses connections to it.
`,
    );
    expect(stdout).toMatch(/\n {2}sure {4}it follows from these inputs\n {2}do {6}\S/);
  });

  test("nothing found", async () => {
    expect(await landfall(["lint", "clean.save"], { files })).toMatchObject({
      code: 0,
      stdout: "no findings\n",
    });
  });

  test("--severity, --rule and --ignore choose; what --rule names is told whatever its severity", async () => {
    expect(await findings("a.save")).toEqual(["LF3001", "LF3027"]);
    expect(await findings("a.save", "--severity", "info")).toEqual(["LF3001", "LF3027", "LF4039"]);
    expect(await findings("a.save", "--severity", "error")).toEqual([]);
    expect(await findings("--rule", "F39,lf3001", "a.save")).toEqual(["LF3001", "LF4039"]);
    expect(await findings("--rule", "F39", "--rule", "f27", "--ignore", "F39", "a.save")).toEqual(["LF3027"]);
    const { code } = await landfall(["lint", "a.save", "--severity", "error"], { files });
    expect(code).toBe(0);
  });

  test("--list lists the findings, and an unknown one is refused", async () => {
    const { code, stdout } = await landfall(["lint", "--list"]);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n")).toHaveLength(48);
    expect(stdout).toMatch(/^LF4007 +F7 +warning +sure +rules that stand there twice$/m);
    expect(await landfall(["lint", "a.save", "--rule", "LF4008"], { files })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("did you mean LF"),
    });
  });

  test("--baseline hides what is known, and a file that is none is refused", async () => {
    const { stdout: known } = await landfall(["lint", "a.save", "--rule", "F1", "-o", "json"], { files });
    const world = { files: { ...files, "known.json": known, "bad.json": "{}" } };
    const ran = await landfall(["lint", "a.save", "--baseline", "known.json", "-o", "json"], world);
    expect(lintSchema.parse(JSON.parse(ran.stdout)).findings.map(({ code }) => code)).toEqual(["LF3027"]);
    // Lines may have moved.
    const moved = { files: { ...world.files, "a.save": `\n\n${files["a.save"]}` } };
    const again = await landfall(["lint", "a.save", "--baseline", "known.json", "--rule", "F1"], moved);
    expect(again).toMatchObject({ code: 0, stdout: "no findings\n" });
    const bad = await landfall(["lint", "a.save", "--baseline", "bad.json"], world);
    expect(bad).toMatchObject({ code: 3, stdout: "" });
    expect(bad.stderr).toContain("bad.json:1:1: error[LF5001]: this is no list of findings");
    expect((await landfall(["lint", "a.save", "--baseline", "no.json"], world)).code).toBe(3);
  });

  test("works with what could be read, and says what could not", async () => {
    const broken = files["a.save"].replace("COMMIT\n", "-A POSTROUTING --nothing 1\nCOMMIT\n");
    const ran = await landfall(["lint", "-", "--rule", "F1"], { stdin: broken });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("error[LF1007]");
    expect(ran.stdout).toContain("LF3001");
    expect(await landfall(["lint", "-"], { stdin: "hello\n" })).toMatchObject({ code: 3, stdout: "" });
    expect(await landfall(["lint"])).toMatchObject({ code: 2, stdout: "" });
  });

  test("sarif: places and rules, as code scanning wants them", async () => {
    const world = { files: { "my dumps/a#1.save": files["a.save"] } };
    const { code, stdout } = await landfall(["lint", "my dumps/a#1.save", "-o", "sarif"], world);
    expect(code).toBe(1);
    const { version, runs } = JSON.parse(stdout);
    expect(version).toBe("2.1.0");
    const [{ tool, results }] = runs;
    expect(tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(["LF3001", "LF3027"]);
    expect(results[0]).toMatchObject({ ruleId: "LF3001", ruleIndex: 0, level: "warning" });
    expect(results[0].locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: "my%20dumps/a%231.save" },
      region: { startLine: 10, startColumn: 1 },
    });
  });

  test("github: an annotation a finding, escaped", async () => {
    const world = { files: { "a,b:c.save": REFUSED.replace("default/gone:http", "de%0Afault/gone") } };
    const { code, stdout } = await landfall(["lint", "a,b:c.save", "-o", "github"], world);
    expect(code).toBe(1);
    const [line = "", sum] = stdout.split("\n");
    expect(line).toMatch(
      /^::warning file=a%2Cb%3Ac\.save,line=5,title=LF3001%3A a Service without endpoints::de%250Afault\/gone has no endpoints: \S.*%0A/,
    );
    expect(sum).toBe("1 finding: 1 warning");
  });

  test("control characters of an input do not reach the terminal", async () => {
    const evil = REFUSED.replace("default/gone", "default/\u001b]0;x\u0007gone");
    for (const form of ["text", "github", "sarif"]) {
      const { stdout } = await landfall(["lint", "-", "-o", form], { stdin: evil });
      expect(stdout).toContain("LF3001");
      for (const character of ["\u001b", "\u0007"]) expect(stdout).not.toContain(character);
    }
  });

  test("dumps of two programs in one text are looked at one by one, at their own lines", async () => {
    const [nft, legacy] = ["iptables-nft-save v1.8.9 (nf_tables)", "iptables-save v1.8.9"].map(
      (program) => `# Generated by ${program} on Fri Nov 20 23:42:02 2026\n${MASQUERADED_TWICE}`,
    );
    const stdin = `${nft}${legacy}`;
    const { stdout, stderr } = await landfall(["lint", "-", "-o", "json"], { stdin });
    expect(stderr).toBe("");
    const found = lintSchema.parse(JSON.parse(stdout)).findings;
    expect(found.map(({ code, seen }) => [code, seen.map(({ line }) => line)])).toEqual([
      ["LF3012", [4, 10]],
      ["LF3027", [4]],
      ["LF3027", [10]],
    ]);
  });
});
