// Laws of reading: any text is read without throwing, what is printed reads back as the same text, and the cost is linear.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Example } from "../../grammar/description.js";
import { MATCHES, TARGETS } from "../../grammar/extensions.js";
import { quote } from "../../grammar/values.js";
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";
import { splitWords } from "../../src/text/words.js";

const DUMP = readFileSync(join(import.meta.dirname, "../../fixtures/example/node-a.save"), "utf8");

const accepted = [...MATCHES, ...TARGETS].flatMap(({ examples }) =>
  (examples as Example[]).filter(({ refused }) => !refused),
);
const header = fc.constantFrom(
  "",
  "-s 10.0.0.0/8",
  "! -d 10.1.2.3",
  "-i eth+ -o eth0",
  "! -p udp -s 1.2.3.4/255.0.255.0",
);
const rule = fc
  .tuple(fc.constantFrom(...accepted), header)
  .filter(
    ([example, extra]) =>
      (example.family ?? "ipv4") === "ipv4" && (extra === "" || !/(?:^| )-[sdiop] /.test(example.typed)),
  )
  .map(([{ typed, table }, extra]) => ({ table: table ?? "filter", line: `-A T ${extra} ${typed}` }))
  .filter(({ line }) => (line.match(/ -s /g) ?? []).length < 2);

/** Faults of what was read, not of the reading: they are said again. */
const STANDING = ["LF1003", "LF1004", "LF1018", "LF1020"];

describe("reading", () => {
  test("what is printed reads back as the same text", () => {
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 20 }), (rules) => {
        const text = ["raw", "mangle", "nat", "filter", "security"]
          .map((table) => {
            const lines = rules.filter((one) => one.table === table).map(({ line }) => line);
            return [`*${table}`, ":T - [0:0]", ...lines, "COMMIT"].join("\n");
          })
          .join("\n");
        const first = readRules({ name: "typed", text }, { family: "ipv4" });
        expect(first.problems).toEqual([]);
        const printed = printRuleset(first.ruleset);
        const second = readRules({ name: "printed", text: printed }, { family: "ipv4" });
        expect(second.problems).toEqual([]);
        expect(printRuleset(second.ruleset)).toBe(printed);
      }),
    );
  });

  test("words: a quoted text reads back, whatever it holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (text, other) => {
        const line = `${quote(text)} ${quote(other)}`;
        expect(splitWords(line).words).toEqual([text, other]);
      }),
    );
    // All short texts over the characters that quoting is about.
    const alphabet = ['"', "\\", " ", "a", "'", "\t"];
    let texts = [""];
    for (let length = 0; length < 5; length++) {
      texts = texts.flatMap((text) => alphabet.map((character) => text + character));
      for (const text of texts) expect(splitWords(`x ${quote(text)} y`).words).toEqual(["x", text, "y"]);
    }
  });

  test("no text throws, and all problems have places inside it", () => {
    const lines = DUMP.split("\n");
    const mutated = fc
      .array(
        fc.record({
          line: fc.nat(lines.length - 1),
          at: fc.nat(200),
          length: fc.nat(20),
          put: fc.oneof(
            fc.string(),
            fc.constantFrom('"', "\\", "!", " -m ", " -j", "-p", "\u0000", "*", ":", "[1:2]", "="),
          ),
        }),
        { maxLength: 8 },
      )
      .map((changes) => {
        const copy = [...lines];
        for (const { line, at, length, put } of changes) {
          const text = copy[line] ?? "";
          copy[line] = text.slice(0, at) + put + text.slice(at + length);
        }
        return copy.join("\n");
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string({ maxLength: 300 })), (text) => {
        const { ruleset, problems } = readRules({ name: "text", text });
        const count = text.split("\n").length;
        for (const { code, place } of problems) {
          // What is missing has no place.
          if (code === "LF1021") continue;
          expect(place?.line).toBeGreaterThan(0);
          expect(place?.line).toBeLessThanOrEqual(count);
        }
        // What could be read prints as something that reads without errors of its own.
        const again = readRules({ name: "again", text: printRuleset(ruleset) }, { family: ruleset.family });
        const hard = again.problems.filter(
          ({ severity, code }) => severity === "error" && !STANDING.includes(code),
        );
        expect(hard).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("more faults and remarks than a function takes arguments", () => {
    const many = 200_000;
    const faults = readRules({ name: "long", text: `*nat\n${"-A INPUT -j\n".repeat(many)}COMMIT\n` });
    expect(faults.problems).toHaveLength(many);
    const text = `${"# remark\n".repeat(many)}*nat\n-A INPUT -m geoip hoot\nCOMMIT\n`;
    expect(printRuleset(readRules({ name: "long", text }).ruleset).length).toBeGreaterThan(text.length - 10);
  });

  test("rules without a quote cost no more than others", () => {
    // Looking for a closing quote beyond the line once made this quadratic: now 40,000 lines are read in a moment.
    const text = `*nat\n:T - [0:0]\n${"-A T -s 10.0.0.1/32 -j T2\n".repeat(40_000)}COMMIT\n`;
    expect(readRules({ name: "long", text: text.replace("*nat\n", "*nat\n:T2 - [0:0]\n") }).problems).toEqual(
      [],
    );
  });
});
