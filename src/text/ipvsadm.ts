/**
 * ipvsadm's text → virtual servers, and back: `ipvsadm -S`, the lines that `ipvsadm -R` takes, and the listings of `-L`.
 * Any text is accepted: what cannot be read is a problem with its place, and the rest is read.
 */
import { prefixLength, printAddress, withPort } from "../../grammar/address.js";
import type { Code } from "../problems/codes.js";
import { type Problem, placeInLine, type Severity, type Source } from "../problems/problem.js";
import {
  type ConnectionTimeouts,
  DEFAULT_SCHEDULER,
  type Destination,
  flagsOfScheduler,
  type Scheduling,
  type ServiceKey,
  type TunnelChecksum,
  type VirtualConnection,
  type VirtualServer,
  type VirtualServerChange,
  type VirtualServers,
} from "../state/virtual-servers.js";
import { beginsWithCommand, type Command, readCommand, serviceOption } from "./ipvsadm-command.js";
import { type Columns, type Row, readRow } from "./ipvsadm-listing.js";
import type { Fault } from "./ipvsadm-options.js";
import { sortedDestinations, sortedServices } from "./ipvsadm-order.js";
import { splitWords, type Words } from "./words.js";

export interface VirtualServersRead extends VirtualServers {
  readonly problems: readonly Problem[];
}

/**
 * The IPVS table that a node has after `ipvsadm -R` of this text onto an empty one, or that a listing shows. Several
 * listings of one table complete each other. Unlike ipvsadm, which stops at most faults, reading goes on with the next
 * line.
 */
export function readVirtualServers(source: Source): VirtualServersRead {
  const reading = startReading(source, []);
  let line = 0;
  for (const text of source.text.split("\n"))
    readLine(reading, ++line, text.endsWith("\r") ? text.slice(0, -1) : text);
  tellUnknown(reading);
  return {
    services: [...reading.table.values()].map(({ key, scheduling, destinations }) => ({
      key,
      ...(scheduling === undefined ? {} : { scheduling }),
      destinations: [...destinations.values()],
    })),
    ...(Object.keys(reading.timeouts).length === 0 ? {} : { timeouts: reading.timeouts }),
    ...(reading.listings ? {} : { changes: reading.changes }),
    ...(reading.connections === undefined ? {} : { connections: reading.connections }),
    problems: reading.problems,
  };
}

/**
 * Reads commands one by one onto a table that is there already, from a text of another kind: `text` is a line of the source
 * of which all but the command is blank. The answer is what the command changes: nothing when it is refused.
 */
export function commandReader(
  source: Source,
  { services }: VirtualServers,
  problems: Problem[],
): (line: number, text: string) => readonly VirtualServerChange[] {
  const reading = startReading(source, problems);
  for (const { key, scheduling, destinations } of services) {
    const named = destinations.map((one) => [printEndpoint(one), one] as const);
    reading.table.set(printKey(key), { key, line: undefined, scheduling, destinations: new Map(named) });
  }
  return (line, text) => {
    const before = reading.changes.length;
    readLine(reading, line, text);
    return reading.changes.slice(before);
  };
}

/** A virtual server that may still change; destinations by their printed address and port. */
interface Draft {
  readonly key: ServiceKey;
  /** Undefined: it was there before this text. */
  readonly line: number | undefined;
  scheduling: Scheduling | undefined;
  readonly destinations: Map<string, Destination>;
}

interface Reading {
  readonly source: Source;
  readonly problems: Problem[];
  /** By what ipvsadm -S prints for the key. */
  readonly table: Map<string, Draft>;
  /** Services whose own lines could not be used: lines about them are no further fault. */
  readonly refused: Set<string>;
  /** Commands that the kernel takes. */
  readonly changes: VirtualServerChange[];
  timeouts: Partial<ConnectionTimeouts>;
  /** The text holds rows of listings. */
  listings: boolean;
  /** Of the listing that is being read. */
  columns: Columns;
  /** The service whose rows stand here; "refused" if it could not be read. */
  listed: Draft | "refused" | undefined;
  /** Undefined: no table of connections is among the listings. */
  connections: VirtualConnection[] | undefined;
}

function startReading(source: Source, problems: Problem[]): Reading {
  return {
    source,
    problems,
    table: new Map(),
    refused: new Set(),
    changes: [],
    timeouts: {},
    listings: false,
    columns: undefined,
    listed: undefined,
    connections: undefined,
  };
}

/** `user@node:~$ sudo ipvsadm `: what stands before a command that was pasted with its prompt. A lone `#` is a comment. */
const PROMPT =
  /^\s*(?:(?:\S[^$#%>]{0,100})?[$%>]\s+|\S[^$#%>]{0,100}#\s+)?(?:sudo\s+)?(?:[\w./-]{0,100}\/)?ipvsadm(?=\s|$)/;

function readLine(reading: Reading, line: number, text: string): void {
  if (text.trim() === "") return;
  const complain = (fault: Fault): void => complainAt(reading, line, fault);
  const prompt = PROMPT.exec(text)?.[0].length;
  const words = splitWords(text, prompt ?? 0);
  const first = words.words[0] ?? "";
  const row = prompt === undefined ? readRow(text, words, reading.columns) : undefined;
  if (row !== undefined) {
    readListed(reading, line, row, complain);
  } else if (beginsWithCommand(first) || /^-{1,2}[A-Za-z0-9]/.test(first)) {
    reading.listed = undefined;
    const { command, key, faults } = readCommand(words, 0);
    for (const fault of faults) complain(fault);
    if (command?.kind === "none") complain(noPart(words, "this command changes nothing"));
    else if (command !== undefined) apply(reading, line, command, words, complain);
    else if (key !== undefined) reading.refused.add(printKey(key));
  } else {
    complain(noPart(words, "this line is no part of an IPVS table"));
  }
}

function complainAt({ source, problems }: Reading, line: number, fault: Fault): void {
  const { code, message, from, to, label, fix, help, severity = "error" } = fault;
  problems.push({
    code,
    severity,
    message,
    place: placeInLine(source, line, from + 1, Math.max(to, from + 1) + 1),
    ...(label === undefined ? {} : { label }),
    ...(fix === undefined ? {} : { fix }),
    ...(help === undefined ? {} : { help }),
  });
}

const whole = (words: Words, code: Code, message: string, severity: Severity = "error"): Fault => ({
  code,
  severity,
  message,
  from: words.starts[0] ?? 0,
  to: words.ends.at(-1) ?? 1,
});

const noPart = (words: Words, message: string): Fault => whole(words, "LF1001", message, "note");

/** What a command makes of the table. Refusals are those of the kernel. */
function apply(
  reading: Reading,
  line: number,
  command: Exclude<Command, { kind: "none" }>,
  words: Words,
  complain: (fault: Fault) => void,
): void {
  const { table, refused, changes } = reading;
  if (command.kind === "clear") {
    table.clear();
    refused.clear();
    changes.push(command);
    return;
  }
  if (command.kind === "set") {
    changes.push(command);
    reading.timeouts = { ...reading.timeouts, ...command.timeouts };
    return;
  }
  if (command.key === undefined) return;
  const name = printKey(command.key);
  const draft = table.get(name);
  if (draft === undefined && command.kind !== "add-service") {
    if (refused.has(name)) return;
    complain({
      ...whole(words, "LF1014", `there is no virtual server ${name}`),
      help: `a line that adds it must come before: -A ${name} -s SCHEDULER`,
    });
    return;
  }
  switch (command.kind) {
    case "add-service":
    case "edit-service":
      if (command.byDefault)
        complain(whole(words, "LF2010", `no scheduler is named: ipvsadm takes ${DEFAULT_SCHEDULER}`, "note"));
      if (draft !== undefined && command.kind === "add-service") {
        const since = draft.line === undefined ? "already" : `since line ${draft.line}`;
        complain(whole(words, "LF1014", `virtual server ${name} is there ${since}`));
        return;
      }
      if (draft !== undefined) draft.scheduling = command.scheduling;
      else {
        table.set(name, { key: command.key, line, scheduling: command.scheduling, destinations: new Map() });
        refused.delete(name);
      }
      changes.push({ kind: command.kind, key: command.key, scheduling: command.scheduling });
      return;
    case "delete-service":
      table.delete(name);
      changes.push(command);
      return;
    case "add-server":
    case "edit-server":
    case "delete-server":
      if (draft !== undefined && applyToServer(draft, command, words, complain)) changes.push(command);
      return;
    case "zero":
      return;
  }
}

/** Whether the kernel takes it. */
function applyToServer(
  { key, destinations }: Draft,
  command: Extract<Command, { kind: "add-server" | "edit-server" | "delete-server" }>,
  words: Words,
  complain: (fault: Fault) => void,
): boolean {
  const server = printEndpoint(command.kind === "delete-server" ? command : command.destination);
  const known = destinations.get(server);
  if (command.kind === "add-server" && known !== undefined) {
    complain(whole(words, "LF1014", `${printKey(key)} has real server ${server} already`));
    return false;
  }
  if (command.kind !== "add-server" && known === undefined) {
    const fault = whole(words, "LF1014", `${printKey(key)} has no real server ${server}`);
    const rewritten =
      command.kind === "delete-server" || command.destination.forwarding?.kind === "masquerade";
    complain(rewritten ? fault : { ...fault, help: "without -m, the port of the virtual server is taken" });
    return false;
  }
  if (command.kind === "delete-server") destinations.delete(server);
  else destinations.set(server, { ...known, ...command.destination });
  return true;
}

function readListed(reading: Reading, line: number, row: Row, complain: (fault: Fault) => void): void {
  switch (row.kind) {
    case "heading":
      reading.columns = row.columns;
      reading.listed = undefined;
      return;
    case "timeouts":
      reading.timeouts = row.timeouts;
      return;
    case "connections":
      reading.connections ??= [];
      return;
    case "connection":
      reading.connections ??= [];
      reading.connections.push(row.connection);
      return;
    case "fault":
      if (row.of === "service") reading.listed = "refused";
      if (row.of !== "server" || reading.listed !== "refused") complain(row.fault);
      return;
    case "service": {
      reading.listings = true;
      const name = printKey(row.key);
      const draft = reading.table.get(name) ?? {
        key: row.key,
        line,
        scheduling: undefined,
        destinations: new Map<string, Destination>(),
      };
      draft.scheduling = row.scheduling ?? draft.scheduling;
      reading.table.set(name, draft);
      reading.listed = draft;
      return;
    }
    case "server": {
      const { listed } = reading;
      if (listed === "refused") return;
      if (listed === undefined) {
        complain({
          code: "LF1014",
          message: "this real server stands under no virtual server",
          from: 0,
          to: 4,
          help: "the row of its virtual server must come before it",
        });
        return;
      }
      const name = printEndpoint(row.destination);
      const known = listed.destinations.get(name);
      const { forwarding = known?.forwarding } = row.destination;
      // The plain listing does not show the tunnel that another one has shown.
      const told =
        forwarding?.kind === "tunnel" &&
        forwarding.tunnel === undefined &&
        known?.forwarding?.kind === "tunnel"
          ? known.forwarding
          : forwarding;
      listed.destinations.set(name, {
        ...known,
        ...row.destination,
        ...(told === undefined ? {} : { forwarding: told }),
      });
    }
  }
}

/** Says once what listings have left open. */
function tellUnknown(reading: Reading): void {
  const missing = new Set<string>();
  let line: number | undefined;
  const miss = (draft: Draft, what: string): void => {
    missing.add(what);
    line ??= draft.line;
  };
  for (const draft of reading.table.values()) {
    if (draft.scheduling === undefined) miss(draft, "schedulers");
    for (const { weight, forwarding } of draft.destinations.values()) {
      if (weight === undefined) miss(draft, "weights");
      if (forwarding === undefined) miss(draft, "forwarding methods");
      if (forwarding?.kind === "tunnel" && forwarding.tunnel === undefined) miss(draft, "types of tunnels");
    }
  }
  if (line === undefined) return;
  const { source } = reading;
  reading.problems.push({
    code: "LF1022",
    severity: "warning",
    message: `this listing leaves out ${[...missing].join(", ")}: not known`,
    place: placeInLine(source, line, 1, 5),
    help: "run `ipvsadm -Sn`",
  });
}

/**
 * The text of `ipvsadm -Sn` (1.31) for these virtual servers, in its order. As there, thresholds are not printed, nor marks
 * from 2^31 on as positive. What is not known is left out: the lines then say less than ipvsadm would.
 */
export function printVirtualServers(services: readonly VirtualServer[]): string {
  const lines: string[] = [];
  for (const { key, scheduling, destinations } of sortedServices(services)) {
    const name = printKey(key);
    lines.push(`-A ${name}${scheduling === undefined ? "" : printScheduling(scheduling)}`);
    for (const destination of sortedDestinations(destinations)) {
      lines.push(`-a ${name} -r ${printEndpoint(destination)}${printServer(destination)}`);
    }
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function printKey(key: ServiceKey): string {
  // ipvsadm prints a mark as if it had a sign.
  if (key.kind === "mark") return `-f ${key.mark | 0}${key.family === "ipv6" ? " -6" : ""}`;
  return `${serviceOption(key.protocol)} ${printEndpoint(key)}`;
}

function printEndpoint({ address, port }: Pick<Destination, "address" | "port">): string {
  return withPort(printAddress(address), port);
}

function printScheduling({
  scheduler,
  flags,
  persistence,
  persistenceEngine,
  onePacket,
}: Scheduling): string {
  let text = ` -s ${scheduler}`;
  if (persistence !== undefined) {
    const { timeoutSeconds, mask } = persistence;
    const length = prefixLength(mask);
    text += ` -p ${timeoutSeconds}`;
    if (typeof mask === "number" ? length !== 32 : length !== 128)
      text += ` -M ${typeof mask === "number" ? printAddress(mask) : length}`;
  }
  if (persistenceEngine !== undefined) text += ` --pe ${persistenceEngine}`;
  if (onePacket) text += " -o";
  if (flags.length > 0) {
    // A third flag of sh and mh has no name, and is printed as nothing.
    const nameless = flagsOfScheduler(scheduler).includes("flag-1") ? undefined : "flag-3";
    text += ` -b ${flags.filter((flag) => flag !== nameless).join(",")}`;
  }
  return text;
}

const METHODS = { masquerade: "-m", route: "-g", local: "-g", tunnel: "-i" } as const;
const CHECKSUMS: Readonly<Record<TunnelChecksum, string>> = {
  none: "--tun-nocsum",
  full: "--tun-csum",
  remote: "--tun-remcsum",
};

function printServer({ forwarding, weight }: Destination): string {
  let text = forwarding === undefined ? "" : ` ${METHODS[forwarding.kind]}`;
  if (weight !== undefined) text += ` -w ${weight}`;
  const tunnel = forwarding?.kind === "tunnel" ? forwarding.tunnel : undefined;
  if (tunnel === undefined) return text;
  text += ` --tun-type ${tunnel.type}`;
  if (tunnel.type === "gue") text += ` --tun-port ${tunnel.port}`;
  return tunnel.type === "ipip" ? text : `${text} ${CHECKSUMS[tunnel.checksum]}`;
}
