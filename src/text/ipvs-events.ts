/**
 * Events on a node with IPVS, one a line, with tabs between the columns `event id proto src sport dst dport` (and others,
 * which are not read: `real` is what happened). A first line that begins with `event` names the columns.
 *
 * `open` makes a connection; `close` and `expire` end the one with this id; `ipvs` is an ipvsadm command and `wait` a
 * number of seconds, both in the column of the id. Empty lines and lines that begin with `#` are left out.
 */
import { familyOf, readAddress } from "../../grammar/address.js";
import { PROTOCOL, protocolNumber } from "../../grammar/protocols.js";
import { didYouMean } from "../problems/meant.js";
import { nearest } from "../problems/nearest.js";
import { type Problem, placeInLine, type Source } from "../problems/problem.js";
import type { FirstPacket, IpvsEvent } from "../state/ipvs-events.js";
import type { VirtualServers } from "../state/virtual-servers.js";
import { commandReader } from "./ipvsadm.js";

export interface IpvsEventsRead {
  readonly events: readonly IpvsEvent[];
  readonly problems: readonly Problem[];
}

const COLUMNS = ["event", "id", "proto", "src", "sport", "dst", "dport", "mark"] as const;
type Column = (typeof COLUMNS)[number];

const EVENTS = ["open", "close", "expire", "ipvs", "wait"];

/** Protocols that IPVS schedules and that have ports. */
const PROTOCOLS: readonly number[] = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp];

/** The longest wait: ten years. */
const WAIT_MAX = 10 * 365 * 24 * 60 * 60;

/** Reads all events; commands are held against the table that they change. */
export function readIpvsEvents(source: Source, servers: VirtualServers): IpvsEventsRead {
  const problems: Problem[] = [];
  const reading: Reading = {
    source,
    problems,
    columns: new Map(COLUMNS.slice(0, -1).map((column, index) => [column, index])),
    ids: new Set(),
    command: commandReader(source, servers, problems),
  };
  const events: IpvsEvent[] = [];
  let line = 0;
  for (const text of source.text.split("\n")) {
    line++;
    const bare = text.endsWith("\r") ? text.slice(0, -1) : text;
    if (bare.trim() === "" || bare.startsWith("#")) continue;
    const fields = fieldsOf(bare);
    if (fields[0]?.text === "event" && events.length === 0) readHeader(reading, line, fields);
    else for (const event of readEvent(reading, line, bare, fields)) events.push(event);
  }
  return { events, problems };
}

interface Reading {
  readonly source: Source;
  readonly problems: Problem[];
  columns: ReadonlyMap<Column, number>;
  /** Of connections so far. */
  readonly ids: Set<string>;
  readonly command: ReturnType<typeof commandReader>;
}

interface Field {
  readonly text: string;
  /** Offset in the line. */
  readonly from: number;
}

function fieldsOf(line: string): readonly Field[] {
  let from = 0;
  return line.split("\t").map((text) => {
    const field = { text: text.trim(), from };
    from += text.length + 1;
    return field;
  });
}

function readHeader(reading: Reading, line: number, fields: readonly Field[]): void {
  const columns = new Map<Column, number>();
  for (const [index, { text }] of fields.entries()) {
    const column = COLUMNS.find((one) => one === text);
    if (column !== undefined) columns.set(column, index);
  }
  for (const column of ["id", "proto", "src", "dst"] as const) {
    if (!columns.has(column))
      complain(reading, line, fields[0], `this heading has no column ${column}`, {
        help: `the columns are ${COLUMNS.join(", ")}, with tabs between them`,
      });
  }
  reading.columns = columns;
}

function complain(
  { source, problems }: Reading,
  line: number,
  field: Field | undefined,
  message: string,
  more: Pick<Problem, "label" | "fix" | "help"> = {},
): undefined {
  const from = field?.from ?? 0;
  const to = from + Math.max(1, field?.text.length ?? 1);
  const place = placeInLine(source, line, from + 1, to + 1);
  problems.push({ code: "LF1053", severity: "error", message, place, ...more });
  return undefined;
}

function readEvent(
  reading: Reading,
  line: number,
  text: string,
  fields: readonly Field[],
): readonly IpvsEvent[] {
  const end: Field = { text: "", from: text.length };
  const at = (column: Column): Field => fields[reading.columns.get(column) ?? -1] ?? end;
  const kind = at("event").text;
  const id = at("id");
  switch (kind) {
    case "open": {
      const packet = readPacket(reading, line, at);
      reading.ids.add(id.text);
      return packet === undefined ? [] : [{ kind, id: id.text, packet }];
    }
    case "close":
    case "expire":
      if (reading.ids.has(id.text)) return [{ kind, id: id.text }];
      complain(reading, line, id, `no connection ${id.text} was opened before`);
      return [];
    case "ipvs": {
      const changes = reading.command(line, " ".repeat(id.from) + text.slice(id.from));
      return changes.map((change) => ({ kind: "change", change }));
    }
    case "wait": {
      const seconds = /^\d{1,9}(?:\.\d{1,9})?$/.test(id.text) ? Number(id.text) : Number.NaN;
      if (seconds <= WAIT_MAX) return [{ kind, seconds }];
      complain(reading, line, id, `a wait is a number of seconds, up to ${WAIT_MAX}`);
      return [];
    }
    default: {
      const near = nearest(kind, EVENTS);
      const help = fields.length > 1 ? `events are ${EVENTS.join(", ")}` : "columns have tabs between them";
      complain(reading, line, at("event"), `there is no event ${kind}`, { ...didYouMean(near), help });
      return [];
    }
  }
}

function readPacket(reading: Reading, line: number, at: (column: Column) => Field): FirstPacket | undefined {
  const fault = (column: Column, message: string): undefined => complain(reading, line, at(column), message);
  const proto = at("proto").text;
  const protocol = /^\d{1,3}$/.test(proto) ? Number(proto) : protocolNumber(proto);
  if (protocol === undefined || !PROTOCOLS.includes(protocol))
    return fault("proto", "IPVS schedules tcp, udp and sctp");
  const source = readAddress(at("src").text);
  if (source === undefined) return fault("src", "the source must be an IP address");
  const destination = readAddress(at("dst").text);
  if (destination === undefined) return fault("dst", "the destination must be an IP address");
  if (familyOf(source) !== familyOf(destination))
    return fault("dst", "source and destination are of different families");
  const sourcePort = readNumber(at("sport").text, 0xffff);
  if (sourcePort === undefined) return fault("sport", "a port is a number from 0 to 65535");
  const destinationPort = readNumber(at("dport").text, 0xffff);
  if (destinationPort === undefined) return fault("dport", "a port is a number from 0 to 65535");
  const mark = readNumber(at("mark").text || "0", 0xffffffff);
  if (mark === undefined) return fault("mark", "a mark is a number from 0 to 4294967295");
  return {
    protocol,
    source,
    sourcePort,
    destination,
    destinationPort,
    ...(mark === 0 ? {} : { mark }),
  };
}

function readNumber(text: string, max: number): number | undefined {
  if (!/^(?:\d{1,10}|0x[0-9a-fA-F]{1,8})$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}
