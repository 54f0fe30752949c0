/** What the NAT targets share: new addresses and ports, and their checks. */

import P from "parsimmon";
import { type Address, type Family, printAddress, readAddress, readIPv4 } from "./address.js";
import type { GivenOption, Refusal, RuleContext, ValueKind } from "./description.js";
import { type ListedForm, listedFlag, listedOption } from "./listing.js";
import type { Effect, Range, Rewrite } from "./meaning.js";
import { parseWhole } from "./parse.js";
import { PROTOCOL } from "./protocols.js";
import { portNumber, readDecimal, wholeNumber } from "./values.js";

/** Addresses and ports as `--to-destination` and `--to-source` have them. */
export type NatRange = Pick<Rewrite, "addresses" | "ports">;

/** `address[-address][:port[-port[/base]]]`; IPv6 addresses in brackets when ports follow. `base` only for DNAT. */
export const natRangeKind: ValueKind<NatRange> = {
  expects: "an address, a range of addresses, ports, or both, for example 10.0.0.1:80 or [fd00::1]:80",
  grammar: (family) => natRangeGrammars[family],
  quick(text, family) {
    if (family !== "ipv4") return undefined;
    const colon = text.indexOf(":");
    const address = readIPv4(colon < 0 ? text : text.slice(0, colon));
    if (address === undefined) return undefined;
    const addresses = { from: address, to: address };
    if (colon < 0) return { addresses };
    const port = readDecimal(text, colon + 1, 65535);
    return port === undefined ? undefined : { addresses, ports: { from: port, to: port } };
  },
  print({ addresses, ports }, family) {
    const range = addresses === undefined ? "" : printRange(addresses.from, addresses.to, printAddress);
    if (ports === undefined) return range;
    const bracketed = family === "ipv6" && range !== "" ? `[${range}]` : range;
    const base = ports.base === undefined ? "" : `/${ports.base}`;
    return `${bracketed}:${printPorts(ports)}${base}`;
  },
};

/** `port` or `port-port`. */
export const natPortsKind: ValueKind<Range> = {
  expects: "a port or a range of ports, for example 1024-2048",
  grammar: () => portsGrammar,
  print: printPorts,
};

/** `to:10.0.0.1:80 random persistent`, `redir ports 8080`, `masq ports: 1024-2048`. */
export function listedTranslation(option: string): readonly ListedForm[] {
  return [
    listedOption("(?:to:|redir ports |masq ports: )", option),
    ...["random-fully", "random", "persistent"].map((name) => listedFlag(name, `--${name}`)),
  ];
}

/** The options of a NAT target as one rewrite. */
export function rewriteOf(
  to: NatRange | undefined,
  flags: {
    readonly random?: GivenOption<true> | undefined;
    readonly persistent?: GivenOption<true> | undefined;
  },
): Rewrite {
  return {
    ...to,
    ...(flags.random ? { random: true } : {}),
    ...(flags.persistent ? { persistent: true } : {}),
  };
}

/** What DNAT and SNAT do. iptables takes a range of addresses that goes down, of which nobody says what it is for. */
export function translationOf(side: "source" | "destination", to: Rewrite): Effect {
  const { addresses } = to;
  return addresses !== undefined && addresses.from > addresses.to
    ? { kind: "unmodelled", question: "a translation to a range of addresses that goes down", mayEnd: true }
    : { kind: "rewrite", side, to };
}

/** Protocols with ports that can be translated; iptables counts ICMP, whose identifiers are, among them. */
const TRANSLATED: readonly number[] = [
  PROTOCOL.icmp,
  PROTOCOL.tcp,
  PROTOCOL.udp,
  PROTOCOL.dccp,
  PROTOCOL.sctp,
];

/** iptables takes ports only for protocols that have them, and does not mind a `!` before those. */
export function refusePortsWithout(
  ports: unknown,
  { protocolBefore: protocol }: RuleContext,
): Refusal | undefined {
  if (ports === undefined || (protocol && TRANSLATED.includes(protocol.value))) return undefined;
  return { refused: "ports need -p tcp, udp, sctp or dccp", help: "put -p and the protocol before -j" };
}

function printPorts(ports: Range): string {
  return printRange(ports.from, ports.to, String);
}

function printRange(from: Address, to: Address, print: (value: Address) => string): string {
  return from === to ? print(from) : `${print(from)}-${print(to)}`;
}

const portsGrammar: P.Parser<Range> = P.seqMap(
  portNumber,
  P.string("-").then(portNumber).or(P.of(undefined)),
  (from, to) => ({ from, to: to ?? from }),
).chain((range) =>
  range.from <= range.to ? P.of(range) : P.fail("a range whose first port is not above its last"),
);

/** Behind a number anything may follow but a colon, of which iptables takes the last for the one before the ports. */
const basePort = P.alt(wholeNumber(0, 65535).skip(P.regexp(/[^:]*/)), portNumber);

const portsWithBase = P.alt<NonNullable<NatRange["ports"]>>(
  P.seqMap(P.lookahead(/[^/]*-/).then(portsGrammar), P.string("/").then(basePort), (range, base) => ({
    ...range,
    base,
  })).chain((ports) => (ports.base > 0 ? P.of(ports) : P.fail("a base above 0"))),
  portsGrammar,
);

const natRangeGrammars: Readonly<Record<Family, P.Parser<NatRange>>> = {
  ipv4: natRangeGrammar("ipv4"),
  ipv6: natRangeGrammar("ipv6"),
};

function natRangeGrammar(family: Family): P.Parser<NatRange> {
  const address = P.regexp(family === "ipv4" ? /[0-9.]+/ : /[0-9a-fA-F:.]+/).chain((text) => {
    const value = readAddress(text);
    return value === undefined || text.includes(":") !== (family === "ipv6")
      ? P.fail(`an ${family === "ipv4" ? "IPv4" : "IPv6"} address`)
      : P.of(value);
  });
  const addresses = P.seqMap(address, P.string("-").then(address).or(P.of(undefined)), (from, to) => ({
    from,
    to: to ?? from,
  }));
  const ports = P.string(":").then(portsWithBase);
  const onlyPorts = ports.map<NatRange>((range) => ({ ports: range }));
  const withPorts = (head: P.Parser<Range>) =>
    P.seqMap(head, ports.or(P.of(undefined)), (range, portRange) => ({
      addresses: range,
      ...(portRange === undefined ? {} : { ports: portRange }),
    }));
  return family === "ipv4"
    ? P.alt<NatRange>(onlyPorts, withPorts(addresses))
    : P.alt<NatRange>(
        withoutStrayText(withPorts(addresses.wrap(P.string("["), P.string("]"))).or(onlyPorts)),
        addresses.map((range) => ({ addresses: range })).skip(P.eof),
        onlyPorts,
      );
}

/** ip6tables looks neither at what stands before the bracket nor at what stands between it and the colon. */
function withoutStrayText(grammar: P.Parser<NatRange>): P.Parser<NatRange> {
  return P.regexp(/[^[]*\[[^\]]*\][\s\S]*/).chain((text) => {
    const [, inside = "", between = "", ports = ""] = /\[([^\]]*)\]([^:]*)([\s\S]*)$/.exec(text) ?? [];
    const head = inside === "" && between === "" ? "" : `[${inside}]`;
    const read = parseWhole(grammar, head + ports);
    return read.ok ? P.of(read.value) : P.fail("an address in brackets");
  });
}
