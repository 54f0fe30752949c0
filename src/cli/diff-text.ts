/** Differences for people: behaviour first, then structure, then text. */
import type { BehaviourChange, BehaviourDifference } from "../diff/behaviour.js";
import { nameOf } from "../diff/behaviour.js";
import type { Differences } from "../diff/compare.js";
import { questionText } from "../diff/question.js";
import type { Side } from "../diff/side.js";
import type { StructureChange, StructureDifference } from "../diff/structure.js";
import { type ChangedOutcomes, changedOutcomes, type Outcome, tellingRules } from "../diff/telling.js";
import type { Hunk, TextDifference } from "../diff/text.js";
import type { Step } from "../evaluate/outcome.js";
import { NOTHING, plus } from "../evaluate/share.js";
import { endWords } from "../explain/service-words.js";
import { appendAll } from "../problems/append.js";
import { clean, type Style } from "./style.js";
import { table } from "./table.js";
import { landsOn, shareText } from "./trace-text.js";

/** What is told, and how much of it. */
export interface DiffTextOptions {
  readonly style: Style;
  /** Shares as fractions. */
  readonly exact: boolean;
  readonly behaviour: boolean;
  /** `summary`: in one line. */
  readonly structure: "no" | "summary" | "full";
  readonly text: "no" | "summary" | "full";
  readonly examplesMax: number;
  readonly left: Side;
  readonly right: Side;
}

export function diffText(found: Differences, options: DiffTextOptions): string {
  const lines: string[] = [];
  if (options.behaviour) appendAll(lines, behaviourLines(found.behaviour, options));
  if (options.structure === "summary") lines.push(`structure   ${structureSummary(found.structure)}`);
  if (options.structure === "full") appendAll(lines, structureLines(found.structure, options.style));
  if (options.text === "summary") lines.push(`text        ${textSummary(found.text)}`);
  if (options.text === "full") appendAll(lines, textLines(found.text, options));
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** `2 of 4 entry points differ` */
export function behaviourSummary({
  entryPoints,
  differing,
  rounded,
  undecided,
}: BehaviourDifference): string {
  const head =
    differing === 0
      ? `none of ${counted(entryPoints, "entry point")} differs`
      : `${differing} of ${counted(entryPoints, "entry point")} ${differing === 1 ? "differs" : "differ"}`;
  const rounding = rounded === 0 ? "" : `; at ${rounded} shares differ by rounding alone`;
  const open = new Set(undecided.map(({ entry }) => entry)).size;
  return `${head}${rounding}${open === 0 ? "" : `; ${open} not decided`}`;
}

/** How far the comparison goes. */
export function scopeOf({ entryPoints, byRules, packets }: BehaviourDifference): string {
  const parts = [
    ...(byRules === 0 ? [] : [`${byRules} by equal rules`]),
    ...(packets === 0 ? [] : [`${entryPoints - byRules} by ${counted(packets, "packet")}`]),
  ];
  const how = parts.length === 0 ? "" : ` (${parts.join(", ")})`;
  return `compared: ${counted(entryPoints, "entry point")} that the rules name${how}; not a proof for all packets`;
}

function behaviourLines(found: BehaviourDifference, options: DiffTextOptions): readonly string[] {
  const { style } = options;
  const lines = [`${style.paint("bold", "behaviour")}   ${behaviourSummary(found)}`];
  const shown = found.changes.slice(0, options.examplesMax);
  for (const change of shown) lines.push(...changeLines(change, options));
  if (found.changes.length > shown.length)
    lines.push(`… and ${counted(found.changes.length - shown.length, "more difference")} (--max-examples)`);
  for (const line of undecidedLines(found)) lines.push(style.paint("yellow", `? ${line}`));
  if (found.differing > 0 && found.same.length > 0) lines.push(`same        ${sameSummary(found.same)}`);
  lines.push(style.paint("dim", `            ${scopeOf(found)}`));
  return lines;
}

/** What could not be decided, by its reason. */
export function undecidedLines({ undecided }: BehaviourDifference): readonly string[] {
  const byReason = new Map<string, Set<string>>();
  for (const { entry, who, why } of undecided) {
    const name = [entry.service, nameOf(entry), who].filter((part) => part).join(" ");
    byReason.set(why, (byReason.get(why) ?? new Set()).add(name));
  }
  return [...byReason].map(([why, names]) => `not decided: ${clean(why)}: ${clean(some([...names]))}`);
}

const SAME_MAX = 8;

function sameSummary(same: readonly string[]): string {
  const names = same.slice(0, SAME_MAX).map((name) => clean(name));
  const more = same.length - names.length;
  return `${names.join(" · ")}${more > 0 ? ` · and ${more} more` : ""}`;
}

function changeLines(change: BehaviourChange, options: DiffTextOptions): readonly string[] {
  const { style, left, right } = options;
  const { example } = change;
  const rows = [
    [clean(left.name), outcomesText(changedOutcomes(change), "left", change, options)],
    [clean(right.name), outcomesText(changedOutcomes(change), "right", change, options)],
    ["clients", clientsText(change)],
    ...(example.difference.assuming.length === 0 ? [] : [["if", assumingText(example.difference.assuming)]]),
    ...tries(change, options),
  ];
  return [
    `${style.paint("red", "~")} ${style.paint("bold", titleOf(change))}`,
    ...table([], rows, style, INDENT.length).map((line) => INDENT + line),
  ];
}

/** Of what is told of a difference. */
const INDENT = "    ";

/** `default/web:http   10.96.41.17:80/tcp and node port 30080/tcp` */
export function titleOf({ service, entries }: BehaviourChange): string {
  const ends = entries.map(({ entry }) => nameOf(entry));
  return [...(service === undefined ? [] : [clean(service)]), ends.join(", ")].join("   ");
}

const ASSUMED_MAX = 3;

/** What the case that is shown takes for granted. */
export function assumingText(assuming: readonly string[]): string {
  const shown = assuming.slice(0, ASSUMED_MAX).map((words) => clean(words));
  const more = assuming.length - shown.length;
  return `${shown.join(", and ")}${more > 0 ? `, and ${more} more such` : ""}`;
}

/** Which clients notice. */
export function clientsText({ entries }: BehaviourChange): string {
  const who = [...new Set(entries.flatMap((one) => one.who))];
  return `${who
    .slice(0, CLIENTS_MAX)
    .map((one) => clean(one))
    .join(", ")}${who.length > CLIENTS_MAX ? ` and ${who.length - CLIENTS_MAX} more` : ""}`;
}

const CLIENTS_MAX = 6;
const OUTCOMES_MAX = 8;

/** `33.3 % 10.244.1.14:8080 · 66.7 % as there`: outcomes that both sides have alike are put together. */
export function outcomesText(
  changed: ChangedOutcomes,
  side: "left" | "right",
  { example: { difference } }: BehaviourChange,
  { exact }: Pick<DiffTextOptions, "exact">,
): string {
  const all = changed[side];
  const rest = changed.unchanged.numerator === 0n ? [] : [`${shareText(changed.unchanged, exact)} alike`];
  const sources = new Set(all.map(sourceText));
  const [source = ""] = sources;
  if (difference.what === "source" && sources.size === 1 && all.length > 1) {
    // What they land on is alike.
    const share = all.reduce((sum, one) => plus(sum, one.share), NOTHING);
    return [`${shareText(share, exact)} come from ${source}`, ...rest].join(" · ");
  }
  const shown = all.slice(0, OUTCOMES_MAX).map((one) => {
    const from = difference.what === "source" ? ` from ${sourceText(one)}` : "";
    return `${shareText(one.share, exact)} ${clean(landsOn(one.landing))}${from}`;
  });
  const more = all.length > OUTCOMES_MAX ? [`and ${all.length - OUTCOMES_MAX} more`] : [];
  return [...shown, ...more, ...rest].join(" · ");
}

function sourceText({ landing: { src, sport, masqueraded } }: Outcome): string {
  const end =
    src === null
      ? masqueraded
        ? "an address of the node"
        : "the sender"
      : endWords(src, sport ?? undefined);
  return masqueraded ? `${end} (masqueraded)` : end;
}

/** The packets that prove it, with the lines of each side that make the difference. */
function tries(change: BehaviourChange, { left, right }: DiffTextOptions): readonly (readonly string[])[] {
  const [one, other] = [questionText(change.example.left), questionText(change.example.right)];
  const rules = tellingRules(change, left, right);
  const where = [placesText(left, rules.left), placesText(right, rules.right)].filter((text) => text !== "");
  const asked =
    one === other
      ? [["try", one]]
      : [
          ["try there", one],
          ["and here", other],
        ];
  return where.length === 0 ? asked : [...asked, ["rules", where.join(", ")]];
}

const PLACES_MAX = 4;

/** `node-a.save lines 51–53`; rules that were compiled have no lines, and are named as TRACE names them. */
export function placesText({ name }: Side, steps: readonly Step[]): string {
  if (steps.length === 0) return "";
  const lines = steps.flatMap(({ rule }) => (rule?.place === undefined ? [] : [rule.place.line]));
  if (lines.length === steps.length) {
    const ranges = rangesOf([...new Set(lines)].sort((one, other) => one - other));
    const isOne = ranges.length === 1 && !ranges[0]?.includes("–");
    return `${clean(name)} line${isOne ? "" : "s"} ${some(ranges)}`;
  }
  return `${clean(name)} ${some(steps.map(({ table: own, chain, number }) => `${own}:${clean(chain)}:rule:${number}`))}`;
}

function some(words: readonly string[]): string {
  const more = words.length - PLACES_MAX;
  return `${words.slice(0, PLACES_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Ascending numbers as `51–53`. */
function rangesOf(numbers: readonly number[]): readonly string[] {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
}

const KINDS: readonly (readonly [StructureChange["kind"], singular: string, plural: string])[] = [
  ["chain removed", "chain gone", "chains gone"],
  ["chain added", "chain new", "chains new"],
  ["chain renamed", "chain renamed", "chains renamed"],
  ["policy changed", "policy changed", "policies changed"],
  ["rule removed", "rule gone", "rules gone"],
  ["rule added", "rule new", "rules new"],
  ["rule moved", "rule moved", "rules moved"],
  ["probability changed", "probability changed", "probabilities changed"],
];

/** `1 chain gone, 2 rules new, 824 rules reworded` */
export function structureSummary({ changes, reworded, reordered }: StructureDifference): string {
  const parts = KINDS.flatMap(([kind, singular, plural]) => {
    const count = changes.filter((change) => change.kind === kind).length;
    return count === 0 ? [] : [`${count} ${count === 1 ? singular : plural}`];
  });
  if (reworded > 0) parts.push(`${counted(reworded, "rule")} reworded`);
  if (reordered > 0) parts.push(`${counted(reordered, "rule")} in another order, to the same effect`);
  return parts.length === 0 ? "same" : parts.join(", ");
}

function structureLines(found: StructureDifference, style: Style): readonly string[] {
  const lines = [`${style.paint("bold", "structure")}   ${structureSummary(found)}`];
  for (const change of found.changes) appendAll(lines, structureLine(change, style));
  return lines;
}

/** One change of structure, in one line or two. */
export function structureLine(change: StructureChange, style: Style): readonly string[] {
  const red = (text: string) => style.paint("red", clean(text));
  const green = (text: string) => style.paint("green", clean(text));
  switch (change.kind) {
    case "chain removed":
      return [red(`- ${change.table}:${change.chain}   chain with ${counted(change.rules, "rule")}`)];
    case "chain added":
      return [green(`+ ${change.table}:${change.chain}   chain with ${counted(change.rules, "rule")}`)];
    case "chain renamed":
      return [clean(`~ ${change.table}:${change.left}   is called ${change.right}, with the same rules`)];
    case "policy changed":
      return [clean(`~ ${change.table}:${change.chain}   policy ${change.left} is ${change.right}`)];
    case "rule removed":
      return [red(`- ${change.table}:${change.chain}:rule:${change.rule.number}   ${change.rule.text}`)];
    case "rule added":
      return [green(`+ ${change.table}:${change.chain}:rule:${change.rule.number}   ${change.rule.text}`)];
    case "rule moved":
      return [
        clean(
          `~ ${change.table}:${change.chain}:rule:${change.left.number}   is rule ${change.right.number}: ${change.right.text}`,
        ),
      ];
    case "probability changed":
      return [
        red(`- ${change.table}:${change.chain}:rule:${change.left.number}   ${change.left.text}`),
        green(`+ ${change.table}:${change.chain}:rule:${change.right.number}   ${change.right.text}`),
      ];
  }
}

export function textSummary({ removed, added }: TextDifference): string {
  const count = removed + added;
  return count === 0
    ? "same"
    : `${counted(count, "line")} (-${removed} +${added}; landfall diff --text shows them)`;
}

function textLines({ hunks }: TextDifference, { style, left, right }: DiffTextOptions): readonly string[] {
  if (hunks.length === 0) return [];
  return [
    style.paint("bold", `--- ${clean(left.name)}`),
    style.paint("bold", `+++ ${clean(right.name)}`),
    ...hunks.flatMap((hunk) => hunkLines(hunk, style)),
  ];
}

/** In the form of `diff -u`; line numbers are of canonical text. */
export function hunkLines({ left, right, lines }: Hunk, style: Style): readonly string[] {
  return [
    style.paint("yellow", `@@ -${left.start},${left.count} +${right.start},${right.count} @@`),
    ...lines.map(({ kind, text }) =>
      kind === "same"
        ? ` ${clean(text)}`
        : kind === "removed"
          ? style.paint("red", `-${clean(text)}`)
          : style.paint("green", `+${clean(text)}`),
    ),
  ];
}

/** `1 rule`, `2 rules` */
function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
