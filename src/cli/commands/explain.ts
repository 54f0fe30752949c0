/** `landfall explain`: what rules do, in plain words, and what problem codes mean. */

import { knownNamesOf } from "../../explain/known-names.js";
import { builtInStarts, mermaidOf, type Start } from "../../explain/mermaid.js";
import {
  chainSections,
  drawSections,
  hostPortSections,
  isFragment,
  otherRules,
  overviewSections,
  ruleRows,
  ruleSection,
  type Section,
  serviceSection,
} from "../../explain/sections.js";
import type { ServicePort, ServicesFound } from "../../explain/service-model.js";
import { entranceWords, isUncertain } from "../../explain/service-words.js";
import { servicesOf } from "../../explain/services.js";
import { virtualOverviewOf, virtualSections } from "../../explain/virtual-overview.js";
import { CODES, type Code } from "../../problems/codes.js";
import { nearest } from "../../problems/nearest.js";
import type { Problem } from "../../problems/problem.js";
import type { NodeState } from "../../state/nodestate.js";
import { chainOf, type Ruleset, rulesOf } from "../../state/rules.js";
import type { TextKind } from "../../text/segments.js";
import {
  assumes,
  type CommonFlags,
  type DocumentForm,
  documentText,
  exitCode,
  inputNames,
  isDocumentForm,
  write,
} from "../common.js";
import { EXIT, UsageError } from "../exit.js";
import { type CodeDocument, codeText, describeCode, type Run } from "../explain-codes.js";
import { type Explained, explainDocument } from "../explain-json.js";
import { readInputs, readState } from "../inputs.js";
import type { IO } from "../io.js";
import { printProblems } from "../print-problems.js";
import { sectionsMarkdown, sectionsText } from "../sections-text.js";
import {
  chosenServices,
  isMeant,
  type ServiceFlags,
  spellingsOf,
  type Wanted,
  wantedBy,
} from "../service-filter.js";
import { servicesTable } from "../services-text.js";
import { clean, type Style, styleFor } from "../style.js";
import { splitInputs } from "../subjects.js";
import { nothingIn } from "./services.js";

export interface ExplainFlags extends CommonFlags, ServiceFlags {
  readonly output: "text" | DocumentForm | "markdown" | "mermaid";
  readonly as?: TextKind;
  readonly exact?: boolean;
  readonly strict?: boolean;
}

const USAGE =
  "landfall explain FILE… [CHAIN | TABLE:CHAIN:rule:N | NAMESPACE/NAME[:PORT] | CODE]; - is standard input";
const TAKES =
  "explain takes the codes that stand in brackets in problems, or rules: iptables-save | landfall explain";
/** A rule or a whole dump may be given as an argument. */
const SHOWN_MAX = 60;

export async function explain(
  words: readonly string[],
  flags: ExplainFlags,
  io: IO,
  run: Run,
): Promise<number> {
  const { files, subjects } = splitInputs(words, io);
  const codes = subjects.filter(isCode).map(codeOf);
  const named = subjects.filter((word) => !isCode(word));
  const hasInputs = files.length > 0 || (flags.file ?? []).length > 0;
  const codesOnly = !hasInputs && codes.length > 0 && named.length === 0;
  if (!hasInputs && named[0] !== undefined && (io.stdinIsTerminal || codes.length > 0))
    throw unknown(named[0], []);
  const described: CodeDocument[] = [];
  for (const code of codes) described.push(await describeCode(code, run));
  const explained = codesOnly ? undefined : await readExplained(files, named, flags, io);
  if (explained === "unreadable") return EXIT.unreadable;
  print(explained?.answer, described, flags, io);
  return exitCode(flags, { assumed: explained?.assumed ?? false });
}

/** That rules stand in no table, and that chains are missing: a fragment's explanation says so itself. */
const TOLD_BY_ANSWER: readonly Code[] = ["LF1002", "LF1021"];

async function readExplained(
  files: readonly string[],
  named: readonly string[],
  flags: ExplainFlags,
  io: IO,
): Promise<{ readonly answer: Explained; readonly assumed: boolean } | "unreadable"> {
  const problems: Problem[] = [];
  const inputs = await readInputs(inputNames(files, flags, io, USAGE), io, flags.as);
  const state = readState(inputs, problems);
  const all = [...inputs.problems, ...problems];
  const isReadable = Object.keys(state.rulesets).length > 0 || state.virtualServers !== undefined;
  const isTold = ({ code, severity }: Problem) =>
    named.length === 0 && severity === "note" && TOLD_BY_ANSWER.includes(code);
  printProblems([...all.filter((one) => !isTold(one)), ...(isReadable ? [] : nothingIn(all))], io, flags);
  if (!isReadable) return "unreadable";
  const found = servicesOf(state, inputs.cluster === undefined ? undefined : knownNamesOf(inputs.cluster));
  const answer =
    named.length > 0
      ? explainedOf(named, state, found)
      : explainedAll(state, found, wantedBy(flags, inputs.cluster));
  return { answer, assumed: assumes(all) || isUncertain(answer.services, found) };
}

/** All rules, or the services that are wanted of them. */
function explainedAll(state: NodeState, found: ServicesFound, wanted: Wanted): Explained {
  const services = chosenServices(found.services, wanted);
  const isNarrowed = wanted.namespace !== undefined || wanted.labelled !== undefined;
  return {
    state,
    found,
    services,
    rulesets: isNarrowed ? [] : Object.values(state.rulesets),
    virtual: isNarrowed ? undefined : virtualOverviewOf(state),
    chains: [],
    rules: [],
  };
}

/** What the words name: chains, rules, service ports. */
function explainedOf(words: readonly string[], state: NodeState, found: ServicesFound): Explained {
  const services = new Set<ServicePort>();
  const chains: Start[] = [];
  const rules: Explained["rules"][number][] = [];
  const rulesets = Object.values(state.rulesets);
  for (const word of words) {
    const [, table, name = word, number] = /^([a-z]+):([^:]+)(?::rule:(\d+))?$/.exec(word) ?? [];
    const places = rulesets.flatMap((ruleset) =>
      [...ruleset.tables.values()].flatMap((one) =>
        one.chains.has(name) && (table === undefined || table === one.name)
          ? [{ ruleset, table: one.name, chain: name }]
          : [],
      ),
    );
    const meant = found.services.filter((service) => isMeant(service, word));
    if (places.length > 0 && number === undefined) chains.push(...places);
    else if (places.length > 0) {
      for (const { ruleset, ...place } of places) {
        const chain = chainOf(ruleset, place.table, name);
        const rule = chain === undefined ? undefined : rulesOf(chain)[Number(number) - 1];
        if (rule !== undefined) rules.push({ ruleset, at: { ...place, number: Number(number), rule } });
      }
      if (rules.length === 0) throw new UsageError(`${name} has no rule ${number}`);
    } else if (meant.length > 0) for (const one of meant) services.add(one);
    else throw unknown(word, [...chainNames(rulesets), ...found.services.flatMap(spellingsOf)]);
  }
  return { state, found, services: [...services], rulesets: [], chains, rules };
}

function chainNames(rulesets: readonly Ruleset[]): readonly string[] {
  return rulesets.flatMap(({ tables }) => [...tables.values()].flatMap(({ chains }) => [...chains.keys()]));
}

function isCode(word: string): boolean {
  return Object.hasOwn(CODES, word.toUpperCase()) || /^LF\d+$/i.test(word);
}

/** The code that an argument is, in any case. */
function codeOf(word: string): Code {
  const code = word.toUpperCase();
  if (Object.hasOwn(CODES, code)) return code as Code;
  const near = nearest(code, Object.keys(CODES));
  throw new UsageError(
    `there is no code ${code.slice(0, SHOWN_MAX)}`,
    near === undefined ? TAKES : `did you mean ${near}?`,
  );
}

function unknown(word: string, known: readonly string[]): UsageError {
  const shown = word.length <= SHOWN_MAX ? word : `${word.slice(0, SHOWN_MAX)}…`;
  const near = nearest(word, new Set([...known, ...Object.keys(CODES)]));
  return new UsageError(
    known.length === 0
      ? `${shown} is no code, and there is no such file`
      : `${shown} is no chain, no rule, no service and no code of these inputs`,
    near === undefined ? TAKES : `did you mean ${near}?`,
  );
}

function print(
  explained: Explained | undefined,
  codes: readonly CodeDocument[],
  flags: ExplainFlags,
  io: IO,
): void {
  if (isDocumentForm(flags.output)) write(io, documentText(explainDocument(explained, codes), flags.output));
  else if (flags.output === "mermaid") {
    if (explained === undefined) throw new UsageError("codes have no drawing", "-o text or -o json");
    io.stdout.write(clean(drawingOf(explained), true));
  } else io.stdout.write(proseOf(explained, codes, flags, styleFor(io.stdout, io.env, flags)));
}

function proseOf(
  explained: Explained | undefined,
  codes: readonly CodeDocument[],
  flags: ExplainFlags,
  style: Style,
): string {
  const sections = explained === undefined ? [] : sectionsOf(explained, flags);
  const markdown = flags.output === "markdown";
  const text = markdown ? sectionsMarkdown(sections) : sectionsText(sections, style);
  const told = codes.map((code) => {
    const plain = codeText(code, markdown ? PLAIN : style);
    return markdown ? `\`\`\`\n${plain}\`\`\`\n` : plain;
  });
  return [...(text === "" ? [] : [text]), ...told].join("\n");
}

const PLAIN = { paint: (_colour: string, text: string) => text };

/** A drawing of what was named; of a whole ruleset from its built-in chains on, of services from where they are reached. */
function drawingOf({ chains, rules, services, rulesets, state }: Explained): string {
  if (rulesets.length > 0 && !rulesets.every(isFragment)) return mermaidOf(rulesets.flatMap(builtInStarts));
  const starts = [
    ...chains,
    ...rules.map(({ ruleset, at }) => ({ ruleset, table: at.table, chain: at.chain })),
  ];
  const entries = services.flatMap((service) =>
    service.entrances.flatMap((entrance) => {
      const ruleset = state.rulesets[service.family];
      if (ruleset === undefined || entrance.chain === undefined) return [];
      const label = `${entrance.kind} ${entranceWords(entrance, service)}`;
      return [{ label, to: { ruleset, table: "nat", chain: entrance.chain } }];
    }),
  );
  return mermaidOf(starts, entries);
}

/** More service ports than this make a table, not a block each. */
const BLOCKS_MAX = 20;

function sectionsOf(explained: Explained, flags: ExplainFlags): readonly Section[] {
  const { state, found, services, rulesets, chains, rules, virtual } = explained;
  const options = { exact: flags.exact ?? false };
  const isWhole = rulesets.length > 0 && !rulesets.every(isFragment);
  const sections: Section[] = [];
  if (isWhole) sections.push(...rulesets.flatMap(overviewSections));
  else for (const ruleset of rulesets) sections.push(...fragmentHead(ruleset));
  if (virtual !== undefined) sections.push(...virtualSections(virtual));
  const single = rulesets.length === 1 && rulesets[0] !== undefined ? onlyRule(rulesets[0]) : undefined;
  if (single !== undefined) sections.push(ruleSection(single.at, single.ruleset));
  if (isWhole || services.length > BLOCKS_MAX) {
    const plain = { style: PLAIN, exact: options.exact, wide: false };
    if (services.length > 0)
      sections.push({
        heading: services.length === 1 ? "1 service port" : `${services.length} service ports`,
        ...servicesTable(services, plain),
      });
  } else
    for (const service of services) {
      // What is not here was said of the table as a whole.
      const told = virtual === undefined || service.lacks === undefined ? service : { ...service, lacks: [] };
      sections.push(serviceSection(told, options, state));
    }
  if (single === undefined) sections.push(...rulesets.flatMap(hostPortSections));
  for (const { ruleset, table, chain } of chains) sections.push(...chainSections(ruleset, table, chain));
  for (const { ruleset, at } of rules) sections.push(ruleSection(at, ruleset));
  if (!isWhole && single === undefined)
    for (const ruleset of rulesets) {
      const others = otherRules(ruleset, found.services);
      if (others.length > 0)
        sections.push({ heading: "other rules", rows: ruleRows(others, ruleset.family) });
    }
  if (!isWhole) sections.push(...rulesets.flatMap(drawSections));
  if (found.assumed.length > 0 && (services.length > 0 || single === undefined))
    sections.push({ heading: "assumed, because the lines are not here", lines: found.assumed });
  if (sections.length === 0) sections.push({ lines: ["no rule and no virtual server could be read"] });
  const help = helpFor(explained, isWhole);
  if (help !== "") sections.push({ lines: [`help: ${help}`] });
  return sections;
}

/** How much was given, and as which table it is read. */
function fragmentHead(ruleset: Ruleset): readonly Section[] {
  const tables = [...ruleset.tables.values()];
  const count = tables.flatMap(({ chains }) => [...chains.values()].flatMap(rulesOf)).length;
  if (count === 0) return [];
  const names = tables.map(({ name }) => name).join(" and ");
  return [
    {
      lines: [
        `${count} rule${count === 1 ? "" : "s"}, no table header: read as ${names}, by the names of chains and targets`,
      ],
    },
  ];
}

/** The rule of a text that holds only one. */
function onlyRule(ruleset: Ruleset): Explained["rules"][number] | undefined {
  const rules = [...ruleset.tables.values()].flatMap(({ name: table, chains }) =>
    [...chains.values()].flatMap((chain) =>
      rulesOf(chain).map((rule, index) => ({
        ruleset,
        at: { table, chain: chain.name, number: index + 1, rule },
      })),
    ),
  );
  return rules.length === 1 && isFragment(ruleset) ? rules[0] : undefined;
}

function helpFor({ rulesets, services, found }: Explained, isWhole: boolean): string {
  const first = services[0]?.name;
  if (isWhole)
    return first === undefined
      ? ""
      : `\`landfall explain FILE ${first}\` tells of one of them, \`landfall trace\` of a packet`;
  if (rulesets.length === 0 || found.assumed.length === 0) return "";
  // Old comments name no namespace.
  const namespace = first?.includes("/") ? ` -n ${first.split("/")[0]}` : "";
  const isNatAlone = rulesets.every(({ tables }) => [...tables.keys()].every((name) => name === "nat"));
  return `\`iptables-save${isNatAlone ? " -t nat" : ""} | landfall explain${namespace}\` needs no grep`;
}
