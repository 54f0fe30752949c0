/**
 * One way the packet may have gone so far: its headers now, the share of packets that went so, what was assumed, and the
 * rules that matched. Worlds are never changed; a step makes a new one.
 */
import type { Address } from "../../grammar/address.js";
import type { Effect, Range, WordField } from "../../grammar/meaning.js";
import type { Direction, Memory, Quoted, Tracked, Unknown } from "./memory.js";
import type { Headers, Landing, OpenParts, Share, Step } from "./outcome.js";
import type { Handled } from "./served.js";

/** The packet itself, with what the node knows of it. */
export interface LivePacket extends Headers {
  /** What parts are called whose value is not known; the same parts of a connection's packets have the same names. */
  readonly unknown: Readonly<Record<"source" | "sourcePort" | "destination" | "destinationPort", Unknown>>;
  readonly connmark: number;
  /** Bits of the two marks that are not known, and what they were taken from. */
  readonly markHidden: number;
  readonly markOrigin: string;
  readonly connmarkHidden: number;
  readonly connmarkOrigin: string;
  readonly ttl: number;
  /** No question has told it: it is a default. */
  readonly ttlTaken: boolean;
  /** Bytes; null: not those of the question's packet. */
  readonly length: number | null | undefined;
  /** Null: rules have changed a part of what was not known. */
  readonly dscp: number | null | undefined;
  readonly ecn: number | null | undefined;
  /** Null: it came in no Ethernet frame. */
  readonly sourceMac: string | null | undefined;
  /** The port of a bridge that it came by; null: none. */
  readonly inPort: string | null | undefined;
  /** Whose link address its frame was sent to; undefined: that of the receiver, where that is a neighbour of the sender. */
  readonly frameTo: "bridge" | "host" | undefined;
  /** A bridge passes it from port to port, and it is not routed. */
  readonly bridged: boolean;
  /** Rules of OUTPUT have turned it elsewhere: by what it leaves after that hook; undefined: they have not. */
  readonly turnedTo: Pick<Headers, "outInterface"> | undefined;
  /** The router that it is sent to; undefined: none, or not known. */
  readonly nextHop: Address | undefined;
  /** A socket of the node is to have it, whatever it is addressed to (TPROXY). */
  readonly hasSocket: boolean;
  /** Who has its socket: a process of the node, the kernel, or nobody. */
  readonly sender: "process" | "kernel" | "none";
  readonly user: number | undefined;
  readonly group: number | undefined;
  /** It answers another packet: of SCTP an INIT ACK, not an INIT. */
  readonly answers: boolean;
  /** Where connection tracking is to look for it, if a CT target has said so. */
  readonly zone: Extract<Effect, { kind: "zone" }> | undefined;
  /** Undefined before connection tracking has seen it. */
  readonly state: "NEW" | "ESTABLISHED" | "RELATED" | "INVALID" | "UNTRACKED" | undefined;
  /** Its connection; undefined: none that is known. */
  readonly flow: Flow | undefined;
  /** The connection's destination was changed by DNAT or REDIRECT, its source by SNAT or MASQUERADE. */
  readonly destinationTranslated: boolean;
  readonly sourceTranslated: boolean;
  /** The packet that an ICMP error is about, as it stands in it. */
  readonly quoted: Quoted | undefined;
  /** IPVS has handled it, and does so only once. */
  readonly handled: Handled | undefined;
}

export interface Flow {
  readonly connection: Tracked;
  readonly direction: Direction;
  /** The packet is the first, and has not left yet: translations may still change what answers are expected. */
  readonly isNew: boolean;
  /** The packet answers the first, which has not been to nat POSTROUTING (or INPUT): it asks those rules in its place. */
  readonly asksSource?: true;
}

/**
 * A question whose answer is not known: about an open field (narrowed by ranges or words), or about state that nothing
 * given holds. Equal questions have equal keys.
 */
export type Atom = (
  | { readonly kind: "range"; readonly field: OpenField; readonly ranges: readonly Range[] }
  | { readonly kind: "word"; readonly field: WordField; readonly pattern: string }
  /** About a number; `field` names whose, `whole` is all that it can be. */
  | {
      readonly kind: "number";
      readonly field: string;
      readonly whole: Range;
      readonly ranges: readonly Range[];
    }
  /** `decidesRoute`: routing will look at the answer, so that it matters even if no rule makes a difference. */
  | { readonly kind: "question"; readonly decidesRoute?: true }
) & { readonly key: string; readonly words: string; readonly wordsNot: string };

/** Number fields that a question about a packet may leave open. */
export type OpenField = keyof OpenParts;

/** What answers have left of open fields. */
export interface Narrowed {
  readonly sets: OpenParts;
  readonly words: readonly { readonly field: WordField; readonly pattern: string; readonly holds: boolean }[];
  /** What each number can still be, by its name; absent: all. */
  readonly numbers: ReadonlyMap<string, readonly Range[]>;
}

/** What a world takes for granted, last first. */
export interface Assumed {
  readonly previous: Assumed | undefined;
  readonly atom: Atom;
  readonly holds: boolean;
  /** By this answer and all before it. */
  readonly narrowed: Narrowed;
}

export interface World {
  readonly packet: LivePacket;
  readonly memory: Memory;
  readonly share: Share;
  readonly assumed: Assumed | undefined;
  readonly lastStep: Step | undefined;
}

/** A path's end. */
export interface End {
  readonly landing: Landing;
  readonly assumed: Assumed | undefined;
  /** As the packet leaves, and what the node remembers then. */
  readonly packet: LivePacket;
  readonly memory: Memory;
  /** An answer is made for a packet that was refused here; whether it leaves the node is still to be seen. */
  readonly toAnswer?: World;
}

/** Whether a pattern (`eth0`, `eth+`) takes a name. */
export function patternTakes(pattern: string, name: string): boolean {
  return pattern.endsWith("+") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** The same way, with parts of the packet changed. */
export function withPacket(world: World, packet: Partial<LivePacket>): World {
  return { ...world, packet: { ...world.packet, ...packet } };
}
