/**
 * One way the packet may have gone so far: its headers now, the share of packets that went so, what was assumed, and the
 * rules that matched. Worlds are never changed; a step makes a new one.
 */
import type { Address, Family } from "../../grammar/address.js";
import type { Range, WordField } from "../../grammar/meaning.js";
import type { Direction, Memory, Quoted, Tracked, Unknown } from "./memory.js";
import type { Landing, Share, Step } from "./outcome.js";

/** `undefined`: the question leaves it open; `null`: the packet has none, or the kernel chooses it. */
export interface LivePacket {
  readonly family: Family;
  readonly protocol: number;
  readonly source: Address | null | undefined;
  readonly sourcePort: number | null | undefined;
  readonly destination: Address | null;
  readonly destinationPort: number | null | undefined;
  /** What parts are called whose value is not known; the same parts of a connection's packets have the same names. */
  readonly unknown: Readonly<Record<"source" | "sourcePort" | "destination" | "destinationPort", Unknown>>;
  readonly inInterface: string | null | undefined;
  readonly outInterface: string | null | undefined;
  readonly tcpFlags: number | undefined;
  readonly icmpType: number | undefined;
  readonly icmpCode: number | undefined;
  readonly mark: number;
  readonly connmark: number;
  /** Undefined before connection tracking has seen it. */
  readonly state: "NEW" | "ESTABLISHED" | "RELATED" | "INVALID" | "UNTRACKED" | undefined;
  /** Its connection; undefined: none that is known. */
  readonly flow: Flow | undefined;
  /** The connection's destination was changed by DNAT or REDIRECT, its source by SNAT or MASQUERADE. */
  readonly destinationTranslated: boolean;
  readonly sourceTranslated: boolean;
  /** The packet that an ICMP error is about, as it stands in it. */
  readonly quoted: Quoted | undefined;
}

export interface Flow {
  readonly connection: Tracked;
  readonly direction: Direction;
  /** The packet is the first, and has not left yet: translations may still change what answers are expected. */
  readonly isNew: boolean;
}

/**
 * A question whose answer is not known: about an open field (narrowed by ranges or words), or about state that nothing
 * given holds. Equal questions have equal keys.
 */
export type Atom = (
  | { readonly kind: "range"; readonly field: OpenField; readonly ranges: readonly Range[] }
  | { readonly kind: "word"; readonly field: WordField; readonly pattern: string }
  /** `decidesRoute`: routing will look at the answer, so that it matters even if no rule makes a difference. */
  | { readonly kind: "question"; readonly decidesRoute?: true }
) & { readonly key: string; readonly words: string; readonly wordsNot: string };

/** Number fields that a question about a packet may leave open. */
export type OpenField = "source" | "sourcePort";

/** What answers have left of open fields. */
export interface Narrowed {
  readonly sets: Readonly<Record<OpenField, readonly Range[]>>;
  readonly words: readonly { readonly field: WordField; readonly pattern: string; readonly holds: boolean }[];
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
