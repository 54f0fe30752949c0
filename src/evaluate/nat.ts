/**
 * Translations: new addresses and ports as the kernel chooses them. Ranges of addresses are not drawn: the kernel takes a
 * fixed function of the two addresses (its own variant of Jenkins' hash), which is computed here. Measured on Linux.
 */
import { type Address, hostBits } from "../../grammar/address.js";
import type { Effect, Hook, Range, Rewrite } from "../../grammar/meaning.js";
import { PORT_PROTOCOLS } from "../../grammar/protocols.js";
import type { EvaluationContext } from "./context.js";
import { inverse, type Memory, translations } from "./memory.js";
import { egressAddress, isLoopback, primaryAddress, seenInterface, wayTo } from "./route.js";
import { earlierSource, isTaken } from "./tracking.js";
import type { LivePacket } from "./world.js";

type Translation = Extract<Effect, { kind: "rewrite" | "netmap" | "masquerade" | "redirect" }>;

/** DNAT, REDIRECT and NETMAP before routing: the changed parts of the packet. */
export function rewriteDestination(
  effect: Translation,
  packet: LivePacket,
  hook: Hook,
  context: EvaluationContext,
): Partial<LivePacket> {
  const destination = newDestination(effect, packet, hook, context);
  const port = effect.kind === "netmap" ? packet.destinationPort : destinationPort(effect.to, packet);
  const { unknown } = packet;
  return {
    destination,
    destinationPort: port,
    ...(port === null
      ? { unknown: { ...unknown, destinationPort: `${unknown.sourcePort}'s destination port` } }
      : {}),
    destinationTranslated:
      packet.destinationTranslated || destination !== packet.destination || port !== packet.destinationPort,
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
  // A client's address and port keep the translation that they have towards other servers.
  const earlier = effect.kind === "netmap" || effect.to.random ? undefined : earlierSource(packet, memory);
  if (earlier === undefined || earlier.source !== (source ?? wanted.unknown.source)) return wanted;
  const reused = typeof earlier.sourcePort === "number" ? earlier.sourcePort : null;
  const named = typeof earlier.sourcePort === "string" ? { sourcePort: earlier.sourcePort } : {};
  const again = { ...wanted, sourcePort: reused, unknown: { ...wanted.unknown, ...named } };
  return isTaken({ ...packet, ...again }, memory) ? wanted : again;
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
      const name = packet.inInterface;
      const own = name
        ? primaryAddress(seenInterface(name, context.state.network), family, context.state.network)
        : undefined;
      if (own === undefined)
        context.notes.add("REDIRECT goes to an address of the node that is not known here");
      return own ?? destination;
    }
    case "rewrite": {
      const { addresses, persistent } = effect.to;
      if (addresses === undefined) return destination;
      const chosen = chooseAddress(addresses, packet.source, destination, persistent ?? false);
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
      if (packet.outInterface === "lo" && isLoopback(destination)) return source ?? null;
      return egressAddress(wayTo(destination, network), destination, network) ?? null;
    }
    case "rewrite": {
      const { addresses, persistent } = effect.to;
      if (addresses === undefined) return source ?? null;
      return chooseAddress(addresses, source, destination, persistent ?? false) ?? null;
    }
    case "netmap":
      return source === undefined || source === null ? null : mapNetwork(source, effect);
    case "redirect":
      return source ?? null;
  }
}

/** DNAT keeps a port that lies in the range, else takes the lowest; `--random` draws one. */
function destinationPort({ ports, random }: Rewrite, packet: LivePacket): number | null | undefined {
  const own = packet.destinationPort;
  if (ports === undefined || !PORT_PROTOCOLS.includes(packet.protocol)) return own;
  if (ports.from === ports.to) return Number(ports.from);
  if (random || typeof own !== "number") return null;
  if (ports.base !== undefined) return own + Number(ports.from) - ports.base;
  return own >= Number(ports.from) && own <= Number(ports.to) ? own : Number(ports.from);
}

/** SNAT and MASQUERADE keep a port that lies in the range, else draw one; `--random` always draws. */
function sourcePort({ ports, random }: Rewrite, packet: LivePacket): number | null | undefined {
  const own = packet.sourcePort;
  if (random) return null;
  if (ports === undefined || !PORT_PROTOCOLS.includes(packet.protocol)) return own;
  if (ports.from === ports.to) return Number(ports.from);
  return typeof own === "number" && own >= Number(ports.from) && own <= Number(ports.to) ? own : null;
}

/** The address of a range; undefined when a part that the choice hangs on is not known. */
function chooseAddress(
  { from, to }: Range,
  source: Address | null | undefined,
  destination: Address,
  persistent: boolean,
): Address | undefined {
  if (from === to) return from;
  if (source === undefined || source === null) return undefined;
  const hash = BigInt(natHash(source, persistent ? undefined : destination));
  if (typeof from === "number") return from + Number((hash * BigInt(Number(to) - from + 1)) >> 32n);
  return chooseIPv6(from, to as bigint, hash, persistent ? undefined : destination);
}

/** IPv6 addresses are chosen by words of 32 bits (find_best_ips_proto); `j` and `hash` as the kernel names them. */
function chooseIPv6(from: bigint, to: bigint, hash: bigint, destination: Address | undefined): bigint {
  const destinationWords = destination === undefined ? undefined : kernelWords(destination);
  let chosen = 0n;
  let free = false;
  let j = hash;
  for (let index = 0; index < 4; index++) {
    const shift = BigInt(96 - 32 * index);
    const [low, high] = [(from >> shift) & 0xffffffffn, (to >> shift) & 0xffffffffn];
    const word = free ? (j * 0xffffffffn) >> 32n : low + ((j * (high - low + 1n)) >> 32n);
    if (word !== high) free = true;
    chosen |= word << shift;
    if (destinationWords !== undefined) j ^= BigInt(destinationWords[index] ?? 0);
  }
  return chosen;
}

/** The kernel's hash of a translation: over the source, from the destination's last word on (0 with `--persistent`). */
export function natHash(source: Address, destination: Address | undefined): number {
  const initial =
    destination === undefined ? 0 : kernelWords(destination)[typeof destination === "number" ? 0 : 3];
  return jhash2(kernelWords(source), initial);
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
