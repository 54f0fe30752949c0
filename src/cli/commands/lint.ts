/** `landfall lint`: known faults and traps in a node's rules, sets, virtual servers and connections. */
import { aliasOf, CHECKS, checkNamed } from "../../lint/all.js";
import { type Check, FINDING_SEVERITIES, type FindingSeverity } from "../../lint/finding.js";
import { lint as findFaults } from "../../lint/lint.js";
import { CODES } from "../../problems/codes.js";
import { nearest } from "../../problems/nearest.js";
import type { Problem } from "../../problems/problem.js";
import { dumpsIn } from "../../text/dumps.js";
import type { TextKind } from "../../text/segments.js";
import { assumes, type CommonFlags, exitCode, inputNames, write } from "../common.js";
import { EXIT, UsageError } from "../exit.js";
import { type Inputs, readInputs, readSource, readTexts } from "../inputs.js";
import type { IO } from "../io.js";
import { type LintForm, lintText } from "../lint-forms.js";
import { lintDocument, readBaseline } from "../lint-json.js";
import { printProblems } from "../print-problems.js";
import { styleFor } from "../style.js";
import { table } from "../table.js";

export interface LintFlags extends CommonFlags {
  readonly output: LintForm;
  readonly as?: TextKind;
  readonly rule?: readonly string[];
  readonly ignore?: readonly string[];
  readonly severity?: FindingSeverity;
  readonly list?: boolean;
  readonly baseline?: string;
  readonly strict?: boolean;
}

const USAGE = "landfall lint FILE…; - is standard input";

export async function lint(words: readonly string[], flags: LintFlags, io: IO): Promise<number> {
  const wanted = chosenChecks(flags);
  if (flags.list) {
    io.stdout.write(listText(wanted));
    return EXIT.done;
  }
  const names = inputNames(words, flags, io, USAGE);
  const problems: Problem[] = [];
  const known = flags.baseline === undefined ? undefined : await readKnown(flags.baseline, io, problems);
  const inputs = withDumpsApart(await readInputs(names, io, flags.as));
  const texts = readTexts(inputs, problems);
  const parts = [
    ...texts.map(({ state }) => state),
    ...(inputs.network === undefined ? [] : [{ rulesets: {}, network: inputs.network }]),
  ];
  const all = [...inputs.problems, ...problems];
  const isReadable = parts.some(
    ({ rulesets, sets, virtualServers, connections }) =>
      Object.keys(rulesets).length > 0 || (sets ?? virtualServers ?? connections) !== undefined,
  );
  const failed = flags.baseline !== undefined && known === undefined;
  printProblems(isReadable ? all : [...all, ...nothingIn(all)], io, flags);
  if (!isReadable || failed) return EXIT.unreadable;
  const least = flags.severity ?? (flags.rule === undefined ? "warning" : "info");
  const found = findFaults(parts, wanted).filter(({ code, message }) => !known?.has(`${code} ${message}`));
  const shown = found.filter(
    ({ severity }) => FINDING_SEVERITIES.indexOf(severity) <= FINDING_SEVERITIES.indexOf(least),
  );
  const document = lintDocument(shown, found.length - shown.length);
  const text = lintText(flags.output, document, styleFor(io.stdout, io.env, flags));
  if (flags.output === "text") io.stdout.write(text);
  else write(io, text);
  return exitCode(flags, { differs: shown.length > 0, assumed: assumes(all) });
}

/** Dumps that stand in one text are looked at one by one. */
function withDumpsApart(inputs: Inputs): Inputs {
  const segments = inputs.segments.flatMap((segment) =>
    segment.kind === "rules" ? dumpsIn(segment.source).map((source) => ({ ...segment, source })) : [segment],
  );
  return { ...inputs, segments };
}

function chosenChecks({ rule, ignore = [] }: LintFlags): readonly Check[] {
  const chosen = rule === undefined ? CHECKS : rule.map(namedCheck);
  const left = ignore.map(namedCheck);
  return CHECKS.filter((check) => chosen.includes(check) && !left.includes(check));
}

function namedCheck(name: string): Check {
  const check = checkNamed(name);
  if (check !== undefined) return check;
  const near = nearest(
    name.toUpperCase(),
    CHECKS.map(({ code }) => code),
  );
  throw new UsageError(
    `no finding is called ${name}`,
    near === undefined ? "`landfall lint --list` lists them" : `did you mean ${near}?`,
  );
}

async function readKnown(
  file: string,
  io: IO,
  problems: Problem[],
): Promise<ReadonlySet<string> | undefined> {
  const [source] = await readSource(file, io, problems);
  return source === undefined ? undefined : readBaseline(source, problems);
}

/** That nothing here can have faults, unless an error has said so. */
function nothingIn(problems: readonly Problem[]): readonly Problem[] {
  if (problems.some(({ severity }) => severity === "error")) return [];
  return [
    {
      code: "LF1034",
      severity: "error",
      message: "no input holds rules, sets, virtual servers or connections",
      help: "`landfall compile` writes the rules of objects: landfall compile objects.yaml -o save | landfall lint",
    },
  ];
}

function listText(checks: readonly Check[]): string {
  const rows = checks.map(({ code, severity, sureness }) => [
    code,
    aliasOf(code),
    severity,
    sureness,
    CODES[code],
  ]);
  return `${table(["CODE", "NAME", "SEVERITY", "SURE", "FINDING"], rows).join("\n")}\n`;
}
