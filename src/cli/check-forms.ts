/** What `check` found, in the forms that people and CI systems read. */
import { documentText } from "./common.js";
import type { CheckDocument, UnmetDocument } from "./schemas/check.js";
import { clean, type Style } from "./style.js";
import { annotation } from "./workflow-commands.js";

type Result = CheckDocument["results"][number];

export const CHECK_FORMS = ["text", "tap", "junit", "github", "json"] as const;
export type CheckForm = (typeof CHECK_FORMS)[number] | "yaml";

export function checkText(form: CheckForm, document: CheckDocument, style: Style): string {
  switch (form) {
    case "text":
      return plain(document, style);
    case "tap":
      return tap(document);
    case "junit":
      return junit(document);
    case "github":
      return github(document);
    case "json":
    case "yaml":
      return documentText(document, form);
  }
}

function plain({ results, unmet }: CheckDocument, style: Style): string {
  const lines = results.flatMap((result) => {
    const mark = result.met ? style.paint("green", "✓ ok    ") : style.paint("red", "✗ not ok");
    return [`${mark}  ${clean(result.name)}`, ...result.unmet.flatMap(detailLines)];
  });
  const count = `${results.length} ${results.length === 1 ? "expectation" : "expectations"}`;
  lines.push("", unmet === 0 ? `${count}, all met` : `${count}, ${unmet} not met`);
  return `${lines.join("\n")}\n`;
}

/** What is not met, one line for each thing that can be told of it. */
export function detailLines(unmet: UnmetDocument): readonly string[] {
  return details(unmet).map(([key, value]) => `    ${key.padEnd(14)}  ${clean(value)}`);
}

/** What is told of a part that is not met, in the same words everywhere. */
function details(unmet: UnmetDocument): readonly (readonly [string, string])[] {
  const { expected, known, assuming, step, found, hint, counterexample, because } = unmet;
  const where = step === null ? "" : `step ${step}: `;
  const given = assuming.length === 0 ? "" : `, if ${assuming.join(", and ")}`;
  return [
    ["expected", expected],
    [known ? "found" : "not known", `${where}${found}${given}`],
    ...(hint === null ? [] : [["help", hint] as const]),
    ...(counterexample === null ? [] : [["counterexample", counterexample] as const]),
    ...(because === null ? [] : [["because", becauseWords(because)] as const]),
  ];
}

/** `nat:KUBE-SEP-CEYPGFB7VCORONY3:rule:1 (line 34) from 10.244.1.5 → KUBE-MARK-MASQ` */
function becauseWords({ table, chain, rule, line, words }: NonNullable<UnmetDocument["because"]>): string {
  return `${table}:${chain}:rule:${rule}${line === null ? "" : ` (line ${line})`} ${words}`;
}

/** The failures of a result as lines of text. */
function failureText({ unmet }: Result): string {
  return unmet
    .map((one) =>
      details(one)
        .map(([key, value]) => `${key}: ${clean(value)}`)
        .join("\n"),
    )
    .join("\n");
}

/** Test Anything Protocol, version 14: what is not met is told in YAML below its test point. */
function tap({ results }: CheckDocument): string {
  const lines = results.flatMap((result, index) => {
    // `#` would begin a directive (`# SKIP` makes a failure pass), and a backslash escapes.
    const name = clean(result.name).replace(/[\\#]/g, "\\$&");
    const point = `${result.met ? "ok" : "not ok"} ${index + 1} - ${name}`;
    return result.met ? [point] : [point, ...diagnosis(result)];
  });
  return `${["TAP version 14", `1..${results.length}`, ...lines].join("\n")}\n`;
}

function diagnosis(result: Result): readonly string[] {
  const fields = (unmet: UnmetDocument, indent: string) =>
    details(unmet).map(
      ([key, value], index) =>
        `${index === 0 ? indent : indent.replace("-", " ")}${key.replace(" ", "_")}: ${JSON.stringify(clean(value))}`,
    );
  const [first, ...others] = result.unmet;
  const lines =
    first !== undefined && others.length === 0
      ? fields(first, "")
      : ["unmet:", ...result.unmet.flatMap((one) => fields(one, "  - "))];
  const place = `at: ${JSON.stringify(`${clean(result.file)}:${result.line}`)}`;
  return ["---", ...lines, place, "..."].map((line) => `  ${line}`);
}

/** JUnit's XML as CI systems read it: a suite for each file. */
function junit({ results, unmet }: CheckDocument): string {
  const files = new Map<string, Result[]>();
  for (const result of results) files.set(result.file, [...(files.get(result.file) ?? []), result]);
  const suites = [...files].map(([file, own]) => {
    const failures = own.filter(({ met }) => !met).length;
    const cases = own.map((result) => testCase(result));
    return `  <testsuite name="${xml(file)}" tests="${own.length}" failures="${failures}" errors="0" skipped="0">\n${cases.join("")}  </testsuite>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="landfall check" tests="${results.length}" failures="${unmet}" errors="0">\n${suites.join("")}</testsuites>\n`;
}

function testCase(result: Result): string {
  const head = `    <testcase name="${xml(result.name)}" classname="${xml(result.file)}" file="${xml(result.file)}" line="${result.line}"`;
  if (result.met) return `${head}/>\n`;
  const message = result.unmet.map(({ expected }) => `not met: ${expected}`).join("; ");
  return `${head}>\n      <failure message="${xml(message)}" type="unmet">${xml(failureText(result), true)}</failure>\n    </testcase>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Text in XML 1.0, which has no place for control characters, halves of surrogate pairs, U+FFFE and U+FFFF. */
function xml(text: string, lines = false): string {
  return clean(text, lines)
    .replace(/\p{Surrogate}|[\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** Workflow commands of GitHub Actions: an annotation at each expectation that is not met. */
function github({ results, unmet }: CheckDocument): string {
  const lines = results
    .filter(({ met }) => !met)
    .map((result) => {
      return annotation({
        level: "error",
        file: result.file,
        line: result.line,
        title: `not met: ${result.name}`,
        message: failureText(result),
      });
    });
  const sum = `${results.length - unmet} of ${results.length} expectations met`;
  return `${[...lines, sum].join("\n")}\n`;
}
