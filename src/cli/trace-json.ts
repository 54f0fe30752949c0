/** Answers of `trace` as JSON, schema landfall/trace@1. */
import { type Address, printAddress } from "../../grammar/address.js";
import type { Packet } from "../../grammar/packet.js";
import { protocolName } from "../../grammar/protocols.js";
import type { Courses } from "../evaluate/conversation.js";
import type { Distribution, Landing, Share, Step } from "../evaluate/outcome.js";
import { lowestTerms, toNumber } from "../evaluate/share.js";
import { conntrackLine } from "./conntrack-line.js";
import type { Naming } from "./naming.js";
import type { ConversationDocument } from "./schemas/conversation.js";
import type { TraceDocument } from "./schemas/trace.js";

/** The whole document for one packet. */
export function traceDocument(
  id: string | null,
  packet: Packet,
  answer: Distribution,
  naming: Naming,
): TraceDocument {
  return {
    schema: "landfall/trace@1",
    id,
    packet: {
      src: addressText(packet.source),
      sport: packet.sourcePort ?? null,
      dst: printAddress(packet.destination),
      dport: packet.destinationPort ?? null,
      proto: protocolName(packet.protocol),
      ...(packet.in === undefined ? {} : { in: packet.in }),
    },
    cases: answer.cases.map(({ assuming, landings }) => ({
      assuming: assuming.map(({ words }) => words),
      landings: landings.map((landing) => landingRecord(landing, naming)),
    })),
    notes: [...answer.notes],
  };
}

/** The whole document for one conversation. */
export function conversationDocument(
  id: string | null,
  answer: Courses,
  naming: Naming,
): ConversationDocument {
  return {
    schema: "landfall/conversation@1",
    id,
    cases: answer.cases.map(({ assuming, courses }) => ({
      assuming: assuming.map(({ words }) => words),
      courses: courses.map(({ share, steps }) => ({
        probability: probability(share),
        steps: steps.map((step) => (step === null ? null : landingRecord(step, naming))),
      })),
    })),
    notes: [...answer.notes],
  };
}

export function probability(share: Share): LandingDocument["probability"] {
  const { numerator, denominator } = lowestTerms(share);
  return { numerator: `${numerator}`, denominator: `${denominator}`, value: toNumber(share) };
}

type LandingDocument = TraceDocument["cases"][number]["landings"][number];

export function landingRecord(landing: Landing, naming: Naming): LandingDocument {
  const { quoted } = landing;
  return {
    verdict: landing.verdict,
    in: landing.in,
    out: landing.out,
    src: addressText(landing.src),
    sport: landing.sport,
    dst: addressText(landing.dst),
    dport: landing.dport,
    with: landing.with,
    from: addressText(landing.from),
    answered: landing.answered,
    processSees: landing.processSees,
    endpoint: naming.endpointOf(landing),
    ...(landing.served === null
      ? {}
      : { ipvs: { service: landing.served.service, scheduler: landing.served.scheduler ?? null } }),
    masqueraded: landing.masqueraded,
    sportKept: landing.sportKept,
    icmp: landing.icmpType === null ? null : { type: landing.icmpType, code: landing.icmpCode ?? 0 },
    inner:
      quoted === null
        ? null
        : {
            src: partText(quoted.tuple.source),
            sport: portOf(quoted.tuple.sourcePort),
            dst: partText(quoted.tuple.destination),
            dport: portOf(quoted.tuple.destinationPort),
            proto: protocolName(quoted.protocol),
          },
    conntrack: landing.connection === null ? null : conntrackLine(landing.connection),
    probability: probability(landing.share),
    rules: matchedRules(landing).map(({ table, chain, number, rule, backEnd }) => ({
      ...(backEnd === undefined ? {} : { backEnd }),
      table,
      chain,
      rule: number,
      line: rule?.place?.line ?? null,
    })),
  };
}

/** The rules that matched, in the order in which the packet met them. */
export function matchedRules(landing: Landing): readonly Step[] {
  return stepsOf(landing).filter(({ kind }) => kind === "rule");
}

/** `nat:PREROUTING:rule:1`, as the kernel's TRACE names it, and whose it is where both back ends hold rules. */
export function stepPlace({ table, chain, kind, number, backEnd }: Step): string {
  return `${table}:${chain}:${kind}:${number}${backEnd === undefined ? "" : ` of ${backEnd}`}`;
}

/** The same with the ends of chains. */
export function stepsOf(landing: Landing): readonly Step[] {
  const steps: Step[] = [];
  for (let step = landing.lastStep; step !== undefined; step = step.previous) steps.push(step);
  return steps.reverse();
}

/** Parts of a tuple that are not known have names. */
function partText(part: Address | string): string | null {
  return typeof part === "string" ? null : printAddress(part);
}

function portOf(part: number | string | null): number | null {
  return typeof part === "number" ? part : null;
}

function addressText(address: Address | null | undefined): string | null {
  return address === null || address === undefined ? null : printAddress(address);
}
