// How commands may be written in a table, and what iptables-restore (1.8.9) made of each.
import { expect, test } from "vitest";
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";

const ONE = "-A T -s 1.1.1.1/32";
const TWO = "-A T -s 2.2.2.2/32";
const NEW = "-A T -p tcp";

/** The rules after the line, or undefined where it is refused. */
function after(line: string): readonly string[] | undefined {
  const text = `*filter\n:INPUT ACCEPT [0:0]\n:T - [0:0]\n:U - [0:0]\n${ONE}\n${TWO}\n${line}\nCOMMIT\n`;
  const { ruleset, problems } = readRules({ name: "typed", text }, { family: "ipv4" });
  if (problems.some(({ severity }) => severity === "error")) return undefined;
  return printRuleset(ruleset).match(/^(?:\[\d+:\d+\] )?-A .*/gm) ?? [];
}

test.each([
  ["-AT -p tcp", [ONE, TWO, NEW]],
  ["--append=T -p tcp", [ONE, TWO, NEW]],
  ["--app T -p tcp", [ONE, TWO, NEW]],
  ["--a T -p tcp", [ONE, TWO, NEW]],
  ["[1:2]-A T -p tcp", [ONE, TWO, `[1:2] ${NEW}`]],
  ["-IT 2 -p tcp", [ONE, NEW, TWO]],
  ["--insert=T 2 -p tcp", [ONE, NEW, TWO]],
  ["--ins T -p tcp", [NEW, ONE, TWO]],
  ["-RT 1 -p tcp", [NEW, TWO]],
  ["-DT 1", [TWO]],
  ["-FT", []],
  ["--flush=T", []],
  ["--del T 1", undefined],
])("%s", (line, rules) => expect(after(line)).toEqual(rules));

test.each([
  "--new N",
  "--new=N",
  "-NN",
  "-XU",
  "--delete-c U",
  "--pol=INPUT DROP",
  "-PINPUT DROP",
  "-EU V",
  "--ren U V",
])("%s is taken", (line) => expect(after(line)).toEqual([ONE, TWO]));
