/** Expectations of answers: are they met, and if not, which part, where, and because of which rule. */
import { familyOf, printAddress } from "../../grammar/address.js";
import { type Expectation, printExpectation } from "../../grammar/expectation.js";
import type { Range } from "../../grammar/meaning.js";
import type { Packet } from "../../grammar/packet.js";
import { printPacket } from "../../grammar/packet-question.js";
import { PORT_PROTOCOLS } from "../../grammar/protocols.js";
import { readWords } from "../check/expectations.js";
import {
  type AnsweredCase,
  casesOfCourses,
  casesOfDistribution,
  isMetByRounding,
  type Names,
  shareWords,
  type Unmet,
  unmetParts,
} from "../check/judge.js";
import { serviceNamesIn, stepsIn } from "../check/mentions.js";
import type { Courses } from "../evaluate/conversation.js";
import type { Distribution, Landing, OpenParts, Step } from "../evaluate/outcome.js";
import { contains } from "../evaluate/ranges.js";
import { ruleWords } from "../explain/words.js";
import { nearest } from "../problems/nearest.js";
import { type Place, type Problem, placeInLine } from "../problems/problem.js";
import { meaningOf } from "../state/meaning.js";
import type { AskedNode, ReadyQuestion } from "./asking.js";
import { detailLines } from "./check-forms.js";
import type { CommonFlags } from "./common.js";
import type { IO } from "./io.js";
import type { Asked } from "./packets.js";
import type { UnmetDocument } from "./schemas/check.js";
import { type ServiceNames, serviceNames } from "./service-names.js";
import { clean, styleFor } from "./style.js";
import { matchedRules } from "./trace-json.js";
import { landsOn, shareText } from "./trace-text.js";

export type Answer =
  | { readonly kind: "packet"; readonly answer: Distribution }
  | { readonly kind: "conversation"; readonly answer: Courses };

/** What `--expect` says of every answer. */
export interface Expected {
  /** Tells on stderr what is not met. */
  isMet(question: ReadyQuestion, answer: Answer): boolean;
}

/** Reads what is expected of all questions; undefined when it cannot be read: problems LF1052 are added. */
export function readExpected(
  text: string,
  questions: readonly ReadyQuestion[],
  node: AskedNode,
  { io, flags }: { readonly io: IO; readonly flags: CommonFlags },
  problems: Problem[],
): Expected | undefined {
  const place = placeInLine({ name: "--expect", text }, 1, 1, text.length + 1);
  const expectation = readWords(text, place, problems);
  if (expectation === undefined) return undefined;
  const services = serviceNames(node);
  for (const question of questions) checkMentions(expectation, question, services, place, problems);
  const style = styleFor(io.stderr, io.env, flags);
  return {
    isMet(question, answer) {
      const unmet = unmetOf(expectation, question, answer, services);
      if (unmet.length > 0 && flags.diagnostics !== "json") {
        const { id } = question.asked;
        const head = `the expectation is not met${id === null ? "" : ` by ${clean(id)}`}`;
        io.stderr.write([style.paint("red", head), ...unmet.flatMap(detailLines), ""].join("\n"));
      }
      return unmet.length === 0;
    },
  };
}

/** Says which names and steps of an expectation are not there; problems LF1052 are added. */
export function checkMentions(
  expectation: Expectation,
  { asked, steps }: ReadyQuestion,
  { all }: ServiceNames,
  place: Place,
  problems: Problem[],
): void {
  const complain = (message: string, help: string): void => {
    problems.push({ code: "LF1052", severity: "error", message, place, help });
  };
  for (const name of serviceNamesIn(expectation)) {
    if (all.has(name)) continue;
    const near = nearest(name, all);
    complain(
      `no input names a service port ${name}`,
      near !== undefined
        ? `did you mean ${near}?`
        : all.size === 0
          ? "names come from objects, and from the comments of kube-proxy's rules"
          : `there are ${[...all].slice(0, 5).join(", ")}`,
    );
  }
  const count = asked.kind === "packet" ? 1 : steps.length;
  for (const step of stepsIn(expectation)) {
    const kind = asked.kind === "packet" ? "packet" : steps[step - 1]?.kind;
    if (step > count)
      complain(`there is no step ${step}`, count === 1 ? "there is one" : `there are ${count}`);
    else if (kind === "sleep" || kind === "flush" || kind === "state")
      complain(`step ${step} sends nothing`, "steps are numbered from 1, those that send nothing too");
  }
}

/** What is not met, in words. */
export function unmetOf(
  expectation: Expectation,
  { asked }: { readonly asked: Asked },
  { kind, answer }: Answer,
  services: ServiceNames,
): readonly UnmetDocument[] {
  const cases: readonly AnsweredCase[] =
    kind === "packet" ? casesOfDistribution(answer) : casesOfCourses(answer);
  const names: Names = {
    of: services.at,
    asked: asked.kind === "packet" ? services.sentTo(asked.packet) : undefined,
  };
  return unmetParts(expectation, cases, names).map((unmet) => inWords(unmet, asked));
}

function inWords(unmet: Unmet, asked: Asked): UnmetDocument {
  const { part, truth, inCase, step, way } = unmet;
  const landing = way?.steps[step] ?? unmet.found?.of;
  const why = landing === undefined ? undefined : decisive(unmet, landing);
  return {
    expected: printExpectation(part),
    known: truth === "no",
    assuming: (inCase?.assuming ?? []).map(({ words }) => words),
    step: asked.kind === "packet" ? null : step + 1,
    found: foundWords(unmet, landing),
    hint: isMetByRounding(unmet) ? "shares are fractions over a power of two: write `about` for `=`" : null,
    counterexample: asked.kind === "packet" ? example(asked.packet, inCase?.open) : null,
    because:
      why?.rule === undefined
        ? null
        : {
            table: why.table,
            chain: why.chain,
            rule: why.number,
            line: why.rule.place?.line ?? null,
            words: ruleWords(why.rule, why.headers.family),
          },
  };
}

const NOT_TOLD: Readonly<Record<string, string>> = {
  leaves: "by which interface it leaves",
  source: "with which source",
  lands: "to which end",
  "lands again": "to which end",
};

/** `50 % 10.244.1.5:53, masqueraded` */
function foundWords(unmet: Unmet, landing: Landing | undefined): string {
  const { inCase, way, found, truth, part } = unmet;
  if (inCase === undefined) return "no answer";
  if (found !== undefined) {
    const of = landing === undefined ? "the share is" : `${landsOn(landing)} has`;
    return `${of} ${shareWords(found.share)} (${shareText(found.share, false)})`;
  }
  if (part.kind === "each share") return "no packet lands on such an endpoint";
  if (way === undefined || landing === undefined)
    return truth === "open" ? "that is not known" : "that is not so";
  const source = landing.src === null ? "" : `, from ${printAddress(landing.src)}`;
  const masqueraded = landing.masqueraded ? `, masqueraded${source}` : source;
  const known =
    truth === "open" ? `, and nothing given tells ${NOT_TOLD[unmet.claim?.kind ?? ""] ?? "the rest"}` : "";
  return `${shareText(way.share, false)} ${landsOn(landing)}${masqueraded}${known}`;
}

/** The rule that an answer is owed to: for a source that is set, the one that asked for it; else the one that sent it there. */
function decisive({ claim }: Unmet, landing: Landing): Step | undefined {
  const steps = matchedRules(landing);
  if (landing.masqueraded && (claim?.kind === "masqueraded" || claim?.kind === "source")) {
    const marks = steps.findLastIndex((step) => setsMark(step) && isCalled(steps, step));
    if (marks > 0) return steps[marks - 1];
    return steps.findLast((step) => ["masquerade", "rewrite", "netmap"].includes(effectOf(step)));
  }
  if (landing.verdict !== "forward" && landing.verdict !== "local") return steps.at(-1);
  return steps.findLast((step) => step.table === "nat" && ["rewrite", "redirect"].includes(effectOf(step)));
}

function effectOf({ rule, headers }: Step): string {
  return rule === undefined ? "" : meaningOf(rule, headers.family).effect.kind;
}

/** Whether a rule sets a bit of the mark: KUBE-POSTROUTING takes it back again before it masquerades. */
function setsMark({ rule, headers }: Step): boolean {
  if (rule === undefined) return false;
  const { effect } = meaningOf(rule, headers.family);
  if (effect.kind !== "assign" || effect.field !== "mark") return false;
  const { mark } = headers;
  return (((mark & ~effect.clear) ^ effect.toggle) & ~mark) >>> 0 !== 0;
}

/** Whether the rule before it has jumped to its chain: as kube-proxy's mark chains are called. */
function isCalled(steps: readonly Step[], step: Step): boolean {
  const before = steps[steps.indexOf(step) - 1];
  if (before?.rule === undefined) return false;
  const { effect } = meaningOf(before.rule, before.headers.family);
  return effect.kind === "jump" && effect.chain === step.chain;
}

/** A packet of the case, as it can be asked about again; null where the question left nothing open. */
function example(packet: Packet, open: OpenParts | undefined): string | null {
  const { sources: _sources, ...rest } = packet;
  const hasPorts = PORT_PROTOCOLS.includes(packet.protocol);
  if (packet.source !== undefined && (packet.sourcePort !== undefined || !hasPorts)) return null;
  const source = packet.source ?? memberOf(open?.source ?? [], SOURCES);
  const port = packet.sourcePort ?? (hasPorts ? memberOf(open?.sourcePort ?? [], [40000]) : undefined);
  return printPacket({
    ...rest,
    ...(source === undefined ? {} : { source }),
    ...(source === undefined || port === undefined ? {} : { sourcePort: Number(port) }),
  });
}

/** Addresses that stand for any: those of documentation (RFC 5737, RFC 3849). */
const SOURCES = [0xc0000209, 0x20010db8000000000000000000000009n];

/** A preferred member, else the second of a range, since the first is often the name of a network. */
function memberOf<T extends number | bigint>(
  ranges: readonly Range[],
  preferred: readonly T[],
): Range["from"] | undefined {
  const [first] = ranges;
  if (first === undefined) return undefined;
  const kind = familyOf(first.from);
  const found = preferred.find((one) => familyOf(one) === kind && contains(ranges, one));
  if (found !== undefined) return found;
  const { from, to } = first;
  if (from === to) return from;
  return typeof from === "number" ? from + 1 : from + 1n;
}
