/**
 * Rows of `ipvsadm -L`: the plain listing, and those with `--stats`, `--rate`, `--thresholds`, `--persistent-conn` and
 * `--tun-info`, which leave other columns out (ipvsadm 1.31).
 */
import { type Address, ALL_ONES, type Family, prefixMask, readIPv4 } from "../../grammar/address.js";
import { PROTOCOL } from "../../grammar/protocols.js";
import {
  type ConnectionTimeouts,
  type Destination,
  type Forwarding,
  familyOfService,
  flagsOfScheduler,
  type SchedulerFlag,
  type Scheduling,
  type ServiceKey,
  schedulerFlag,
  type Tunnel,
  type TunnelChecksum,
  type VirtualConnection,
} from "../state/virtual-servers.js";
import { isConnectionRow, readConnectionRow } from "./ipvsadm-connection.js";
import { readEndpoint, readNumber } from "./ipvsadm-endpoint.js";
import type { Fault } from "./ipvsadm-options.js";
import type { Words } from "./words.js";

/** Columns behind the address of a real server; undefined before a heading was seen. */
export type Columns = readonly string[] | undefined;

export type Row =
  /** A heading: what the columns below it are. */
  | { readonly kind: "heading"; readonly columns: Columns }
  | { readonly kind: "service"; readonly key: ServiceKey; readonly scheduling: Scheduling | undefined }
  | { readonly kind: "server"; readonly destination: Destination }
  | { readonly kind: "timeouts"; readonly timeouts: ConnectionTimeouts }
  /** Of the table of connections, `ipvsadm -Lc`: its headings, and entries. */
  | { readonly kind: "connections" }
  | { readonly kind: "connection"; readonly connection: VirtualConnection }
  /** A row that says something that cannot be used; what stands below it belongs to it. */
  | { readonly kind: "fault"; readonly of: "service" | "server" | "connection"; readonly fault: Fault };

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["TCP", PROTOCOL.tcp],
  ["UDP", PROTOCOL.udp],
  ["SCTP", PROTOCOL.sctp],
]);

/** The row that a line is; undefined when it is no part of a listing. */
export function readRow(text: string, words: Words, columns: Columns): Row | undefined {
  const [first = "", second = ""] = words.words;
  if (first === "->")
    return second === "RemoteAddress:Port" ? remoteHeading(words, columns) : readServer(words, columns);
  if (first === "Prot" && second === "LocalAddress:Port") {
    const named = words.words.slice(2);
    return { kind: "heading", columns: named[0] === "Scheduler" ? undefined : named };
  }
  if (text.trimStart().startsWith("IP Virtual Server version "))
    return { kind: "heading", columns: undefined };
  if (first === "IPVS" && second === "connection") return { kind: "connections" };
  if (first === "pro" && second === "expire") return { kind: "connections" };
  if (isConnectionRow(words)) {
    const connection = readConnectionRow(words);
    return "code" in connection
      ? { kind: "fault", of: "connection", fault: connection }
      : { kind: "connection", connection };
  }
  const timeouts = /^\s*Timeout \(tcp tcpfin udp\): (\d{1,9}) (\d{1,9}) (\d{1,9})\s*$/.exec(text);
  if (timeouts !== null) {
    const [tcp = 0, tcpFin = 0, udp = 0] = timeouts.slice(1).map(Number);
    return { kind: "timeouts", timeouts: { tcp, tcpFin, udp } };
  }
  if (first === "FWM" && /^-?\d+$/.test(second)) return readMark(words);
  const protocol = PROTOCOLS.get(first);
  return protocol !== undefined && second.includes(":") ? readAddressed(words, protocol) : undefined;
}

function remoteHeading(words: Words, columns: Columns): Row {
  const named = words.words.slice(2);
  return { kind: "heading", columns: named.length === 0 ? columns : named };
}

const fault = (words: Words, word: number, message: string, help?: string): Fault => ({
  code: "LF1006",
  message,
  from: words.starts[word] ?? 0,
  to: words.ends[word] ?? (words.starts[word] ?? 0) + 1,
  ...(help === undefined ? {} : { help }),
});

function readMark(words: Words): Row {
  const number = readNumber(words.words[1] ?? "", -0x80000000, 0xffffffff) ?? 0;
  if (number === 0)
    return {
      kind: "fault",
      of: "service",
      fault: fault(words, 1, "a firewall mark is a number from 1 to 4294967295"),
    };
  const six = words.words[2] === "IPv6";
  // ipvsadm prints marks as if they had a sign.
  return readService(words, six ? 3 : 2, { kind: "mark", mark: number >>> 0, family: six ? "ipv6" : "ipv4" });
}

function readAddressed(words: Words, protocol: number): Row {
  const endpoint = readEndpoint(words.words[1] ?? "", true);
  if ("wrong" in endpoint)
    return { kind: "fault", of: "service", fault: fault(words, 1, endpoint.wrong, endpoint.help) };
  const { address, port = 0 } = endpoint;
  return readService(words, 2, { kind: "address", protocol, address, port });
}

const COUNT = /^\d{1,20}[KMGT]?$/;

function readService(words: Words, from: number, key: ServiceKey): Row {
  const rest = words.words.slice(from);
  if (rest.every((word) => COUNT.test(word))) return { kind: "service", key, scheduling: undefined };
  const scheduler = rest[0] ?? "";
  let flags: readonly SchedulerFlag[] = [];
  let timeoutSeconds: number | undefined;
  let mask: Address | undefined;
  let persistenceEngine: string | undefined;
  let onePacket = false;
  const family = familyOfService(key);
  for (let at = 1; at < rest.length; at++) {
    const word = rest[at] ?? "";
    const next = rest[at + 1] ?? "";
    const wrong = (of: number, message: string): Row => ({
      kind: "fault",
      of: "service",
      fault: fault(words, from + of, message),
    });
    if (/^\(.*\)$/.test(word)) {
      const named = word
        .slice(1, -1)
        .split(",")
        .filter((name) => name !== "");
      const known = named.map((name) => schedulerFlag(scheduler, name));
      if (known.includes(undefined)) return wrong(at, `${scheduler} has no such flags`);
      // Flags that the scheduler has no name for are shown as none.
      flags =
        named.length === 0 ? ["flag-3"] : flagsOfScheduler(scheduler).filter((flag) => known.includes(flag));
    } else if (word === "ops") onePacket = true;
    else if (word === "persistent") {
      timeoutSeconds = readNumber(next, 0, 0xffffffff);
      if (timeoutSeconds === undefined) return wrong(++at, "a timeout is a number of seconds");
      at++;
    } else if (word === "mask") {
      mask = readMask(next, family);
      if (mask === undefined) return wrong(++at, `${next} is no netmask`);
      at++;
    } else if (word === "pe") {
      persistenceEngine = next;
      at++;
    } else return wrong(at, `${word} is nothing that ipvsadm lists for a virtual server`);
  }
  const scheduling: Scheduling = {
    scheduler,
    flags,
    ...(timeoutSeconds === undefined
      ? {}
      : { persistence: { timeoutSeconds, mask: mask ?? ALL_ONES[family] } }),
    ...(persistenceEngine === undefined ? {} : { persistenceEngine }),
    onePacket,
  };
  return { kind: "service", key, scheduling };
}

function readMask(text: string, family: Family): Address | undefined {
  if (family === "ipv4") return readIPv4(text);
  const length = readNumber(text, 1, 128);
  return length === undefined ? undefined : prefixMask(length, "ipv6");
}

const PLAIN = ["Forward", "Weight", "ActiveConn", "InActConn"];
const WITH_TUNNELS = ["Forward", "TunnelInfo", "Weight", "ActiveConn", "InActConn"];

/** The columns of a row that stands under no heading, by its form. */
function columnsOf(cells: readonly string[]): Columns {
  if (/^[A-Z]/.test(cells[0] ?? "")) return cells.length === 5 ? WITH_TUNNELS : PLAIN;
  // Four numbers are thresholds, or weight and persistent connections: the last two are the same in both.
  return cells.length === 4 ? ["?", "?", "ActiveConn", "InActConn"] : ["?", "?", "?", "?", "?"];
}

function readServer(words: Words, columns: Columns): Row {
  const endpoint = readEndpoint(words.words[1] ?? "", true);
  if ("wrong" in endpoint)
    return { kind: "fault", of: "server", fault: fault(words, 1, endpoint.wrong, endpoint.help) };
  const cells = words.words.slice(2);
  const named = columns?.length === cells.length ? columns : columnsOf(cells);
  const values = new Map(named?.map((name, index) => [name, index] as const));
  const wrong = (cell: number): Row => ({
    kind: "fault",
    of: "server",
    fault: fault(words, cell + 2, "this row has not the columns of any listing of ipvsadm"),
  });
  if (named?.length !== cells.length) return wrong(0);
  const numbers: Partial<Record<(typeof NUMBERS)[number][1], number>> = {};
  for (const [name, field] of NUMBERS) {
    const at = values.get(name);
    if (at === undefined) continue;
    const value = readNumber(cells[at] ?? "", 0, 0xffffffff);
    if (value === undefined) return wrong(at);
    numbers[field] = value;
  }
  const at = values.get("Forward");
  const forwarding =
    at === undefined ? undefined : readForwarding(cells[at] ?? "", cells[values.get("TunnelInfo") ?? -1]);
  if (at !== undefined && forwarding === undefined) return wrong(at);
  const { address, port = 0 } = endpoint;
  return {
    kind: "server",
    destination: { address, port, ...(forwarding === undefined ? {} : { forwarding }), ...numbers },
  };
}

const NUMBERS = [
  ["Weight", "weight"],
  ["Uthreshold", "upperThreshold"],
  ["Lthreshold", "lowerThreshold"],
  ["ActiveConn", "activeConnections"],
  ["InActConn", "inactiveConnections"],
  ["PersistConn", "persistentConnections"],
] as const;

function readForwarding(word: string, info: string | undefined): Forwarding | undefined {
  if (word === "Masq") return { kind: "masquerade" };
  if (word === "Route") return { kind: "route" };
  if (word === "Local") return { kind: "local" };
  if (word !== "Tunnel") return undefined;
  const tunnel = info === undefined ? undefined : readTunnel(info);
  return { kind: "tunnel", ...(tunnel === undefined ? {} : { tunnel }) };
}

const CHECKSUMS: ReadonlyMap<string, TunnelChecksum> = new Map([
  ["-c", "none"],
  ["+c", "full"],
  ["r+c", "remote"],
]);

/** `ipip`, `gue:6080:+c`, `gre:-c`. */
function readTunnel(text: string): Tunnel | undefined {
  const [type, ...rest] = text.split(":", 4);
  const checksum = CHECKSUMS.get(rest.at(-1) ?? "") ?? "none";
  if (type === "ipip") return { type };
  if (type === "gre") return { type, checksum: checksum === "full" ? "full" : "none" };
  const port = readNumber(rest[0] ?? "", 1, 65535);
  return type === "gue" && port !== undefined ? { type, port, checksum } : undefined;
}
