/** What rules change in a packet's headers and marks, and go on. */
import type { Effect } from "../../grammar/meaning.js";
import type { LivePacket } from "./world.js";

/** Effects that change the packet alone. */
export type Change = Extract<Effect, { kind: "assign" | "copy" | "hops" | "obscure" }>;

/** The changed parts of a packet. */
export function changedBy(effect: Change, packet: LivePacket): Partial<LivePacket> {
  switch (effect.kind) {
    case "assign":
      return assigned(effect, packet);
    case "copy":
      return copied(effect, packet);
    case "hops": {
      const { how, value } = effect;
      const ttl = how === "set" ? value : Math.min(Math.max(packet.ttl + value, 0), 255);
      return { ttl, ttlTaken: packet.ttlTaken && how !== "set" };
    }
    case "obscure":
      return { mark: 0, markHidden: ALL, markOrigin: `the mark of ${effect.by}` };
  }
}

const ALL = 0xffffffff;

function assigned(
  { field, clear, toggle, shift = 0 }: Extract<Change, { kind: "assign" }>,
  packet: LivePacket,
): Partial<LivePacket> {
  const changed = (value: number) => ((value & ~clear) ^ toggle) >>> 0;
  switch (field) {
    case "mark":
    case "connmark": {
      const bits = shifted((packet[hiddenOf(field)] & ~clear) >>> 0, shift);
      const value = shifted(changed(packet[field]), shift);
      return field === "mark" ? { mark: value, markHidden: bits } : { connmark: value, connmarkHidden: bits };
    }
    case "tcpFlags":
      return packet.tcpFlags === undefined ? {} : { tcpFlags: changed(packet.tcpFlags) };
    case "dscp":
    case "ecn": {
      const value = packet[field];
      const isAll = clear === (field === "dscp" ? 63 : 3);
      if (clear === 0 && toggle === 0) return {};
      // A part of what is not known leaves something else that is not known.
      return { [field]: typeof value === "number" ? changed(value) : isAll ? toggle : null };
    }
  }
}

function copied(
  { from, to, fromMask, toMask, shift = 0 }: Extract<Change, { kind: "copy" }>,
  packet: LivePacket,
): Partial<LivePacket> {
  const bits = shifted((packet[from] & fromMask) >>> 0, shift);
  const value = ((packet[to] & ~toMask) ^ bits) >>> 0;
  const taken = shifted((packet[hiddenOf(from)] & fromMask) >>> 0, shift);
  const kept = (packet[hiddenOf(to)] & ~toMask) >>> 0;
  const hidden = (kept | taken) >>> 0;
  // Bits from two places, or moved, are named by where they are now.
  const isMoved = taken !== 0 && shift !== 0;
  const [taker, giver] = [originOf(to), originOf(from)];
  const origin =
    taken === 0 ? packet[taker] : kept === 0 && !isMoved ? packet[giver] : `the ${to} at this point`;
  return to === "mark"
    ? { mark: value, markHidden: hidden, markOrigin: origin }
    : { connmark: value, connmarkHidden: hidden, connmarkOrigin: origin };
}

function hiddenOf(field: "mark" | "connmark"): "markHidden" | "connmarkHidden" {
  return field === "mark" ? "markHidden" : "connmarkHidden";
}

function originOf(field: "mark" | "connmark"): "markOrigin" | "connmarkOrigin" {
  return field === "mark" ? "markOrigin" : "connmarkOrigin";
}

/** To the left, below zero to the right; 32 bits. */
function shifted(value: number, bits: number): number {
  return bits < 0 ? value >>> -bits : (value << bits) >>> 0;
}
