/**
 * The language packets are asked in: `10.0.0.9:40000 → 10.96.0.10:80/tcp in eth0 mark 0x1`. Sources and destinations may
 * be names of objects, which the caller resolves.
 */
import P from "parsimmon";
import { type Address, type Network, printAddress, readAddress, readIPv6, readNetwork } from "./address.js";
import { type HeaderFields, type Packet, printFlagLetters, readFlagLetters } from "./packet.js";
import { matched, parseWhole, type Span, type Spanned, spanned } from "./parse.js";
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
  | {
      readonly ok: true;
      readonly question: PacketQuestion;
      /** Where the ends stand in the text. */
      readonly spans: { readonly source?: Span; readonly destination: Span };
    }
  /** `offset`: where in the text reading stopped. */
  | { readonly ok: false; readonly offset: number; readonly expected: readonly string[] };

/** Reads a packet question; never throws. */
export function readPacketQuestion(text: string): QuestionRead {
  const result = parseWhole(questionGrammar, text);
  if (result.ok) return { ok: true, ...result.value };
  // What shapes were looked for says nothing to a reader.
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

/** A word that `parser` reads as a whole; a failure points at its beginning. `pattern` is sticky, and says how far it goes. */
function word<T>(parser: P.Parser<T>, expects: string, pattern = /\S*/y): P.Parser<T> {
  const read = (text: string) => {
    const parsed = parseWhole(parser, text);
    return parsed.ok ? parsed.value : undefined;
  };
  return matched(pattern, read, expects);
}

/** The parser of the first shape that the text has; what has none of them fails here, as a whole. */
function byShape<T>(ways: readonly (readonly [RegExp, P.Parser<T>])[], expects: string): P.Parser<T> {
  const not = (shapes: typeof ways) => shapes.map(([shape]) => `(?!${shape.source})`).join("");
  return P.alt(
    ...ways.map(([shape, parser], index) =>
      P.lookahead(new RegExp(not(ways.slice(0, index)) + shape.source)).then(parser),
    ),
    P.regexp(new RegExp(not(ways))).then(P.fail(expects)),
  );
}

const port = P.string(":")
  .then(word(portNumber, "a port from 0 to 65535", /[^\s/]*/y))
  .or(P.of(undefined));

function address(pattern: RegExp, read: (text: string) => Address | undefined, expects: string) {
  return P.seqMap(
    matched(pattern, read, expects),
    port,
    (own, number): Place => ({
      kind: "address",
      address: own,
      ...(number === undefined ? {} : { port: number }),
    }),
  );
}

const NAME = "[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?";
const OWNED = new RegExp(`^(svc|service|pod)/(${NAME})/(${NAME})(?::([A-Za-z0-9-]+))?$`);
const NODE = new RegExp(`^node/(${NAME})(?::([A-Za-z0-9-]+))?$`);

function readNamedPlace(text: string): Place | undefined {
  const [, kind, namespace, own, named] = OWNED.exec(text) ?? [];
  if (namespace !== undefined && own !== undefined)
    return { kind: kind === "pod" ? "pod" : "service", namespace, name: own, ...portOf(named) };
  const [, node, nodePort] = NODE.exec(text) ?? [];
  return node === undefined ? undefined : { kind: "node", name: node, ...portOf(nodePort) };
}

const NAMED = "svc/NAMESPACE/NAME, pod/NAMESPACE/NAME or node/NAME";
/** What an end of a packet looks like, right or wrong. */
const PLACES: readonly (readonly [RegExp, P.Parser<Place>])[] = [
  [
    /(?:svc|service|pod|node)\//,
    matched(
      /node\/[^\s/]*|[a-z]+\/[^\s/]*(?:\/[^\s/]*)?/y,
      readNamedPlace,
      `${NAMED}, with :PORT behind it or without`,
    ),
  ],
  [/\d+\./, address(/[^\s:/]+/y, readAddress, "an IPv4 address")],
  [
    /\[/,
    address(
      /\[[^\]\s]*\]?/y,
      (text) => readIPv6(text.replace(/^\[(.*)\]$/, "$1")),
      "an IPv6 address in brackets",
    ),
  ],
  [/[0-9a-fA-F]*:/, address(/[^\s/]+/y, readIPv6, "an IPv6 address, in brackets if a port follows")],
];

const place = byShape(PLACES, `an address, or ${NAMED}`);

const network = matched(
  /\S+/y,
  (text) => readNetwork(text.replace(/[[\]]/g, "")),
  "a network such as 10.244.0.0/16",
);

const source: P.Parser<Partial<PacketQuestion>> = byShape<Partial<PacketQuestion>>(
  [
    [/(?:[\d.]+|\[?[0-9a-fA-F]*:[0-9a-fA-F:.]*\]?)\/\d/, network.map((sources) => ({ sources }))],
    ...PLACES.map(([shape, parser]): readonly [RegExp, P.Parser<Partial<PacketQuestion>>] => [
      shape,
      parser.map((one) => ({ source: one })),
    ]),
  ],
  `an address, a network, or ${NAMED}`,
);

const protocol: P.Parser<number> = matched(
  /\S+/y,
  (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : protocolNumber(text);
    return number === undefined || number > 255 ? undefined : number;
  },
  "a protocol: tcp, udp, sctp or icmp",
);

const arrow = P.regexp(/→\s*|->\s*|to(?:\s+|$)/).desc("→, -> or to");
const ARROW = "(?:→|->|to(?:\\s|$))";

/** The protocol may stand first, where tcpdump has it. */
const protocolBefore = P.alt(
  P.lookahead(new RegExp(`(?!${ARROW}|\\S+[ \\t]+${ARROW})[A-Za-z0-9-]+[ \\t]`)).then(protocol.skip(blanks)),
  P.of(undefined),
);

/** Nothing, where no arrow tells that there is a source. */
const sender: P.Parser<Spanned<Partial<PacketQuestion>> | undefined> = P.alt(
  P.lookahead(new RegExp(`\\S+[ \\t]+${ARROW}`)).then(spanned(source).skip(blanks).skip(arrow)),
  P.lookahead(new RegExp(ARROW)).then(arrow.result(undefined)),
  P.regexp(new RegExp(`(?!${ARROW}|\\S+[ \\t]+${ARROW})`)).result(undefined),
);

/** One of the words behind the destination, with its value. */
const modifier: P.Parser<Partial<PacketQuestion>> = byShape(
  [
    wordOf("in", P.regexp(/\S+/), "an interface", (value) => ({ in: value })),
    wordOf("from", oneOf(["node", "pod", "outside"] as const), "node, pod or outside", (from) => ({ from })),
    wordOf(
      "state",
      oneOf(["new", "established", "related"] as const),
      "new, established or related",
      (state) => ({
        state,
      }),
    ),
    numberWord("mark", 0xffffffff, (mark) => ({ mark })),
    numberWord("ttl", 255, (ttl) => ({ ttl })),
    numberWord("length", 65535, (length) => ({ length })),
    numberWord("dscp", 63, (dscp) => ({ tos: dscp << 2 })),
    numberWord("tos", 255, (tos) => ({ tos })),
    numberWord("uid", 0xfffffffe, (user) => ({ user })),
    numberWord("gid", 0xfffffffe, (group) => ({ group })),
    numberWord("type", 255, (icmpType) => ({ icmpType })),
    numberWord("code", 255, (icmpCode) => ({ icmpCode })),
    wordOf("mac", P.regexp(/[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}/), "a MAC address", (mac) => ({
      mac: mac.toLowerCase(),
    })),
    wordOf(
      "flags",
      P.regexp(/[FSRPAUEC]+/),
      "TCP flags as letters of FSRPAUEC, for example SA",
      (letters) => ({ tcpFlags: readFlagLetters(letters) ?? 0 }),
    ),
    [/(?:\d+\.|\[|(?:svc|service|pod|node)\/)/, P.fail("→, -> or to before the destination")],
  ],
  "in INTERFACE, from node|pod|outside, state STATE, mark, ttl, length, dscp, tos, uid, gid, type or code NUMBER, mac ADDRESS or flags LETTERS",
);

function wordOf<T>(
  name: string,
  value: P.Parser<T>,
  expects: string,
  say: (value: T) => Partial<PacketQuestion>,
): readonly [RegExp, P.Parser<Partial<PacketQuestion>>] {
  return [
    new RegExp(`${name}(?:[ \\t]|$)`),
    P.regexp(/[a-z]+\s*/)
      .then(word(value, expects))
      .map(say),
  ];
}

function numberWord(name: string, max: number, say: (value: number) => HeaderFields) {
  return wordOf(name, wholeNumber(0, max), `a number up to ${max}`, say);
}

function oneOf<T extends string>(words: readonly T[]): P.Parser<T> {
  return P.all.chain((text) => {
    const found = words.find((one) => one === text.toLowerCase());
    return found === undefined ? P.fail(words.join(", ")) : P.of(found);
  });
}

const questionGrammar: P.Parser<Omit<QuestionRead & { ok: true }, "ok">> = P.seqMap(
  protocolBefore,
  sender,
  spanned(place),
  P.string("/").then(protocol).or(P.of(undefined)),
  blanks.then(modifier).many(),
  (before, from, { value: destination, span }, after, modifiers) => {
    const asked = after ?? before;
    return {
      question: {
        ...from?.value,
        destination,
        ...(asked === undefined ? {} : { protocol: protocolFor(asked, destination) }),
        ...Object.assign({}, ...modifiers),
      },
      spans: { destination: span, ...(from === undefined ? {} : { source: from.span }) },
    };
  },
).trim(P.optWhitespace);

/** `icmp` to an IPv6 address is ICMPv6. */
function protocolFor(number: number, destination: Place): number {
  const isIPv6 = destination.kind === "address" && typeof destination.address === "bigint";
  return number === PROTOCOL.icmp && isIPv6 ? PROTOCOL.ipv6Icmp : number;
}

function portOf(port: string | undefined): { readonly port?: string } {
  return port === undefined ? {} : { port };
}
