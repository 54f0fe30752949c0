/** What packets are asked of, for every command that asks them: the node that inputs and flags tell of, and its state. */
import type { Family } from "../../grammar/address.js";
import { readPacketQuestion } from "../../grammar/packet-question.js";
import type { ClusterModel, ProxyConfiguration } from "../cluster/model.js";
import { resolveQuestion } from "../cluster/resolve.js";
import type { ConversationStep, Courses } from "../evaluate/conversation.js";
import type { Distribution } from "../evaluate/outcome.js";
import { type ServicesInRules, servicesInRules } from "../explain/services-in-rules.js";
import { appendAll } from "../problems/append.js";
import { hasErrors, type Place, type Problem, placeInLine, placeInText } from "../problems/problem.js";
import type { NodeState } from "../state/nodestate.js";
import type { TextKind } from "../text/segments.js";
import { type CommonFlags, say } from "./common.js";
import {
  compileNode,
  familyWord,
  type NodeFacts,
  type NodeFlags,
  nodeFacts,
  versionOf,
  withMode,
  withSlices,
} from "./compiling.js";
import { hasRules, readInputs, readState } from "./inputs.js";
import type { IO } from "./io.js";
import { type Asked, type AskedPacket, stepsOn } from "./packets.js";
import { clean } from "./style.js";

export interface AskingFlags extends CommonFlags, NodeFlags {
  readonly as?: TextKind;
  readonly fresh?: boolean;
  /** Of kube-proxy, where rules are compiled. */
  readonly mode?: ProxyConfiguration["mode"];
}

/** The node that packets are asked of, as far as inputs and flags tell. */
export interface AskedNode {
  /** The service ports that rules in dumps name; found when first asked for. */
  readonly servicePorts: () => ServicesInRules;
  readonly cluster: ClusterModel | undefined;
  readonly facts: NodeFacts;
  /** Rules came in a dump; otherwise they are compiled from the objects. */
  readonly isLive: boolean;
  /** What the texts among the inputs hold. */
  readonly dumped: NodeState;
}

/** Reads the inputs of a command that asks packets; problems are added. */
export async function readAskedNode(
  names: readonly string[],
  flags: AskingFlags,
  io: IO,
  usage: string,
  problems: Problem[],
): Promise<AskedNode> {
  const inputs = await readInputs(names, io, flags.as);
  appendAll(problems, inputs.problems);
  const dumpProblems: Problem[] = [];
  const dumped = readState(inputs, dumpProblems);
  // Virtual servers alone answer, too; with objects, the rules around them are compiled.
  const isLive = hasRules(inputs) || (dumped.virtualServers !== undefined && inputs.cluster === undefined);
  // With a dump at hand nothing is compiled, and the Pods only give names and addresses.
  const cluster =
    inputs.cluster !== undefined && !isLive
      ? withMode(withSlices(inputs.cluster, problems), flags.mode)
      : inputs.cluster;
  const facts = nodeFacts(cluster, dumped.network, flags);
  // A doubt about the node is then no error either.
  appendAll(
    problems,
    facts.problems.map((one): Problem => (isLive ? { ...one, severity: "note" } : one)),
  );
  appendAll(problems, dumpProblems);
  if (!isLive && cluster === undefined && !hasErrors(problems)) {
    problems.push({
      code: "LF1034",
      severity: "error",
      message: "no input holds rules or objects",
      help: `for example: ${usage}`,
    });
  }
  let found: ServicesInRules | undefined;
  const servicePorts = () => {
    found ??= servicesInRules(Object.values(dumped.rulesets));
    return found;
  };
  return { cluster, facts, isLive, dumped, servicePorts };
}

/** The packet that is asked about in words, which stand at `where`; problems LF1050 are added. */
export function askedInWords(
  text: string,
  { cluster, servicePorts }: AskedNode,
  problems: Problem[],
  where: Place = placeInLine({ name: "packet", text }, 1, 1, text.length + 1),
): readonly AskedPacket[] {
  const read = readPacketQuestion(text);
  if (!read.ok) {
    problems.push({
      code: "LF1050",
      severity: "error",
      message: "this packet cannot be read",
      place: placeInText(where, text, read.offset, wordLength(text, read.offset)),
      label: `here should be ${read.expected.map((one) => (one === "EOF" ? "the end" : one)).join(", or ")}`,
      help: "a packet is SOURCE:PORT to DESTINATION:PORT/PROTOCOL, for example 10.1.2.3:4567 to 10.96.0.10:53/udp",
    });
    return [];
  }
  const { source, destination } = read.question;
  const named = [source, destination].some((place) => place?.kind === "service");
  const resolved = resolveQuestion(read.question, cluster, named ? servicePorts().services : []);
  if (!resolved.ok) {
    const span = resolved.of === undefined ? undefined : read.spans[resolved.of];
    problems.push({
      code: "LF1050",
      severity: "error",
      message: resolved.message,
      place: span === undefined ? where : placeInText(where, text, span.offset, span.length),
      ...(resolved.help === undefined ? {} : { help: resolved.help }),
    });
    return [];
  }
  return [{ kind: "packet", id: null, packet: resolved.packet }];
}

/** Of the word that begins at an offset; at the end of the text, 1. */
function wordLength(text: string, offset: number): number {
  return /^\S*/.exec(text.slice(offset))?.[0].length || 1;
}

/** Questions with the state that each is asked of. A state is made once for a family; problems are added. */
export function readyQuestions<T extends Asked>(
  packets: readonly T[],
  node: AskedNode,
  flags: AskingFlags,
  problems: Problem[],
): readonly ReadyQuestion<T>[] {
  const states = new Map<Family, NodeState>();
  if (!hasErrors(problems)) {
    for (const family of new Set(packets.map(familyOfAsked)))
      states.set(family, stateOf(node, flags, family, problems));
  }
  return packets.map((asked) => {
    const state = states.get(familyOfAsked(asked)) ?? { rulesets: {} };
    return { asked, state, steps: asked.kind === "packet" ? [] : stepsOn(asked, state, problems) };
  });
}

export interface ReadyQuestion<T extends Asked = Asked> {
  readonly asked: T;
  readonly state: NodeState;
  /** Of a conversation. */
  readonly steps: readonly ConversationStep[];
}

/** Says on stderr whose rules answer, when they are not those of a dump. */
export function sayWhoseRules(
  questions: readonly ReadyQuestion[],
  { isLive, facts, cluster }: AskedNode,
  flags: AskingFlags,
  io: IO,
): void {
  if (isLive) return;
  const families = new Set(questions.map(({ asked }) => familyOfAsked(asked)));
  const how = cluster?.proxy?.mode === "ipvs" ? ", in mode ipvs," : "";
  const whose = `${[...families].map(familyWord).join(" and ")}, node ${clean(facts.name ?? "without a name")}`;
  say(
    io,
    flags,
    `no live rules given: answering for the rules that kube-proxy ${versionOf(flags)}${how} should have written (${whose})`,
  );
}

function familyOfAsked(asked: Asked): Family {
  return asked.kind === "packet" ? asked.packet.family : asked.family;
}

function stateOf(
  { cluster, facts, isLive, dumped }: AskedNode,
  flags: AskingFlags,
  family: Family,
  problems: Problem[],
): NodeState {
  const { network } = facts;
  if (isLive) return network === undefined ? dumped : { ...dumped, network };
  if (cluster === undefined) return { rulesets: {} };
  // Of mode nftables the rules are those of mode iptables, and a problem says so.
  const mode = cluster.proxy?.mode === "ipvs" ? "ipvs" : "iptables";
  const compiled = compileNode({ cluster, facts, flags }, mode, [family]);
  appendAll(problems, compiled.problems);
  const { rulesets: _none, network: _merged, ...present } = dumped;
  return { ...compiled.state, ...present };
}

/** Whether an answer took anything for granted. */
export function rests({ cases, notes }: Distribution | Courses): boolean {
  return notes.length > 0 || cases.length !== 1 || cases.some(({ assuming }) => assuming.length > 0);
}
