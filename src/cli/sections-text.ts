/** Sections of an explanation as text or Markdown; words from inputs are made safe to show. */
import type { Fact, Section } from "../explain/sections.js";
import { clean, type Style } from "./style.js";
import { table } from "./table.js";

export function sectionsText(sections: readonly Section[], style: Style): string {
  return sections.map((section) => `${textLines(section, style).join("\n")}\n`).join("\n");
}

function textLines(
  { heading, lines = [], head = [], rows = [], facts = [] }: Section,
  style: Style,
): readonly string[] {
  const indent = heading === undefined ? "" : "  ";
  const body = [
    ...lines.map((line) => clean(line)),
    ...table(head, cleaned(rows), style, indent.length),
    ...factLines(facts, style),
  ];
  if (heading === undefined) return body;
  return [style.paint("bold", clean(heading)), ...body.map((line) => `${indent}${line}`.trimEnd())];
}

/** Labels in a column, and beside each its rows, aligned among themselves. */
function factLines(facts: readonly Fact[], style: Style): readonly string[] {
  const width = Math.max(0, ...facts.map(({ label }) => label.length));
  return facts.flatMap(({ label, rows }) =>
    table([], cleaned(rows), style, width + 5).map(
      (line, index) => `${(index === 0 ? clean(label) : "").padEnd(width)}   ${line}`,
    ),
  );
}

export function sectionsMarkdown(sections: readonly Section[]): string {
  return sections.map((section) => `${markdownLines(section).join("\n")}\n`).join("\n");
}

function markdownLines({
  heading,
  lines = [],
  head = [],
  rows = [],
  facts = [],
}: Section): readonly string[] {
  const width = Math.max(0, head.length, ...rows.map((row) => row.length));
  const cells = (row: readonly string[]) =>
    `| ${Array.from({ length: width }, (_, index) => escaped(row[index] ?? "")).join(" | ")} |`;
  return [
    ...(heading === undefined ? [] : [`## ${escaped(heading)}`, ""]),
    ...lines.flatMap((line) => [escaped(line), ""]),
    ...(rows.length === 0 ? [] : [cells(head), `|${"---|".repeat(width)}`, ...rows.map(cells)]),
    ...facts.flatMap(({ label, rows: own }) => [
      `- **${escaped(label)}**`,
      ...own.map(
        (row) =>
          `  - ${row
            .filter((cell) => cell !== "")
            .map(escaped)
            .join(" ")}`,
      ),
    ]),
  ];
}

function cleaned(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return rows.map((row) => row.map((cell) => clean(cell)));
}

/** Text as it is, not as Markdown or HTML. */
function escaped(text: string): string {
  return clean(text).replace(/[\\`*_{}[\]<>#|~]/g, (mark) => `\\${mark}`);
}
