/** What `lint` found, in the forms that people, editors and CI systems read. */
import { documentText } from "./common.js";
import type { LintDocument } from "./schemas/lint.js";
import { type Colour, clean, type Style } from "./style.js";
import { VERSION } from "./version.js";
import { annotation } from "./workflow-commands.js";

export const LINT_FORMS = ["text", "json", "sarif", "github"] as const;
export type LintForm = (typeof LINT_FORMS)[number] | "yaml";

type Found = LintDocument["findings"][number];

export function lintText(form: LintForm, document: LintDocument, style: Style): string {
  switch (form) {
    case "text":
      return plain(document, style);
    case "json":
    case "yaml":
      return documentText(document, form);
    case "sarif":
      return `${JSON.stringify(sarif(document), undefined, 2)}\n`;
    case "github":
      return github(document);
  }
}

const COLOURS: Readonly<Record<Found["severity"], Colour>> = { error: "red", warning: "yellow", info: "dim" };
const SURE: Readonly<Record<Found["sureness"], string>> = {
  sure: "it follows from these inputs",
  likely: "the usual cause; look before you act",
  hint: "it hangs on what no input here holds",
};

/** Of one code so many findings are printed, and of one finding so many places. */
const ALIKE_MAX = 5;
const PLACES_MAX = 4;

/** The count first; then the gravest first, and what findings of one code mean once. */
function plain({ findings, hidden }: LintDocument, style: Style): string {
  const lines = [summary(findings, hidden)];
  const groups = new Map<string, Found[]>();
  for (const found of findings) {
    const key = `${found.severity} ${found.code} ${found.sureness}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [found]);
    else known.push(found);
  }
  for (const own of groups.values()) {
    const [first] = own;
    if (first === undefined) continue;
    lines.push("");
    for (const found of own.slice(0, ALIKE_MAX)) lines.push(...headLines(found, style));
    if (own.length > ALIKE_MAX) lines.push(`… and ${own.length - ALIKE_MAX} more of ${first.code}`);
    const told: readonly (readonly [string, string])[] = [
      ...first.means.map((sentence) => ["means", sentence] as const),
      ...first.matters.map((sentence) => ["so", sentence] as const),
      [first.sureness, SURE[first.sureness]],
      ...first.remedy.map((sentence) => ["do", sentence] as const),
    ];
    for (const [index, [key, sentence]] of told.entries()) {
      const isFirst = told[index - 1]?.[0] !== key;
      lines.push(`  ${style.paint("dim", (isFirst ? key : "").padEnd(6))}  ${clean(sentence)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** `3 findings: 1 error, 2 warnings`. */
function summary(findings: readonly Found[], hidden: number): string {
  const counts = (["error", "warning", "info"] as const).flatMap((severity) => {
    const count = findings.filter((one) => one.severity === severity).length;
    return count === 0
      ? []
      : [severity === "info" ? `${count} info` : `${count} ${severity}${count === 1 ? "" : "s"}`];
  });
  const all =
    findings.length === 0
      ? "no findings"
      : `${findings.length} ${findings.length === 1 ? "finding" : "findings"}`;
  const less = hidden === 0 ? "" : `; ${hidden} less grave: --severity info`;
  return `${all}${counts.length === 0 ? "" : `: ${counts.join(", ")}`}${less}`;
}

function headLines(found: Found, style: Style): readonly string[] {
  const { severity, code, message, seen, more } = found;
  const at = seen.find(({ file }) => file !== null);
  const where = at === undefined ? "" : `${clean(at.file ?? "")}:${at.line}: `;
  const shown = seen.slice(0, PLACES_MAX).map(({ line, words }) => {
    const behind = line === null ? "" : `   ${style.paint("dim", `line ${line}`)}`;
    return `  ${clean(words)}${behind}`;
  });
  const left = more + Math.max(0, seen.length - PLACES_MAX);
  return [
    `${style.paint("bold", where)}${style.paint(COLOURS[severity], `${severity}[${code}]`)}: ${clean(message)}`,
    ...shown,
    ...(left > 0 ? [`  … and ${left} more`] : []),
  ];
}

const SARIF_LEVELS: Readonly<Record<Found["severity"], string>> = {
  error: "error",
  warning: "warning",
  info: "note",
};

/** SARIF 2.1.0 (OASIS): what code scanning takes. */
function sarif({ findings }: LintDocument): unknown {
  const codes = [...new Map(findings.map((found) => [found.code, found])).values()];
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "landfall",
            version: VERSION,
            rules: codes.map(({ code, title, means, remedy, severity }) => ({
              id: code,
              shortDescription: { text: title },
              fullDescription: { text: means.join(" ") },
              help: { text: remedy.join(" ") },
              defaultConfiguration: { level: SARIF_LEVELS[severity] },
            })),
          },
        },
        results: findings.map(({ code, severity, message, seen, sureness }) => ({
          ruleId: code,
          ruleIndex: codes.findIndex((one) => one.code === code),
          level: SARIF_LEVELS[severity],
          message: { text: clean(message) },
          // Code scanning shows the first place.
          locations: seen.flatMap(({ file, line, col, words }) =>
            file === null || line === null
              ? []
              : [
                  {
                    physicalLocation: {
                      artifactLocation: { uri: uriOf(file) },
                      region: { startLine: line, startColumn: col ?? 1 },
                    },
                    message: { text: clean(words) },
                  },
                ],
          ),
          properties: { sureness },
        })),
      },
    ],
  };
}

/** A file's name as a relative or absolute URI reference (RFC 3986). */
function uriOf(file: string): string {
  const path = file.split("/").map(encodeURIComponent).join("/");
  return path.startsWith("/") ? `file://${path}` : path;
}

/** Workflow commands of GitHub Actions: an annotation at each finding. */
function github({ findings, hidden }: LintDocument): string {
  const lines = findings.map(({ severity, code, title, message, seen, remedy }) => {
    const at = seen.find(({ file }) => file !== null);
    return annotation({
      level: severity === "info" ? "notice" : severity,
      ...(at?.file === null || at === undefined ? {} : { file: at.file, line: at.line ?? 1 }),
      title: `${code}: ${title}`,
      message: [message, ...remedy].map((line) => clean(line)).join("\n"),
    });
  });
  return `${[...lines, summary(findings, hidden)].join("\n")}\n`;
}
