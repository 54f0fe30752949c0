/**
 * Text of the connection tracking table → connections: `conntrack -L` with any `-o` but xml and save, `conntrack -E`, and
 * /proc/net/nf_conntrack. The formats are those of conntrack-tools 1.4.7 (libnetfilter_conntrack 1.0.9) and Linux 6.
 */
import { type Place, type Problem, placeInLine, type Source } from "../problems/problem.js";
import { type Connection, connectionKey } from "../state/connections.js";
import { beginsEntry, type EntryRead, readEntry } from "./conntrack-entry.js";
import type { ConnectionForm } from "./conntrack-print.js";

export interface ConnectionsRead {
  /** In the order of the text. */
  readonly connections: readonly Connection[];
  /** How the first entry is written, so that all can be printed likewise. */
  readonly form: ConnectionForm;
  readonly problems: readonly Problem[];
}

/**
 * The connections that a text shows. Events (`-E`) are applied one after another, onto entries that stand above them too:
 * the last state counts, and what was destroyed is gone, which a note says (LF1041).
 *
 * Lines that are no entries are notes (LF1001), except blank ones and the tool's own last line. Entries that are cut off
 * (LF1040) or hold what no entry can (LF1006, LF1008, LF1017) are errors, and are left out. What stands before an entry on
 * its line (a number, the name of a file, a time) is passed over, and entries that a terminal has wrapped are joined.
 */
export function readConnections(source: Source): ConnectionsRead {
  const lines = source.text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  const reading: Reading = { source, lines, shown: [], at: new Map(), destroyed: [], problems: [] };
  for (let at = 0; at < lines.length; at++) at += readLine(reading, at);
  return finish(reading);
}

interface Reading {
  readonly source: Source;
  readonly lines: readonly string[];
  /** Undefined: destroyed. */
  readonly shown: (Shown | undefined)[];
  /** Where in `shown` a connection stands, by its key. */
  readonly at: Map<string, number>;
  /** Places of events that ended connections. */
  readonly destroyed: Place[];
  readonly problems: Problem[];
}

interface Shown {
  readonly connection: Connection;
  readonly form: ConnectionForm;
  readonly isEvent: boolean;
}

const SUMMARY = /conntrack v\S+ \(conntrack-tools\): \d+ flow (?:entries|events) have been /;

/** Reads line `at` (from 0), and says how many of the next lines were the rest of its entry. */
function readLine(reading: Reading, at: number): number {
  const { source, lines, problems } = reading;
  const text = lines[at] ?? "";
  if (text.trim() === "" || SUMMARY.test(text)) return 0;
  const { read, added } = unwrapped(lines, at);
  const place = (from: number, to: number) => placeInLine(source, at + 1, from + 1, to + 1);
  if (read.kind === "other") {
    problems.push({
      code: "LF1001",
      severity: "note",
      message: "this line is no connection entry",
      place: place(0, text.length),
    });
  } else if (read.kind === "fault") {
    const { code, message, from, to, label } = read.fault;
    const said = label === undefined ? {} : { label };
    problems.push({ code, severity: "error", message, place: place(from, to), ...said });
  } else {
    keep(reading, read, place(read.start, Math.max(text.length, read.start + 1)));
  }
  return added;
}

/** An entry is shorter than this many lines of a terminal. */
const LINES_MAX = 8;
/** More than a terminal is wide. */
const WRAPPED_MAX = 1000;

/** The entry of line `at`, with the next lines if they are the rest of it. */
function unwrapped(lines: readonly string[], at: number): { read: EntryRead; added: number } {
  const alone = readEntry(lines[at] ?? "");
  let text = lines[at] ?? "";
  let read = alone;
  for (let added = 1; added < LINES_MAX && isOpen(read) && text.length < WRAPPED_MAX; added++) {
    const next = lines[at + added] ?? "";
    if (next.trim() === "" || next.length > WRAPPED_MAX || !isRest(next)) break;
    // The terminal may have cut between words or within one: what can be read further is right.
    const [glued, apart] = [text + next.trim(), `${text} ${next.trim()}`];
    const [first, second] = [readEntry(glued), readEntry(apart)];
    // `apart` is one character longer.
    [text, read] = reach(second) - 1 > reach(first) ? [apart, second] : [glued, first];
    if (read.kind === "entry" && !isOpen(read)) return { read, added };
  }
  return { read: alone, added: 0 };
}

/** Whether the entry may go on: it is cut off, or does not have what a listed entry ends with. */
function isOpen(read: EntryRead): boolean {
  if (read.kind === "fault") return read.fault.label !== undefined;
  return read.kind === "entry" && read.event === undefined && read.connection.use === undefined;
}

function reach(read: EntryRead): number {
  return read.kind === "entry" ? Number.POSITIVE_INFINITY : read.kind === "fault" ? read.fault.from : -1;
}

/** Whether a line can be the rest of an entry: it has signs of one, and begins none itself. */
function isRest(line: string): boolean {
  return /[=\]]|^\s*\d+\s*$/.test(line) && !beginsEntry(line);
}

/** Applies an entry to the table. */
function keep(reading: Reading, read: EntryRead & { kind: "entry" }, place: Place): void {
  const { shown, at, destroyed, problems } = reading;
  const { event, form } = read;
  const key = connectionKey(read.connection);
  const index = at.get(key);
  const before = index === undefined ? undefined : shown[index]?.connection;
  if (event === "DESTROY") {
    destroyed.push(place);
    if (index !== undefined) shown[index] = undefined;
    at.delete(key);
    return;
  }
  const connection: Connection = { ...(event === "UPDATE" ? unsaid(before) : {}), ...read.connection, place };
  if (event !== undefined && index !== undefined) {
    shown[index] = { connection, form, isEvent: true };
    return;
  }
  if (before !== undefined) {
    problems.push({
      code: "LF1042",
      severity: "warning",
      message: "this connection is listed twice; for a packet of it, the later line counts",
      place,
      ...(before.place === undefined ? {} : { notes: [`it stands in line ${before.place.line} too`] }),
    });
  }
  at.set(key, shown.length);
  shown.push({ connection, form, isEvent: event !== undefined });
}

/** What an update does not say when it has not changed (ctnetlink_conntrack_event in the kernel). */
function unsaid(before: Connection | undefined): Partial<Connection> {
  const { mark, secmark, secctx, labels, helper } = before ?? {};
  return {
    ...(mark === undefined ? {} : { mark }),
    ...(secmark === undefined ? {} : { secmark }),
    ...(secctx === undefined ? {} : { secctx }),
    ...(labels === undefined ? {} : { labels }),
    ...(helper === undefined ? {} : { helper }),
  };
}

function finish({ shown, destroyed, problems }: Reading): ConnectionsRead {
  const kept = shown.filter((one) => one !== undefined);
  const listed = kept.filter(({ isEvent }) => !isEvent);
  if (listed.some(({ connection }) => connection.use !== undefined)) {
    for (const { connection } of listed) {
      if (connection.use !== undefined || connection.place === undefined) continue;
      problems.push({
        code: "LF1040",
        severity: "warning",
        message: "this entry does not end with use=, as others here do: was the line cut off?",
        place: connection.place,
      });
    }
  }
  const [last] = destroyed.slice(-1);
  if (last !== undefined) {
    const { length } = destroyed;
    problems.push({
      code: "LF1041",
      severity: "note",
      message: `${length === 1 ? "1 connection was" : `${length} connections were`} destroyed by events, and left out`,
      place: last,
    });
  }
  const proc = kept.some(({ form }) => form === "proc");
  return {
    connections: kept.map(({ connection }) => connection),
    form: proc ? "proc" : (kept[0]?.form ?? "list"),
    problems,
  };
}
