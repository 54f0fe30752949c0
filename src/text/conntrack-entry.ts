/** One line of the connection tracking table → an entry, or what is wrong with it. */
import { type Address, familyOf, printAddress, readAddress } from "../../grammar/address.js";
import { protocolNumber } from "../../grammar/protocols.js";
import type { Code } from "../problems/codes.js";
import {
  ATTRIBUTES,
  type Attribute,
  type Connection,
  type Ends,
  type OtherWord,
  type Part,
  type Standing,
  type TrackedTuple,
} from "../state/connections.js";
import type { Counters } from "../state/rules.js";
import type { ConnectionForm } from "./conntrack-print.js";

export type EntryRead =
  | {
      readonly kind: "entry";
      readonly connection: Connection;
      /** What `conntrack -E` says has happened. */
      readonly event?: "NEW" | "UPDATE" | "DESTROY";
      readonly form: ConnectionForm;
      /** Offset where the entry begins, behind a prompt, a number or the name of a file. */
      readonly start: number;
    }
  | { readonly kind: "fault"; readonly fault: Fault }
  /** The line is no entry. */
  | { readonly kind: "other" };

/** What is wrong with an entry; `from` and `to` are offsets in its line. */
export interface Fault {
  readonly code: Code;
  readonly message: string;
  readonly from: number;
  readonly to: number;
  readonly label?: string;
}

/** Reads one line; never throws, in time linear in its length. */
export function readEntry(line: string): EntryRead {
  const words = wordsOf(line);
  const first = words.findIndex(({ text }) => text.startsWith("src="));
  if (first < 0) return readStump(words);
  const head = readHead(words, first);
  if (head === undefined) {
    // Expectations and other lists have one source; two are an entry whose beginning is not here.
    const isEntry = words.some(({ text }, index) => index > first && text.startsWith("src="));
    const [word] = words;
    if (!isEntry || word === undefined) return { kind: "other" };
    const message = "an entry begins with the name and the number of its protocol, which are not here";
    return faultOf("LF1040", message, word.at, word.at + word.text.length);
  }
  const cursor: Cursor = { words, at: first, others: [...head.others], end: endOf(words) };
  const read = readRest(head, cursor);
  if ("code" in read) return { kind: "fault", fault: read };
  const { event, start } = head;
  const form = formOf(head, read, words[first] as Word);
  return { kind: "entry", connection: read, form, start, ...(event === undefined ? {} : { event }) };
}

/** Whether an entry begins on the line, readable or not. */
export function beginsEntry(line: string): boolean {
  const words = wordsOf(line);
  const first = words.findIndex(({ text }) => text.startsWith("src="));
  return first < 0 ? readStump(words).kind === "fault" : readHead(words, first) !== undefined;
}

/** Only the kernel prints zone 0, the timeouts of GRE and IPv6 addresses at full length. */
function formOf(head: Head, { zone, greTimeouts, original }: Connection, source: Word): ConnectionForm {
  if (!head.extended) return "list";
  const atLength =
    familyOf(original.source) === "ipv6" && source.text !== `src=${printAddress(original.source)}`;
  return zone === 0 || greTimeouts !== undefined || atLength ? "proc" : "extended";
}

interface Word {
  readonly text: string;
  readonly at: number;
}

/** Words end at blanks, but `[start=Sat Nov 21 07:50:38 2026]` is one. The bound keeps lines of many `[` linear. */
function wordsOf(line: string): readonly Word[] {
  return [...line.matchAll(/\[[^\]]{0,64}\]|\S+/g)].map((found) => ({ text: found[0], at: found.index }));
}

const endOf = (words: readonly Word[]): number => {
  const last = words.at(-1);
  return last === undefined ? 0 : last.at + last.text.length;
};

interface Head {
  readonly protocol: number;
  readonly protocolName: string;
  readonly timeoutSeconds?: number;
  readonly state?: string;
  readonly greTimeouts?: Connection["greTimeouts"];
  readonly others: readonly OtherWord[];
  readonly event?: "NEW" | "UPDATE" | "DESTROY";
  /** The address family stands in front. */
  readonly extended: boolean;
  readonly start: number;
  /** The word that has the protocol's number. */
  readonly numberWord: Word;
}

/**
 * What stands before the first tuple, which ends at word `end`: `[NEW] ipv4     2 tcp      6 120 SYN_SENT`. Read from its end,
 * since anything may stand before it.
 */
function readHead(words: readonly Word[], end: number): Head | undefined {
  let at = end - 1;
  const text = (index: number): string => words[index]?.text ?? "";
  const settings = new Map<string, number>();
  const others: OtherWord[] = [];
  for (; /^[\w-]+=/.test(text(at)); at--) {
    const timeout = /^(timeout|stream_timeout)=(\d{1,10}),?$/.exec(text(at));
    if (timeout !== null) settings.set(timeout[1] as string, Number(timeout[2]));
    else others.push({ text: text(at), behind: "head" });
  }
  const state = /^[A-Z][A-Z0-9_]*$/.test(text(at)) ? text(at--) : undefined;
  const numbers: string[] = [];
  for (; numbers.length < 2 && /^\d{1,10}$/.test(text(at)); at--) numbers.unshift(text(at));
  const named = /[A-Za-z][A-Za-z0-9_]*$/.exec(text(at));
  const number = Number(numbers[0]);
  const numberWord = words[at + 1];
  if (named === null || numbers.length === 0 || number > 255 || numberWord === undefined) return undefined;
  const [timeoutSeconds] = numbers.slice(1).map(Number);
  const family = /ipv[46]$/.exec(text(at - 2));
  const extended = family !== null && /^(?:2|10)$/.test(text(at - 1));
  const start = extended ? at - 2 : at;
  const glued = extended ? family.index : named.index;
  const event = glued === 0 ? /^\[(NEW|UPDATE|DESTROY)\]$/.exec(text(start - 1)) : null;
  const [first, stream] = [settings.get("timeout"), settings.get("stream_timeout")];
  return {
    protocol: number,
    protocolName: named[0].toLowerCase(),
    numberWord,
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(state === undefined ? {} : { state }),
    ...(first === undefined || stream === undefined
      ? {}
      : { greTimeouts: { timeoutSeconds: first, streamTimeoutSeconds: stream } }),
    others: others.reverse(),
    ...(event === null ? {} : { event: event[1] as "NEW" | "UPDATE" | "DESTROY" }),
    extended,
    start: (words[event === null ? start : start - 1]?.at ?? 0) + (event === null ? glued : 0),
  };
}

/** A line that ends before its first tuple begins. */
function readStump(words: readonly Word[]): EntryRead {
  const last = words.at(-1)?.text ?? "";
  const head = readHead(words, words.length - (/^(?:s|sr|src)$/.test(last) ? 1 : 0));
  const isHead = head?.others.length === 0 && protocolNumber(head.protocolName) === head.protocol;
  if (!isHead) return { kind: "other" };
  const end = endOf(words);
  return faultOf("LF1040", "the entry ends before its first source", end - last.length, end, CUT);
}

const CUT = "was the line cut off here?";

function faultOf(code: Code, message: string, from: number, to: number, label?: string): EntryRead {
  return { kind: "fault", fault: { code, message, from, to, ...(label === undefined ? {} : { label }) } };
}

interface Cursor {
  readonly words: readonly Word[];
  at: number;
  readonly others: OtherWord[];
  /** Where the line ends. */
  readonly end: number;
}

/** The tuples and what stands behind them. */
function readRest(head: Head, cursor: Cursor): Connection | Fault {
  const { protocol, protocolName, numberWord, timeoutSeconds, state, greTimeouts } = head;
  const named = protocolNumber(protocolName);
  if (protocolName !== "unknown" && named !== undefined && named !== protocol) {
    return at(numberWord, "LF1006", `${protocolName} is protocol ${named}, not ${protocol}`);
  }
  const original = readTuple(cursor, "original", protocolName);
  if ("code" in original) return original;
  const unreplied = cursor.words[cursor.at]?.text === "[UNREPLIED]";
  if (unreplied) cursor.at++;
  keepOthers(cursor, "unreplied");
  if (cursor.at >= cursor.words.length) return cutOff(cursor, "the entry ends before its reply tuple");
  const reply = readTuple(cursor, "reply", protocolName);
  if ("code" in reply) return reply;
  if (familyOf(original.source) !== familyOf(reply.source)) {
    return cutOff(cursor, "the two tuples are of two families");
  }
  const tail = readTail(cursor, head.event !== undefined);
  if ("code" in tail) return tail;
  return {
    family: familyOf(original.source),
    protocol,
    protocolName,
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(state === undefined ? {} : { state }),
    ...(greTimeouts === undefined ? {} : { greTimeouts }),
    original,
    reply,
    ...(unreplied ? { unreplied } : {}),
    ...tail,
    ...(cursor.others.length === 0 ? {} : { others: cursor.others }),
  };
}

function at(word: Word, code: Code, message: string, label?: string): Fault {
  const to = word.at + word.text.length;
  return { code, message, from: word.at, to, ...(label === undefined ? {} : { label }) };
}

/** Something that should stand at the cursor does not: the line ended, or another word is there. */
function cutOff({ words, at: index, end }: Cursor, message: string): Fault {
  const word = words[index];
  if (word !== undefined) return at(word, "LF1040", message, word === words.at(-1) ? CUT : undefined);
  return { code: "LF1040", message, from: end, to: end + 1, label: CUT };
}

/** A value that cannot be read; in the last word of a line, since the line was cut off. */
function wrongValue({ words }: Cursor, word: Word, expected: string): Fault {
  const label = word === words.at(-1) ? CUT : undefined;
  return at(word, "LF1006", `${expected} is expected, not ${word.text.slice(0, 40)}`, label);
}

/** Puts words aside that nothing is known of, up to the next address. */
function keepOthers(cursor: Cursor, behind: Part): void {
  for (let word = cursor.words[cursor.at]; word !== undefined; word = cursor.words[++cursor.at]) {
    if (word.text.startsWith("src=") || !/=|^\[.*\]$/.test(word.text)) break;
    cursor.others.push({ text: word.text, behind });
  }
}

/** Whole numbers of a tuple by their keys, each with its largest value. Keys of GRE are printed as hexadecimal numbers. */
const TUPLE_NUMBERS: ReadonlyMap<string, number> = new Map([
  ["sport", 0xffff],
  ["dport", 0xffff],
  ["type", 0xff],
  ["code", 0xff],
  ["id", 0xffff],
  ["srckey", 0xffff],
  ["dstkey", 0xffff],
  ["zone-orig", 0xffff],
  ["zone-reply", 0xffff],
]);
const COUNTER_KEYS: readonly string[] = ["packets", "bytes"];

/** What the printer shows of a protocol whose name it knows. `unknown` protocols may have any of them, or none. */
const NEEDED: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ...["tcp", "udp", "udplite", "sctp", "dccp"].map((name) => [name, ["sport", "dport"]] as const),
  ...["icmp", "icmpv6"].map((name) => [name, ["type", "code", "id"]] as const),
  ["gre", ["srckey", "dstkey"]],
]);

function readTuple(
  cursor: Cursor,
  direction: "original" | "reply",
  protocolName: string,
): TrackedTuple | Fault {
  const addresses: Address[] = [];
  for (const key of ["src", "dst"]) {
    const word = cursor.words[cursor.at];
    if (word === undefined || !word.text.startsWith(`${key}=`)) {
      return cutOff(cursor, `the ${direction} tuple has no ${key}= here`);
    }
    const address = readAddress(word.text.slice(4));
    if (address === undefined) return wrongValue(cursor, word, "an address");
    addresses.push(address);
    cursor.at++;
  }
  const [source = 0, destination = 0] = addresses;
  if (familyOf(source) !== familyOf(destination)) {
    const word = cursor.words[cursor.at - 1] as Word;
    return at(word, "LF1006", "source and destination are of two families");
  }
  const numbers = new Map<string, number>();
  const counters = new Map<string, bigint>();
  for (let word = cursor.words[cursor.at]; word !== undefined; word = cursor.words[++cursor.at]) {
    const [key, value] = keyAndValue(word.text);
    const known = TUPLE_NUMBERS.get(key);
    const isCounter = COUNTER_KEYS.includes(key);
    // `id` stands at the end of an entry too.
    const isOfTuple = key === "id" ? numbers.has("code") : known !== undefined || isCounter;
    if (!isOfTuple || value === undefined) {
      const isOther = direction === "original" && value !== undefined && key !== "src";
      if (!isOther) break;
      cursor.others.push({ text: word.text, behind: "original" });
      continue;
    }
    if (numbers.has(key) || counters.has(key)) {
      if (key === "id") break;
      return at(word, "LF1008", `${key}= stands twice in the ${direction} tuple`);
    }
    if (isCounter) {
      const counter = readBig(value);
      if (counter === undefined) return wrongValue(cursor, word, "a number of at most 64 bits");
      counters.set(key, counter);
    } else {
      const number = readNumber(value, known ?? 0);
      if (number === undefined) return wrongValue(cursor, word, `a number of at most ${known}`);
      numbers.set(key, number);
    }
  }
  const missing = (NEEDED.get(protocolName) ?? []).find((key) => !numbers.has(key));
  if (missing !== undefined)
    return cutOff(cursor, `the ${direction} tuple of ${protocolName} has no ${missing}= here`);
  return {
    source,
    destination,
    ...detailsOf(numbers),
    ...zoneAmong(numbers, direction),
    ...(counters.size === 2 ? { counters: countersOf(counters) } : {}),
  };
}

function detailsOf(numbers: ReadonlyMap<string, number>): Pick<TrackedTuple, "ports" | "icmp" | "greKeys"> {
  const ends = (source: string, destination: string): Ends | undefined => {
    const [first, second] = [numbers.get(source), numbers.get(destination)];
    return first === undefined || second === undefined ? undefined : { source: first, destination: second };
  };
  const ports = ends("sport", "dport");
  const greKeys = ends("srckey", "dstkey");
  const [type, code, id] = ["type", "code", "id"].map((key) => numbers.get(key));
  const icmp = type === undefined || code === undefined || id === undefined ? undefined : { type, code, id };
  return {
    ...(ports === undefined ? {} : { ports }),
    ...(icmp === undefined ? {} : { icmp }),
    ...(greKeys === undefined ? {} : { greKeys }),
  };
}

function zoneAmong(numbers: ReadonlyMap<string, number>, direction: "original" | "reply") {
  const zone = numbers.get(direction === "original" ? "zone-orig" : "zone-reply");
  return zone === undefined ? {} : { zone };
}

function countersOf(counters: ReadonlyMap<string, bigint>): Counters {
  return { packets: counters.get("packets") ?? 0n, bytes: counters.get("bytes") ?? 0n };
}

type Tail = Pick<
  Connection,
  | "standing"
  | "mark"
  | "secmark"
  | "secctx"
  | "zone"
  | "deltaTimeSeconds"
  | "start"
  | "stop"
  | "helper"
  | "use"
  | "id"
  | "labels"
>;

const U32 = 0xffffffff;
const ATTRIBUTE_NUMBERS: ReadonlyMap<string, number> = new Map([
  ["mark", U32],
  ["secmark", U32],
  ["zone", 0xffff],
  ["delta-time", Number.MAX_SAFE_INTEGER],
  ["use", U32],
  ["id", U32],
]);

/** What stands behind the reply tuple. */
function readTail(cursor: Cursor, isEvent: boolean): Tail | Fault {
  const tail: { -readonly [K in keyof Tail]: Tail[K] } = {};
  const seen = new Set<Attribute>();
  let behind: Part = "reply";
  for (let word = cursor.words[cursor.at]; word !== undefined; word = cursor.words[++cursor.at]) {
    const { text } = word;
    // Who caused an event is no part of the entry.
    if (isEvent && text === "[USERSPACE]") break;
    const standing = /^\[(ASSURED|OFFLOAD|HW_OFFLOAD)\]$/.exec(text);
    if (standing !== null) {
      tail.standing = standing[1] as Standing;
      behind = "standing";
      continue;
    }
    const inner = /^\[.*\]$/.test(text) ? text.slice(1, -1) : text;
    const [key, value] = keyAndValue(inner);
    const attribute = ATTRIBUTES.find((one) => one === key);
    const isTime = key === "start" || key === "stop";
    if (attribute === undefined || value === undefined || isTime !== (inner !== text)) {
      if (value === undefined && inner === text) {
        const label = word === cursor.words.at(-1) ? CUT : undefined;
        return at(word, "LF1017", `${text.slice(0, 40)} is no part of an entry`, label);
      }
      cursor.others.push({ text, behind });
      continue;
    }
    if (seen.has(attribute)) return at(word, "LF1008", `${attribute}= stands twice`);
    seen.add(attribute);
    behind = attribute;
    const most = ATTRIBUTE_NUMBERS.get(attribute);
    const number = most === undefined ? undefined : readNumber(value, most);
    if (most !== undefined && number === undefined) {
      return wrongValue(cursor, word, `a number of at most ${most}`);
    }
    if (value === "") return wrongValue(cursor, word, `a value of ${attribute}`);
    Object.assign(tail, attributeOf(attribute, value, number));
  }
  return tail;
}

function attributeOf(attribute: Attribute, value: string, number: number | undefined): Tail {
  if (attribute === "delta-time") return number === undefined ? {} : { deltaTimeSeconds: number };
  if (attribute === "labels") return { labels: value.split(",") };
  return { [attribute]: number ?? value };
}

/** `key=value`; the value is undefined when the word has no `=`. */
function keyAndValue(text: string): readonly [string, string | undefined] {
  const equals = text.indexOf("=");
  return equals <= 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** A whole number, decimal or with `0x`. */
function readNumber(text: string, most: number): number | undefined {
  if (!/^(?:\d{1,16}|0x[0-9a-f]{1,8})$/i.test(text)) return undefined;
  const number = Number(text);
  return number <= most ? number : undefined;
}

function readBig(text: string): bigint | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const number = BigInt(text);
  return number < 1n << 64n ? number : undefined;
}
