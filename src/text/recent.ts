/**
 * Files of /proc/net/xt_recent ⇄ lists of the recent match. A line is
 * `src=10.0.0.1 ttl: 64 last_seen: 4300564874 oldest_pkt: 2 4300560000, 4300564874` (recent_seq_show in Linux 6), IPv6
 * addresses stand at full length. The name of a list is that of its file.
 */
import { readAddress } from "../../grammar/address.js";
import { type Problem, placeInLine, type Severity, type Source } from "../problems/problem.js";
import type { RecentEntry, RecentList } from "../state/recent.js";
import { printKernelAddress } from "./kernel-address.js";

export interface RecentRead {
  /** In the order in which they are first named. */
  readonly lists: readonly RecentList[];
  readonly problems: readonly Problem[];
}

/**
 * The lists of a text: one file, whose list is `name`, or several as `tail -n +1 /proc/net/xt_recent/*` (`==> FILE <==`),
 * `grep -r . /proc/net/xt_recent` (`FILE:` in front of each line) and `cat` after a prompt print them. Names in the text go
 * before `name`. A list that nothing names is a warning (LF1043).
 *
 * Lines that cannot be read are errors (LF1040, LF1006), and lines that are no part of a list notes (LF1001).
 */
export function readRecent(source: Source, name?: string): RecentRead {
  const reading: Reading = { source, lists: new Map(), problems: [], current: name };
  for (const [index, line] of source.text.split("\n").entries()) {
    readLine(reading, line.endsWith("\r") ? line.slice(0, -1) : line, index + 1);
  }
  // The file of a list that holds nothing is empty.
  if (name !== undefined && reading.lists.size === 0) reading.lists.set(name, []);
  const lists = [...reading.lists].map(
    ([listName, entries]): RecentList => (listName === undefined ? { entries } : { name: listName, entries }),
  );
  const unnamed = reading.lists.get(undefined);
  const [first] = unnamed ?? [];
  if (first?.place !== undefined) {
    reading.problems.push({
      code: "LF1043",
      severity: "warning",
      message: "which list these entries are of is not said",
      place: first.place,
      help: "the list's name is that of its file: give the file itself, or print it with `tail -v -n +1 /proc/net/xt_recent/*`",
    });
  }
  return { lists, problems: reading.problems };
}

/** The text of a list's file. */
export function printRecentList({ entries }: RecentList): string {
  return entries.map((entry) => `${printEntry(entry)}\n`).join("");
}

/** Several lists as `tail -v -n +1 /proc/net/xt_recent/*` prints them; a list without a name comes first, without a header. */
export function printRecent(lists: readonly RecentList[]): string {
  const text = (list: RecentList) =>
    list.name === undefined
      ? printRecentList(list)
      : `==> /proc/net/xt_recent/${list.name} <==\n${printRecentList(list)}`;
  const unnamedFirst = [...lists].sort((left, right) => Number(named(left)) - Number(named(right)));
  return unnamedFirst.map(text).join("\n");
}

const named = ({ name }: RecentList): boolean => name !== undefined;

function printEntry({ address, ttl, lastSeen, oldestPacket, stamps }: RecentEntry): string {
  const head = `src=${printKernelAddress(address)} ttl: ${ttl} last_seen: ${lastSeen} oldest_pkt: ${oldestPacket}`;
  return `${head} ${stamps.join(", ")}`;
}

interface Reading {
  readonly source: Source;
  readonly lists: Map<string | undefined, RecentEntry[]>;
  readonly problems: Problem[];
  /** The list that lines without a name are of. */
  current: string | undefined;
}

/** `==> /proc/net/xt_recent/NAME <==` */
const HEADER = /^==> (?:.*\/)?([^/]+) <==$/;
/** A prompt with `cat FILE`, or a line `FILE:`. */
const FILE = /\/xt_recent\/([^\s/:"'*?$]+)(?=["':]?\s*$)/;

function readLine(reading: Reading, text: string, line: number): void {
  const { lists, source, problems } = reading;
  const complain = (
    code: Problem["code"],
    severity: Severity,
    message: string,
    from = 0,
    to = text.length,
  ) => {
    problems.push({
      code,
      severity,
      message,
      place: placeInLine(source, line, from + 1, Math.max(to, from + 1) + 1),
    });
  };
  if (text.trim() === "") return;
  const header = HEADER.exec(text.trim());
  const start = text.indexOf("src=");
  const file = header ?? (start < 0 && text.length <= FILE_LINE_MAX ? FILE.exec(text) : null);
  if (file !== null) {
    const name = file[1] as string;
    if (lists.has(name))
      complain("LF1023", "warning", `list ${name} comes a second time, and replaces the first`);
    lists.set(name, []);
    reading.current = name;
    return;
  }
  const read = start < 0 ? undefined : readEntry(text, start);
  if (read === undefined) {
    complain("LF1001", "note", "this line is no part of an xt_recent list");
    return;
  }
  if ("expected" in read) {
    const cut = read.at >= text.length ? ": was the line cut off?" : "";
    const code = read.isValue ? "LF1006" : "LF1040";
    complain(code, "error", `${read.expected} is expected here${cut}`, read.at, read.to);
    return;
  }
  const name = nameBefore(text.slice(0, start)) ?? reading.current;
  const entries = lists.get(name) ?? [];
  lists.set(name, entries);
  const { oldestPacket, stamps, lastSeen } = read;
  entries.push({ ...read, place: placeInLine(source, line, start + 1, text.length + 1) });
  // The slot before the next one was written last.
  if (oldestPacket > 0 && stamps[oldestPacket - 1] !== lastSeen) {
    complain(
      "LF1040",
      "warning",
      "stamp oldest_pkt of this entry is not last_seen: was the line cut off?",
      start,
    );
  }
}

/** A command line is shorter. */
const FILE_LINE_MAX = 4096;

/** The name that grep puts before a line: `/proc/net/xt_recent/NAME:`, with the line's number behind it after `-n`. */
function nameBefore(prefix: string): string | undefined {
  if (!prefix.endsWith(":")) return undefined;
  const file = prefix.slice(0, -1).replace(/:\d{1,9}$/, "");
  const name = file.slice(file.lastIndexOf("/") + 1).trim();
  return name === "" || /^\d+$/.test(name) ? undefined : name;
}

/** What should stand at offset `at`. `isValue`: a value is there, up to `to`, but none that can be. */
interface Unreadable {
  readonly expected: string;
  readonly at: number;
  readonly to: number;
  readonly isValue: boolean;
}

/** The entry that begins at offset `start`; undefined when it is the line of another file. */
function readEntry(text: string, start: number): RecentEntry | Unreadable | undefined {
  const words = [...text.slice(start).matchAll(/\S+/g)].map((found) => ({
    text: found[0],
    at: start + found.index,
  }));
  const label = words[1]?.text ?? "ttl:";
  if (!"ttl:".startsWith(label)) return undefined;
  const end = text.trimEnd().length;
  const fault = (index: number, expected: string, isValue: boolean): Unreadable => {
    const word = words[index];
    return word === undefined
      ? { expected, at: end, to: end, isValue: false }
      : { expected, at: word.at, to: word.at + word.text.length, isValue };
  };
  const address = readAddress((words[0]?.text ?? "").slice(4));
  if (address === undefined) return fault(0, "src= with an address", true);
  const values: bigint[] = [];
  for (const [index, { name, most }] of FIELDS.entries()) {
    if (words[1 + 2 * index]?.text !== name) return fault(1 + 2 * index, name, false);
    const value = readNumber(words[2 + 2 * index]?.text, most);
    if (value === undefined) return fault(2 + 2 * index, `a number of at most ${most}`, true);
    values.push(value);
  }
  const stamps: bigint[] = [];
  for (let index = 1 + 2 * FIELDS.length; index < words.length; index++) {
    const word = words[index]?.text ?? "";
    const isLast = index === words.length - 1;
    const stamp = readNumber(isLast || !word.endsWith(",") ? word : word.slice(0, -1), JIFFIES_MAX);
    if (stamp === undefined || (!isLast && !word.endsWith(","))) {
      // A comma at the end of the line has another stamp behind it.
      const cut = isLast && word.endsWith(",") && readNumber(word.slice(0, -1), JIFFIES_MAX) !== undefined;
      return cut
        ? fault(words.length, "another stamp", false)
        : fault(index, "a stamp in jiffies and a comma", true);
    }
    stamps.push(stamp);
  }
  if (stamps.length === 0) return fault(words.length, "a stamp", false);
  const [ttl = 0n, lastSeen = 0n, oldestPacket = 0n] = values;
  return { address, ttl: Number(ttl), lastSeen, oldestPacket: Number(oldestPacket), stamps };
}

const JIFFIES_MAX = (1n << 64n) - 1n;
const FIELDS = [
  { name: "ttl:", most: 255n },
  { name: "last_seen:", most: JIFFIES_MAX },
  { name: "oldest_pkt:", most: 65535n },
];

function readNumber(text: string | undefined, most: bigint): bigint | undefined {
  if (text === undefined || !/^\d{1,20}$/.test(text)) return undefined;
  const number = BigInt(text);
  return number <= most ? number : undefined;
}
