/**
 * The rules of a chain while commands change it. They are kept in short runs, so that inserting and deleting cost the same
 * in a chain of a million rules, wherever they do it.
 */
import type { Rule } from "../state/rules.js";

/** The texts of rules as small numbers, which are quick to look for. */
export type TextNumbers = Map<string, number>;

interface Run {
  readonly rules: Rule[];
  /** The number of each rule's text; NOT_KNOWN until a rule is looked for by its text. */
  readonly numbers: number[];
  /** The numbers that stand in `numbers`, and some that no longer do. */
  readonly held: Set<number>;
}

export interface RuleList {
  readonly runs: Run[];
  length: number;
}

const RUN_MAX = 1000;
const NOT_KNOWN = -1;

export function ruleList(rules: readonly Rule[] = []): RuleList {
  const runs: Run[] = [];
  for (let at = 0; at < rules.length; at += RUN_MAX) runs.push(runOf(rules.slice(at, at + RUN_MAX)));
  return { runs, length: rules.length };
}

function runOf(rules: Rule[]): Run {
  return { rules, numbers: rules.map(() => NOT_KNOWN), held: new Set([NOT_KNOWN]) };
}

export function rulesIn(list: RuleList): readonly Rule[] {
  return list.runs.length === 1 ? (list.runs[0]?.rules ?? []) : list.runs.flatMap(({ rules }) => rules);
}

/** Puts a rule at an index, from 0 to the length of the list. */
export function insertRule(list: RuleList, index: number, rule: Rule): void {
  const { runs } = list;
  const last = runs.at(-1);
  const [at, offset] =
    index === list.length && last !== undefined ? [runs.length - 1, last.rules.length] : runAt(list, index);
  const run = runs[at];
  list.length++;
  if (run === undefined) {
    runs.push(runOf([rule]));
    return;
  }
  run.rules.splice(offset, 0, rule);
  run.numbers.splice(offset, 0, NOT_KNOWN);
  run.held.add(NOT_KNOWN);
  if (run.rules.length <= RUN_MAX) return;
  // A run that grew at its end is full; one that grew within is parted in the middle.
  const keep = offset === RUN_MAX ? RUN_MAX : RUN_MAX / 2;
  const rest = { rules: run.rules.splice(keep), numbers: run.numbers.splice(keep), held: new Set(run.held) };
  runs.splice(at + 1, 0, rest);
}

export function replaceRule(list: RuleList, index: number, rule: Rule): void {
  const [at, offset] = runAt(list, index);
  const run = list.runs[at];
  if (run !== undefined) putInPlace(run, offset, rule);
}

/** Puts what `change` makes of each rule in its place. */
export function replaceEach({ runs }: RuleList, change: (rule: Rule) => Rule): void {
  for (const run of runs) {
    for (const [offset, rule] of run.rules.entries()) {
      const changed = change(rule);
      if (changed !== rule) putInPlace(run, offset, changed);
    }
  }
}

function putInPlace({ rules, numbers, held }: Run, offset: number, rule: Rule): void {
  rules[offset] = rule;
  numbers[offset] = NOT_KNOWN;
  held.add(NOT_KNOWN);
}

export function removeRule(list: RuleList, index: number): void {
  const [at, offset] = runAt(list, index);
  const run = list.runs[at];
  if (run === undefined) return;
  run.rules.splice(offset, 1);
  run.numbers.splice(offset, 1);
  list.length--;
  if (run.rules.length === 0) list.runs.splice(at, 1);
}

/** The index of the first rule with this text, or -1. */
export function indexOfText(
  list: RuleList,
  text: string,
  numbers: TextNumbers,
  print: (rule: Rule) => string,
): number {
  const numberOf = (one: string): number => {
    const known = numbers.get(one);
    if (known !== undefined) return known;
    numbers.set(one, numbers.size);
    return numbers.size - 1;
  };
  const wanted = numberOf(text);
  let before = 0;
  for (const { rules, numbers: known, held } of list.runs) {
    if (held.delete(NOT_KNOWN)) {
      for (let at = known.indexOf(NOT_KNOWN); at >= 0; at = known.indexOf(NOT_KNOWN, at + 1)) {
        const number = numberOf(print(rules[at] as Rule));
        known[at] = number;
        held.add(number);
      }
    }
    const found = held.has(wanted) ? known.indexOf(wanted) : -1;
    if (found >= 0) return before + found;
    before += rules.length;
  }
  return -1;
}

/** The run that holds an index, and the place in it. */
function runAt({ runs }: RuleList, index: number): readonly [number, number] {
  let at = 0;
  let offset = index;
  for (; at < runs.length; at++) {
    const { length } = (runs[at] as Run).rules;
    if (offset < length) break;
    offset -= length;
  }
  return [at, offset];
}
