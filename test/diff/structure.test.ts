// Structure: what cannot matter is no difference.
import { describe, expect, test } from "vitest";
import type { StructureChange } from "../../src/diff/structure.js";
import { ENDLESS } from "../endless.js";
import { compareTexts, EXAMPLE } from "./sides.js";

/** A nat table of rules, with the chains that they name. */
function nat(...rules: readonly string[]): string {
  const chains = new Set(
    rules.flatMap((rule) => [/^-A (\S+)/, /-j ([A-Z]+-\S+)/].flatMap((form) => form.exec(rule)?.[1] ?? [])),
  );
  const heads = [...chains].map((name) => (name === "PREROUTING" ? ":PREROUTING ACCEPT" : `:${name} -`));
  return `*nat\n${[...heads.map((head) => `${head} [0:0]`), ...rules].join("\n")}\nCOMMIT\n`;
}

function changes(left: string, right: string): readonly StructureChange[] {
  return compareTexts(left, right).structure.changes;
}

const kinds = (left: string, right: string) => changes(left, right).map(({ kind }) => kind);

describe("order", () => {
  const to = (last: number, chain: string) =>
    `-A PREROUTING -d 10.96.0.${last}/32 -p tcp -m tcp --dport 80 -j ${chain}`;
  const chains = ["-A KUBE-A -j ACCEPT", "-A KUBE-B -j RETURN"];

  test("of rules that never meet the same packet", () => {
    const [left, right] = [
      nat(to(1, "KUBE-A"), to(2, "KUBE-B"), to(3, "KUBE-A"), ...chains),
      nat(to(3, "KUBE-A"), to(1, "KUBE-A"), to(2, "KUBE-B"), ...chains),
    ];
    expect(compareTexts(left, right)).toMatchObject({
      structure: { changes: [], reordered: 1 },
      behaviour: { differing: 0 },
      text: { removed: 1, added: 1 },
    });
  });

  test("of rules that may", () => {
    const wide = "-A PREROUTING -d 10.96.0.0/24 -j KUBE-B";
    const [left, right] = [nat(to(1, "KUBE-A"), wide, ...chains), nat(wide, to(1, "KUBE-A"), ...chains)];
    expect(kinds(left, right)).toEqual(["rule moved"]);
    expect(
      kinds(
        nat("-A PREROUTING -j KUBE-A", "-A PREROUTING -j KUBE-B", ...chains),
        nat("-A PREROUTING -j KUBE-B", "-A PREROUTING -j KUBE-A", ...chains),
      ),
    ).toEqual(["rule moved"]);
  });

  test("of a long chain", { timeout: ENDLESS }, () => {
    const rules = Array.from(
      { length: 20_000 },
      (_rule, index) => `-A PREROUTING -d 10.${(index >> 8) & 255}.${index & 255}.1/32 -j KUBE-A`,
    );
    const found = compareTexts(nat(...rules, ...chains), nat(...rules.toReversed(), ...chains));
    expect(found.structure).toMatchObject({ changes: [], reordered: 19_999 });
    expect(found.text.removed).toBe(found.text.added);
  });
});

describe("ladders", () => {
  const rung = (target: string, probability?: string) =>
    `-A PREROUTING ${probability === undefined ? "" : `-m statistic --mode random --probability ${probability} `}-j ${target}`;
  const ends = ["-A KUBE-A -j ACCEPT", "-A KUBE-B -j ACCEPT", "-A KUBE-C -j ACCEPT"];
  const third = "0.33333333349";
  const left = nat(rung("KUBE-A", third), rung("KUBE-B", "0.5"), rung("KUBE-C"), ...ends);

  test("in another order, with equal shares", () => {
    const right = nat(rung("KUBE-C", third), rung("KUBE-A", "0.5"), rung("KUBE-B"), ...ends);
    expect(compareTexts(left, right).structure).toMatchObject({ changes: [], reordered: 3 });
  });

  test("with other shares, and with an end less", () => {
    const right = nat(rung("KUBE-A", "0.5"), rung("KUBE-B", "0.5"), rung("KUBE-C"), ...ends);
    expect(kinds(left, right)).toEqual(["probability changed", "probability changed", "probability changed"]);
    const less = nat(rung("KUBE-A", "0.5"), rung("KUBE-B"), ...ends);
    expect(kinds(left, less)).toEqual(["probability changed", "probability changed", "rule removed"]);
    expect(kinds(left, nat(rung("KUBE-B"), ...ends))).toEqual([
      "probability changed",
      "rule removed",
      "rule removed",
    ]);
  });

  test("that never ends is no ladder, and takes no time", () => {
    const endless = Array.from({ length: 20_000 }, () => rung("KUBE-A", "0.5"));
    expect(kinds(nat(...endless, ...ends), nat(...endless.slice(1), ...ends))).toEqual(["rule removed"]);
  });
});

describe("names and words", () => {
  test("chains that are called otherwise", () => {
    const renamed = EXAMPLE.replaceAll("KUBE-SEP-RBX5X5TOEG5GD3RO", "KUBE-SEP-AAAAAAAAAAAAAAAA")
      .replaceAll("KUBE-SEP-UMII7JBD6QQMPQ22", "KUBE-SEP-BBBBBBBBBBBBBBBB")
      .replaceAll("KUBE-SVC-HUJP2C55S4Y5HGK2", "KUBE-SVC-CCCCCCCCCCCCCCCC");
    expect(changes(EXAMPLE, renamed)).toEqual([
      {
        kind: "chain renamed",
        table: "nat",
        left: "KUBE-SEP-RBX5X5TOEG5GD3RO",
        right: "KUBE-SEP-AAAAAAAAAAAAAAAA",
      },
      {
        kind: "chain renamed",
        table: "nat",
        left: "KUBE-SEP-UMII7JBD6QQMPQ22",
        right: "KUBE-SEP-BBBBBBBBBBBBBBBB",
      },
      {
        kind: "chain renamed",
        table: "nat",
        left: "KUBE-SVC-HUJP2C55S4Y5HGK2",
        right: "KUBE-SVC-CCCCCCCCCCCCCCCC",
      },
    ]);
    expect(compareTexts(EXAMPLE, renamed).behaviour.differing).toBe(0);
  });

  test("comments and counters", () => {
    const found = compareTexts(
      EXAMPLE,
      EXAMPLE.replaceAll("[0:0]", "[7:420]").replace(
        '--comment "kubernetes postrouting rules"',
        "--comment other",
      ),
    );
    expect(found.structure).toEqual({ changes: [], reworded: 1, reordered: 0 });
    expect(found.text).toMatchObject({ removed: 1, added: 1 });
  });

  test("chains that are there on one side", () => {
    const found = changes(
      EXAMPLE,
      EXAMPLE.replace("*nat\n", "*nat\n:MINE - [0:0]\n").replace("COMMIT", "-A MINE -j ACCEPT\nCOMMIT"),
    );
    expect(found).toEqual([{ kind: "chain added", table: "nat", chain: "MINE", rules: 1 }]);
  });

  test("chains that are nested without end", () => {
    const nested = (last: string) =>
      nat(
        ...Array.from({ length: 20_000 }, (_rule, depth) =>
          depth === 0 ? "-A PREROUTING -j KUBE-1" : `-A KUBE-${depth} -j KUBE-${depth + 1}`,
        ),
        `-A KUBE-20000 -p tcp -m tcp --dport 80 -j ${last}`,
      );
    expect(kinds(nested("ACCEPT"), nested("RETURN"))).toEqual(["rule removed", "rule added"]);
  });

  test("chains that lead to themselves come to an end", () => {
    const loop = (name: string) =>
      nat("-A PREROUTING -j KUBE-A", `-A KUBE-A -j ${name}`, `-A ${name} -j KUBE-A`);
    expect(changes(loop("KUBE-X"), loop("KUBE-Y")).length).toBeGreaterThan(0);
  });
});
