/** Differences as Markdown, for a pull request. */
import type { Differences } from "../diff/compare.js";
import { questionText } from "../diff/question.js";
import { changedOutcomes, tellingRules } from "../diff/telling.js";
import {
  assumingText,
  behaviourSummary,
  clientsText,
  type DiffTextOptions,
  hunkLines,
  outcomesText,
  placesText,
  scopeOf,
  structureLine,
  structureSummary,
  textSummary,
  titleOf,
  undecidedLines,
} from "./diff-text.js";
import { clean, type Style } from "./style.js";

/** Text that is folded away, at most. */
const FOLDED_MAX = 400;

const PLAIN: Style = { paint: (_colour, text) => text };

export function diffMarkdown(found: Differences, options: DiffTextOptions): string {
  const { left, right } = options;
  const parts = [`## ${cell(left.name)} → ${cell(right.name)}`];
  if (options.behaviour) {
    parts.push(`**Behaviour**: ${behaviourSummary(found.behaviour)}`);
    const { changes, undecided } = found.behaviour;
    const shown = changes.slice(0, options.examplesMax);
    if (shown.length > 0) {
      const rows = shown.map((change) => {
        const outcomes = changedOutcomes(change);
        const { example } = change;
        const [one, other] = [questionText(example.left), questionText(example.right)];
        const packet = one === other ? `\`${one}\`` : `\`${one}\` and \`${other}\``;
        const assuming = cell(assumingText(example.difference.assuming));
        const rules = tellingRules(change, left, right);
        return [
          titleOf(change),
          outcomesText(outcomes, "left", change, options),
          outcomesText(outcomes, "right", change, options),
          clientsText(change),
          [packet, ...(assuming === "" ? [] : [`if ${assuming}`])].join(", "),
          [placesText(left, rules.left), placesText(right, rules.right)]
            .filter((text) => text !== "")
            .join(", "),
        ].map(cell);
      });
      parts.push(
        markdownTable(["service", left.name, right.name, "clients", "packet", "rules"].map(cell), rows),
      );
    }
    if (changes.length > shown.length) parts.push(`… and ${changes.length - shown.length} more`);
    if (undecided.length > 0)
      parts.push(
        undecidedLines(found.behaviour)
          .map((line) => `- ${cell(line)}`)
          .join("\n"),
      );
    parts.push(scopeOf(found.behaviour));
  }
  if (options.structure !== "no") {
    parts.push(`**Structure**: ${structureSummary(found.structure)}`);
    parts.push(
      ...folded(
        "changes",
        found.structure.changes.flatMap((change) => structureLine(change, PLAIN)),
      ),
    );
  }
  if (options.text !== "no") {
    parts.push(`**Text**: ${textSummary(found.text)}`);
    parts.push(
      ...folded(
        "lines",
        found.text.hunks.flatMap((hunk) => hunkLines(hunk, PLAIN)),
      ),
    );
  }
  return `${parts.join("\n\n")}\n`;
}

function folded(what: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(0, FOLDED_MAX);
  const more = lines.length > shown.length ? [`… and ${lines.length - shown.length} more`] : [];
  // A fence that is longer than any in the text.
  const fence = "`".repeat(Math.max(3, ...shown.map((line) => (/`+/.exec(line)?.[0].length ?? 0) + 1)));
  return [
    [
      `<details><summary>${what}</summary>`,
      "",
      `${fence}diff`,
      ...shown,
      ...more,
      fence,
      "",
      "</details>",
    ].join("\n"),
  ];
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Text without anything that would end a cell or begin a tag. */
function cell(text: string): string {
  return clean(text).replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
