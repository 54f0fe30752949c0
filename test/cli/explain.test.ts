// `landfall explain CODE`, and the examples of all codes: each is run, so that no text tells of what landfall does not do.
import { describe, expect, test } from "vitest";
import { explainSchema } from "../../src/cli/schemas/explain.js";
import { EXPLANATIONS } from "../../src/explain/codes/all.js";
import { CODES, type Code } from "../../src/problems/codes.js";
import { landfall } from "./terminal.js";

const ALL = Object.keys(CODES) as Code[];

/** Codes that no input gives, and why. */
const WITHOUT_INPUT: Readonly<Partial<Record<Code, string>>> = {
  LF2003: "trace tells of what is not modelled by its cases, not by a problem",
  LF4044: "a dump of so many rules is no example",
  LF9001: "a fault that is known is mended",
};

describe("every code", () => {
  test.each(ALL)("%s: its example gives it", async (code) => {
    const { example } = EXPLANATIONS[code];
    const { stdout } = await landfall(["explain", code, "-o", "json"]);
    const [explained] = explainSchema.parse(JSON.parse(stdout)).codes;
    expect(explained).toMatchObject({ code, title: CODES[code] });
    expect(explained?.example.prints).toMatch(
      new RegExp(`^(?:\\S+: )?(?:error|warning|note|info)\\[${code}\\]: `, "m"),
    );
    expect("prints" in example).toBe(Object.hasOwn(WITHOUT_INPUT, code));
    if ("prints" in example) return;
    // Small enough to be taken in at a glance.
    const lines = Object.values(example.files).flatMap((text) => text.trimEnd().split("\n"));
    expect(lines.length).toBeLessThanOrEqual(14);
    for (const name of Object.keys(example.files)) expect(example.command.split(" ")).toContain(name);
    const ran = await landfall(example.command.split(" "), { files: example.files });
    expect(explained?.example.prints).toBe(example.isAnswer ? ran.stdout : ran.stderr);
  });

  test.each(ALL)("%s: its sentences are sentences", (code) => {
    const { means, matters, remedy } = EXPLANATIONS[code];
    for (const part of [means, matters, remedy]) {
      expect(part.length).toBeGreaterThan(0);
      for (const sentence of part)
        expect(sentence).toMatch(/^(?:[A-Z`-]|landfall|iptables|kube-proxy|getopt|kubectl).*[.?]$/);
    }
  });

  test("is shown without control characters", async () => {
    const { stdout } = await landfall(["explain", ...ALL], { terminal: true, env: { NO_COLOR: "1" } });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    for (const code of ALL) expect(stdout).toContain(`${code}  ${CODES[code]}\n`);
  });
});

describe("explain", () => {
  test("prints what it means, why it matters, an example and what to do", async () => {
    const { code, stdout, stderr } = await landfall(["explain", "lf1018"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`LF1018  a table that iptables does not have

  ${EXPLANATIONS.LF1018.means.join("\n  ")}

why it matters
  ${EXPLANATIONS.LF1018.matters.join("\n  ")}

example
  node.save:
    *nta
    :WEB - [0:0]
    COMMIT

  $ landfall fmt node.save
  node.save:1:1: error[LF1018]: iptables has no table nta
  1│ *nta
   │ ^^^^ did you mean nat?

what to do
  ${EXPLANATIONS.LF1018.remedy.join("\n  ")}
`);
  });

  test("wraps sentences on a terminal, and only there", async () => {
    const [long = ""] = ALL.flatMap((code) => EXPLANATIONS[code].matters).filter(
      ({ length }) => length > 110,
    );
    const [of] = ALL.filter((code) => EXPLANATIONS[code].matters.includes(long));
    const prose = (text: string) => text.slice(text.indexOf("why it matters"), text.indexOf("\nexample"));
    const piped = await landfall(["explain", of ?? ""]);
    expect(piped.stdout).toContain(`  ${long}\n`);
    const shown = await landfall(["explain", of ?? ""], { terminal: true, env: { NO_COLOR: "1" } });
    expect(
      Math.max(
        ...prose(shown.stdout)
          .split("\n")
          .map(({ length }) => length),
      ),
    ).toBeLessThanOrEqual(100);
    const words = (text: string) => prose(text).split(/\s+/);
    expect(words(shown.stdout)).toEqual(words(piped.stdout));
  });

  test("takes several codes, and keeps their order", async () => {
    const { stdout } = await landfall(["explain", "LF5004", "LF1001", "-o", "json"]);
    const { codes } = explainSchema.parse(JSON.parse(stdout));
    expect(codes.map(({ code }) => code)).toEqual(["LF5004", "LF1001"]);
  });

  test.each([
    [[], "error: no input was named\n  = help: landfall explain FILE"],
    [["LF1107"], "error: there is no code LF1107\n  = help: did you mean LF1007?\n"],
    [["LF77777"], "error: there is no code LF77777\n  = help: explain takes the codes"],
    [["node-b.save"], "error: node-b.save is no code, and there is no such file\n  = help: explain takes"],
    [["LF1007", "__proto__"], "error: __proto__ is no code"],
    [["a\u001b[31m"], "error: a\\x1b[31m is no code"],
  ])("%j is wrong usage", async (args, message) => {
    const ran = await landfall(["explain", ...args]);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toContain(message);
  });
});
