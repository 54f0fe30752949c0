// Listings of the real iptables: what `iptables -L -n -v` shows of every example is read as the rule that it is.
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Family } from "../../grammar/address.js";
import { MATCHES, TARGETS } from "../../grammar/extensions.js";
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";
import { type RealDump, realDumps } from "../text/real.js";
import { whyNot } from "./real.js";

const reason = whyNot();
if (reason !== undefined) console.info(`skipped, the real iptables: ${reason}`);

interface Shown {
  readonly name: string;
  readonly saved: string;
  readonly row: string;
}

/** All examples that iptables accepts, each in a chain of its own, as it saves and as it lists them. */
function shown(family: Family): readonly Shown[] {
  const tool = family === "ipv4" ? "iptables-legacy" : "ip6tables-legacy";
  const inet = family === "ipv4" ? "inet" : "inet6";
  const examples = [...MATCHES, ...TARGETS].flatMap(({ name, examples }) =>
    examples
      .filter((one) => one.refused === undefined && (one.family ?? "ipv4") === family)
      .map(({ typed, table = "filter" }) => ({ name, typed, table })),
  );
  const input = examples
    .map(({ typed, table }, index) =>
      [`*${table}`, `:X${index} - [0:0]`, `-A X${index} ${typed}`, "COMMIT", ""].join("\n"),
    )
    .map((text) => `${tool}-restore --noflush 2>/dev/null <<'@@@@'\n${text}@@@@\n`)
    .join("");
  const tables = ["filter", "nat", "mangle", "raw", "security"];
  const ask = tables
    .map((table) => `${tool}-save -t ${table}; echo @@; ${tool} -t ${table} -w -L -n -v -x; echo @@`)
    .join("\n");
  const script = `ipset create foo hash:ip,port,ip family ${inet}\n${input}\n${ask}\n`;
  const { stdout } = spawnSync("unshare", ["-n", "sh"], { input: script, encoding: "utf8", maxBuffer: 1e8 });
  const parts = stdout.split("@@\n");
  return tables.flatMap((table, at) => {
    const saved = parts[2 * at] ?? "";
    const listed = parts[2 * at + 1] ?? "";
    return examples.flatMap((example, index) => {
      if (example.table !== table) return [];
      const rule = new RegExp(`^-A X${index} .*$`, "m").exec(saved)?.[0];
      const row = new RegExp(`^Chain X${index} [^]*?\n.*\n(.*)$`, "m").exec(listed)?.[1];
      if (rule === undefined || row === undefined) return [];
      return [{ name: example.name, saved: rule.replace(/^-A X\d+ /, ""), row }];
    });
  });
}

/** The rules of a real dump, by table: as saved, and as listed. */
function listedDump({ canonical = "", flavour }: RealDump, family: Family) {
  const tool = `${family === "ipv4" ? "iptables" : "ip6tables"}-${flavour}`;
  const inet = family === "ipv4" ? "inet" : "inet6";
  const sets = [...canonical.matchAll(/match-set (\S+) (\S+)/g)].map(([, name, sides = ""]) => {
    const type = ["hash:net", "hash:ip,port", "hash:ip,port,ip"][sides.split(",").length - 1];
    return `ipset create -exist ${name} ${type} family ${inet}\n`;
  });
  const tables = ["filter", "nat", "mangle", "raw"];
  const ask = tables.map(
    (table) => `${tool} -w -t ${table} -L -n -v; echo @@; ${tool}-save -t ${table}; echo @@\n`,
  );
  const input = `${sets.join("")}${tool}-restore <<'@@@@'\n${canonical}\n@@@@\n${ask.join("")}`;
  const { stdout } = spawnSync("unshare", ["-n", "sh"], { input, encoding: "utf8", maxBuffer: 1e8 });
  const parts = stdout.split("@@\n");
  return tables.map((_, at) => ({ listed: parts[2 * at] ?? "", saved: parts[2 * at + 1] ?? "" }));
}

function rulesIn(text: string): readonly string[] {
  return (
    text
      .match(/-A .*$/gm)
      ?.map(asShown)
      .sort() ?? []
  );
}

describe.skipIf(reason !== undefined)("real dumps", () => {
  test.each(realDumps().filter(({ canonical }) => canonical !== undefined))("$name", (dump) => {
    const { family } = readRules({ name: "saved", text: dump.canonical ?? "" }).ruleset;
    for (const { listed, saved } of listedDump(dump, family)) {
      const { ruleset } = readRules({ name: "listing", text: listed }, { family, flavour: dump.flavour });
      expect(rulesIn(printRuleset(ruleset, dump.flavour))).toEqual(rulesIn(saved));
    }
  });
});

/** What a listing does not show. */
function asShown(saved: string): string {
  return saved
    .replace(/--hashlimit-name \S+/, "--hashlimit-name unlisted")
    .replace(/ --dport 0:65535| --ttl 0 --log 1/, "")
    .replace("! --quota", "--quota")
    .replace("-j NOTRACK", "-j CT --notrack");
}

const HEAD =
  "Chain X (0 references)\n    pkts      bytes target     prot opt in     out     source               destination\n";

describe.skipIf(reason !== undefined).each(["ipv4", "ipv6"] as const)("%s", (family) => {
  const rows = reason === undefined ? shown(family) : [];
  test("there are many", () => expect(rows.length).toBeGreaterThan(30));
  // Where a target may stand hangs on the table, which a row does not name.
  test.each(rows.filter(({ saved }) => !saved.includes("--map-set")))("$name: $saved", ({ saved, row }) => {
    const { ruleset, problems } = readRules({ name: "listing", text: `${HEAD}${row}\n` }, { family });
    const own = printRuleset(ruleset).match(/^(?:\[\d+:\d+\] )?-A X (.*)$/m)?.[1];
    expect([
      own,
      problems.filter(({ severity }) => severity === "error").map(({ message }) => message),
      row,
    ]).toEqual([asShown(saved), [], row]);
  });
});
