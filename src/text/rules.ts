/**
 * iptables-save and iptables-restore text → rulesets. Any text is accepted: what cannot be read is a problem with its
 * place, and the rest is read. `readRules` loads onto an empty node, `applyRestore` onto rules that are there.
 */

import type { Family } from "../../grammar/address.js";
import { HOOKS } from "../../grammar/meaning.js";
import { appendAll } from "../problems/append.js";
import type { Code } from "../problems/codes.js";
import { nearest } from "../problems/nearest.js";
import { type Problem, placeInLine, type Severity, type Source } from "../problems/problem.js";
import { BUILT_IN_CHAINS, type Counters, isTableName, type Rule, type Ruleset } from "../state/rules.js";
import { familyOfRules } from "./family.js";
import { linesOf } from "./lines.js";
import { readRule } from "./rule.js";
import type { RuleSetting } from "./rule-draft.js";
import {
  type DraftTable,
  type DraftTables,
  danglingJump,
  declareChain,
  deleteChain,
  deleteRule,
  draftsOf,
  emptyTable,
  finish,
  putRule,
  type Refused,
  renameChain,
} from "./tables.js";
import { splitWords, type Words } from "./words.js";

export interface RulesRead {
  readonly ruleset: Ruleset;
  readonly problems: readonly Problem[];
}

export interface ReadOptions {
  /** Default: told from the text (family.ts). */
  readonly family?: Family;
  /** Lines that cannot be read become remarks `# not read: …` in their place. */
  readonly keepUnread?: boolean;
}

/** The rules that a node has after `iptables-restore` of this text: an iptables-save dump, or a payload. */
export function readRules(source: Source, options: ReadOptions = {}): RulesRead {
  const family = options.family ?? familyOfRules(source.text);
  return load(new Map(), source, family, false, options.keepUnread ?? false);
}

/** The rules that a node has after `iptables-restore --noflush` of this text onto `base`. */
export function applyRestore(base: Ruleset, source: Source): RulesRead {
  return load(draftsOf(base), source, base.family, true, false);
}

const CHAIN_BYTES_MAX = 28;

function load(
  tables: DraftTables,
  source: Source,
  family: Family,
  noflush: boolean,
  keepUnread: boolean,
): RulesRead {
  const problems: Problem[] = [];
  let table: DraftTable | undefined;
  let lastTable: DraftTable | undefined;
  let tableLine = 0;
  const remarks: string[] = [];
  const takeRemarks = (): string[] => remarks.splice(0);

  for (const { text, line } of linesOf(source.text)) {
    const complain = (
      code: Code,
      message: string,
      more: Partial<Problem> & { from?: number; to?: number } = {},
    ): void => {
      const { from = 0, to = text.length, ...rest } = more;
      const severity: Severity = rest.severity ?? "error";
      const place = placeInLine(source, line, from + 1, Math.max(to, from + 1) + 1);
      problems.push({ code, severity, message, place, ...rest });
      if (keepUnread && severity === "error") remarks.push(`# not read: ${text}`);
    };
    const first = text.charCodeAt(0);
    if (first === 35) {
      if (table === undefined && lastTable !== undefined && text.startsWith("# Completed"))
        appendAll(lastTable.remarks.after, [...takeRemarks(), text]);
      else remarks.push(text);
      continue;
    }
    const trimmed = text.trim();
    if (trimmed === "") continue;
    if (trimmed.startsWith("*")) {
      const name = trimmed.slice(1).trim();
      if (table !== undefined)
        complain("LF1015", `table ${table.name} of line ${tableLine} has no COMMIT before this table begins`);
      if (!isTableName(name)) {
        const near = nearest(name, Object.keys(BUILT_IN_CHAINS));
        complain(
          "LF1018",
          `iptables has no table ${name}`,
          near === undefined ? {} : { label: `did you mean ${near}?` },
        );
      }
      tableLine = line;
      table = (noflush ? tables.get(name) : undefined) ?? emptyTable(name);
      appendAll(table.remarks.before, takeRemarks());
      // The same table a second time replaces the first, as iptables-restore does.
      tables.set(name, table);
      lastTable = table;
    } else if (trimmed === "COMMIT") {
      if (table === undefined) complain("LF1014", "COMMIT without a table", { severity: "warning" });
      else {
        appendAll(table.remarks.inside, takeRemarks());
        const dangling = danglingJump(table);
        if (dangling !== undefined) {
          const { from, to } = dangling;
          complain("LF1014", `chain ${to} of table ${table.name} was deleted, but ${from} still jumps to it`);
        }
      }
      table = undefined;
    } else if (table === undefined) {
      if (/^(\[\d+:\d+\]\s+)?-[AIDRNXFPE]\s|^:\S+ \S+ \[/.test(trimmed)) {
        complain("LF1002", "this line stands in no table", {
          help: "a line `*nat` or `*filter` must come before it",
        });
      } else {
        complain("LF1001", "this line is no part of a dump", { severity: "note" });
      }
    } else if (trimmed.startsWith(":")) {
      readChainLine(table, text, takeRemarks, complain);
    } else {
      const words = splitWords(text);
      if (words.openQuote) complain("LF1016", "a quote is not closed", { from: words.starts.at(-1) ?? 0 });
      else readCommand({ table, words, source, line, family, problems, complain, takeRemarks });
    }
  }
  if (table !== undefined) {
    problems.push({
      code: "LF1015",
      severity: "error",
      message: `table ${table.name} has no COMMIT`,
      place: placeInLine(source, tableLine, 1, table.name.length + 2),
      help: "was the end cut off? iptables-restore refuses such a text",
    });
  }
  if (lastTable !== undefined) {
    appendAll(lastTable.remarks[table === undefined ? "after" : "inside"], takeRemarks());
  }
  return { ruleset: finish(tables, family), problems };
}

type Complain = (
  code: Code,
  message: string,
  more?: Partial<Problem> & { from?: number; to?: number },
) => void;

function readChainLine(
  table: DraftTable,
  text: string,
  takeRemarks: () => string[],
  complain: Complain,
): void {
  const { words, starts, ends } = splitWords(text);
  const name = (words[0] ?? "").slice(1);
  const policy = words[1];
  const counters = words[2] === undefined ? undefined : readCounters(words[2]);
  if (name === "" || policy === undefined) {
    complain("LF1013", "a chain line has a name and a policy or `-`", {
      help: "for example `:KUBE-SERVICES - [0:0]`",
    });
  } else if (name.length > CHAIN_BYTES_MAX) {
    complain(
      "LF1013",
      `a chain name has at most ${CHAIN_BYTES_MAX} characters, this one has ${name.length}`,
      {
        from: starts[0] ?? 0,
        to: ends[0] ?? text.length,
      },
    );
  } else if (policy !== "-" && !["ACCEPT", "DROP", "QUEUE", "RETURN"].includes(policy)) {
    complain("LF1013", `a policy is ACCEPT, DROP or -, not ${policy}`, {
      from: starts[1] ?? 0,
      to: ends[1] ?? 0,
    });
  } else if (words[2] !== undefined && counters === undefined) {
    complain("LF1013", `counters look like [0:0], not ${words[2]}`, {
      from: starts[2] ?? 0,
      to: ends[2] ?? 0,
    });
  } else {
    declareChain(table, name, policy === "-" ? undefined : policy, counters, takeRemarks());
  }
}

interface CommandLine {
  readonly table: DraftTable;
  readonly words: Words;
  readonly source: Source;
  readonly line: number;
  readonly family: Family;
  readonly problems: Problem[];
  readonly complain: Complain;
  readonly takeRemarks: () => string[];
}

function readCommand(command: CommandLine): void {
  const { table, complain } = command;
  const { words, starts, ends } = command.words;
  let at = 0;
  const counters = readCounters(words[0] ?? "");
  if (counters !== undefined) at++;
  const verb = LONG_COMMANDS[words[at] ?? ""] ?? words[at] ?? "";
  const chain = words[at + 1];
  const number = /^\d+$/.test(words[at + 2] ?? "") ? Number(words[at + 2]) : undefined;
  const refuse = (refused: Refused): void => {
    if (refused !== undefined) complain("LF1014", refused);
  };
  /** Reads the rule that begins at word `from`, and hands each of its rules to `put`. */
  const withRule = (from: number, put: (rule: Rule) => Refused): void => {
    const { source, line, family, problems, takeRemarks } = command;
    const before = problems.length;
    const built = table.chains.get(chain ?? "")?.policy !== undefined;
    const setting: RuleSetting = {
      source,
      line,
      family,
      table: table.name,
      hook: built ? HOOKS.find((hook) => hook === chain) : undefined,
      complete: table.complete,
      chainKind: (name) => {
        const known = table.chains.get(name);
        return known === undefined ? undefined : known.policy === undefined ? "user" : "built-in";
      },
    };
    const read = readRule(command.words, from, setting, problems);
    if (!read.ok) {
      // The reader has said what is wrong and where; here the line only needs its place among the remarks.
      const [problem] = problems.splice(before, 1);
      if (problem !== undefined) complain(problem.code, problem.message, withoutPlace(problem));
      return;
    }
    const place = placeInLine(source, line, (starts[0] ?? 0) + 1, (ends[ends.length - 1] ?? 0) + 1);
    for (const one of read.rules) {
      const remarks = takeRemarks();
      refuse(
        put({
          ...one,
          place,
          ...(counters === undefined ? {} : { counters }),
          ...(remarks.length === 0 ? {} : { remarks }),
        }),
      );
    }
  };
  if (!KNOWN_COMMANDS.includes(verb)) {
    complain("LF1014", `"${(words[at] ?? "").slice(0, 40)}" is no command of a dump`, {
      from: starts[at] ?? 0,
      to: ends[at] ?? 0,
      help: "a rule begins with -A and the name of its chain",
    });
    return;
  }
  if (chain === undefined) {
    if (verb === "-F") for (const one of table.chains.values()) one.rules = [];
    else if (verb === "-X") {
      for (const [name, one] of table.chains)
        if (one.policy === undefined && one.rules.length === 0) table.chains.delete(name);
    } else if (verb !== "-Z") {
      complain("LF1014", `${verb} needs the name of a chain`, { from: starts[at] ?? 0, to: ends[at] ?? 0 });
    }
    return;
  }
  if (verb !== "-N" && !table.chains.has(chain)) {
    const near = nearest(chain, table.chains.keys());
    complain("LF1012", `chain ${chain} is not declared in table ${table.name}`, {
      from: starts[at + 1] ?? 0,
      to: ends[at + 1] ?? 0,
      ...(near === undefined ? {} : { label: `did you mean ${near}?` }),
      help: `a line \`:${chain} - [0:0]\` must come before it`,
    });
    return;
  }
  switch (verb) {
    case "-A":
      withRule(at + 2, (rule) => putRule(table, chain, rule));
      break;
    case "-I":
      withRule(at + (number === undefined ? 2 : 3), (rule) => putRule(table, chain, rule, (number ?? 1) - 1));
      break;
    case "-R":
      if (number === undefined) complain("LF1014", "-R needs the number of a rule");
      else withRule(at + 3, (rule) => putRule(table, chain, rule, number - 1, true));
      break;
    case "-D":
      if (number !== undefined) refuse(deleteRule(table, chain, number, command.family));
      else withRule(at + 2, (rule) => deleteRule(table, chain, rule, command.family));
      break;
    case "-N":
      if (table.chains.has(chain)) complain("LF1014", `chain ${chain} exists`);
      else declareChain(table, chain, undefined, undefined, command.takeRemarks());
      break;
    case "-X":
      refuse(deleteChain(table, chain));
      break;
    case "-F": {
      const one = table.chains.get(chain);
      if (one !== undefined) one.rules = [];
      break;
    }
    case "-P":
      declareChain(table, chain, words[at + 2], undefined, command.takeRemarks());
      break;
    case "-E":
      refuse(renameChain(table, chain, words[at + 2] ?? ""));
      break;
    default:
      break;
  }
}

const LONG_COMMANDS: Readonly<Record<string, string>> = {
  "--append": "-A",
  "--insert": "-I",
  "--replace": "-R",
  "--delete": "-D",
  "--new-chain": "-N",
  "--delete-chain": "-X",
  "--flush": "-F",
  "--policy": "-P",
  "--rename-chain": "-E",
  "--zero": "-Z",
};

const KNOWN_COMMANDS: readonly string[] = Object.values(LONG_COMMANDS);

function withoutPlace(problem: Problem): Partial<Problem> & { from?: number; to?: number } {
  const { code: _code, message: _message, place, ...rest } = problem;
  return place === undefined ? rest : { ...rest, from: place.column - 1, to: place.endColumn - 1 };
}

function readCounters(text: string): Counters | undefined {
  if (text === "[0:0]") return NO_COUNTERS;
  const found = /^\[(\d{1,20}):(\d{1,20})\]$/.exec(text);
  return found === null
    ? undefined
    : { packets: BigInt(found[1] as string), bytes: BigInt(found[2] as string) };
}

const NO_COUNTERS: Counters = { packets: 0n, bytes: 0n };
