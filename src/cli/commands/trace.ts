/** `landfall trace`: where does this packet land, with what probability, and why. */
import { INGRESS } from "../../../grammar/hooks.js";
import type { Hook } from "../../../grammar/meaning.js";
import type { Packet } from "../../../grammar/packet.js";
import { printPacket } from "../../../grammar/packet-question.js";
import { type ConversationStep, converse } from "../../evaluate/conversation.js";
import { evaluate } from "../../evaluate/evaluate.js";
import type { Distribution, Landing } from "../../evaluate/outcome.js";
import { lowestTerms } from "../../evaluate/share.js";
import { printTraceLine, traceLines } from "../../explain/trace-lines.js";
import { type DrawingWords, drawWays } from "../../explain/way-drawing.js";
import type { Problem } from "../../problems/problem.js";
import { readAffinity } from "../affinity.js";
import {
  type AskedNode,
  type AskingFlags,
  askedInWords,
  readAskedNode,
  readyQuestions,
  rests,
  sayWhoseRules,
} from "../asking.js";
import {
  type DocumentForm,
  documentText,
  exitCode,
  inputNames,
  isDocumentForm,
  report,
  write,
} from "../common.js";
import { UsageError } from "../exit.js";
import { readExpected } from "../expecting.js";
import { readSource } from "../inputs.js";
import type { IO } from "../io.js";
import { namingOf } from "../naming.js";
import { type Asked, readPackets } from "../packets.js";
import { progressOn } from "../progress.js";
import { stepThrough } from "../stepping.js";
import { clean, type Style, styleFor } from "../style.js";
import { conversationDocument, traceDocument } from "../trace-json.js";
import { conversationText, landsOn, replyText, shareText, traceText } from "../trace-text.js";

export interface TraceFlags extends AskingFlags {
  readonly output: "text" | DocumentForm | "trace" | "mermaid";
  readonly inOrder?: boolean;
  readonly affinity?: readonly string[];
  readonly hook?: Hook;
  readonly reply?: boolean;
  readonly allRules?: boolean;
  readonly step?: boolean;
  readonly packets?: string;
  readonly packetJson?: string;
  readonly expect?: string;
  readonly exact?: boolean;
  readonly strict?: boolean;
}

const USAGE = "landfall trace FILE… 10.1.2.3:4567 to 10.96.0.10:53/udp";

export async function trace(words: readonly string[], flags: TraceFlags, io: IO): Promise<number> {
  const { files, question } = splitWords(words, io);
  const many = flags.packets !== undefined || flags.packetJson !== undefined;
  if (!many && question === "") throw new UsageError("no packet was asked about", USAGE);
  if (many && question !== "")
    throw new UsageError("a packet in words does not go with --packets or --packet-json");
  if (flags.packets === "-" && [...files, ...(flags.file ?? [])].includes("-")) {
    throw new UsageError("standard input cannot be both the rules and the packets");
  }
  if (flags.step && [...files, ...(flags.file ?? [])].includes("-"))
    throw new UsageError("--step asks on standard input, which cannot be the rules too");
  const names =
    flags.packets === "-" && files.length + (flags.file ?? []).length > 0
      ? [...(flags.file ?? []), ...files]
      : inputNames(files, flags, io, USAGE);
  const problems: Problem[] = [];
  const node = await readAskedNode(names, flags, io, USAGE, problems);
  const packets = await askedPackets(question, flags, node, io, problems);
  const questions = readyQuestions(packets, node, flags, problems);
  if (flags.output === "mermaid" && (flags.reply || packets.some(({ kind }) => kind !== "packet")))
    throw new UsageError("only the way of a single packet has a drawing", "-o text or -o json");
  if (flags.hook !== undefined) checkHook(flags.hook, flags, packets);
  const expected =
    flags.expect === undefined
      ? undefined
      : readExpected(flags.expect, questions, node, { io, flags }, problems);
  const seenClients = readAffinity(flags.affinity ?? [], questions, problems);
  const failed = report(problems, io, flags);
  if (failed !== undefined) return failed;
  sayWhoseRules(questions, node, flags, io);
  const naming = namingOf(node.cluster);
  const style = styleFor(io.stdout, io.env, flags);
  const form = flags.output;
  let assumed = false;
  let isMet = true;
  let isFirst = true;
  const options = {
    fresh: flags.fresh ?? false,
    serversInOrder: flags.inOrder ?? false,
    seenClients,
    ...(flags.hook === undefined ? {} : { hook: flags.hook }),
  };
  const shown = { style, exact: flags.exact ?? false, allRules: flags.allRules ?? flags.verbose ?? false };
  const print = (text: string, document: object): void => {
    if (isDocumentForm(form)) write(io, documentText(document, form, isFirst));
    else if (form !== "text") write(io, text);
    else io.stdout.write(`${isFirst ? "" : "\n"}${text}`);
    isFirst = false;
  };
  const progress = progressOn(io, "packet");
  for (const [done, question] of questions.entries()) {
    if (!io.stdout.isTerminal) progress.show(done, questions.length);
    const { asked, state, steps } = question;
    if (asked.kind === "packet") {
      const answer = evaluate(state, asked.packet, options);
      assumed ||= rests(answer);
      if (flags.step) await stepAll(answer, io, style);
      else if (form === "trace") print(kernelLines(answer.cases.flatMap(({ landings }) => landings)), {});
      else if (form === "mermaid") print(drawWays(answer, drawingWords(asked.packet, shown.exact)), {});
      else if (flags.reply) {
        const both = converse(state, [{ kind: "packet", packet: asked.packet }, REPLY], options);
        const text = `${traceText(asked.packet, answer, shown)}\n${replyText(both, shown)}`;
        print(text, conversationDocument(asked.id, both, naming));
      } else
        print(traceText(asked.packet, answer, shown), traceDocument(asked.id, asked.packet, answer, naming));
      if (expected?.isMet(question, { kind: "packet", answer }) === false) isMet = false;
    } else {
      const answer = converse(state, steps, options);
      assumed ||= rests(answer);
      const landings = answer.cases.flatMap(({ courses }) => courses.flatMap(({ steps: all }) => all));
      const text = form === "trace" ? kernelLines(landings) : conversationText(asked.id, answer, shown);
      print(text, conversationDocument(asked.id, answer, naming));
      if (expected?.isMet(question, { kind: "conversation", answer }) === false) isMet = false;
    }
  }
  progress.end();
  return exitCode(flags, { differs: !isMet, assumed });
}

/** Only a packet that can be at a hook is asked there. */
function checkHook(hook: Hook, { reply }: TraceFlags, packets: readonly Asked[]): void {
  for (const asked of packets) {
    if (reply || asked.kind !== "packet")
      throw new UsageError("--hook walks one hook with one packet: an answer takes the whole way");
    const by = asked.packet.in;
    if (hook === "OUTPUT" && by !== undefined && by !== "local")
      throw new UsageError(`what comes in ${by} does not meet OUTPUT`, "--hook PREROUTING, or `from node`");
    if (INGRESS.includes(hook) && by === "local")
      throw new UsageError(
        `what the node sends does not meet ${hook}`,
        "--hook OUTPUT; over the loopback interface it comes back `in lo`",
      );
  }
}

function drawingWords(packet: Packet, exact: boolean): DrawingWords {
  return { packet: printPacket(packet), landsOn, share: (share) => shareText(share, exact) };
}

/** One case after the other; each begins with what it takes for granted. */
async function stepAll({ cases }: Distribution, io: IO, style: Style): Promise<void> {
  for (const one of cases) {
    const head = one.assuming.map(({ words }) => clean(words)).join(", and ");
    if (head !== "") io.stdout.write(`${style.paint("yellow", `if ${head}`)}\n`);
    await stepThrough(one, io, { style, landsOn });
  }
}

const REPLY: ConversationStep = { kind: "reply", changes: {} };

/** A block of TRACE lines for each landing, with its share above. */
function kernelLines(landings: readonly (Landing | null)[]): string {
  return landings
    .filter((landing) => landing !== null)
    .map((landing) => {
      const lines = traceLines(landing).map((line) => `${printTraceLine(line)}\n`);
      const { numerator, denominator } = lowestTerms(landing.share);
      return `# ${denominator === 1n ? "" : `${numerator}/${denominator} `}${landing.verdict}\n${lines.join("")}`;
    })
    .join("");
}

/** Inputs come first: words that are files, `-`, or look like neither a packet nor a part of one. */
function splitWords(words: readonly string[], io: IO): { files: readonly string[]; question: string } {
  const start = words.findIndex((word) => word !== "-" && !io.exists(word) && looksLikePacket(word));
  const files = start < 0 ? words : words.slice(0, start);
  const question = start < 0 ? [] : words.slice(start);
  const trap = question.length > 0 && question.at(-1) === "-" && !io.stdout.isTerminal;
  if (trap) {
    throw new UsageError(
      "the packet ends in a lone `-`: the shell took the `>` of an unquoted `->` as a redirection",
      "write →, or to, or put the packet in quotes",
    );
  }
  return { files, question: question.join(" ") };
}

function looksLikePacket(word: string): boolean {
  return (
    /^(?:\[|\d+\.\d+\.\d+\.\d+|[0-9a-fA-F]*:[0-9a-fA-F:]*[:.]|(?:svc|service|pod|node)\/|→|->)/.test(word) ||
    /^(?:tcp|udp|sctp|icmp|to)$/i.test(word) ||
    /\s/.test(word.trim())
  );
}

async function askedPackets(
  question: string,
  flags: TraceFlags,
  node: AskedNode,
  io: IO,
  problems: Problem[],
): Promise<readonly Asked[]> {
  if (flags.packetJson !== undefined)
    return readPackets({ name: "--packet-json", text: flags.packetJson }, problems);
  if (flags.packets !== undefined) {
    const sources = await readSource(flags.packets, io, problems);
    return sources.flatMap((source) => readPackets(source, problems));
  }
  return askedInWords(question, node, problems);
}
