/** `landfall trace`: where does this packet land, with what probability, and why. */
import type { Family } from "../../../grammar/address.js";
import { readPacketQuestion } from "../../../grammar/packet-question.js";
import { resolveQuestion } from "../../cluster/resolve.js";
import { evaluate } from "../../evaluate/evaluate.js";
import type { Distribution } from "../../evaluate/outcome.js";
import { type Problem, placeInLine } from "../../problems/problem.js";
import type { NodeState } from "../../state/nodestate.js";
import { type CommonFlags, inputNames, report, say } from "../common.js";
import {
  compileFor,
  familyWord,
  type NodeFacts,
  type NodeFlags,
  nodeFacts,
  withSlices,
} from "../compiling.js";
import { EXIT, UsageError } from "../exit.js";
import { type Inputs, readDumps, readInputs, readSource } from "../inputs.js";
import type { IO } from "../io.js";
import { namingOf } from "../naming.js";
import { type AskedPacket, readPackets } from "../packets.js";
import { clean, styleFor } from "../style.js";
import { traceDocument } from "../trace-json.js";
import { traceText } from "../trace-text.js";

export interface TraceFlags extends CommonFlags, NodeFlags {
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
  const read = await readInputs(names, io);
  const derivation: Problem[] = [];
  // With a dump at hand nothing is compiled, and the Pods only give names and addresses.
  const cluster =
    read.cluster !== undefined && read.rules.length === 0
      ? withSlices(read.cluster, derivation)
      : read.cluster;
  const inputs: Inputs = { ...read, ...(cluster === undefined ? {} : { cluster }) };
  const facts = nodeFacts(inputs.cluster, inputs.network, flags);
  // With a dump at hand the objects only give names and addresses, so that a doubt about the node is no error.
  const doubts = facts.problems.map(
    (one): Problem => (inputs.rules.length === 0 ? one : { ...one, severity: "note" }),
  );
  const problems: Problem[] = [...inputs.problems, ...derivation, ...doubts];
  const packets = await askedPackets(question, flags, inputs, io, problems);
  const states = new Map<Family, NodeState>();
  const dumped = readDumps(inputs, problems);
  if (
    inputs.rules.length === 0 &&
    inputs.cluster === undefined &&
    problems.every(({ severity }) => severity !== "error")
  ) {
    problems.push({
      code: "LF1034",
      severity: "error",
      message: "no input holds rules or objects",
      help: `for example: ${USAGE}`,
    });
  }
  const failed = report(problems, io, flags);
  if (failed !== undefined) return failed;

  const stateFor = (family: Family): NodeState => {
    const known = states.get(family);
    if (known !== undefined) return known;
    const made =
      inputs.rules.length > 0 ? withNetwork(dumped, facts) : compiledState(inputs, facts, flags, family, io);
    states.set(family, made);
    return made;
  };
  const naming = namingOf(inputs.cluster);
  const style = styleFor(io.stdout, io.env, flags);
  const form = flags.output ?? (flags.packets === undefined ? "text" : "ndjson");
  let assumed = false;
  let firstText = true;
  for (const { id, packet } of packets) {
    const answer = evaluate(stateFor(packet.family), packet, { fresh: flags.fresh ?? false });
    assumed ||= rests(answer);
    if (form === "text") {
      io.stdout.write(
        `${firstText ? "" : "\n"}${traceText(packet, answer, { style, exact: flags.exact ?? false })}`,
      );
      firstText = false;
    } else {
      const text = JSON.stringify(traceDocument(id, packet, answer, naming));
      io.stdout.write(`${io.stdout.isTerminal ? clean(text) : text}\n`);
    }
  }
  return flags.strict && assumed ? EXIT.assumed : EXIT.done;
}

/** Whether an answer took anything for granted. */
function rests({ cases, notes }: Distribution): boolean {
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
): Promise<readonly AskedPacket[]> {
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
  return [{ id: null, packet: resolved.packet }];
}

function withNetwork(state: NodeState, { network }: NodeFacts): NodeState {
  return network === undefined ? state : { ...state, network };
}

function compiledState(
  inputs: Inputs,
  facts: NodeFacts,
  flags: TraceFlags,
  family: Family,
  io: IO,
): NodeState {
  if (inputs.cluster === undefined) return { rulesets: {} };
  const compiled = compileFor({ cluster: inputs.cluster, facts, flags, family });
  report(compiled.problems, io, flags);
  say(
    io,
    flags,
    `no live rules given: answering for the rules that kube-proxy ${compiled.version} should have written (${familyWord(family)}, node ${clean(facts.name ?? "without a name")})`,
  );
  return compiled.state;
}
