/**
 * Translations: new addresses and ports as the kernel chooses them. Ranges of addresses are not drawn: the kernel takes a
 * fixed function of the two addresses (its own variant of Jenkins' hash), which is computed here. Measured on Linux.
 */
import { type Address, hostBits } from "../../grammar/address.js";
import type { Effect, Hook, Range, Rewrite } from "../../grammar/meaning.js";
import { PORT_PROTOCOLS, PROTOCOL } from "../../grammar/protocols.js";
import type { Network } from "../state/network.js";
import {
  addressesOf,
  interfaceNamed,
  isLinkLocal,
  isMulticast,
  knownInterfaces,
  primaryAddress,
} from "./addresses.js";
import { seenInterface } from "./bridge.js";
import type { EvaluationContext } from "./context.js";
import { inverse, type Memory, type Tuple, translations } from "./memory.js";
import { contains } from "./ranges.js";
import { egressAddress } from "./source.js";
import { earlierSources, isTaken, tupleOf } from "./tracking.js";
import type { LivePacket } from "./world.js";

type Translation = Extract<Effect, { kind: "rewrite" | "netmap" | "masquerade" | "redirect" }>;

/** DNAT, REDIRECT and NETMAP before routing: the changed parts of the packet. */
export function rewriteDestination(
  effect: Translation,
  packet: LivePacket,
  hook: Hook,
  memory: Memory,
  context: EvaluationContext,
): Partial<LivePacket> {
  const destination = newDestination(effect, packet, hook, context);
  const to = effect.kind === "netmap" ? undefined : effect.to;
  const port =
    to === undefined ? packet.destinationPort : destinationPort(to, { ...packet, destination }, memory);
  const { unknown } = packet;
  // The part of an ICMP query that is drawn is its id, whichever end is translated.
  const drawsId = to?.random === true && hasId(packet);
  return {
    destination,
    destinationPort: port,
    ...(port === null && packet.destinationPort !== null
      ? { unknown: { ...unknown, destinationPort: `${unknown.sourcePort}'s destination port` } }
      : {}),
    ...(drawsId ? drawnId(packet) : {}),
    destinationTranslated:
      packet.destinationTranslated ||
      destination !== packet.destination ||
      port !== packet.destinationPort ||
      drawsId,
  };
}

function drawnId({ unknown, flow }: LivePacket): Partial<LivePacket> {
  return {
    sourcePort: null,
    unknown: { ...unknown, sourcePort: chosen(unknown.sourcePort) },
    flow: flow && { ...flow, connection: { ...flow.connection, idOfDestination: true } },
  };
}

/** SNAT, MASQUERADE and NETMAP after routing: the changed parts of the packet. */
export function rewriteSource(
  effect: Translation,
  packet: LivePacket,
  memory: Memory,
  context: EvaluationContext,
): Partial<LivePacket> {
  const { unknown } = packet;
  const source = newSource(effect, packet, context);
  const port = effect.kind === "netmap" ? packet.sourcePort : sourcePort(effect.to, packet);
  const wanted = {
    source,
    sourcePort: port,
    unknown: {
      ...unknown,
      ...(source === null ? { source: chosen(unknown.source) } : {}),
      ...(port === null ? { sourcePort: chosen(unknown.sourcePort) } : {}),
    },
    sourceTranslated: true,
  };
  if (effect.kind === "netmap" || effect.to.random) return wanted;
  const { ports, addresses } = effect.to;
  const isWanted = (end: Pick<Tuple, "source" | "sourcePort">, drawn: boolean): boolean =>
    (addresses === undefined
      ? end.source === (source ?? wanted.unknown.source)
      : typeof end.source !== "string" && contains([addresses], end.source)) &&
    (ports === undefined ||
      !PORT_PROTOCOLS.includes(packet.protocol) ||
      (typeof end.sourcePort === "number" ? contains([ports], end.sourcePort) : drawn));
  // What lies in the range stays; else the client's address and port get what they have towards other servers. A port
  // that was drawn for them is taken to come from this range.
  const own = tupleOf(packet);
  const kept = isWanted(own, false) ? own : earlierSources(packet, memory).find((end) => isWanted(end, true));
  if (kept === undefined) return wanted;
  const again = {
    ...wanted,
    source: known(kept.source),
    sourcePort: known(kept.sourcePort),
    unknown: {
      ...unknown,
      ...(typeof kept.source === "string" ? { source: kept.source } : {}),
      ...(typeof kept.sourcePort === "string" ? { sourcePort: kept.sourcePort } : {}),
    },
  };
  return isTaken({ ...packet, ...again }, memory) ? wanted : again;
}

/** The address of the interface that a packet came by which REDIRECT takes; undefined: none, or not known. */
function redirectAddress(
  { inInterface, family }: LivePacket,
  destination: Address,
  network: Network | undefined,
): Address | undefined {
  if (!inInterface) return undefined;
  const name = seenInterface(inInterface, network);
  const scope = narrowScope(destination);
  if (scope === undefined) return primaryAddress(name, family, network);
  const own = addressesOf(interfaceNamed(name, network), family);
  return own.find(({ address }) => narrowScope(address) === scope)?.address;
}

/** Of an IPv6 address that is meant for a link, a site or the node alone, which of them; undefined: it is global. */
function narrowScope(address: Address): "node" | "link" | "site" | undefined {
  if (typeof address === "number") return undefined;
  if (isLinkLocal(address)) return "link";
  if (address >> 118n === 0x3fbn) return "site";
  if (!isMulticast(address)) return undefined;
  return MULTICAST_SCOPES[Number((address >> 112n) & 15n)];
}

const MULTICAST_SCOPES: Readonly<Record<number, "node" | "link" | "site">> = {
  1: "node",
  2: "link",
  5: "site",
};

/** Whether REDIRECT finds no address that it could take (nf_nat_redirect): then the packet is dropped. */
export function hasNoRedirect(
  effect: Translation,
  packet: LivePacket,
  hook: Hook,
  { state: { network } }: EvaluationContext,
): boolean {
  const { destination, inInterface, family } = packet;
  if (effect.kind !== "redirect" || hook === "OUTPUT" || destination === null || !inInterface) return false;
  const isKnown =
    knownInterfaces(network, family) !== undefined &&
    interfaceNamed(seenInterface(inInterface, network), network) !== undefined;
  return isKnown && redirectAddress(packet, destination, network) === undefined;
}

/** Whether all ports that a source may get are in use towards the destination: then the packet is dropped. */
export function isExhausted(effect: Translation, packet: LivePacket, memory: Memory): boolean {
  const ports = effect.kind === "netmap" ? undefined : effect.to.ports;
  if (ports === undefined || !PORT_PROTOCOLS.includes(packet.protocol)) return false;
  for (let port = Number(ports.from); port <= Number(ports.to); port++)
    if (!isTaken({ ...packet, sourcePort: port }, memory)) return false;
  return true;
}

function hasId({ protocol }: LivePacket): boolean {
  return protocol === PROTOCOL.icmp || protocol === PROTOCOL.ipv6Icmp;
}

/** The name of a part that the kernel chooses in place of another. */
export function chosen(part: string): string {
  return `what the kernel chose for ${part}`;
}

/**
 * A packet of a connection that was translated before: it gets what the inverse of the other direction's tuple says, the
 * destination before routing and the source after it. Of an ICMP error the packet quoted in it is translated the other
 * way round, and its own ports are not.
 */
export function translateKnown(packet: LivePacket, hook: Hook): Partial<LivePacket> {
  const { flow, quoted } = packet;
  if (flow === undefined || flow.isNew) return {};
  const { connection, direction } = flow;
  const isOriginal = direction === "ORIGINAL";
  const changed = translations(connection);
  const beforeRouting = hook === "PREROUTING" || hook === "OUTPUT";
  if (!(beforeRouting === isOriginal ? changed.destination : changed.source)) return {};
  const { protocol } = connection;
  const wanted = inverse(protocol, isOriginal ? connection.reply : connection.original);
  const ends = beforeRouting ? ("destination" as const) : ("source" as const);
  const port = beforeRouting && PORT_PROTOCOLS.includes(protocol) ? "destinationPort" : "sourcePort";
  const { unknown } = packet;
  const address = wanted[ends];
  const rewritten = typeof address === "string" ? { unknown: { ...unknown, [ends]: address } } : {};
  if (quoted !== undefined) {
    const inner = inverse(protocol, quoted.tuple);
    const tuple = inverse(protocol, { ...inner, [ends]: address, [port]: wanted[port] });
    return { ...rewritten, [ends]: known(address), quoted: { ...quoted, tuple } };
  }
  const number = wanted[port];
  return {
    [ends]: known(address),
    [port]: known(number),
    unknown: {
      ...unknown,
      ...(typeof address === "string" ? { [ends]: address } : {}),
      ...(typeof number === "string" ? { [port]: number } : {}),
    },
  };
}

/** Parts that are not known have names in tuples. */
function known<T>(part: T | string): T | null {
  return typeof part === "string" ? null : part;
}

function newDestination(
  effect: Translation,
  packet: LivePacket,
  hook: Hook,
  context: EvaluationContext,
): Address | null {
  const { destination, family } = packet;
  if (destination === null) return null;
  switch (effect.kind) {
    case "netmap":
      return mapNetwork(destination, effect);
    case "redirect": {
      if (hook === "OUTPUT") return family === "ipv4" ? 0x7f000001 : 1n;
      const own = redirectAddress(packet, destination, context.state.network);
      if (own === undefined)
        context.notes.add("REDIRECT goes to an address of the node that is not known here");
      return own ?? destination;
    }
    case "rewrite": {
      const { addresses, persistent } = effect.to;
      if (addresses === undefined) return destination;
      const zone = zoneOf(packet);
      const choice = { persistent, zone, side: "destination" } as const;
      const chosen = chooseAddress(addresses, packet.source, destination, choice);
      if (chosen === undefined) {
        context.notes.add(
          "which address of a DNAT range is taken hangs on the source, which is not known: the first is shown",
        );
      }
      return chosen ?? addresses.from;
    }
    case "masquerade":
      return destination;
  }
}

function newSource(effect: Translation, packet: LivePacket, context: EvaluationContext): Address | null {
  const { network } = context.state;
  const { source, destination } = packet;
  if (destination === null) return null;
  switch (effect.kind) {
    case "masquerade": {
      if (packet.outInterface === "lo") return loopbackAddress(destination, network) ?? null;
      return egressAddress({ dev: packet.outInterface, via: packet.nextHop }, destination, network) ?? null;
    }
    case "rewrite": {
      const { addresses, persistent } = effect.to;
      if (addresses === undefined) return source ?? null;
      const choice = { persistent, zone: zoneOf(packet), side: "source" } as const;
      return chooseAddress(addresses, source, destination, choice) ?? null;
    }
    case "netmap":
      return source === undefined || source === null ? null : mapNetwork(source, effect);
    case "redirect":
      return source ?? null;
  }
}

/** What MASQUERADE takes over `lo`: IPv6 prefers the very address that is talked to, IPv4 has no rule of its own. */
function loopbackAddress(destination: Address, network: Network | undefined): Address | undefined {
  if (typeof destination === "bigint") return destination;
  return egressAddress({ dev: "lo", via: undefined }, destination, network);
}

/**
 * DNAT keeps a port that lies in the range, else takes the lowest; `--random` draws one, a base shifts it. One that would
 * make two connections alike is passed over for the next, unless it is the only one.
 */
function destinationPort(
  { ports, random }: Rewrite,
  packet: LivePacket,
  memory: Memory,
): number | null | undefined {
  const own = packet.destinationPort;
  if (ports === undefined || !PORT_PROTOCOLS.includes(packet.protocol)) return own;
  const [from, to] = [Number(ports.from), Number(ports.to)];
  if (from === to) return from;
  if (random || typeof own !== "number") return null;
  const isFree = (port: number) => !isTaken({ ...packet, destinationPort: port }, memory);
  const size = to - from + 1;
  const shift = ports.base === undefined ? 0 : (own - ports.base) & 0xffff;
  if (ports.base === undefined && own >= from && own <= to && isFree(own)) return own;
  for (let tried = 0; tried < size; tried++) {
    const port = from + ((shift + tried) % size);
    if (isFree(port)) return port;
  }
  return from;
}

/** SNAT and MASQUERADE keep a port that lies in the range, else draw one; `--random` always draws. */
function sourcePort({ ports, random }: Rewrite, packet: LivePacket): number | null | undefined {
  const own = packet.sourcePort;
  const isPorts = PORT_PROTOCOLS.includes(packet.protocol);
  if (isPorts && ports !== undefined && ports.from === ports.to) return Number(ports.from);
  if (random) return isPorts || hasId(packet) ? null : own;
  if (ports === undefined || !isPorts) return own;
  return typeof own === "number" && own >= Number(ports.from) && own <= Number(ports.to) ? own : null;
}

/** The address of a range; undefined when a part that the choice hangs on is not known. */
function chooseAddress(
  { from, to }: Range,
  source: Address | null | undefined,
  destination: Address,
  {
    persistent,
    zone,
    side,
  }: {
    readonly persistent: boolean | undefined;
    readonly zone: number;
    readonly side: "source" | "destination";
  },
): Address | undefined {
  if (from === to) return from;
  if (source === undefined || source === null) return undefined;
  const hash = BigInt(natHash(source, persistent ? undefined : destination, zone));
  if (typeof from === "number") return from + Number((hash * BigInt(Number(to) - from + 1)) >> 32n);
  const mixed = persistent ? "nothing" : side === "source" ? kernelWords(destination) : "the choice";
  return chooseIPv6(from, to as bigint, hash, mixed);
}

/**
 * IPv6 addresses are chosen by words of 32 bits (find_best_ips_proto); `j` and `hash` as the kernel names them. Between
 * words it mixes in the destination as it then stands: that of a DNAT is the very address that is being chosen.
 */
function chooseIPv6(
  from: bigint,
  to: bigint,
  hash: bigint,
  mixed: readonly number[] | "the choice" | "nothing",
): bigint {
  let choice = 0n;
  let free = false;
  let j = hash;
  for (let index = 0; index < 4; index++) {
    const shift = BigInt(96 - 32 * index);
    const [low, high] = [(from >> shift) & WORD, (to >> shift) & WORD];
    // A range of all numbers has a length of 0 in 32 bits.
    const word = free ? (j * WORD) >> 32n : low + ((j * ((high - low + 1n) & WORD)) >> 32n);
    if (word !== high) free = true;
    choice |= word << shift;
    if (mixed === "the choice") j ^= swapBytes(word);
    else if (mixed !== "nothing") j ^= BigInt(mixed[index] ?? 0);
  }
  return choice;
}

const WORD = 0xffffffffn;

/**
 * The kernel's hash of a translation: over the source, from the destination's last word and the connection's zone on (from 0
 * with `--persistent`).
 */
export function natHash(source: Address, destination: Address | undefined, zone = 0): number {
  const initial =
    destination === undefined ? 0 : kernelWords(destination)[typeof destination === "number" ? 0 : 3] ^ zone;
  return jhash2(kernelWords(source), initial);
}

/** The zone of a connection, whichever directions it is for. */
function zoneOf({ flow }: LivePacket): number {
  return flow?.connection.zones.ORIGINAL || flow?.connection.zones.REPLY || 0;
}

/** An address as the kernel's union of four 32-bit words, on a little-endian machine. */
function kernelWords(address: Address): readonly [number, number, number, number] {
  if (typeof address === "number") return [Number(swapBytes(BigInt(address))), 0, 0, 0];
  const word = (shift: bigint) => Number(swapBytes((address >> shift) & 0xffffffffn));
  return [word(96n), word(64n), word(32n), word(0n)];
}

function swapBytes(word: bigint): bigint {
  return (
    ((word & 0xffn) << 24n) | ((word & 0xff00n) << 8n) | ((word >> 8n) & 0xff00n) | ((word >> 24n) & 0xffn)
  );
}

function jhash2([w0, w1, w2, w3]: readonly [number, number, number, number], initial: number): number {
  const rol = (x: number, r: number) => ((x << r) | (x >>> (32 - r))) >>> 0;
  const start = (0xdeadbeef + 16 + initial) >>> 0;
  let [a, b, c] = [(start + w0) >>> 0, (start + w1) >>> 0, (start + w2) >>> 0];
  const mix = (x: number, y: number, r: number) => (((x - y) >>> 0) ^ rol(y, r)) >>> 0;
  a = mix(a, c, 4);
  c = (c + b) >>> 0;
  b = mix(b, a, 6);
  a = (a + c) >>> 0;
  c = mix(c, b, 8);
  b = (b + a) >>> 0;
  a = mix(a, c, 16);
  c = (c + b) >>> 0;
  b = mix(b, a, 19);
  a = (a + c) >>> 0;
  c = mix(c, b, 4);
  b = (b + a) >>> 0;
  a = (a + w3) >>> 0;
  const last = (x: number, y: number, r: number) => ((x ^ y) - rol(y, r)) >>> 0;
  c = last(c, b, 14);
  a = last(a, c, 11);
  b = last(b, a, 25);
  c = last(c, b, 16);
  a = last(a, c, 4);
  b = last(b, a, 14);
  return last(c, b, 24);
}

function mapNetwork(address: Address, { network, mask }: { network: Address; mask: Address }): Address {
  return typeof address === "number"
    ? ((address & (hostBits(mask) as number)) | Number(network)) >>> 0
    : (address & (hostBits(mask) as bigint)) | BigInt(network);
}
