/** `landfall trace`: where does this packet land, with what probability, and why. */
import type { Family } from "../../../grammar/address.js";
import { readPacketQuestion } from "../../../grammar/packet-question.js";
import { resolveQuestion } from "../../cluster/resolve.js";
import { type Courses, converse } from "../../evaluate/conversation.js";
import { evaluate } from "../../evaluate/evaluate.js";
import type { Distribution } from "../../evaluate/outcome.js";
import { appendAll } from "../../problems/append.js";
import { hasErrors, type Problem, placeInLine } from "../../problems/problem.js";
import type { NodeState } from "../../state/nodestate.js";
import type { TextKind } from "../../text/segments.js";
import { type CommonFlags, inputNames, report, say } from "../common.js";
import {
  compileFor,
  familyWord,
  type NodeFacts,
  type NodeFlags,
  nodeFacts,
  versionOf,
  withSlices,
} from "../compiling.js";
import { EXIT, UsageError } from "../exit.js";
import { hasRules, type Inputs, readInputs, readSource, readState } from "../inputs.js";
import type { IO } from "../io.js";
import { namingOf } from "../naming.js";
import { type Asked, readPackets, stepsOn } from "../packets.js";
import { clean, styleFor } from "../style.js";
import { conversationDocument, traceDocument } from "../trace-json.js";
import { conversationText, traceText } from "../trace-text.js";

export interface TraceFlags extends CommonFlags, NodeFlags {
  readonly as?: TextKind;
  readonly output?: "text" | "json" | "ndjson";
  readonly packets?: string;
  readonly packetJson?: string;
  readonly fresh?: boolean;
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
  const names =
    flags.packets === "-" && files.length + (flags.file ?? []).length > 0
      ? [...(flags.file ?? []), ...files]
      : inputNames(files, flags, io, USAGE);
  const read = await readInputs(names, io, flags.as);
  const dumpProblems: Problem[] = [];
  const dumped = readState(read, dumpProblems);
  const withRules = hasRules(read);
  const derivation: Problem[] = [];
  // With a dump at hand nothing is compiled, and the Pods only give names and addresses.
  const cluster =
    read.cluster !== undefined && !withRules ? withSlices(read.cluster, derivation) : read.cluster;
  const inputs: Inputs = { ...read, ...(cluster === undefined ? {} : { cluster }) };
  const facts = nodeFacts(inputs.cluster, dumped.network, flags);
  // With a dump at hand the objects only give names and addresses, so that a doubt about the node is no error.
  const doubts = facts.problems.map((one): Problem => (!withRules ? one : { ...one, severity: "note" }));
  const problems: Problem[] = [...inputs.problems, ...derivation, ...doubts, ...dumpProblems];
  const packets = await askedPackets(question, flags, inputs, io, problems);
  const states = new Map<Family, NodeState>();
  if (!withRules && inputs.cluster === undefined && problems.every(({ severity }) => severity !== "error")) {
    problems.push({
      code: "LF1034",
      severity: "error",
      message: "no input holds rules or objects",
      help: `for example: ${USAGE}`,
    });
  }
  const families = hasErrors(problems) ? [] : new Set(packets.map(familyOfAsked));
  for (const family of families) {
    states.set(
      family,
      withRules ? withNetwork(dumped, facts) : compiledState(inputs, facts, flags, family, problems, dumped),
    );
  }
  const questions = packets.map((asked) => {
    const state = states.get(familyOfAsked(asked)) ?? { rulesets: {} };
    return { asked, state, steps: asked.kind === "packet" ? [] : stepsOn(asked, state, problems) };
  });
  const failed = report(problems, io, flags);
  if (failed !== undefined) return failed;
  if (!withRules) {
    const whose = `${[...families].map(familyWord).join(" and ")}, node ${clean(facts.name ?? "without a name")}`;
    say(
      io,
      flags,
      `no live rules given: answering for the rules that kube-proxy ${versionOf(flags)} should have written (${whose})`,
    );
  }
  const naming = namingOf(inputs.cluster);
  const style = styleFor(io.stdout, io.env, flags);
  const form = flags.output ?? (flags.packets === undefined ? "text" : "ndjson");
  let assumed = false;
  let firstText = true;
  const options = { fresh: flags.fresh ?? false };
  const shown = { style, exact: flags.exact ?? false };
  const write = (text: string, document: object): void => {
    const json = form === "text" ? "" : JSON.stringify(document);
    if (form !== "text") io.stdout.write(`${io.stdout.isTerminal ? clean(json) : json}\n`);
    else io.stdout.write(`${firstText ? "" : "\n"}${text}`);
    firstText = false;
  };
  for (const { asked, state, steps } of questions) {
    if (asked.kind === "packet") {
      const answer = evaluate(state, asked.packet, options);
      assumed ||= rests(answer);
      write(traceText(asked.packet, answer, shown), traceDocument(asked.id, asked.packet, answer, naming));
    } else {
      const answer = converse(state, steps, options);
      assumed ||= rests(answer);
      write(conversationText(asked.id, answer, shown), conversationDocument(asked.id, answer, naming));
    }
  }
  return flags.strict && assumed ? EXIT.assumed : EXIT.done;
}

function familyOfAsked(asked: Asked): Family {
  return asked.kind === "packet" ? asked.packet.family : asked.family;
}

/** Whether an answer took anything for granted. */
function rests({ cases, notes }: Distribution | Courses): boolean {
  return notes.length > 0 || cases.length !== 1 || cases.some(({ assuming }) => assuming.length > 0);
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
  inputs: Inputs,
  io: IO,
  problems: Problem[],
): Promise<readonly Asked[]> {
  if (flags.packetJson !== undefined)
    return readPackets({ name: "--packet-json", text: flags.packetJson }, problems);
  if (flags.packets !== undefined) {
    const sources = await readSource(flags.packets, io, problems);
    return sources.flatMap((source) => readPackets(source, problems));
  }
  const read = readPacketQuestion(question);
  const source = { name: "packet", text: question };
  if (!read.ok) {
    problems.push({
      code: "LF1050",
      severity: "error",
      message: "this packet cannot be read",
      place: placeInLine(source, 1, read.offset + 1, question.length + 1),
      label: `here should be ${read.expected.map((one) => (one === "EOF" ? "the end" : one)).join(", or ")}`,
      help: "a packet is SOURCE:PORT to DESTINATION:PORT/PROTOCOL, for example 10.1.2.3:4567 to 10.96.0.10:53/udp",
    });
    return [];
  }
  const resolved = resolveQuestion(read.question, inputs.cluster);
  if (!resolved.ok) {
    problems.push({
      code: "LF1050",
      severity: "error",
      message: resolved.message,
      place: placeInLine(source, 1, 1, question.length + 1),
      ...(resolved.help === undefined ? {} : { help: resolved.help }),
    });
    return [];
  }
  return [{ kind: "packet", id: null, packet: resolved.packet }];
}

function withNetwork(state: NodeState, { network }: NodeFacts): NodeState {
  return network === undefined ? state : { ...state, network };
}

function compiledState(
  inputs: Inputs,
  facts: NodeFacts,
  flags: TraceFlags,
  family: Family,
  problems: Problem[],
  { rulesets: _none, network: _merged, ...present }: NodeState,
): NodeState {
  if (inputs.cluster === undefined) return { rulesets: {} };
  const compiled = compileFor({ cluster: inputs.cluster, facts, flags, family });
  appendAll(problems, compiled.problems);
  return { ...compiled.state, ...present };
}
