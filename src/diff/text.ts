/** Two states as text, line by line: canonical text, so that the order of tables and chains doesn't matter. */
import { diffArrays } from "diff";
import { appendAll } from "../problems/append.js";
import type { NodeState } from "../state/nodestate.js";
import type { Counters } from "../state/rules.js";
import type { IpSet } from "../state/sets.js";
import { printSets } from "../text/ipset/save.js";
import { printVirtualServers } from "../text/ipvsadm.js";
import { printCounters } from "../text/save.js";
import { longestAscending, pairsOf } from "./order.js";
import type { PlainRuleset } from "./plain.js";

export interface TextLine {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
}

/** Lines that differ, with some that don't around them. Line numbers are of the canonical texts, from 1. */
export interface Hunk {
  readonly left: { readonly start: number; readonly count: number };
  readonly right: { readonly start: number; readonly count: number };
  readonly lines: readonly TextLine[];
}

export interface TextDifference {
  readonly removed: number;
  readonly added: number;
  readonly hunks: readonly Hunk[];
}

/** A part of a text that has a name; parts of equal names are compared with each other. */
export interface Section {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Rules as iptables-save (`counted`: `-c`) prints them, in sections: the chains of each table, and the rules of each chain. */
export function ruleSections(ruleset: PlainRuleset, counted: boolean): readonly Section[] {
  const counts = (counters: Counters | undefined) => printCounters(counted ? counters : undefined);
  return [...ruleset.tables.values()].flatMap(({ name: table, chains }): readonly Section[] => [
    {
      name: table,
      lines: [
        `*${table}`,
        ...[...chains.values()].map(
          ({ name, policy, counters }) => `:${name} ${policy ?? "-"} ${counts(counters)}`,
        ),
      ],
    },
    ...[...chains.values()].map(({ name, rules }) => ({
      name: `${table}:${name}`,
      lines: rules.map(({ rule: { counters }, text }) => {
        const before = counted && counters !== undefined ? `${counts(counters)} ` : "";
        return `${before}-A ${name} ${text}`;
      }),
    })),
    { name: `${table} end`, lines: ["COMMIT"] },
  ]);
}

/** Sets and virtual servers. The order of a set's elements means nothing; `counted`: what they have counted does. */
export function otherSections({ sets, virtualServers }: NodeState, counted: boolean): readonly Section[] {
  const ofSets = [...(sets ?? new Map<string, IpSet>()).values()]
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .map((set) => {
      const [create = "", ...elements] = linesOf(
        printSets(new Map([[set.name, counted ? set : withoutCounters(set)]])),
      );
      return { name: `set ${set.name}`, lines: [create, ...elements.sort()] };
    });
  const servers = linesOf(printVirtualServers(virtualServers?.services ?? []));
  return servers.length === 0 ? ofSets : [...ofSets, { name: "virtual servers", lines: servers }];
}

function withoutCounters(set: IpSet): IpSet {
  if (set.entries === undefined) return set;
  const entries = set.entries.map(({ extensions, ...entry }) => {
    const { packets: _packets, bytes: _bytes, ...rest } = extensions;
    return { ...entry, extensions: rest };
  });
  return { ...set, entries };
}

function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** Both sides' sections come in one order, as far as both have them. */
export function compareTexts(left: readonly Section[], right: readonly Section[]): TextDifference {
  const pieces: Piece[] = [];
  const leftLines = new Map(left.map(({ name, lines }) => [name, lines]));
  const rightLines = new Map(right.map(({ name, lines }) => [name, lines]));
  for (const name of mergedNames(left, right))
    appendAll(pieces, piecesOf(leftLines.get(name) ?? [], rightLines.get(name) ?? []));
  const count = (kind: TextLine["kind"]) =>
    pieces.reduce((sum, piece) => sum + (piece.kind === kind ? piece.lines.length : 0), 0);
  return { removed: count("removed"), added: count("added"), hunks: hunksOf(pieces) };
}

function mergedNames(left: readonly Section[], right: readonly Section[]): readonly string[] {
  const inLeft = new Set(left.map(({ name }) => name));
  const places = new Map(right.map(({ name }, index) => [name, index]));
  const names = new Set<string>();
  let next = 0;
  for (const { name } of left) {
    // What only the right side has comes where it stands there.
    const place = places.get(name);
    if (place !== undefined) {
      for (; next < place; next++) {
        const other = right[next]?.name ?? "";
        if (!inLeft.has(other)) names.add(other);
      }
      next = place + 1;
    }
    names.add(name);
  }
  for (const { name } of right) names.add(name);
  return [...names];
}

interface Piece {
  readonly kind: TextLine["kind"];
  readonly lines: readonly string[];
}

/** More changed lines than these in one section, and the shortest script of edits is not worth its time. */
const EDITS_MAX = 1000;

function piecesOf(left: readonly string[], right: readonly string[]): readonly Piece[] {
  if (left.length === right.length && left.every((line, index) => line === right[index]))
    return left.length === 0 ? [] : [{ kind: "same", lines: left }];
  const changes = diffArrays([...left], [...right], { maxEditLength: EDITS_MAX });
  if (changes === undefined) return roughPieces(left, right);
  return changes.map(({ added, removed, value }) => ({
    kind: added ? "added" : removed ? "removed" : "same",
    lines: value,
  }));
}

/** A script of edits that is right, though perhaps not the shortest: equal lines are paired first. */
function roughPieces(left: readonly string[], right: readonly string[]): readonly Piece[] {
  const pairs = pairsOf(left, right);
  const kept = longestAscending(pairs.map(([, other]) => other)).map((index) => pairs[index]);
  const pieces: Piece[] = [];
  let [fromLeft, fromRight] = [0, 0];
  for (const [index, other] of [...kept, [left.length, right.length] as const].filter(
    (one) => one !== undefined,
  )) {
    if (index > fromLeft) pieces.push({ kind: "removed", lines: left.slice(fromLeft, index) });
    if (other > fromRight) pieces.push({ kind: "added", lines: right.slice(fromRight, other) });
    if (index < left.length) pieces.push({ kind: "same", lines: [left[index] ?? ""] });
    [fromLeft, fromRight] = [index + 1, other + 1];
  }
  return pieces;
}

/** Equal lines that are shown before and after those that differ. */
const CONTEXT = 3;

function hunksOf(pieces: readonly Piece[]): readonly Hunk[] {
  const hunks: Hunk[] = [];
  let open: { start: readonly [number, number]; lines: TextLine[] } | undefined;
  /** Equal lines since the last change, and of those the last few. */
  let quiet = 0;
  let last: string[] = [];
  let [left, right] = [1, 1];
  const close = (): void => {
    if (open === undefined) return;
    const lines = open.lines.slice(
      0,
      open.lines.length - Math.max(0, Math.min(quiet, 2 * CONTEXT) - CONTEXT),
    );
    const countOf = (other: TextLine["kind"]) => lines.filter(({ kind }) => kind !== other).length;
    hunks.push({
      left: { start: open.start[0], count: countOf("added") },
      right: { start: open.start[1], count: countOf("removed") },
      lines,
    });
    open = undefined;
  };
  for (const { kind, lines } of pieces) {
    for (const text of lines) {
      if (kind === "same") {
        quiet++;
        if (open !== undefined && quiet <= 2 * CONTEXT) open.lines.push({ kind, text });
        else close();
        last.push(text);
        if (last.length > CONTEXT) last = last.slice(-CONTEXT);
      } else {
        open ??= {
          start: [left - last.length, right - last.length],
          lines: last.map((line): TextLine => ({ kind: "same", text: line })),
        };
        open.lines.push({ kind, text });
        quiet = 0;
        last = [];
      }
      if (kind !== "added") left++;
      if (kind !== "removed") right++;
    }
  }
  close();
  return hunks;
}
