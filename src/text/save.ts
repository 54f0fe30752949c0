/**
 * Rulesets as iptables-save prints them: from terms, in the order of the descriptions, never by echoing what was read.
 */

import type { Family } from "../../grammar/address.js";
import type { Flavour, Given, OptionTable } from "../../grammar/description.js";
import { matchNamed, targetNamed } from "../../grammar/extensions.js";
import { HEADER_OPTIONS } from "../../grammar/header.js";
import { printedOptions } from "../../grammar/print.js";
import { quote } from "../../grammar/values.js";
import { appendAll } from "../problems/append.js";
import {
  type Chain,
  type Counters,
  type MatchTerm,
  type Rule,
  type Ruleset,
  rulesOf,
  type Table,
} from "../state/rules.js";

/** The text of all tables, each line with its end. `# ` lines that were read stand where they stood. */
export function printRuleset(ruleset: Ruleset, flavour: Flavour = "legacy"): string {
  const lines: string[] = [];
  for (const table of ruleset.tables.values()) printTable(table, ruleset.family, flavour, lines);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** One rule as a line `-A CHAIN …`, without its counters and without the line end. */
export function printRule(rule: Rule, chain: string, family: Family, flavour: Flavour = "legacy"): string {
  const words = ["-A", chain];
  const printOptions = (table: OptionTable, given: Given): void => {
    for (const { name, negated, value } of printedOptions(table, given, family, flavour)) {
      if (negated) words.push("!");
      if (name !== "") words.push(name);
      if (value !== undefined) words.push(value);
    }
  };
  printOptions(HEADER_OPTIONS, rule.header);
  for (const term of flavour === "nft" ? mergedMatches(rule.matches, family) : rule.matches) {
    words.push("-m", term.name);
    if (term.kind === "unknown-match") appendAll(words, term.words.map(quoteWord));
    else printOptions(matchNamed(term.name, family)?.options ?? {}, term.given);
  }
  const { target } = rule;
  if (target?.kind === "chain") words.push(target.goto ? "-g" : "-j", target.chain);
  else if (target !== undefined) {
    words.push("-j", target.name);
    if (target.kind === "unknown-target") appendAll(words, target.words.map(quoteWord));
    else printOptions(targetNamed(target.name, family)?.options ?? {}, target.given);
  }
  return words.join(" ");
}

/** Stands before a table that was put together from lines that stood in none. */
export const FRAGMENT_REMARK = "# Part of a table: chains and rules of it may be missing";

function printTable(table: Table, family: Family, flavour: Flavour, lines: string[]): void {
  const remarks = table.remarks ?? {};
  appendAll(lines, remarks.before ?? []);
  if (table.fragment && !remarks.before?.includes(FRAGMENT_REMARK)) lines.push(FRAGMENT_REMARK);
  lines.push(`*${table.name}`);
  for (const chain of table.chains.values()) {
    appendAll(lines, chain.remarks ?? []);
    // A fragment shows no policies: those it did not show are not made up, and what reads it sees that parts are missing.
    if (table.fragment && chain.policy === "ACCEPT" && chain.counters === undefined) continue;
    lines.push(`:${chain.name} ${chain.policy ?? "-"} ${printCounters(chain.counters)}`);
  }
  for (const chain of table.chains.values()) printChain(chain, family, flavour, lines);
  appendAll(lines, remarks.inside ?? []);
  lines.push("COMMIT");
  appendAll(lines, remarks.after ?? []);
}

function printChain(chain: Chain, family: Family, flavour: Flavour, lines: string[]): void {
  for (const rule of rulesOf(chain)) {
    appendAll(lines, rule.remarks ?? []);
    const counters = rule.counters === undefined ? "" : `${printCounters(rule.counters)} `;
    lines.push(counters + printRule(rule, chain.name, family, flavour));
  }
}

/** `[packets:bytes]`, as they stand behind chains and before rules. */
export function printCounters(counters: Counters | undefined): string {
  return counters === undefined ? "[0:0]" : `[${counters.packets}:${counters.bytes}]`;
}

/** nft keeps the ports and flags of tcp and udp as expressions of its own, which iptables-nft-save gathers into one match. */
function mergedMatches(matches: readonly MatchTerm[], family: Family): readonly MatchTerm[] {
  const merged: MatchTerm[] = [];
  for (const term of matches) {
    const together = matchNamed(term.name, family)?.togetherInNft;
    const at = merged.findIndex(
      (one) =>
        one.name === term.name && one.kind === "match" && together?.(one.given, one.given) !== undefined,
    );
    const first = merged[at];
    const given =
      term.kind === "match" && first?.kind === "match" ? together?.(first.given, term.given) : undefined;
    if (first?.kind === "match" && given !== undefined) merged[at] = { ...first, given };
    else merged.push(term);
  }
  return merged;
}

/** A word of an unknown extension: quoted only where it could not be read back otherwise. */
function quoteWord(word: string): string {
  return word === "" || /[\s"]/.test(word) ? quote(word) : word;
}
