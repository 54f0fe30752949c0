/**
 * Where packets are asked about: the addresses and ports by which the rules of either side dispatch or refuse, with the
 * kinds of client that the rules behind them tell apart. To compare these is no proof over all packets.
 */
import { type Address, type Family, printAddress } from "../../grammar/address.js";
import { type Condition, partsOf, type Range } from "../../grammar/meaning.js";
import type { Packet } from "../../grammar/packet.js";
import { PORT_PROTOCOLS } from "../../grammar/protocols.js";
import { isLoopback } from "../evaluate/addresses.js";
import { printRanges } from "../evaluate/cases.js";
import { commentOf, namedIn, withoutColon } from "../explain/service-names.js";
import { meaningOf } from "../state/meaning.js";
import type { Rule } from "../state/rules.js";
import { exactly, factsOf } from "./facts.js";
import { type PlainRule, type PlainRuleset, plainChain, targetChain } from "./plain.js";
import { type Probe, rulesFor } from "./reach.js";
import { nodeAddress, ownAddresses, type Side } from "./side.js";

export interface EntryPoint {
  readonly family: Family;
  readonly protocol: number;
  /** Absent: any address of the node (a node port). */
  readonly address?: Address;
  readonly port: number;
  /** `namespace/name:port`, where a comment names it. */
  readonly service?: string;
  /** `cluster IP`, `external IP`, `load balancer IP`, `node port`; empty where nothing tells it. */
  readonly kind: string;
}

/** The entry points of both sides, each once, those with a name first, by name. */
export function entryPoints(left: Side, right: Side, families: readonly Family[]): readonly EntryPoint[] {
  const found = new Map<string, EntryPoint>();
  for (const side of [left, right]) {
    for (const family of families) {
      const ruleset = side.plain[family];
      if (ruleset === undefined) continue;
      for (const one of [...entriesInRules(ruleset), ...virtualServers(side, family)]) {
        const key = keyOf(one);
        const known = found.get(key);
        if (known === undefined || (known.service === undefined && one.service !== undefined))
          found.set(key, one);
      }
    }
  }
  const all = [...found.values()].filter((one) => !isNodePortOf(one, found, [left, right]));
  const order = ({ service = "\uffff", address, port }: EntryPoint) =>
    [service, address === undefined ? 1n << 128n : BigInt(address), port] as const;
  return all.sort((one, other) => {
    const [mine, theirs] = [order(one), order(other)];
    const at = mine.findIndex((value, index) => value !== theirs[index]);
    return at < 0 ? 0 : (mine[at] ?? 0) < (theirs[at] ?? 0) ? -1 : 1;
  });
}

/** IPVS has a virtual server for each address of the node; where the other side has a node port, that is asked about. */
function isNodePortOf(
  { family, protocol, address, port, kind }: EntryPoint,
  found: ReadonlyMap<string, EntryPoint>,
  sides: readonly Side[],
): boolean {
  if (kind !== VIRTUAL || address === undefined || !found.has(keyOf({ family, protocol, port })))
    return false;
  return sides.some((side) => ownAddresses(side, family).includes(address));
}

const VIRTUAL = "virtual server";

function keyOf({ family, protocol, address, port }: Omit<EntryPoint, "kind">): string {
  return `${family} ${protocol} ${address} ${port}`;
}

function virtualServers({ state }: Side, family: Family): readonly EntryPoint[] {
  return (state.virtualServers?.services ?? []).flatMap(({ key }): readonly EntryPoint[] => {
    if (key.kind === "mark" || key.port === 0 || (typeof key.address === "number") !== (family === "ipv4"))
      return [];
    const { address, port, protocol } = key;
    return [{ family, protocol, address, port, kind: VIRTUAL }];
  });
}

function* entriesInRules(ruleset: PlainRuleset): Generator<EntryPoint> {
  for (const { rule, core } of reached(ruleset, "nat", ["PREROUTING", "OUTPUT"]))
    if (core.includes(PORT_OPTION)) yield* entriesOf(rule, ruleset.family, false);
  for (const { rule, core } of reached(ruleset, "filter", ["INPUT", "FORWARD", "OUTPUT"])) {
    if (!core.includes(PORT_OPTION)) continue;
    const { effect } = meaningOf(rule, ruleset.family);
    const refuses = effect.kind === "reject" || (effect.kind === "verdict" && effect.verdict === "drop");
    if (refuses) yield* entriesOf(rule, ruleset.family, true);
  }
}

/** Rules without one are not looked at further. */
const PORT_OPTION = "--dport";

/** The rules of chains that the named ones lead to, each once. */
function reached(ruleset: PlainRuleset, table: string, from: readonly string[]): readonly PlainRule[] {
  const names = new Set(from);
  const rules: PlainRule[] = [];
  for (const name of names) {
    for (const rule of plainChain(ruleset, table, name)?.rules ?? []) {
      rules.push(rule);
      const next = targetChain(rule);
      if (next !== undefined) names.add(next);
    }
  }
  return rules;
}

/** `ofNode`: a rule for any address counts only when it asks for the node's. */
function entriesOf(rule: Rule, family: Family, ofNode: boolean): readonly EntryPoint[] {
  const facts = factsOf(rule, family);
  const protocol = exactly(facts.protocol);
  const address = exactly(facts.destination);
  if (protocol === undefined || !PORT_PROTOCOLS.includes(Number(protocol))) return [];
  if (address === undefined && (facts.destination !== undefined || (ofNode && !asksForNode(rule, family))))
    return [];
  const comment = commentOf(rule);
  const named = comment === undefined ? undefined : namedIn(comment);
  const service = named?.name.includes("/") ? withoutColon(named.name) : undefined;
  const said = named?.said.endsWith(" IP") ? named.said : "";
  return (facts.destinationPort ?? [])
    .filter(({ from, to }) => from === to)
    .map(({ from }) => ({
      family,
      protocol: Number(protocol),
      ...(address === undefined ? {} : { address }),
      port: Number(from),
      ...(service === undefined ? {} : { service }),
      kind: address === undefined ? "node port" : said,
    }));
}

function asksForNode(rule: Rule, family: Family): boolean {
  return meaningOf(rule, family)
    .matches.flatMap(({ condition }) => partsOf(condition))
    .some((one) => one.kind === "oneOf" && one.field === "destinationType" && one.words.includes("LOCAL"));
}

/** A kind of client, and a packet of it as each side is asked. */
export interface Question {
  /** "from 10.244.0.0/16", "from outside", "from the node". */
  readonly who: string;
  readonly left: Packet;
  readonly right: Packet;
}

/** What is known of packets to an entry point when they come. */
export function probeOf(entry: EntryPoint, left: Side, right: Side): Probe {
  const destinations = new Set([endOn(left, entry), endOn(right, entry)]);
  return { protocol: entry.protocol, ports: new Set([entry.port]), destinations };
}

/** The address that packets to an entry point have on a side. */
function endOn(side: Side, { family, address }: EntryPoint): Address {
  return address ?? nodeAddress(side, family, nodeAddressesInRules(side, family));
}

/** Packets to an entry point, one of each kind of client. */
export function questionsFor(entry: EntryPoint, left: Side, right: Side): readonly Question[] {
  const { family } = entry;
  const [leftEnd, rightEnd] = [endOn(left, entry), endOn(right, entry)];
  const clients = clientsOf(family, probeOf(entry, left, right), [left, right]);
  const packet = (destination: Address): Packet => ({
    family,
    protocol: entry.protocol,
    sourcePort: SOURCE_PORT,
    destination,
    destinationPort: entry.port,
  });
  const both = (who: string, parts: Partial<Packet>): Question => ({
    who,
    left: { ...packet(leftEnd), ...parts },
    right: { ...packet(rightEnd), ...parts },
  });
  const own = (side: Side): Partial<Packet> => {
    const [source] = ownAddresses(side, family);
    // Of a node whose addresses are not known, a stand-in; an open source would only split the answer.
    return source === undefined ? { source: nodeAddress(side, family, new Set()), in: "local" } : { source };
  };
  return [
    ...clients.networks.map(([who, source]) => both(`from ${who}`, { source })),
    ...clients.interfaces.map((name) => both(`by ${name}`, { source: clients.outside, in: name })),
    both("from outside", { source: clients.outside }),
    {
      who: "from the node",
      left: { ...packet(leftEnd), ...own(left) },
      right: { ...packet(rightEnd), ...own(right) },
    },
    ...clients.hosts.map((source) => both(`from ${printAddress(source)}`, { source })),
  ];
}

/** What clients take; any that is not among the ports that rules name would do. */
const SOURCE_PORT = 40000;

/** How iptables-save begins a rule for a destination and any source. */
const DESTINATION_OPTION = "-d ";

const named = new WeakMap<Side, Map<Family, ReadonlySet<Address>>>();

/** Addresses for which rules dispatch by port alone, as kube-proxy does for those of `nodePortAddresses`. */
function nodeAddressesInRules(side: Side, family: Family): ReadonlySet<Address> {
  const known = named.get(side) ?? new Map<Family, ReadonlySet<Address>>();
  named.set(side, known);
  let addresses = known.get(family);
  if (addresses === undefined) {
    const ruleset = side.plain[family];
    const rules = ruleset === undefined ? [] : reached(ruleset, "nat", ["PREROUTING"]);
    addresses = new Set(
      rules.flatMap((one) => {
        // A look at the text first: most rules of a large dump ask something else.
        if (!one.core.startsWith(DESTINATION_OPTION) || one.core.includes(PORT_OPTION)) return [];
        const { destination, destinationPort, source } = factsOf(one.rule, family);
        const address = exactly(destination);
        const leadsOn =
          targetChain(one) !== undefined && destinationPort === undefined && source === undefined;
        return address !== undefined && leadsOn ? [address] : [];
      }),
    );
    known.set(family, addresses);
  }
  return addresses;
}

interface Clients {
  /** Networks that rules ask about, with an address of each. */
  readonly networks: readonly (readonly [who: string, source: Address])[];
  /** Single addresses that rules ask about: endpoints that reach themselves. */
  readonly hosts: readonly Address[];
  readonly interfaces: readonly string[];
  /** An address in none of the networks, if there is one. */
  readonly outside: Address;
}

const NETWORKS_MAX = 8;
const HOSTS_MAX = 32;
const INTERFACES_MAX = 4;

function clientsOf(family: Family, probe: Probe, sides: readonly Side[]): Clients {
  const networks = new Map<string, Range>();
  const hosts = new Set<Address>();
  const interfaces = new Set<string>();
  for (const { plain } of sides) {
    const ruleset = plain[family];
    if (ruleset === undefined) continue;
    for (const hook of ["PREROUTING", "OUTPUT"]) {
      for (const { rule } of rulesFor(ruleset, "nat", hook, probe)) {
        for (const { condition } of meaningOf(rule, family).matches) {
          for (const one of parts(condition)) {
            if (one.kind === "within" && one.field === "source") {
              for (const range of one.ranges) {
                // Packets from elsewhere never have such a source.
                if (isLoopback(range.from)) continue;
                if (range.from === range.to) hosts.add(range.from);
                else networks.set(printRanges([range]), range);
              }
            } else if (one.kind === "oneOf" && one.field === "inInterface") {
              for (const word of one.words) interfaces.add(word.replace(/\+$/, "0"));
            }
          }
        }
      }
    }
  }
  const own = new Set(sides.flatMap((side) => ownAddresses(side, family)));
  const ranges = [...networks.values()];
  const isTaken = (address: Address) => hosts.has(address) || own.has(address);
  const [first = 0] = STRANGERS[family];
  return {
    networks: [...networks].slice(0, NETWORKS_MAX).flatMap(([who, range]) => {
      const source = memberOf(range, isTaken);
      return source === undefined ? [] : [[who, source] as const];
    }),
    hosts: [...hosts].filter((address) => !own.has(address)).slice(0, HOSTS_MAX),
    interfaces: [...interfaces].slice(0, INTERFACES_MAX),
    outside:
      STRANGERS[family].find(
        (address) => !isTaken(address) && !ranges.some(({ from, to }) => from <= address && address <= to),
      ) ?? first,
  };
}

/** A condition and all that it is made of. */
function parts(condition: Condition): readonly Condition[] {
  switch (condition.kind) {
    case "not":
      return parts(condition.of);
    case "all":
    case "any":
      return condition.of.flatMap(parts);
    default:
      return [condition];
  }
}

/** Addresses of documentation (RFC 5737, RFC 3849), and some of none. */
const STRANGERS: Readonly<Record<Family, readonly Address[]>> = {
  ipv4: [0xc6336407, 0xcb007107, 0xc0000207, 0x08080808],
  ipv6: [0x20010db8_0000_0000_0000_0000_0000_0007n, 0x26000000_0000_0000_0000_0000_0000_0007n],
};

/** Where in a network a client is looked for: first at x.y.9.8, which few endpoints have. */
const OFFSETS: readonly number[] = [9 * 256 + 8, 98, 8, 5, 3, 2, 1, 0];

function memberOf({ from, to }: Range, isTaken: (address: Address) => boolean): Address | undefined {
  return OFFSETS.map((offset) => (typeof from === "bigint" ? from + BigInt(offset) : from + offset)).find(
    (address) => address <= to && !isTaken(address),
  );
}
