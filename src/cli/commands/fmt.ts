/** `landfall fmt`: rules as iptables-save prints them, and all problems of an input. */

import type { Family } from "../../../grammar/address.js";
import { appendAll } from "../../problems/append.js";
import type { Problem } from "../../problems/problem.js";
import { readRules } from "../../text/rules.js";
import { printRuleset } from "../../text/save.js";
import { type CommonFlags, inputNames, report } from "../common.js";
import { EXIT } from "../exit.js";
import { readInputs } from "../inputs.js";
import type { IO } from "../io.js";
import { clean } from "../style.js";

export interface FmtFlags extends CommonFlags {
  readonly family?: Family;
  readonly partial?: boolean;
}

export async function fmt(named: readonly string[], flags: FmtFlags, io: IO): Promise<number> {
  const inputs = await readInputs(
    inputNames(named, flags, io, "landfall fmt FILE, or … | landfall fmt -"),
    io,
  );
  const problems: Problem[] = [...inputs.problems];
  const texts: string[] = [];
  for (const { source, family } of inputs.rules) {
    const read = readRules(source, { family: flags.family ?? family, keepUnread: flags.partial === true });
    appendAll(problems, read.problems);
    texts.push(printRuleset(read.ruleset));
  }
  if (inputs.rules.length === 0 && problems.length === 0) {
    problems.push({
      code: "LF1034",
      severity: "error",
      message: "no input holds iptables rules",
      help: "fmt reads iptables-save and iptables-restore text",
    });
  }
  const failed = report(problems, io, flags);
  if (failed !== undefined && !(flags.partial && inputs.rules.length > 0)) return failed;
  const text = texts.join("");
  io.stdout.write(io.stdout.isTerminal ? clean(text, true) : text);
  return failed ?? EXIT.done;
}
