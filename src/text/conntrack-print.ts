/** Connections → text, as conntrack(8) (libnetfilter_conntrack 1.0.9) and the kernel print them. */
import { type Address, printAddress } from "../../grammar/address.js";
import {
  ATTRIBUTES,
  type Attribute,
  type Connection,
  type Direction,
  type Part,
  type TrackedTuple,
} from "../state/connections.js";
import { printKernelAddress } from "./kernel-address.js";

/** `list`: `conntrack -L`; `extended`: `conntrack -L -o extended`; `proc`: /proc/net/nf_conntrack (Linux 6). */
export type ConnectionForm = "list" | "extended" | "proc";

export interface PrintConnectionsOptions {
  /** Default: `list`. */
  readonly form?: ConnectionForm;
}

/**
 * A line for each connection. Ids, labels and times (`-o id,labels,ktimestamp`) are printed where they are known. What only
 * one of the forms shows is left out of the others: in /proc there are no helpers, ids, labels and times, and in the list
 * no zone 0.
 */
export function printConnections(
  connections: readonly Connection[],
  { form = "list" }: PrintConnectionsOptions = {},
): string {
  return connections.map((connection) => `${printConnection(connection, form)}\n`).join("");
}

function printConnection(connection: Connection, form: ConnectionForm): string {
  const { family, protocolName, protocol, timeoutSeconds, state, greTimeouts, standing } = connection;
  const words: string[] = [];
  const put = (part: Part, ...texts: (string | undefined)[]): void => {
    for (const text of texts) if (text !== undefined) words.push(text);
    for (const { text, behind } of connection.others ?? []) if (behind === part) words.push(text);
  };
  put(
    "head",
    ...(form === "list" ? [] : [family.padEnd(8), family === "ipv4" ? "2" : "10"]),
    protocolName.padEnd(8),
    String(protocol),
    timeoutSeconds?.toString(),
    state,
    form === "proc" && greTimeouts !== undefined
      ? `timeout=${greTimeouts.timeoutSeconds}, stream_timeout=${greTimeouts.streamTimeoutSeconds}`
      : undefined,
  );
  put("original", printTuple(connection.original, "original", form));
  put("unreplied", connection.unreplied ? "[UNREPLIED]" : undefined);
  put("reply", printTuple(connection.reply, "reply", form));
  put("standing", standing === undefined ? undefined : `[${standing}]`);
  for (const attribute of ATTRIBUTES) put(attribute, printAttribute(connection, attribute, form));
  return words.join(" ");
}

function printTuple(tuple: TrackedTuple, direction: Direction, form: ConnectionForm): string {
  const { source, destination, ports, icmp, greKeys, zone, counters } = tuple;
  const address: (address: Address) => string = form === "proc" ? printKernelAddress : printAddress;
  const words = [`src=${address(source)} dst=${address(destination)}`];
  if (ports !== undefined) words.push(`sport=${ports.source} dport=${ports.destination}`);
  if (icmp !== undefined) words.push(`type=${icmp.type} code=${icmp.code} id=${icmp.id}`);
  if (greKeys !== undefined) {
    words.push(`srckey=0x${greKeys.source.toString(16)} dstkey=0x${greKeys.destination.toString(16)}`);
  }
  if (zone !== undefined) words.push(`zone-${direction === "original" ? "orig" : "reply"}=${zone}`);
  if (counters !== undefined) words.push(`packets=${counters.packets} bytes=${counters.bytes}`);
  return words.join(" ");
}

function printAttribute(
  connection: Connection,
  attribute: Attribute,
  form: ConnectionForm,
): string | undefined {
  const value = (known: string | number | undefined) =>
    known === undefined ? undefined : `${attribute}=${known}`;
  switch (attribute) {
    case "zone":
      return connection.zone === 0 && form !== "proc" ? undefined : value(connection.zone);
    case "delta-time":
      return value(connection.deltaTimeSeconds);
    case "start":
    case "stop": {
      const time = value(connection[attribute]);
      return time === undefined || form === "proc" ? undefined : `[${time}]`;
    }
    case "helper":
    case "id":
      return form === "proc" ? undefined : value(connection[attribute]);
    case "labels":
      return form === "proc" ? undefined : value(connection.labels?.join(","));
    default:
      return value(connection[attribute]);
  }
}
