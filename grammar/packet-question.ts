/**
 * The language packets are asked in: `10.0.0.9:40000 → 10.96.0.10:80/tcp in eth0 mark 0x1`. Sources and destinations may
 * be names of objects, which the caller resolves.
 */
import P from "parsimmon";
import { type Address, type Network, printAddress, readAddress, readIPv6, readNetwork } from "./address.js";
import { type HeaderFields, type Packet, printFlagLetters, readFlagLetters } from "./packet.js";
import { parseWhole } from "./parse.js";
import { PROTOCOL, protocolName, protocolNumber } from "./protocols.js";
import { portNumber, wholeNumber } from "./values.js";

/** An end of the question: an address, or an object to be looked up. */
export type Place =
  | { readonly kind: "address"; readonly address: Address; readonly port?: number }
  | { readonly kind: "service"; readonly namespace: string; readonly name: string; readonly port?: string }
  | { readonly kind: "pod"; readonly namespace: string; readonly name: string; readonly port?: string }
  | { readonly kind: "node"; readonly name: string; readonly port?: string };

export interface PacketQuestion extends HeaderFields {
  readonly source?: Place;
  /** Instead of one source: all of a network. */
  readonly sources?: Network;
  readonly destination: Place;
  /** Protocol number; undefined: a service's own, else tcp. ICMP counts as ICMPv6 to an IPv6 address. */
  readonly protocol?: number;
  /** `in IFACE`. */
  readonly in?: string;
  /** `from node|pod|outside`. */
  readonly from?: "node" | "pod" | "outside";
  readonly state?: "new" | "established" | "related";
}

export type QuestionRead =
  | { readonly ok: true; readonly question: PacketQuestion }
  /** `offset`: where in the text reading stopped. */
  | { readonly ok: false; readonly offset: number; readonly expected: readonly string[] };

/** Reads a packet question; never throws. */
export function readPacketQuestion(text: string): QuestionRead {
  const result = parseWhole(questionGrammar, text);
  if (result.ok) return { ok: true, question: result.value };
  const expected = [...new Set(result.expected)].filter((one) => !one.startsWith("/"));
  return { ok: false, offset: result.offset, expected };
}

/** The question that asks about this packet, with its addresses as numbers; what no word can say is left out. */
export function printPacket(packet: Packet): string {
  const { source, sourcePort, destination, destinationPort, protocol, state } = packet;
  const sender = source === undefined ? "" : `${printPlace(source, sourcePort)} → `;
  const by = packet.in === undefined ? "" : packet.in === "local" ? " from node" : ` in ${packet.in}`;
  const known = state === undefined ? "" : ` state ${state}`;
  return `${sender}${printPlace(destination, destinationPort)}/${protocolName(protocol)}${by}${known}${printHeaders(packet)}`;
}

function printHeaders(packet: HeaderFields): string {
  const { mark, ttl, length, tos, mac, user, group, tcpFlags, icmpType, icmpCode } = packet;
  const words: readonly (readonly [string, string | number | undefined])[] = [
    ["flags", tcpFlags === undefined ? undefined : printFlagLetters(tcpFlags) || undefined],
    ["type", icmpType],
    ["code", icmpCode],
    ["mark", mark === undefined ? undefined : `0x${mark.toString(16)}`],
    ["ttl", ttl],
    ["length", length],
    ["tos", tos === undefined ? undefined : `0x${tos.toString(16)}`],
    ["mac", mac],
    ["uid", user],
    ["gid", group],
  ];
  return words.flatMap(([name, value]) => (value === undefined ? [] : [` ${name} ${value}`])).join("");
}

function printPlace(address: Address, port: number | undefined): string {
  if (port === undefined) return printAddress(address);
  return `${typeof address === "bigint" ? `[${printAddress(address)}]` : printAddress(address)}:${port}`;
}

const blanks = P.regexp(/[ \t]+/).desc("a blank");
const word = P.regexp(/[^\s]+/);
const name = P.regexp(/[a-z0-9]([-a-z0-9.]*[a-z0-9])?/).desc("a name");

const ipv4: P.Parser<Address> = P.regexp(/\d+\.\d+\.\d+\.\d+/)
  .chain((text) => readOrFail(readAddress(text)))
  .desc("an IPv4 address");
const ipv6: P.Parser<Address> = P.alt(
  P.regexp(/\[([0-9a-fA-F:.]+)\]/, 1),
  P.regexp(/[0-9a-fA-F]*:[0-9a-fA-F:.]*/),
)
  .chain((text) => readOrFail(readIPv6(text)))
  .desc("an IPv6 address, in brackets if a port follows");

const addressPlace: P.Parser<Place> = P.seqMap(
  P.alt(ipv4, ipv6),
  P.string(":").then(portNumber).or(P.of(undefined)),
  (address, port): Place => ({ kind: "address", address, ...(port === undefined ? {} : { port }) }),
);

const portWord = P.string(":")
  .then(P.regexp(/[a-z0-9-]+/i).desc("a port, by number or name"))
  .or(P.of(undefined));

const namedPlace: P.Parser<Place> = P.alt(
  P.seqMap(
    P.alt(P.string("svc/"), P.string("service/")),
    name,
    P.string("/"),
    name,
    portWord,
    (_kind, namespace, _slash, own, port) =>
      withPort({ kind: "service" as const, namespace, name: own }, port),
  ),
  P.seqMap(P.string("pod/"), name, P.string("/"), name, portWord, (_kind, namespace, _slash, own, port) =>
    withPort({ kind: "pod" as const, namespace, name: own }, port),
  ),
  P.seqMap(P.string("node/"), name, portWord, (_kind, own, port) =>
    withPort({ kind: "node" as const, name: own }, port),
  ),
).desc("svc/NAMESPACE/NAME, pod/NAMESPACE/NAME or node/NAME");

const place = P.alt(namedPlace, addressPlace);

const network: P.Parser<Network> = P.regexp(/(?:[\d.]+|\[?[0-9a-fA-F]*:[0-9a-fA-F:.]*\]?)\/\d+/)
  .chain((text) => {
    const read = readNetwork(text.replace(/[[\]]/g, ""));
    return read === undefined ? P.fail("a network") : P.of(read);
  })
  .desc("a network such as 10.244.0.0/16");

const source: P.Parser<Partial<PacketQuestion>> = P.alt(
  network.map((sources) => ({ sources })),
  place.map((one) => ({ source: one })),
);

const protocol: P.Parser<number> = P.regexp(/[A-Za-z][A-Za-z0-9-]*|\d+/)
  .chain((text) => {
    const number = /^\d+$/.test(text) ? Number(text) : protocolNumber(text);
    return number === undefined || number > 255 ? P.fail("a protocol") : P.of(number);
  })
  .desc("a protocol: tcp, udp, sctp or icmp");

const arrow = P.regexp(/→\s*|->\s*|to\s+/).desc("→, -> or to");

/** One of the words behind the destination. */
const modifier: P.Parser<Partial<PacketQuestion>> = P.alt(
  P.regexp(/in\s+/)
    .then(word.desc("an interface"))
    .map((value) => ({ in: value })),
  P.regexp(/from\s+/)
    .then(P.alt(P.string("node"), P.string("pod"), P.string("outside")).desc("node, pod or outside"))
    .map((from) => ({ from: from as "node" | "pod" | "outside" })),
  P.regexp(/state\s+/)
    .then(P.regexp(/new|established|related/i).desc("new, established or related"))
    .map((state) => ({ state: state.toLowerCase() as "new" | "established" | "related" })),
  numberWord("mark", 0xffffffff, (mark) => ({ mark })),
  numberWord("ttl", 255, (ttl) => ({ ttl })),
  numberWord("length", 65535, (length) => ({ length })),
  numberWord("dscp", 63, (dscp) => ({ tos: dscp << 2 })),
  numberWord("tos", 255, (tos) => ({ tos })),
  numberWord("uid", 0xfffffffe, (user) => ({ user })),
  numberWord("gid", 0xfffffffe, (group) => ({ group })),
  numberWord("type", 255, (icmpType) => ({ icmpType })),
  numberWord("code", 255, (icmpCode) => ({ icmpCode })),
  P.regexp(/mac\s+/)
    .then(P.regexp(/[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}/).desc("a MAC address"))
    .map((mac) => ({ mac: mac.toLowerCase() })),
  P.regexp(/flags\s+/)
    .then(P.regexp(/[FSRPAUEC]+/).desc("TCP flags as letters of FSRPAUEC, for example SA"))
    .map((letters) => ({ tcpFlags: readFlagLetters(letters) ?? 0 })),
).desc(
  "in INTERFACE, from node|pod|outside, state STATE, mark, ttl, length, dscp, tos, uid, gid, type or code NUMBER, mac ADDRESS or flags LETTERS",
);

function numberWord(
  name: string,
  max: number,
  say: (value: number) => HeaderFields,
): P.Parser<Partial<PacketQuestion>> {
  return P.regexp(new RegExp(`${name}\\s+`))
    .then(wholeNumber(0, max, `a number up to ${max}`))
    .map(say);
}

const questionGrammar: P.Parser<PacketQuestion> = P.seqMap(
  protocol.skip(blanks).or(P.of(undefined)),
  source.skip(blanks).or(P.of({})).skip(arrow).or(P.of({})),
  place,
  P.string("/").then(protocol).or(P.of(undefined)),
  blanks.then(modifier).many(),
  (before, sender, destination, after, modifiers): PacketQuestion => {
    const asked = after ?? before;
    return {
      ...sender,
      destination,
      ...(asked === undefined ? {} : { protocol: protocolFor(asked, destination) }),
      ...Object.assign({}, ...modifiers),
    };
  },
).trim(P.optWhitespace);

/** `icmp` to an IPv6 address is ICMPv6. */
function protocolFor(number: number, destination: Place): number {
  const isIPv6 = destination.kind === "address" && typeof destination.address === "bigint";
  return number === PROTOCOL.icmp && isIPv6 ? PROTOCOL.ipv6Icmp : number;
}

function withPort<T extends object>(object: T, port: string | undefined): T & { port?: string } {
  return port === undefined ? object : { ...object, port };
}

function readOrFail(address: Address | undefined): P.Parser<Address> {
  return address === undefined ? P.fail("an address") : P.of(address);
}
