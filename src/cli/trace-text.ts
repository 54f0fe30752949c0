/** Answers of `trace` for people: what the packet lands on first, then why, then what was taken for granted. */
import { type Address, type Family, printAddress } from "../../grammar/address.js";
import type { Packet } from "../../grammar/packet.js";
import { PORT_PROTOCOLS, protocolName } from "../../grammar/protocols.js";
import type { Courses } from "../evaluate/conversation.js";
import type { Case, Distribution, Landing, Share, Step } from "../evaluate/outcome.js";
import { isCertain, lowestTerms, toNumber } from "../evaluate/share.js";
import { servicePortOf } from "../explain/service-port.js";
import { ruleWords } from "../explain/words.js";
import { conntrackLine } from "./conntrack-line.js";
import { clean, type Style } from "./style.js";
import { table } from "./table.js";
import { matchedRules, stepPlace, stepsOf } from "./trace-json.js";

export interface TraceTextOptions {
  readonly style: Style;
  /** Shares as fractions. */
  readonly exact: boolean;
  /** Each landing with all rules on its way. */
  readonly allRules?: boolean;
}

/** Landings and steps beyond these are only counted. */
const LANDINGS_MAX = 40;
const STEPS_MAX = 24;
const SERVERS_MAX = 6;

export function traceText(packet: Packet, answer: Distribution, options: TraceTextOptions): string {
  const lines = [title(packet, answer, options.style), ""];
  if (answer.live !== undefined) {
    lines.push(
      options.style.paint("yellow", "a live connection decides, whatever the rules of nat say now"),
      `  ${conntrackLine(answer.live)}`,
      "",
    );
  }
  const several = answer.cases.length > 1;
  for (const one of answer.cases) {
    if (one.assuming.length > 0) {
      const head = several ? "if" : "given that";
      lines.push(
        options.style.paint(
          "yellow",
          `${head} ${one.assuming.map(({ words }) => clean(words)).join(", and ")}`,
        ),
        "",
      );
    }
    lines.push(...landingLines(one, packet, options), "");
  }
  const [first] = answer.cases;
  if (options.allRules) lines.push(...answer.cases.flatMap((one) => ways(one, options)));
  else if (first !== undefined) lines.push(...whyLines(answer.cases, packet.family, options), "");
  for (const note of answer.notes) lines.push(options.style.paint("yellow", "note: ") + clean(note));
  while (lines.at(-1) === "") lines.pop();
  return `${lines.join("\n")}\n`;
}

/** Each landing of a case with its whole way, as the kernel's TRACE names its rules. */
function ways({ landings }: Case, { style, exact }: TraceTextOptions): readonly string[] {
  return landings.slice(0, LANDINGS_MAX).flatMap((landing) => {
    const rows = stepsOf(landing).map((step) => [
      clean(stepPlace(step)),
      step.rule === undefined ? "end of the chain" : clean(ruleWords(step.rule, step.headers.family)),
      step.headers.mark === 0 ? "" : `mark 0x${step.headers.mark.toString(16)}`,
      step.rule?.place === undefined ? "" : style.paint("dim", `line ${step.rule.place.line}`),
    ]);
    const head = `${shareText(landing.share, exact)} ${landsOn(landing)}`;
    return [style.paint("bold", head), ...table([], rows, style, 2).map((line) => `  ${line}`), ""];
  });
}

/** The way back from where a packet lands: its entry, what the receiver answers, and what the client receives. */
export function replyText({ cases, notes }: Courses, { style, exact }: TraceTextOptions): string {
  const lines: string[] = [];
  for (const { assuming, courses } of cases) {
    const head = assuming.map(({ words }) => clean(words)).join(", and ");
    if (head !== "") lines.push(style.paint("yellow", `if ${head}`), "");
    for (const { share, steps } of courses.slice(0, LANDINGS_MAX)) {
      const [sent, answer] = steps;
      if (!sent || !answer || sent.connection === null) continue;
      const { connection } = sent;
      const asked = partsText(connection.original.destination, connection.original.destinationPort);
      const seen = partsText(connection.reply.source, connection.reply.sourcePort);
      const client = partsText(connection.original.source, connection.original.sourcePort);
      const arrives = answer.verdict === "forward" || answer.verdict === "local";
      const received = answer.src === null ? "?" : endText(answer.src, answer.sport ?? undefined);
      const kept = received === asked ? "the address it dialled" : `it dialled ${asked}`;
      lines.push(
        `${shareText(share, exact)} ${landsOn(sent)}`,
        `  conntrack         ${conntrackLine(connection)}`,
        `  answered          from ${seen}`,
        arrives
          ? `  client receives   ${received} → ${client}   ${kept}`
          : `  on this node      ${landsOn(answer)}`,
        "",
      );
    }
  }
  if (lines.length === 0) return "";
  const bypass = "if the answer does not pass this node, nothing translates it back";
  const told = notes.map((note) => style.paint("yellow", "note: ") + clean(note));
  return `${[style.paint("bold", "the way back"), ...lines.map((line) => line && `  ${line}`), `  ${bypass}`, ...told].join("\n")}\n`;
}

function partsText(address: Address | string, port: number | string | null): string {
  const number = typeof port === "number" ? port : undefined;
  return typeof address === "string" ? "?" : endText(address, number);
}

/** How a conversation goes: its courses, each with what becomes of its steps. */
export function conversationText(
  id: string | null,
  { cases, notes }: Courses,
  { style, exact }: TraceTextOptions,
): string {
  const lines = id === null ? [] : [style.paint("bold", clean(id)), ""];
  for (const { assuming, courses } of cases) {
    if (assuming.length > 0) {
      const head = cases.length > 1 ? "if" : "given that";
      lines.push(
        style.paint("yellow", `${head} ${assuming.map(({ words }) => clean(words)).join(", and ")}`),
        "",
      );
    }
    for (const { share, steps } of courses.slice(0, LANDINGS_MAX)) {
      const rows = steps.map((step, index) => [
        `${index + 1}`,
        step === null ? "(nothing is sent)" : landsOn(step),
        step === null ? "" : comesFrom(step),
      ]);
      lines.push(
        `  ${shareText(share, exact)}`,
        ...table([], rows, style, 4).map((line) => `    ${line}`),
        "",
      );
    }
    if (courses.length > LANDINGS_MAX) lines.push(`  … and ${courses.length - LANDINGS_MAX} more`, "");
  }
  for (const note of notes) lines.push(style.paint("yellow", "note: ") + clean(note));
  while (lines.at(-1) === "") lines.pop();
  return `${lines.join("\n")}\n`;
}

function comesFrom(landing: Landing): string {
  if (landing.verdict !== "forward" && landing.verdict !== "local")
    return landing.processSees === null ? "" : `the process gets ${landing.processSees}`;
  const from = landing.src === null ? "?" : endText(landing.src, landing.sport ?? undefined);
  return `from ${from}${landing.masqueraded ? " (masqueraded)" : ""}`;
}

function title(packet: Packet, answer: Distribution, style: Style): string {
  const landing = answer.cases[0]?.landings[0];
  const service = answer.cases
    .flatMap(({ landings }) => landings)
    .map(servicePortOf)
    .find((one) => one !== undefined);
  const proto = protocolName(packet.protocol);
  const asked = `${endText(packet.destination, packet.destinationPort)}/${proto}`;
  if (landing === undefined) return `${asked}   not decided`;
  if (service === undefined) return style.paint("bold", asked);
  const how = service.reachedBy || "node port";
  return `${style.paint("bold", clean(service.name))}   ${how.replace("loadbalancer", "load balancer")} ${asked}`;
}

function landingLines({ landings }: Case, packet: Packet, options: TraceTextOptions): readonly string[] {
  const shown = landings.slice(0, LANDINGS_MAX);
  const rows = shown.map((landing) => [
    shareText(landing.share, options.exact),
    landsOn(landing),
    sees(landing, packet),
  ]);
  const lines = table(["SHARE", "LANDS ON", "SEEN THERE AS COMING FROM"], rows, options.style, 2).map(
    (line) => `  ${line}`,
  );
  lines[0] = options.style.paint("dim", lines[0] ?? "");
  if (landings.length > shown.length) lines.push(`  … and ${landings.length - shown.length} more`);
  return lines;
}

export function landsOn(landing: Landing): string {
  const end = landing.dst === null ? "?" : endText(landing.dst, landing.dport ?? undefined);
  switch (landing.verdict) {
    case "forward":
      return landing.out === null ? end : `${end} by ${landing.out}`;
    case "local":
      return `${end} on this node`;
    case "drop":
      return "dropped, no answer";
    case "reject": {
      const from = landing.from === null ? "" : ` from ${printAddress(landing.from)}`;
      return `refused: ${landing.with}${from}${landing.answered === false ? ", but no answer is sent" : ""}`;
    }
    case "error":
      return `not sent: ${landing.with}`;
    case "queue":
      return "a program of the node decides (QUEUE)";
    case "nothing to answer":
      return "nothing to answer";
  }
}

function sees(landing: Landing, packet: Packet): string {
  if (landing.verdict !== "forward" && landing.verdict !== "local") {
    return landing.processSees === null ? "" : `the process gets ${landing.processSees}`;
  }
  const hasPorts = PORT_PROTOCOLS.includes(packet.protocol);
  const port = !hasPorts
    ? ""
    : landing.sport === null
      ? landing.masqueraded
        ? ", new port"
        : ""
      : `:${landing.sport}`;
  if (landing.masqueraded) {
    const who = landing.src === null ? "an address of this node" : `${bracketed(landing.src, port)}`;
    return `${who}${port}   (masqueraded)`;
  }
  return landing.src === null ? "the sender" : `${bracketed(landing.src, port)}${port}`;
}

/** The rules on the way of all landings, each once, in the order in which they were met. */
function whyLines(cases: readonly Case[], family: Family, { style }: TraceTextOptions): readonly string[] {
  const seen = new Set<string>();
  const steps: Step[] = [];
  for (const landing of cases.flatMap((one) => one.landings)) {
    for (const step of decidingSteps(landing)) {
      const key = stepPlace(step);
      if (seen.has(key)) continue;
      seen.add(key);
      steps.push(step);
    }
  }
  const servers = virtualServers(cases.flatMap(({ landings }) => landings));
  if (steps.length === 0 && servers.length === 0) return [style.paint("bold", "why"), "  no rule matches"];
  const rows = steps
    .slice(0, STEPS_MAX)
    .map((step) => [
      clean(stepPlace(step)),
      step.rule === undefined ? "no rule decides: the policy refuses" : clean(ruleWords(step.rule, family)),
      step.rule?.place === undefined ? "" : style.paint("dim", `line ${step.rule.place.line}`),
    ]);
  const more = steps.length > STEPS_MAX ? [`  … and ${steps.length - STEPS_MAX} more rules`] : [];
  return [
    style.paint("bold", "why"),
    ...table([], rows, style, 2).map((line) => `  ${line}`),
    ...more,
    ...servers.map((line) => `  ${line}`),
  ];
}

/** The rules that a packet met, and the policy where that is what keeps it. */
function decidingSteps(landing: Landing): readonly Step[] {
  const { lastStep, verdict } = landing;
  const isPolicy = lastStep?.kind === "policy" && (verdict === "drop" || verdict === "queue");
  return [...matchedRules(landing), ...(isPolicy ? [lastStep] : [])];
}

/** `IPVS 10.96.0.10:80/tcp rr → 10.244.1.10:8080, 10.244.2.20:8080`: virtual servers that took the packet. */
function virtualServers(landings: readonly Landing[]): readonly string[] {
  const byName = new Map<string, Set<string>>();
  for (const { served } of landings) {
    if (served === null) continue;
    const name = `IPVS ${[served.service, served.scheduler ?? ""].join(" ").trim()}`;
    const { address, port } = served.server;
    byName.set(name, (byName.get(name) ?? new Set()).add(endText(address, port)));
  }
  return [...byName].map(([name, ends]) => {
    const all = [...ends];
    const more = all.length > SERVERS_MAX ? ` and ${all.length - SERVERS_MAX} more` : "";
    return clean(`${name} → ${all.slice(0, SERVERS_MAX).join(", ")}${more}`);
  });
}

/** `33.3 %`, or the fraction. */
export function shareText(share: Share, exact: boolean): string {
  if (exact) {
    const { numerator, denominator } = lowestTerms(share);
    return denominator === 1n ? `${numerator}` : `${numerator}/${denominator}`;
  }
  if (isCertain(share)) return "100 %";
  const percent = toNumber(share) * 100;
  if (percent < 0.001) return "< 0.001 %";
  return `${Number(percent.toPrecision(3))} %`;
}

function endText(address: Address, port: number | undefined): string {
  return port === undefined ? printAddress(address) : `${bracketed(address, ":")}:${port}`;
}

/** An IPv6 address in brackets when a port follows. */
function bracketed(address: Address, port: string): string {
  const text = printAddress(address);
  return typeof address === "bigint" && port.startsWith(":") ? `[${text}]` : text;
}
