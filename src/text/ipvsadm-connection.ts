/** Entries of `ipvsadm -Lcn`: connections that IPVS knows, and the templates of persistent virtual servers among them. */
import { printAddress, withPort } from "../../grammar/address.js";
import { PROTOCOL, protocolName } from "../../grammar/protocols.js";
import type { Endpoint, VirtualConnection } from "../state/virtual-servers.js";
import { readEndpoint } from "./ipvsadm-endpoint.js";
import type { Fault } from "./ipvsadm-options.js";
import type { Words } from "./words.js";

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["TCP", PROTOCOL.tcp],
  ["UDP", PROTOCOL.udp],
  ["SCTP", PROTOCOL.sctp],
  // Templates of a firewall mark are of protocol 0, which the kernel and ipvsadm call IP.
  ["IP", 0],
]);

/** Whether a line looks like an entry: `TCP 14:59  ESTABLISHED 198.51.100.9:41001 10.96.0.10:80 10.244.1.10:8080`. */
export function isConnectionRow({ words: [first = "", second = ""] }: Words): boolean {
  return PROTOCOLS.has(first) && /^\d+:\d\d$/.test(second);
}

export function readConnectionRow(words: Words): VirtualConnection | Fault {
  const [first = "", expire = "", state = "", ...ends] = words.words;
  const fault = (word: number, message: string): Fault => ({
    code: "LF1006",
    message,
    from: words.starts[word] ?? 0,
    to: words.ends[word] ?? words.ends.at(-1) ?? 1,
  });
  const [minutes = 0, seconds = 0] = expire.split(":").map(Number);
  const endpoints: Endpoint[] = [];
  for (const [at, text] of ["source", "virtual address", "destination"].entries()) {
    const read = readEndpoint(ends[at] ?? "", false);
    if ("wrong" in read) return fault(at + 3, `${text}: ${read.wrong}`);
    endpoints.push({ address: read.address, port: read.port ?? 0 });
  }
  const [source, virtual, server] = endpoints;
  if (source === undefined || virtual === undefined || server === undefined)
    return fault(0, "an entry has a source, a virtual address and a destination");
  return {
    protocol: PROTOCOLS.get(first) ?? 0,
    secondsLeft: minutes * 60 + seconds,
    state,
    source,
    virtual,
    server,
  };
}

/** The text of `ipvsadm -Lcn` (1.31), in the order given: the kernel's own is that of its hash table. */
export function printVirtualConnections(connections: readonly VirtualConnection[]): string {
  if (connections.length === 0) return "";
  const rows = connections.map(({ protocol, secondsLeft, state, source, virtual, server }) => {
    const name = protocol === 0 ? "IP" : protocolName(protocol).toUpperCase();
    const left = `${Math.floor(secondsLeft / 60)}`.padStart(2, "0");
    const rest = `${secondsLeft % 60}`.padStart(2, "0");
    const columns = [state.padEnd(11), printEnd(source).padEnd(18), printEnd(virtual).padEnd(18)];
    return `${name.padEnd(3)} ${left}:${rest}  ${columns.join(" ")} ${printEnd(server)}`;
  });
  return `${[HEADING, ...rows].join("\n")}\n`;
}

const HEADING =
  "IPVS connection entries\npro expire state       source             virtual            destination";

function printEnd({ address, port }: Endpoint): string {
  return withPort(printAddress(address), port);
}
