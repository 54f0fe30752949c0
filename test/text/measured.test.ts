// Rules and restore texts, and what the real iptables made of them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Family } from "../../grammar/address.js";
import type { Flavour } from "../../grammar/description.js";
import { isTableName } from "../../src/state/rules.js";
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";

const read = (file: string) =>
  readFileSync(join(import.meta.dirname, "../../fixtures/iptables", file), "utf8");

interface Saved {
  readonly saved?: readonly string[];
  readonly error?: string;
}

/** The rules of `chain` as they are saved, or undefined when the text is refused. */
function saved(text: string, family: Family, flavour: Flavour): readonly string[] | undefined {
  const { ruleset, problems } = readRules({ name: "typed", text }, { family, flavour });
  if (problems.some(({ severity }) => severity === "error")) return undefined;
  // A comment may hold a line end.
  return printRuleset(ruleset, flavour)
    .split(/\n(?=[-:*[#]|COMMIT)/)
    .filter((line) => /^(?:\[\d+:\d+\] )?-A /.test(line))
    .map((line) => line.replace(/^\[\d+:\d+\] /, ""));
}

const lines = read("measured.txt").trimEnd().split("\n");
const measured = lines.flatMap((line, index) => {
  const found = /^([46])(n?) (\S+) (?:@(\S+) )?(.*)$/.exec(line);
  if (index % 2 !== 0 || found === null) return [];
  const [, number, nft, table = "", chain = "T", rule = ""] = found;
  const family: Family = number === "6" ? "ipv6" : "ipv4";
  const flavour: Flavour = nft === "" ? "legacy" : "nft";
  return [{ family, flavour, table, chain, rule, answer: (lines[index + 1] ?? "").slice(2) }];
});

describe.each(["raw", "mangle", "nat", "filter", "security"])("table %s", (table) => {
  test("every rule is saved as iptables saves it, or refused as iptables refuses it", () => {
    const own = measured.filter((one) => one.table === table);
    expect(own.length).toBeGreaterThan(0);
    const wrong = own.flatMap(({ family, flavour, chain, rule, answer }) => {
      const declared = chain === "T" ? ":T - [0:0]\n" : "";
      const got = saved(`*${table}\n${declared}-A ${chain} ${rule}\nCOMMIT\n`, family, flavour);
      const text = got?.map((one) => one.slice(`-A ${chain} `.length)).join(" ;; ") ?? "refused";
      return text === answer ? [] : [`${family} ${flavour} ${rule}: ${text}, not ${answer}`];
    });
    expect(wrong).toEqual([]);
  });
});

interface Canonical {
  readonly table: string;
  readonly chain: string;
  readonly arguments: readonly string[];
  readonly both?: Saved;
  readonly legacy?: Saved;
  readonly nft?: Saved;
}

/** Names that the measured machine had, or had not. */
const OBJECTS = /--match-set NOPE|--nfacct-name nope|--helper ftp/;

describe.each(["legacy", "nft"] as const)("iptables-%s", (flavour) => {
  test("canonical text", () => {
    const cases: readonly Canonical[] = JSON.parse(read("canonical.json"));
    const wrong = cases.flatMap((one) => {
      const typed = one.arguments
        .map((word) => (/[\s"]|^$/.test(word) ? JSON.stringify(word) : word))
        .join(" ");
      if (OBJECTS.test(typed)) return [];
      const rule = typed.replaceAll("\\n", "\n").replaceAll("\\t", "\t");
      const family: Family = /icmp6|(?:\d|[a-f])::/.test(rule) && !/\[::1\]:80/.test(rule) ? "ipv6" : "ipv4";
      const chains = one.chain === "T" ? ":T - [0:0]\n:OTHER - [0:0]\n" : "";
      const expected = (one[flavour] ?? one.both)?.saved;
      const text = saved(`*${one.table}\n${chains}-A ${one.chain} ${rule}\nCOMMIT\n`, family, flavour);
      return JSON.stringify(text) === JSON.stringify(expected) ? [] : [{ rule, text, expected }];
    });
    expect(wrong).toEqual([]);
  });
});

/** What a reader of pastes takes although iptables-restore does not: carriage returns, and remarks that are indented. */
const TAKEN = ["crlf", "comment line and blank, indented"];

interface Accepted {
  readonly name: string;
  readonly input: string;
  readonly both?: Saved & { readonly ok: boolean };
  readonly legacy?: Saved & { readonly ok: boolean };
}

const accepts: readonly Accepted[] = JSON.parse(read("restore-accepts.json"));

test.each(accepts.filter(({ name }) => !TAKEN.includes(name)))("$name", ({ input, both, legacy }) => {
  const expected = legacy ?? both;
  const { ruleset, problems } = readRules({ name: "typed", text: input }, { family: "ipv4" });
  expect(problems.every(({ severity }) => severity !== "error")).toBe(expected?.ok);
  if (!expected?.ok) return;
  // Counters are kept, which iptables-save shows only when asked to.
  const plain = (text: string) => text.replace(/^\[\d+:\d+\] /, "").replace(/\[\d+:\d+\]/, "[0:0]");
  const own = printRuleset(ruleset)
    .trimEnd()
    .split("\n")
    .filter((line) => !line.startsWith("#"));
  const wanted = (expected.saved ?? []).map(plain);
  expect(own.map(plain)).toEqual(wanted);
  expect(ruleset.tables.size === 0 || [...ruleset.tables.keys()].every(isTableName)).toBe(true);
});
