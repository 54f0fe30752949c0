/**
 * Packets as records: JSON objects with the names `id src sport dst dport proto in l2 flags icmpType icmpCode mark ttl length
 * dscp tos mac uid gid`; and conversations, whose `steps` are such packets, answers to them, and what happens between them.
 */
import * as z from "zod/mini";
import { type Family, familyOf, readAddress } from "../../grammar/address.js";
import { type Packet, readFlagLetters } from "../../grammar/packet.js";
import { PORT_PROTOCOLS, PROTOCOL, protocolNumber } from "../../grammar/protocols.js";
import type { Changes, ConversationStep } from "../evaluate/conversation.js";
import { appendAll } from "../problems/append.js";
import { type Problem, placeInLine, placeOf, type Source } from "../problems/problem.js";
import type { NodeState } from "../state/nodestate.js";
import { printSets } from "../text/ipset/save.js";
import { readSets } from "../text/ipset.js";
import { applyRestore } from "../text/rules.js";

/** What is to be asked, with what was said of it, for the answer. */
export type Asked = AskedPacket | AskedConversation;

export interface AskedPacket {
  readonly kind: "packet";
  readonly id: string | null;
  readonly packet: Packet;
}

export interface AskedConversation {
  readonly kind: "conversation";
  readonly id: string | null;
  readonly family: Family;
  readonly steps: readonly AskedStep[];
}

/** A step; `restore` and `ipset` are texts for iptables-restore --noflush and ipset restore. */
export type AskedStep = Exclude<ConversationStep, { readonly kind: "state" }> | ChangeStep;

interface ChangeStep {
  readonly kind: "restore" | "ipset";
  readonly text: string;
}

const ADDRESS = "must be an IP address in quotes";
const FLAGS = "must be a text of the letters FSRPAUEC";

const MAC = "must be a MAC address in quotes, such as 02:42:ac:11:00:02";

const address = z.string(ADDRESS).check(z.refine((text) => readAddress(text) !== undefined, ADDRESS));
const port = wholeNumber(65535);
const octet = wholeNumber(255);

const record = z.looseObject(
  {
    id: z.optional(z.nullable(z.union([z.string(), z.number()], "must be a text or a number"))),
    src: z.optional(z.nullable(address)),
    sport: z.optional(z.nullable(port)),
    dst: address,
    dport: z.optional(z.nullable(port)),
    proto: z.optional(z.union([z.string(), octet], "must be a name in quotes, or a number from 0 to 255")),
    in: z.optional(z.nullable(z.string("must be the name of an interface in quotes"))),
    l2: z.optional(z.nullable(z.enum(["bridge", "host"], "must be bridge or host"))),
    flags: z.optional(z.nullable(z.string(FLAGS).check(z.regex(/^[FSRPAUEC]*$/, FLAGS)))),
    icmpType: z.optional(z.nullable(octet)),
    icmpCode: z.optional(z.nullable(octet)),
    mark: z.optional(z.nullable(wholeNumber(0xffffffff))),
    ttl: z.optional(z.nullable(octet)),
    length: z.optional(z.nullable(port)),
    dscp: z.optional(z.nullable(wholeNumber(63))),
    tos: z.optional(z.nullable(octet)),
    mac: z.optional(z.nullable(z.string(MAC).check(z.regex(/^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/, MAC)))),
    uid: z.optional(z.nullable(wholeNumber(0xfffffffe))),
    gid: z.optional(z.nullable(wholeNumber(0xfffffffe))),
  },
  "must be an object",
);

function wholeNumber(max: number) {
  const wanted = `must be a whole number from 0 to ${max}`;
  return z.int(wanted).check(z.gte(0, wanted), z.lte(max, wanted));
}

/** One object a line, or a JSON array of them. */
export function readPackets(source: Source, problems: Problem[]): readonly Asked[] {
  if (source.text.trimStart().startsWith("[")) {
    try {
      const list: unknown = JSON.parse(source.text);
      return (Array.isArray(list) ? list : []).flatMap((value: unknown, index) =>
        toAsked(value, `packet ${index + 1}`, placeOf(source, 0, 1), problems),
      );
    } catch {
      problems.push({
        code: "LF1051",
        severity: "error",
        message: "this is no JSON",
        place: placeOf(source, 0, 1),
      });
      return [];
    }
  }
  return source.text.split("\n").flatMap((text, index) => {
    if (text.trim() === "") return [];
    const place = placeInLine(source, index + 1, 1, text.length + 1);
    try {
      return toAsked(JSON.parse(text), "packet", place, problems);
    } catch {
      problems.push({
        code: "LF1051",
        severity: "error",
        message: "this line is no JSON object",
        place,
        help: 'write one packet a line: {"src":"10.0.0.9","dst":"10.96.0.10","dport":53,"proto":"udp"}',
      });
      return [];
    }
  });
}

/** One record; problems, which begin with `who`, are added. */
export function toAsked(
  value: unknown,
  who: string,
  place: Problem["place"],
  problems: Problem[],
): readonly Asked[] {
  const complain = (message: string): readonly never[] => {
    problems.push({
      code: "LF1051",
      severity: "error",
      message: `${who}: ${message}`,
      ...(place ? { place } : {}),
    });
    return [];
  };
  if (typeof value !== "object" || value === null || !("steps" in value)) {
    const read = toPacket(value);
    return "fault" in read ? complain(read.fault) : [{ kind: "packet", ...read }];
  }
  const read = conversation.safeParse(value);
  if (!read.success) return complain(faultOf(read.error));
  const steps: AskedStep[] = [];
  for (const [index, one] of read.data.steps.entries()) {
    const step = toStep(one, index);
    if ("fault" in step) return complain(`steps.${index}: ${step.fault}`);
    steps.push(step);
  }
  const families = new Set(steps.flatMap((step) => (step.kind === "packet" ? [step.packet.family] : [])));
  const [family = "ipv4"] = families;
  if (families.size > 1) return complain("the packets of a conversation are of one family");
  return [{ kind: "conversation", id: idOf(read.data.id), family, steps }];
}

interface Fault {
  readonly fault: string;
}

function faultOf({ issues }: { readonly issues: readonly z.core.$ZodIssue[] }): string {
  const [issue] = issues;
  return `${issue?.path.join(".") || "the record"}: ${issue?.message ?? "cannot be read"}`;
}

function idOf(id: string | number | null | undefined): string | null {
  return id === undefined || id === null ? null : String(id);
}

const conversation = z.looseObject({
  id: record.shape.id,
  steps: z.array(z.looseObject({}, "must be an object"), "must be a list"),
});

const SECONDS = "must be a number of seconds";

/** A step that is told by one of its keys, and what it may change of a packet. */
const step = z.looseObject({
  reply: z.optional(z.literal(true, "must be true")),
  again: z.optional(wholeNumber(100_000)),
  icmpError: z.optional(z.tuple([octet, octet], "must be [type, code]")),
  from: z.optional(z.nullable(address)),
  sleep: z.optional(z.number(SECONDS).check(z.gte(0, SECONDS))),
  flush: z.optional(z.enum(["conntrack", "recent"], "must be conntrack or recent")),
  restore: z.optional(z.string("must be text for iptables-restore")),
  ipset: z.optional(z.string("must be text for ipset restore")),
  in: record.shape.in,
  l2: record.shape.l2,
  flags: record.shape.flags,
  icmpType: record.shape.icmpType,
  icmpCode: record.shape.icmpCode,
  mark: record.shape.mark,
  ttl: record.shape.ttl,
  length: record.shape.length,
  dscp: record.shape.dscp,
  tos: record.shape.tos,
  mac: record.shape.mac,
  uid: record.shape.uid,
  gid: record.shape.gid,
});

function toStep(value: object, index: number): AskedStep | Fault {
  const read = step.safeParse(value);
  if (!read.success) return { fault: faultOf(read.error) };
  const { reply, again, icmpError, from, sleep, flush, restore, ipset } = read.data;
  const changes = headers(read.data);
  if (reply !== undefined) return { kind: "reply", changes };
  if (again !== undefined) {
    if (again >= index) return { fault: `again: there is no step ${again} before this one` };
    return { kind: "again", step: again, changes };
  }
  if (icmpError !== undefined) {
    const [type, code] = icmpError;
    const sender = from ? readAddress(from) : undefined;
    return { kind: "icmp-error", type, code, ...(sender === undefined ? {} : { from: sender }) };
  }
  if (sleep !== undefined) return { kind: "sleep", seconds: sleep };
  if (flush !== undefined) return { kind: "flush", what: flush };
  if (restore !== undefined) return { kind: "restore", text: restore };
  if (ipset !== undefined) return { kind: "ipset", text: ipset };
  const packet = toPacket(value);
  return "fault" in packet ? packet : { kind: "packet", packet: packet.packet };
}

function headers(given: HeaderRecord): Changes {
  const { in: by, l2, flags, icmpType, icmpCode, mark, ttl, length, dscp, tos, mac, uid, gid } = given;
  return {
    ...(by ? { in: by } : {}),
    ...(l2 ? { l2 } : {}),
    ...(typeof flags === "string" ? { tcpFlags: readFlagLetters(flags) ?? 0 } : {}),
    ...(typeof icmpType === "number" ? { icmpType } : {}),
    ...(typeof icmpCode === "number" ? { icmpCode } : {}),
    ...(typeof mark === "number" ? { mark } : {}),
    ...(typeof ttl === "number" ? { ttl } : {}),
    ...(typeof length === "number" ? { length } : {}),
    ...(typeof dscp === "number" ? { tos: dscp << 2 } : {}),
    ...(typeof tos === "number" ? { tos } : {}),
    ...(typeof mac === "string" ? { mac: mac.toLowerCase() } : {}),
    ...(typeof uid === "number" ? { user: uid } : {}),
    ...(typeof gid === "number" ? { group: gid } : {}),
  };
}

type HeaderRecord = Pick<
  z.infer<typeof step>,
  | "in"
  | "l2"
  | "flags"
  | "icmpType"
  | "icmpCode"
  | "mark"
  | "ttl"
  | "length"
  | "dscp"
  | "tos"
  | "mac"
  | "uid"
  | "gid"
>;

function isChange(step: AskedStep): step is ChangeStep {
  return step.kind === "restore" || step.kind === "ipset";
}

/** The steps on a node: texts that change its rules and sets become states. Their problems are added. */
export function stepsOn(
  { steps, family }: AskedConversation,
  start: NodeState,
  problems: Problem[],
): readonly ConversationStep[] {
  let state = start;
  return steps.map((step): ConversationStep => {
    if (!isChange(step)) return step;
    if (step.kind === "restore") {
      const base = state.rulesets[family] ?? { family, tables: new Map() };
      const read = applyRestore(base, { name: "restore", text: step.text });
      appendAll(problems, read.problems);
      state = { ...state, rulesets: { ...state.rulesets, [family]: read.ruleset } };
      return { kind: "state", state, reloaded: true };
    }
    const before = state.sets === undefined ? "" : printSets(state.sets);
    const read = readSets({ name: "ipset", text: `${before}${step.text}` });
    appendAll(problems, read.problems);
    state = { ...state, sets: read.sets };
    return { kind: "state", state, reloaded: false };
  });
}

function toPacket(value: unknown): { readonly id: string | null; readonly packet: Packet } | Fault {
  const complain = (fault: string): Fault => ({ fault });
  const read = record.safeParse(value);
  if (!read.success) return complain(faultOf(read.error));
  const { id, src, sport, dst, dport, proto = "tcp" } = read.data;
  const destination = readAddress(dst) ?? 0;
  const family = familyOf(destination);
  const source = src ? readAddress(src) : undefined;
  if (source !== undefined && familyOf(source) !== family)
    return complain("src and dst are of different families");
  const named =
    typeof proto === "number" ? proto : /^\d+$/.test(proto) ? Number(proto) : protocolNumber(proto);
  if (named === undefined) return complain(`proto ${String(proto)} is not known`);
  const protocol = named === PROTOCOL.icmp && family === "ipv6" ? PROTOCOL.ipv6Icmp : named;
  const needsPort = PORT_PROTOCOLS.includes(protocol);
  if (needsPort && (dport === undefined || dport === null)) return complain("dport is missing");
  return {
    id: idOf(id),
    packet: {
      family,
      protocol,
      destination,
      ...(needsPort && typeof dport === "number" ? { destinationPort: dport } : {}),
      ...(source === undefined ? {} : { source }),
      ...(typeof sport === "number" ? { sourcePort: sport } : {}),
      ...headers(read.data),
    },
  };
}
