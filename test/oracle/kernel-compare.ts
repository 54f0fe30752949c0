/** What landfall says of a random case against what a kernel did: every difference, in words. */
import { printAddress } from "../../grammar/address.js";
import { PORT_PROTOCOLS } from "../../grammar/protocols.js";
import { readPackets, stepsOn } from "../../src/cli/packets.js";
import { readNetworkDocument } from "../../src/cluster/network.js";
import { readDocuments } from "../../src/documents/read.js";
import { type Course, converse } from "../../src/evaluate/conversation.js";
import type { Landing } from "../../src/evaluate/outcome.js";
import { toNumber } from "../../src/evaluate/share.js";
import { traceLines } from "../../src/explain/trace-lines.js";
import type { Problem } from "../../src/problems/problem.js";
import { meaningOf } from "../../src/state/meaning.js";
import type { NodeState } from "../../src/state/nodestate.js";
import { readSets } from "../../src/text/ipset.js";
import { readVirtualServers } from "../../src/text/ipvsadm.js";
import { readRules } from "../../src/text/rules.js";
import { binomialTail } from "../evaluate/statistics.js";
import type { ConversationSpec, KernelCase, StepSpec } from "./kernel-cases.js";
import type { LabAnswer, TracedStep } from "./kernel-lab.js";

/** Of each single share that is tested. */
const LEVEL = 1e-7;

export interface Comparison {
  /** Conversations that were compared, and the packets in them. */
  conversations: number;
  packets: number;
  paths: number;
  /** Answers that hang on something that nothing given tells. */
  open: number;
  readonly differences: Difference[];
}

export interface Difference {
  readonly id: string;
  readonly what: string;
  readonly predicted: readonly string[];
  readonly observed: readonly string[];
}

export function compare(one: KernelCase, answer: LabAnswer): Comparison {
  const result: Comparison = { conversations: 0, packets: 0, paths: 0, open: 0, differences: [] };
  const { network, rules } = one;
  const { family } = network;
  const problems: Problem[] = [];
  const read = readRules({ name: "rules", text: rules }, { family });
  const { ipset, ipvs, ...described } = network;
  const [document] = readDocuments({ name: "network", text: JSON.stringify(described) }).documents;
  const around = document === undefined ? undefined : readNetworkDocument(document);
  const state: NodeState = {
    rulesets: { [family]: read.ruleset },
    ...(around?.network === undefined ? {} : { network: around.network }),
    ...(ipset === undefined ? {} : { sets: readSets({ name: "sets", text: ipset }).sets }),
    ...(ipvs === undefined ? {} : { virtualServers: readVirtualServers({ name: "servers", text: ipvs }) }),
  };
  const errors = [...read.problems, ...(around?.problems ?? [])].filter(
    ({ severity }) => severity === "error",
  );
  if (errors.length > 0) {
    const observed = [errors.map(({ message }) => message).join("; ")];
    result.differences.push({ id: "", what: "not read", predicted: [], observed });
    return result;
  }
  for (const probe of one.probes) {
    const seen = answer.results?.find(({ id }) => id === probe.id);
    if (seen === undefined) continue;
    const [asked] = readPackets({ name: "probe", text: JSON.stringify([probe]) }, problems);
    if (asked?.kind !== "conversation") throw new Error(`${probe.id}: ${problems[0]?.message}`);
    const { cases, notes } = converse(state, stepsOn(asked, state, problems), {
      fresh: true,
      serversInOrder: true,
    });
    const [only] = cases;
    if (cases.length !== 1 || only === undefined || notes.some((note) => /gave up|not modelled/.test(note))) {
      result.open++;
      if (process.env.LANDFALL_FUZZ_OPEN) {
        const predicted = cases.map(({ assuming }) => assuming.map(({ words }) => words).join("; "));
        result.differences.push({ id: probe.id, what: "open", predicted, observed: notes });
      }
      continue;
    }
    compareConversation(one, probe, only.courses, seen, result);
  }
  return result;
}

type Seen = NonNullable<LabAnswer["results"]>[number];

function compareConversation(
  one: KernelCase,
  probe: ConversationSpec,
  courses: readonly Course[],
  seen: Seen,
  result: Comparison,
): void {
  result.conversations++;
  const clients = clientPorts(probe.steps);
  const complain = (what: string, observed: readonly string[]) => {
    const predicted = courses.map(
      (course) => `${toNumber(course.share).toFixed(4)} ${course.steps.map(words).join(" | ")}`,
    );
    result.differences.push({ id: probe.id, what, predicted, observed });
  };
  // Courses that look alike as far as the kernel's stack lets one look.
  const groups = new Map<string, { share: number; count: number }>();
  // Nobody answers for an address that no port of the bridge has.
  const lost = courses[0]?.steps.findIndex((step) => step?.out === BRIDGE) ?? -1;
  for (const { count, steps } of seen.outcomes) {
    const end = Math.min(compared(probe.steps, steps), lost < 0 ? steps.length : lost);
    result.packets += end;
    const fitting = courses.filter((course) =>
      steps.slice(0, end).every((step, at) => fits(course.steps[at] ?? null, step, clients[at])),
    );
    if (fitting.length === 0) {
      complain(`${count} of ${seen.repeat}`, [steps.map((step) => observedWords(step)).join(" | ")]);
      continue;
    }
    const key = fitting.map((course) => courses.indexOf(course)).join(",");
    const group = groups.get(key) ?? {
      share: fitting.reduce((sum, { share }) => sum + toNumber(share), 0),
      count: 0,
    };
    groups.set(key, { ...group, count: group.count + count });
    // An ICMP error has a TOS that its step does not tell.
    const asksTos = /-m (?:dscp|tos|ecn) /.test(one.rules);
    const told = asksTos ? probe.steps.findIndex((step) => "icmpError" in step) : -1;
    if (!one.draws && courses.length === 1)
      comparePaths(steps.slice(0, told < 0 ? end : Math.min(end, told)), fitting[0], result, complain);
  }
  for (const [key, { share, count }] of groups) {
    // Where a drawn part may be anything, outcomes of several courses look alike.
    const own = key.split(",");
    if ([...groups.keys()].some((other) => other !== key && other.split(",").some((at) => own.includes(at))))
      continue;
    const tail = binomialTail(count, seen.repeat, Math.min(1, share));
    if (tail < LEVEL) complain(`${count} of ${seen.repeat}, share ${share}`, []);
  }
  const expected = lost < 0 ? courses.filter(({ share }) => toNumber(share) * seen.repeat >= 25) : [];
  for (const course of expected) {
    const met = seen.outcomes.some(({ steps }) =>
      steps
        .slice(0, compared(probe.steps, steps))
        .every((step, at) => fits(course.steps[at] ?? null, step, clients[at])),
    );
    if (!met) complain(`never seen: ${course.steps.map(words).join(" | ")}`, []);
  }
}

function comparePaths(
  steps: readonly (TracedStep | null)[],
  course: Course | undefined,
  result: Comparison,
  complain: (what: string, observed: readonly string[]) => void,
): void {
  for (const [at, step] of steps.entries()) {
    const landing = course?.steps[at];
    // The kernel's reports come late now and then.
    // The kernel's reports come late now and then, and some are about IGMP and MLD, which bear a mark of their own.
    if (
      !step?.path?.length ||
      step.path.some((line) => line.endsWith("=0xd4")) ||
      !landing ||
      landing.verdict === "nothing to answer"
    )
      continue;
    // What is asked of a port that was drawn may have either answer.
    const { protocol = 0 } = landing.lastStep?.headers ?? {};
    if (PORT_PROTOCOLS.includes(protocol) && landing.dport === null) continue;
    const walked = traceLines(landing).map(({ place, headers: { mark } }) =>
      mark === 0 ? place : `${place} mark=0x${mark.toString(16)}`,
    );
    result.paths++;
    if (walked.join("\n") === step.path.join("\n")) continue;
    complain(`path of step ${at}`, [`kernel   ${step.path.join(" ")}`, `landfall ${walked.join(" ")}`]);
    return;
  }
}

/**
 * How many steps can be compared: where a packet of TCP or SCTP arrives at the node itself, its stack answers, and what
 * connection tracking then remembers is not what the conversation says. After an answer that was refused the lab goes on
 * with the refusal.
 */
function compared(spec: readonly StepSpec[], steps: readonly (TracedStep | null)[]): number {
  const streams = spec.some(({ proto }) => proto === "tcp" || proto === "sctp");
  const last = steps.findIndex(
    (step, at) =>
      (streams && step?.verdict === "local") || (step?.verdict === "reject" && spec[at]?.reply === true),
  );
  // The lab quotes IPv6 packets that have arrived without their header.
  const isIPv6 = spec.some(({ dst }) => typeof dst === "string" && dst.includes(":"));
  const badly = steps.findIndex(
    (_, at) =>
      isIPv6 && "icmpError" in (spec[at] ?? {}) && steps.slice(0, at).some((one) => one?.verdict === "local"),
  );
  return Math.min(last < 0 ? steps.length : last + 1, badly < 0 ? steps.length : badly);
}

/** For each step the port that the lab calls `client` (also what `kept` compares with). */
function clientPorts(steps: readonly StepSpec[]): readonly (number | undefined)[] {
  let client: number | undefined;
  const ports: (number | undefined)[] = [];
  for (const step of steps) {
    const earlier = typeof step.again === "number" ? ports[step.again] : undefined;
    if ("dst" in step) client = step.sport as number;
    else if (earlier !== undefined) client = earlier;
    ports.push(client);
  }
  return ports;
}

/** Whether a step's outcome is what was predicted; parts that the kernel draws are any. */
function fits(landing: Landing | null, step: TracedStep | null, client: number | undefined): boolean {
  if (landing === null || step === null) return landing === null && step === null;
  if (step.served !== undefined && !isServedBy(landing, step.served)) return false;
  const address = (one: Landing["src"], text: string | undefined) =>
    one === null || text === printAddress(one);
  switch (landing.verdict) {
    case "reject":
      if (landing.answered === false) return step.verdict === "drop";
      // What routing itself answers is limited to so many a second.
      if (step.verdict === "drop" && !isByRule(landing)) return true;
      return step.verdict === "reject" && step.with === landing.with && address(landing.from, step.from);
    case "error":
      return step.verdict === "error" && step.errno === landing.with;
    case "forward":
    case "local": {
      if (step.verdict !== landing.verdict) return false;
      if (landing.verdict === "forward" && step.out !== landing.out) return false;
      if (!address(landing.src, step.src) || !address(landing.dst, step.dst)) return false;
      const port = (one: number | null, text: number | string | undefined) => {
        if (one === null || text === undefined) return true;
        if (text === "changed") return true;
        return text === "kept" ? one === client : (text === "client" ? client : text) === one;
      };
      // `kept` and `changed` compare with what the step's own sender wrote.
      if (step.sport === "kept" && !landing.sportKept && landing.sport !== null) return false;
      if (step.sport === "changed" && landing.sportKept) return false;
      const kept = step.sport === "kept" || step.sport === "changed";
      if (!kept && !port(landing.sport, step.sport)) return false;
      if (!port(landing.dport, step.dport)) return false;
      const inner = landing.quoted?.tuple;
      if (inner === undefined || step.inner === undefined) return true;
      const part = (one: unknown, text: string | number | undefined) =>
        typeof one === "string" ||
        one === null ||
        text === undefined ||
        (text === "client" ? client : text) === one;
      const end = (one: unknown, text: string | number | undefined) =>
        typeof one === "string" || text === printAddress(one as number);
      return (
        end(inner.source, step.inner.src) &&
        end(inner.destination, step.inner.dst) &&
        part(inner.sourcePort, step.inner.sport) &&
        part(inner.destinationPort, step.inner.dport)
      );
    }
    default:
      return step.verdict === landing.verdict;
  }
}

/** The real server that the table of IPVS has for the packet's connection. */
function isServedBy({ served }: Landing, { address, port }: NonNullable<TracedStep["served"]>): boolean {
  return served !== null && printAddress(served.server.address) === address && served.server.port === port;
}

/** The bridge itself is where packets leave that are for none of the hosts behind its ports. */
const BRIDGE = "br0";

function isByRule({ lastStep }: Landing): boolean {
  return (
    lastStep?.rule !== undefined && meaningOf(lastStep.rule, lastStep.headers.family).effect.kind === "reject"
  );
}

function words(landing: Landing | null): string {
  if (landing === null) return "-";
  const address = (one: Landing["src"]) => (one === null ? "?" : printAddress(one));
  const { verdict, out, src, sport, dst, dport, from, answered, quoted } = landing;
  switch (verdict) {
    case "forward":
    case "local": {
      const ends = `${address(src)}:${sport}${landing.sportKept ? " kept" : ""} > ${address(dst)}:${dport}`;
      const inner =
        quoted &&
        ` about ${part(quoted.tuple.source)}:${quoted.tuple.sourcePort} > ${part(quoted.tuple.destination)}:${quoted.tuple.destinationPort}`;
      return `${verdict} ${out ?? ""} ${ends}${inner ?? ""}`;
    }
    case "reject":
      return answered === false ? "drop (reject)" : `reject ${landing.with} from ${address(from)}`;
    case "error":
      return `error ${landing.with}`;
    default:
      return verdict;
  }
}

function part(one: unknown): string {
  return typeof one === "number" || typeof one === "bigint" ? printAddress(one) : String(one);
}

function observedWords(step: TracedStep | null): string {
  if (step === null) return "-";
  const { verdict, out, src, sport, dst, dport, from, inner } = step;
  const about = inner && ` about ${inner.src}:${inner.sport} > ${inner.dst}:${inner.dport}`;
  if (verdict === "forward" || verdict === "local")
    return `${verdict} ${out ?? ""} ${src}:${sport} > ${dst}:${dport}${about ?? ""}`;
  return [verdict, step.with, from === undefined ? "" : `from ${from}`, step.errno].filter(Boolean).join(" ");
}
