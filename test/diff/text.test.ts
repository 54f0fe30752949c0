// Text: a patch that turns the one canonical text into the other.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareStates } from "../../src/diff/compare.js";
import { compareTexts as compareSections, type Section } from "../../src/diff/text.js";
import { readSets } from "../../src/text/ipset.js";
import { compareTexts, EXAMPLE, sideOf } from "./sides.js";

const line = fc.constantFrom("a", "b", "c", "d", "e", "f");

describe("hunks", () => {
  test("are a patch", () => {
    const lines = fc.array(line, { maxLength: 40 });
    fc.assert(
      fc.property(lines, lines, (left, right) => {
        const section = (own: readonly string[]): Section[] => [{ name: "all", lines: own }];
        const { hunks, removed, added } = compareSections(section(left), section(right));
        const result: string[] = [];
        let at = 0;
        for (const hunk of hunks) {
          result.push(...left.slice(at, hunk.left.start - 1));
          at = hunk.left.start - 1 + hunk.left.count;
          expect(hunk.right.start).toBe(result.length + 1);
          const before = hunk.lines.filter(({ kind }) => kind !== "added").map(({ text }) => text);
          expect(before).toEqual(left.slice(hunk.left.start - 1, at));
          result.push(...hunk.lines.filter(({ kind }) => kind !== "removed").map(({ text }) => text));
        }
        result.push(...left.slice(at));
        expect(result).toEqual(right);
        const count = (kind: string) =>
          hunks.flatMap((hunk) => hunk.lines).filter((one) => one.kind === kind).length;
        expect({ removed, added }).toEqual({ removed: count("removed"), added: count("added") });
      }),
    );
  });

  test("of sections in many orders hold every line", () => {
    const sections = fc.uniqueArray(fc.constantFrom("1", "2", "3", "4", "5"), { maxLength: 5 });
    fc.assert(
      fc.property(sections, sections, (left, right) => {
        const make = (names: readonly string[]) => names.map((name) => ({ name, lines: [name] }));
        const { removed, added } = compareSections(make(left), make(right));
        expect(removed).toBe(left.filter((name) => !right.includes(name)).length);
        expect(added).toBe(right.filter((name) => !left.includes(name)).length);
      }),
    );
  });
});

test("the order of tables and of user chains, and counters, are no difference", () => {
  const filter = "*filter\n:INPUT ACCEPT [1:2]\n:B - [0:0]\n:A - [0:0]\n-A A -j ACCEPT\nCOMMIT\n";
  const turned = filter.replace(":B - [0:0]\n:A - [0:0]", ":A - [9:9]\n:B - [0:0]");
  expect(compareTexts(EXAMPLE + filter, turned + EXAMPLE).text).toEqual({ removed: 0, added: 0, hunks: [] });
});

test("sets are compared by their elements", () => {
  const sets = (text: string) => ({ sets: readSets({ name: "sets", text }).sets });
  const head = "create web hash:ip family inet hashsize 1024 maxelem 65536\n";
  const left = sideOf(EXAMPLE, "left", sets(`${head}add web 10.0.0.1\nadd web 10.0.0.2\n`));
  const turned = sideOf(EXAMPLE, "right", sets(`${head}add web 10.0.0.2\nadd web 10.0.0.1\n`));
  expect(compareStates(left, turned).text).toMatchObject({ removed: 0, added: 0 });
  const less = sideOf(EXAMPLE, "right", sets(`${head}add web 10.0.0.2\n`));
  expect(compareStates(left, less).text).toMatchObject({ removed: 1, added: 0 });
});
