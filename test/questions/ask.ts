/** The commands that a user would give the text to which a question belongs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { landfall } from "../cli/terminal.js";
import { goldenKey, goldens } from "../compile/goldens.js";
import { realDumps } from "../text/real.js";

const POSTED = new Map(realDumps().map(({ name, text }) => [name, text]));

/** The text that was posted, by the number of its folder: `036`, or `030 dump6` for an IPv6 half. */
export function posted(number: string): string {
  const [first = "", file = "dump"] = number.split(" ");
  for (const [name, text] of POSTED)
    if (name.startsWith(`${first}-`) && name.endsWith(` ${file}.txt`)) return text;
  throw new Error(`there is no text ${number} in fixtures/real`);
}

/** A text of the shape that was posted, from fixtures/questions. */
export function shaped(name: string): string {
  return readFileSync(join(import.meta.dirname, `../../fixtures/questions/${name}.txt`), "utf8");
}

/** What a version of kube-proxy wrote for a scenario of fixtures/kube-proxy, as iptables-save prints it. */
export function written(version: string, scenario: string): string {
  const text = goldens(version).get(goldenKey(scenario, "save", "ipv4"));
  if (text === undefined) throw new Error(`there is no ${scenario} of ${version}`);
  return text;
}

/** What a command prints about a text on standard input. */
export async function answer(
  command: "services" | "explain" | "trace" | "diff" | "lint",
  stdin: string,
  ...words: readonly string[]
): Promise<string> {
  return (await landfall([command, "-", ...words], { stdin })).stdout;
}

/** A finding, as `landfall lint -o json` gives it. */
export interface Told {
  readonly code: string;
  readonly severity: string;
  readonly sureness: string;
  readonly message: string;
  /** First lines of what was seen. */
  readonly seen: readonly { readonly line?: number; readonly words: string }[];
}

/** What lint finds in a text, hints and information included. */
export async function found(text: string, ...rules: readonly string[]): Promise<readonly Told[]> {
  const words = rules.length === 0 ? ["--severity", "info"] : ["--rule", rules.join(",")];
  const document = JSON.parse(await answer("lint", text, "-o", "json", ...words)) as { findings: Told[] };
  return document.findings;
}
