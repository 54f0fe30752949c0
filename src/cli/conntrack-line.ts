/** An entry of an evaluation as `conntrack -L` prints it. */
import { PORT_PROTOCOLS, PROTOCOL, protocolName } from "../../grammar/protocols.js";
import type { Tracked, Tuple } from "../evaluate/memory.js";
import type { Connection } from "../state/connections.js";
import { printConnections } from "../text/conntrack-print.js";

/** What no port and no host of a connection can be: stands for parts that are not known until the text is made. */
const NO_PORT = 65536;
const NO_ADDRESS = { ipv4: 0xffffffff, ipv6: (1n << 128n) - 1n } as const;
const PLACEHOLDERS = /\b65536\b|255\.255\.255\.255|ffff(?::ffff){7}/g;

/** `conntrack -L`'s line without its end; `?` where the kernel chooses, or where the question leaves it open. */
export function conntrackLine(tracked: Tracked, now = 0): string {
  const { family, protocol, original, reply, seenReply, assured, tcp, mark, endsAt } = tracked;
  const connection: Connection = {
    family,
    protocol,
    protocolName: protocolName(protocol),
    ...(Number.isFinite(endsAt) ? { timeoutSeconds: Math.max(0, Math.floor(endsAt - now)) } : {}),
    ...(tcp === undefined ? {} : { state: tcp }),
    original: tupleOf(original, tracked),
    reply: tupleOf(reply, tracked),
    ...(seenReply ? {} : { unreplied: true }),
    ...(assured ? { standing: "ASSURED" } : {}),
    mark,
    use: 1,
  };
  return printConnections([connection]).trimEnd().replace(PLACEHOLDERS, "?");
}

function tupleOf(tuple: Tuple, { family, protocol }: Tracked): Connection["original"] {
  const address = (part: Tuple["source"]) => (typeof part === "string" ? NO_ADDRESS[family] : part);
  const port = (part: Tuple["sourcePort"]) => (typeof part === "number" ? part : NO_PORT);
  const isICMP = protocol === PROTOCOL.icmp || protocol === PROTOCOL.ipv6Icmp;
  return {
    source: address(tuple.source),
    destination: address(tuple.destination),
    ...(isICMP ? { icmp: { type: port(tuple.destinationPort), code: 0, id: port(tuple.sourcePort) } } : {}),
    ...(PORT_PROTOCOLS.includes(protocol)
      ? { ports: { source: port(tuple.sourcePort), destination: port(tuple.destinationPort) } }
      : {}),
  };
}
