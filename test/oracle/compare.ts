/** What landfall says of a rule beside what the real iptables says of it. */
import { readRules } from "../../src/text/rules.js";
import { printRuleset } from "../../src/text/save.js";
import { type Answer, restoreText } from "./ask.js";
import type { RandomRule } from "./random-rules.js";

/** What landfall makes of the rule: the lines it prints, or the first error. */
function landfallOf(rule: RandomRule): {
  readonly saved: readonly string[] | undefined;
  readonly said: string;
} {
  const { family, flavour } = rule;
  const { ruleset, problems } = readRules({ name: "random", text: restoreText(rule) }, { family, flavour });
  const error = problems.find(({ severity }) => severity === "error");
  if (error !== undefined) return { saved: undefined, said: error.message };
  // Counters given by -c stand before the rule, where iptables-save shows them only when asked to.
  const lines = printRuleset(ruleset, flavour)
    .split("\n")
    .map((line) => line.replace(/^\[\d+:\d+\] /, ""));
  return { saved: lines.filter((line) => line.startsWith("-A ")), said: "" };
}

/** What differs, as text; undefined when nothing does, or when the real tool's answer hangs on the node. */
export function difference(rule: RandomRule, real: Answer): string | undefined {
  const own = landfallOf(rule);
  if (real.saved === undefined && own.saved === undefined) return undefined;
  // The tool did something else, such as to print its help.
  if (real.saved?.length === 0) return undefined;
  if (LEFT_OUT.some((pattern) => pattern.test(rule.rule))) return undefined;
  if (real.saved !== undefined && own.saved !== undefined && real.saved.join("\n") === own.saved.join("\n"))
    return undefined;
  if (real.saved === undefined && hangsOnNode(rule, real.said)) return undefined;
  const shown = ({ saved, said }: Answer) => saved?.join("\n") ?? `refused: ${said}`;
  const { family, flavour, table, chain } = rule;
  return `${family} ${flavour} ${table}: -A ${chain} ${rule.rule}\n  real:     ${shown(real)}\n  landfall: ${shown(own)}`;
}

/** Extensions and options that name an object of the kernel, or of a file system, which an empty namespace has not. */
const NAMES_OBJECTS =
  /(?:-m|--match) (?:nfacct|rateest|osf)|(?:-j|--jump) SECMARK|--helper|--timeout|--algo|--pa\w*|--object-pinned|--led-trigger-id/;

/** Rules of which what comes out hangs on more than the rule. */
const LEFT_OUT: readonly RegExp[] = [
  // Days of several digits: what was in memory.
  /--weekdays[= ](?:-|0[xX]|\S*(?:,,|[0-9a-fxX]\d)|,)|--monthdays[= ](?:\S*,)?[^, ]{3}|--monthdays[= ]\S*-/,
  // Bursts of more than 32 bits.
  /--hashlimit-burst[= ]"?\S*(?:\d{10}|0[xX][0-9a-fA-F]{8}|(?:\d{4}|0[xX]\w{3,})m)/,
  // The node's file of hosts.
  /localhost/,
];

/** A refusal that says nothing about the rule: the node lacks a module, or an object that the rule names. */
function hangsOnNode({ rule }: RandomRule, said: string): boolean {
  if (/failed to get bpf object|Set \S+ doesn't exist/.test(said)) return true;
  const byKernel = /: line \d+ failed|RULE_APPEND failed/.test(said);
  const missing = /missing kernel module|No such file or directory/.test(said);
  return byKernel && (missing || NAMES_OBJECTS.test(rule));
}
