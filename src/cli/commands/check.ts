/** `landfall check`: are the expectations of a file met? For CI. */
import { dirname, isAbsolute, join } from "node:path";
import { printExpectation } from "../../../grammar/expectation.js";
import { printPacket } from "../../../grammar/packet-question.js";
import { type AskedInFile, type Item, readSuite, type Suite } from "../../check/expectations.js";
import { readDocuments } from "../../documents/read.js";
import { converse } from "../../evaluate/conversation.js";
import { evaluate } from "../../evaluate/evaluate.js";
import { appendAll } from "../../problems/append.js";
import type { Problem, Source } from "../../problems/problem.js";
import {
  type AskedNode,
  type AskingFlags,
  askedInWords,
  type ReadyQuestion,
  readAskedNode,
  readyQuestions,
  rests,
  sayWhoseRules,
} from "../asking.js";
import { type CheckForm, checkText } from "../check-forms.js";
import { exitCode, report, say, write } from "../common.js";
import { NoInputError, UsageError } from "../exit.js";
import { type Answer, checkMentions, unmetOf } from "../expecting.js";
import { readSource, withStdinOnce } from "../inputs.js";
import type { IO } from "../io.js";
import { type Asked, toAsked } from "../packets.js";
import { progressOn } from "../progress.js";
import type { CheckDocument } from "../schemas/check.js";
import { type ServiceNames, serviceNames } from "../service-names.js";
import { clean, styleFor } from "../style.js";

export interface CheckFlags extends AskingFlags {
  readonly output: CheckForm;
  readonly strict?: boolean;
}

const USAGE = "landfall check -f expectations.yaml node-a.save";

export async function check(words: readonly string[], flags: CheckFlags, io: IO): Promise<number> {
  const files = flags.file ?? [];
  if (files.length === 0) throw new UsageError("no file of expectations was named", USAGE);
  const readers = [...files, ...words].filter((name) => name === "-").length;
  if (readers > 1) throw new UsageError("standard input cannot be two inputs", USAGE);
  const problems: Problem[] = [];
  const suites: FileSuite[] = [];
  for (const file of files) appendAll(suites, await readSuites(file, io, problems));
  // Several files of expectations may be about the rules on standard input.
  const once = withStdinOnce(io);
  const ready: ReadySuite[] = [];
  for (const suite of suites) {
    try {
      ready.push(await prepare(suite, words, flags, once, problems));
    } catch (error) {
      problems.push(faultOfFacts(error, suite, flags));
    }
  }
  const failed = report(problems, io, flags);
  if (failed !== undefined) return failed;
  const results: CheckDocument["results"] = [];
  let assumed = false;
  const progress = progressOn(io, "expectation");
  const total = ready.reduce((sum, { questions }) => sum + questions.length, 0);
  for (const { suite, own, node, questions, services } of ready) {
    sayWhoseRules(
      questions.map(({ question }) => question),
      node,
      own,
      io,
    );
    for (const { item, question } of questions) {
      progress.show(results.length, total);
      const answer = answerTo(question, own.fresh ?? false);
      assumed ||= rests(answer.answer);
      const unmet = unmetOf(item.expectation, question, answer, services);
      const expected = printExpectation(item.expectation);
      const packet = askedText(item.asked, question.asked);
      results.push({
        name: item.name ?? `${packet}: ${expected}`,
        file: suite.source.name,
        line: item.place.line,
        packet,
        expected,
        met: unmet.length === 0,
        unmet: [...unmet],
        notes: [...answer.answer.notes],
      });
    }
  }
  progress.end();
  const unmet = results.filter(({ met }) => !met).length;
  const document: CheckDocument = { schema: "landfall/check@1", met: results.length - unmet, unmet, results };
  const text = checkText(flags.output, document, styleFor(io.stdout, io.env, flags));
  if (flags.output === "text") io.stdout.write(text);
  else write(io, text);
  for (const note of new Set(results.flatMap(({ notes }) => notes))) say(io, flags, `note: ${clean(note)}`);
  return exitCode(flags, { differs: unmet > 0, assumed });
}

interface FileSuite extends Suite {
  readonly source: Source;
}

async function readSuites(file: string, io: IO, problems: Problem[]): Promise<readonly FileSuite[]> {
  const suites: FileSuite[] = [];
  for (const source of await readSource(file, io, problems)) {
    const read = readDocuments(source);
    appendAll(problems, read.problems);
    if (read.documents.length === 0 && read.problems.length === 0)
      problems.push({ code: "LF1030", severity: "error", message: `${source.name} holds no expectations` });
    for (const document of read.documents) {
      const suite = readSuite(document, problems);
      if (suite !== undefined) suites.push({ ...suite, source });
    }
  }
  return suites;
}

interface ReadySuite {
  readonly suite: FileSuite;
  /** The flags, with the suite's facts where no flag says otherwise. */
  readonly own: CheckFlags;
  readonly node: AskedNode;
  readonly services: ServiceNames;
  readonly questions: readonly { readonly item: Item; readonly question: ReadyQuestion }[];
}

async function prepare(
  suite: FileSuite,
  words: readonly string[],
  flags: CheckFlags,
  io: IO,
  problems: Problem[],
): Promise<ReadySuite> {
  const { facts, source } = suite;
  const folder = source.name === "-" ? "." : dirname(source.name);
  const named = suite.inputs.map((name) => (isAbsolute(name) ? name : join(folder, name)));
  const names = [...words, ...named];
  if (names.length === 0 && (io.stdinIsTerminal || source.name === "-")) throw new NoInputError(USAGE);
  const own: CheckFlags = {
    ...flags,
    ...(facts.node === undefined ? {} : { node: flags.node ?? facts.node }),
    ...(facts.kubeProxy === undefined ? {} : { kubeProxy: flags.kubeProxy ?? facts.kubeProxy }),
    localIp: [...facts.localIps, ...(flags.localIp ?? [])],
    set: new Map([...facts.set, ...(flags.set ?? [])]),
    fresh: flags.fresh ?? facts.fresh,
  };
  const node = await readAskedNode(names.length === 0 ? ["-"] : names, own, io, USAGE, problems);
  const services = serviceNames(node);
  const pairs = suite.items.flatMap((item) =>
    askedOf(item.asked, node, problems).map((asked) => ({ item, asked })),
  );
  const questions = readyQuestions(
    pairs.map(({ asked }) => asked),
    node,
    own,
    problems,
  ).map((question, index) => ({ item: (pairs[index] as { readonly item: Item }).item, question }));
  for (const { item, question } of questions)
    checkMentions(item.expectation, question, services, item.expectationPlace, problems);
  return { suite, own, node, services, questions };
}

function askedOf(asked: AskedInFile, node: AskedNode, problems: Problem[]): readonly Asked[] {
  return asked.kind === "words"
    ? askedInWords(asked.text, node, problems, asked.place)
    : toAsked(asked.value, "packet", asked.place, problems);
}

function askedText(inFile: AskedInFile, asked: Asked): string {
  if (inFile.kind === "words") return inFile.text;
  return asked.kind === "packet"
    ? printPacket(asked.packet)
    : `a conversation of ${asked.steps.length} steps`;
}

function answerTo({ asked, state, steps }: ReadyQuestion, fresh: boolean): Answer {
  return asked.kind === "packet"
    ? { kind: "packet", answer: evaluate(state, asked.packet, { fresh }) }
    : { kind: "conversation", answer: converse(state, steps, { fresh }) };
}

/** A fact that the flag of its name would refuse; what the flags themselves are to blame for is thrown on. */
function faultOfFacts(error: unknown, { facts }: Suite, { set, kubeProxy }: CheckFlags): Problem {
  const isFact = (set?.size ?? 0) === 0 && kubeProxy === undefined;
  if (!isFact || !(error instanceof UsageError) || (facts.set.size === 0 && facts.kubeProxy === undefined))
    throw error;
  return {
    code: "LF5002",
    severity: "error",
    message: `expectations: ${error.message.replace(/^--/, "facts.")}`,
    place: facts.place,
    ...(error.hint === undefined ? {} : { help: error.hint }),
  };
}
