/**
 * Rulesets as iptables-save prints them: from terms, in the order of the descriptions, never by echoing what was read.
 */

import type { Family } from "../../grammar/address.js";
import type { Given, OptionTable } from "../../grammar/description.js";
import { matchNamed, targetNamed } from "../../grammar/extensions.js";
import { HEADER_OPTIONS } from "../../grammar/header.js";
import { quote } from "../../grammar/values.js";
import { appendAll } from "../problems/append.js";
import { type Chain, type Counters, type Rule, type Ruleset, rulesOf, type Table } from "../state/rules.js";

/** The text of all tables, each line with its end. `# ` lines that were read stand where they stood. */
export function printRuleset(ruleset: Ruleset): string {
  const lines: string[] = [];
  for (const table of ruleset.tables.values()) printTable(table, ruleset.family, lines);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** One rule as a line `-A CHAIN …`, without its counters and without the line end. */
export function printRule(rule: Rule, chain: string, family: Family): string {
  const words = ["-A", chain];
  printOptions(HEADER_OPTIONS, rule.header, family, words);
  for (const term of rule.matches) {
    words.push("-m", term.name);
    if (term.kind === "unknown-match") appendAll(words, term.words.map(quoteWord));
    else printOptions(matchNamed(term.name, family)?.options ?? {}, term.given, family, words);
  }
  const { target } = rule;
  if (target?.kind === "chain") words.push(target.goto ? "-g" : "-j", target.chain);
  else if (target !== undefined) {
    words.push("-j", target.name);
    if (target.kind === "unknown-target") appendAll(words, target.words.map(quoteWord));
    else printOptions(targetNamed(target.name, family)?.options ?? {}, target.given, family, words);
  }
  return words.join(" ");
}

function printTable(table: Table, family: Family, lines: string[]): void {
  const remarks = table.remarks ?? {};
  appendAll(lines, remarks.before ?? []);
  lines.push(`*${table.name}`);
  for (const chain of table.chains.values()) {
    appendAll(lines, chain.remarks ?? []);
    lines.push(`:${chain.name} ${chain.policy ?? "-"} ${printCounters(chain.counters)}`);
  }
  for (const chain of table.chains.values()) printChain(chain, family, lines);
  appendAll(lines, remarks.inside ?? []);
  lines.push("COMMIT");
  appendAll(lines, remarks.after ?? []);
}

function printChain(chain: Chain, family: Family, lines: string[]): void {
  for (const rule of rulesOf(chain)) {
    appendAll(lines, rule.remarks ?? []);
    const counters = rule.counters === undefined ? "" : `${printCounters(rule.counters)} `;
    lines.push(counters + printRule(rule, chain.name, family));
  }
}

function printCounters(counters: Counters | undefined): string {
  return counters === undefined ? "[0:0]" : `[${counters.packets}:${counters.bytes}]`;
}

/** An option as iptables-save prints it. */
export interface PrintedOption {
  readonly name: string;
  readonly negated: boolean;
  /** Absent for an option without value. */
  readonly value?: string;
}

/** The options that iptables-save prints, in its order. */
export function printedOptions(table: OptionTable, given: Given, family: Family): readonly PrintedOption[] {
  const printed: PrintedOption[] = [];
  for (const key in table) {
    const option = table[key];
    const one = given[key];
    if (option === undefined || one === undefined || option.hidden?.(one.value, one.negated, given)) continue;
    const { name, value } = option;
    const { negated } = one;
    printed.push(
      value === undefined ? { name, negated } : { name, negated, value: value.print(one.value, family) },
    );
  }
  return printed;
}

function printOptions(table: OptionTable, given: Given, family: Family, words: string[]): void {
  for (const { name, negated, value } of printedOptions(table, given, family)) {
    if (negated) words.push("!");
    words.push(name);
    if (value !== undefined) words.push(value);
  }
}

/** A word of an unknown extension: quoted only where it could not be read back otherwise. */
function quoteWord(word: string): string {
  return word === "" || /[\s"]/.test(word) ? quote(word) : word;
}
