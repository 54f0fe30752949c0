// Every description's examples are its tests: what is typed, what iptables-save prints, what is refused.
import { describe, expect, test } from "vitest";
import type { Example } from "../../grammar/description.js";
import { MATCHES, TARGETS } from "../../grammar/extensions.js";
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";

describe.each([...MATCHES, ...TARGETS])("$kind $name", ({ examples }) => {
  test.each(examples as Example[])(
    "$typed",
    ({ typed, saved, refused, family = "ipv4", table = "filter" }) => {
      const source = { name: "example", text: `*${table}\n:T - [0:0]\n-A T ${typed}\nCOMMIT\n` };
      const { ruleset, problems } = readRules(source, { family });
      const errors = problems.filter((problem) => problem.severity === "error");
      const printed = printRuleset(ruleset)
        .split("\n")
        .filter((line) => line.startsWith("-A "));
      if (refused) {
        expect(errors).toHaveLength(1);
        expect(printed).toEqual([]);
      } else {
        expect(errors).toEqual([]);
        expect(printed).toEqual([`-A T ${saved ?? typed}`]);
      }
    },
  );

  test("has an example that is accepted", () => {
    expect(examples.some((example) => !example.refused)).toBe(true);
  });
});
