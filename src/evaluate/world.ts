/**
 * One way the packet may have gone so far: its headers now, the share of packets that went so, what was assumed, and the
 * rules that matched. Worlds are never changed; a step makes a new one.
 */
import type { Address, Family } from "../../grammar/address.js";
import type { Range, WordField } from "../../grammar/meaning.js";
import type { Share, Step } from "./outcome.js";

/** `undefined`: the question leaves it open; `null`: the packet has none, or the kernel chooses it. */
export interface LivePacket {
  readonly family: Family;
  readonly protocol: number;
  readonly source: Address | null | undefined;
  readonly sourcePort: number | null | undefined;
  readonly destination: Address;
  readonly destinationPort: number | null | undefined;
  readonly inInterface: string | null | undefined;
  readonly outInterface: string | null | undefined;
  readonly tcpFlags: number | undefined;
  readonly icmpType: number | undefined;
  readonly icmpCode: number | undefined;
  readonly mark: number;
  readonly connmark: number;
  readonly state: "NEW" | "ESTABLISHED" | "RELATED" | "INVALID" | "UNTRACKED";
  /** The connection's destination was changed by DNAT or REDIRECT, its source by SNAT or MASQUERADE. */
  readonly destinationTranslated: boolean;
  readonly sourceTranslated: boolean;
  /** xt_recent lists that this packet has put its address into, or removed it from. */
  readonly remembered: ReadonlyMap<string, boolean>;
}

/**
 * A question whose answer is not known: about an open field (narrowed by ranges or words), or about state that nothing
 * given holds.
 */
export type Atom =
  | {
      readonly kind: "range";
      readonly field: "source" | "sourcePort";
      readonly ranges: readonly Range[];
      readonly words: string;
      readonly wordsNot: string;
    }
  | {
      readonly kind: "word";
      readonly field: WordField;
      readonly pattern: string;
      readonly words: string;
      readonly wordsNot: string;
    }
  | { readonly kind: "question"; readonly key: string; readonly words: string; readonly wordsNot: string };

/** What a world takes for granted, last first. */
export interface Assumed {
  readonly previous: Assumed | undefined;
  readonly atom: Atom;
  readonly holds: boolean;
}

export interface World {
  readonly packet: LivePacket;
  readonly share: Share;
  readonly assumed: Assumed | undefined;
  readonly lastStep: Step | undefined;
}

/** Equal atoms have equal keys. */
export function atomKey(atom: Atom): string {
  switch (atom.kind) {
    case "range":
      return `${atom.field} ${atom.ranges.map(({ from, to }) => `${from}-${to}`).join(",")}`;
    case "word":
      return `${atom.field} ${atom.pattern}`;
    case "question":
      return atom.key;
  }
}

/** Whether a pattern (`eth0`, `eth+`) takes a name. */
export function patternTakes(pattern: string, name: string): boolean {
  return pattern.endsWith("+") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}
