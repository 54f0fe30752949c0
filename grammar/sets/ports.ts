/** The dimensions with ports: `tcp:80` of hash types, and the bare port of bitmap:port. */
import { isRefusal, type Refusal } from "../description.js";
import { PROTOCOL, protocolName, protocolNumber } from "../protocols.js";
import { servicePort } from "../services.js";
import { readLong } from "../values.js";
import {
  between,
  type Dimension,
  type Direction,
  dimension,
  type ProtocolPort,
  type SetContext,
  type SetPacket,
  type Spread,
  single,
} from "./description.js";
import { ICMP_CODES, ICMPV6_CODES, type IcmpCodes } from "./icmp-codes.js";

/** Protocols whose ports the kernel looks at (`ip_set_get_ip4_port`); DCCP is not among them. */
const WITH_PORTS: readonly number[] = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp, PROTOCOL.udplite];

const protocolPort: Dimension<ProtocolPort> = {
  name: "port",
  expects: "a protocol and a port, for example tcp:80, udp:53-55, icmp:8/0 or gre:0",
  read(text, context) {
    const written = splitProtocol(text);
    if (isRefusal(written)) return written;
    const { protocol, rest } = written;
    const codes = codesOf(protocol);
    if (codes !== undefined) return readIcmp(rest, protocol, codes, context);
    if (!WITH_PORTS.includes(protocol)) {
      return rest === "0"
        ? single({ protocol, port: 0 })
        : {
            refused: `protocol ${protocolName(protocol)} has no ports here`,
            help: `write ${protocolName(protocol)}:0`,
          };
    }
    const ports = readPorts(rest);
    return isRefusal(ports)
      ? ports
      : { count: ports.count, at: (index) => ({ protocol, port: ports.at(index) }) };
  },
  print({ protocol, port }) {
    const codes = codesOf(protocol);
    return `${protocolName(protocol)}:${codes === undefined ? port : printIcmp(port, codes)}`;
  },
  rank: () => 0,
  key: ({ protocol, port }) => protocol * 65536 + port,
  ask(packet, direction) {
    const port = askedPort(packet, direction);
    return port === null || port === undefined || packet.protocol === undefined
      ? port
      : packet.protocol * 65536 + port;
  },
  probe: (asked: number) => asked,
};

/** bitmap:port: the protocol may be written, and is not kept. */
const barePort: Dimension<number> = {
  name: "port",
  expects: "a port or a range of ports, for example 80 or 8000-8080",
  read(text) {
    const written = splitProtocol(text);
    if (isRefusal(written)) return written;
    return isTcpOrUdp(written.protocol)
      ? readPorts(written.rest)
      : { refused: `${protocolName(written.protocol)} cannot stand here: only tcp and udp` };
  },
  print: String,
  rank: () => 0,
  key: (port) => port,
  ask(packet, direction) {
    if (packet.protocol === undefined) return undefined;
    return isTcpOrUdp(packet.protocol) ? askedPort(packet, direction) : null;
  },
  probe: (asked: number) => asked,
};

export const port = dimension(protocolPort);
export const mappedPort = dimension(barePort);

/** The range of a bitmap:port. */
export function readPortRange(text: string): { from: number; to: number } | Refusal {
  const ports = barePort.read(text, { family: "ipv4", options: {} });
  if (isRefusal(ports)) return ports;
  return text.includes("-")
    ? { from: ports.at(0), to: ports.at(ports.count - 1) }
    : { refused: `${text} is one port: a range is written as two, with - between` };
}

function isTcpOrUdp(protocol: number): boolean {
  return protocol === PROTOCOL.tcp || protocol === PROTOCOL.udp;
}

function codesOf(protocol: number): IcmpCodes | undefined {
  return protocol === PROTOCOL.icmp ? ICMP_CODES : protocol === PROTOCOL.ipv6Icmp ? ICMPV6_CODES : undefined;
}

/** The port that the kernel compares: of ICMP its type and code, of protocols without ports 0. */
function askedPort(packet: SetPacket, direction: Direction): number | null | undefined {
  const { protocol, icmpType, icmpCode } = packet;
  if (protocol === undefined) return undefined;
  if (WITH_PORTS.includes(protocol)) return direction === "src" ? packet.sourcePort : packet.destinationPort;
  if (codesOf(protocol) === undefined) return 0;
  if (icmpType === null || icmpCode === null) return null;
  return icmpType === undefined || icmpCode === undefined ? undefined : icmpType * 256 + icmpCode;
}

/** `protocol:rest`; without a protocol it is TCP. */
function splitProtocol(text: string): { readonly protocol: number; readonly rest: string } | Refusal {
  const colon = text.indexOf(":");
  if (colon <= 0 || colon === text.length - 1) return { protocol: PROTOCOL.tcp, rest: text };
  const name = text.slice(0, colon);
  const number = readLong(name, 255n);
  const protocol = number === undefined ? protocolNumber(name) : Number(number);
  if (protocol === undefined) return { refused: `${name} is no protocol` };
  return protocol === 0
    ? { refused: "protocol 0 cannot be stored" }
    : { protocol, rest: text.slice(colon + 1) };
}

/** `port` or `port-port`, in either order; names with a dash stand in brackets. */
function readPorts(text: string): Spread<number> | Refusal {
  const dash = text.indexOf("-", text.startsWith("[") ? text.indexOf("]") : 0);
  const ends = dash > 0 ? [text.slice(0, dash), text.slice(dash + 1)] : [text];
  const ports = ends.map((end) => readPort(end));
  const wrong = ports.indexOf(undefined);
  if (wrong >= 0) return { refused: `${ends[wrong]} is no port: they go from 0 to 65535` };
  const [from = 0, to = from] = ports as number[];
  return between(from, to);
}

function readPort(text: string): number | undefined {
  const number = readLong(text, 65535n);
  if (number !== undefined) return Number(number);
  return servicePort(text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text);
}

function readIcmp(
  text: string,
  protocol: number,
  codes: IcmpCodes,
  { family }: SetContext,
): Spread<ProtocolPort> | Refusal {
  if ((protocol === PROTOCOL.icmp) !== (family === "ipv4"))
    return { refused: `${protocolName(protocol)} is not a protocol of the set's family` };
  // The first name that begins so counts.
  const named = text === "" ? undefined : codes.find(({ name }) => name.startsWith(text));
  if (named !== undefined) return single({ protocol, port: named.type * 256 + named.code });
  const [type, code] = text.split("/", 2).map((part) => readLong(part, 255n));
  return type === undefined || code === undefined || text.split("/").length !== 2
    ? {
        refused: `${text} is no type and code of ${protocolName(protocol)}`,
        help: "for example 8/0 or echo-request",
      }
    : single({ protocol, port: Number(type) * 256 + Number(code) });
}

function printIcmp(port: number, codes: IcmpCodes): string {
  const [type, code] = [port >>> 8, port & 255];
  return codes.find((one) => one.type === type && one.code === code)?.name ?? `${type}/${code}`;
}
