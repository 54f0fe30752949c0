/**
 * What a description of an ipset type is made of. A type is a method of storage (`hash`, `bitmap`, `list`) and a list of
 * dimensions (`ip,port,net`); a dimension says how its part of an element is read, printed, and looked up for a packet.
 */
import type { Address, Family } from "../address.js";
import type { Refusal } from "../description.js";
import type { Range } from "../meaning.js";

/** Options of `create`, with the values that `ipset save` prints. */
export interface CreateOptions {
  readonly family?: Family;
  /** `bitmap` types: the first and last element that may be in the set. */
  readonly range?: Range;
  /** Prefix length that addresses are cut to. */
  readonly netmask?: number;
  /** Mask that addresses are cut to; it may have holes. */
  readonly bitmask?: Address;
  /** Mask that marks are cut to. */
  readonly markmask?: number;
  readonly hashsize?: number;
  readonly maxelem?: number;
  readonly size?: number;
  /** Seconds that an element lives unless it says otherwise; 0: for ever. */
  readonly timeout?: number;
  readonly counters?: true;
  readonly comment?: true;
  /** ipset 7.17 takes the option, and its `save` says nothing of it. */
  readonly forceadd?: true;
  readonly skbinfo?: true;
  readonly bucketsize?: number;
  readonly initval?: number;
}

/** What a dimension has to know of its set. */
export interface SetContext {
  /** The family of the set's addresses; "ipv4" for sets without a family. */
  readonly family: Family;
  readonly options: CreateOptions;
}

/** One side of a packet, as `-m set --match-set NAME src,dst` names it for each dimension. */
export type Direction = "src" | "dst";

/**
 * What `-m set` can ask of a packet. A part that is undefined is not known; `null` is a part that the packet does not
 * have (an outgoing interface in PREROUTING, the ports of a later fragment, a MAC address in OUTPUT).
 */
export interface SetPacket {
  readonly family: Family;
  readonly protocol?: number;
  readonly source?: Address;
  readonly destination?: Address;
  readonly sourcePort?: number | null;
  readonly destinationPort?: number | null;
  readonly icmpType?: number | null;
  readonly icmpCode?: number | null;
  readonly inInterface?: string | null;
  readonly outInterface?: string | null;
  readonly mark?: number;
  /** MAC addresses as numbers of 48 bits. */
  readonly sourceMac?: number | null;
  readonly destinationMac?: number | null;
}

/** Several values that one text stands for (`10.0.0.0/30`, `tcp:80-82`), made one by one when they are wanted. */
export interface Spread<V> {
  readonly count: number;
  at(index: number): V;
}

/** What stands in a table of elements in the place of a value. */
export type Key = string | number | bigint;

export interface Dimension<V> {
  /** The word in the name of a type. */
  readonly name: string;
  /** What may be written, for messages. */
  readonly expects: string;
  read(text: string, context: SetContext): Spread<V> | Refusal;
  print(value: V, context: SetContext): string;
  /**
   * The element's class: elements of one class have keys that compare with one key of the packet (networks: their prefix
   * length). Undefined: no packet is ever in it.
   */
  rank(value: V, wildcard: boolean): number | undefined;
  /** The first class that has the packet decides, the highest first: an element `nomatch` there means no. */
  readonly ranked?: true;
  key(value: V): Key;
  /** The packet's part: undefined when it is not known, null when the packet has none. */
  ask(packet: SetPacket, direction: Direction, context: SetContext): unknown;
  /** The key that an element of the class has if the packet's part (what `ask` gave) is in it. */
  probe(asked: never, rank: number): Key;
}

/** A protocol with its port; type × 256 + code for ICMP and ICMPv6, 0 for protocols without ports. */
export interface ProtocolPort {
  readonly protocol: number;
  readonly port: number;
}

export interface InterfaceName {
  readonly name: string;
  /** Written with `physdev:`. */
  readonly physdev: boolean;
}

/** A part of an element; which one it is follows from the dimensions of the set's type. */
export type ElementPart =
  | Address
  | { readonly address: Address; readonly mask: Address }
  | ProtocolPort
  | InterfaceName
  | string;

/** A dimension whose values are not told apart by their type any more. */
export type AnyDimension = Dimension<ElementPart>;

/** Puts a dimension among the others: what `read` gave is only ever handed back to the same dimension. */
export function dimension<V extends ElementPart>(one: Dimension<V>): AnyDimension {
  return one as unknown as AnyDimension;
}

export interface SetType {
  /** As `ipset save` prints it. */
  readonly name: string;
  /** The name that ipset 4 had for it, which `create` still takes. */
  readonly alias?: string;
  readonly method: "hash" | "bitmap" | "list";
  readonly dimensions: readonly AnyDimension[];
  /** The last part of an element may be left out (`bitmap:ip,mac`). */
  readonly lastOptional?: true;
  /** The kernel looks no further than the longest network that is in the set, whatever stands beside it there. */
  readonly endsAtNetwork?: true;
  /** Families of its addresses; none: sets of it are asked for packets of either. */
  readonly families: readonly Family[];
  /** Options of `create`, in the order in which `ipset save` prints them. */
  readonly options: readonly (keyof CreateOptions)[];
  /** Options of `add`, in the order in which `ipset save` prints them. */
  readonly extensions: readonly ExtensionName[];
}

/** What an element may carry; the words are those of `ipset add`. */
export interface Extensions {
  /** Seconds that were left; 0: for ever. */
  readonly timeout?: number;
  readonly nomatch?: true;
  /** The interface's name is the beginning of a name. */
  readonly wildcard?: true;
  readonly packets?: bigint;
  readonly bytes?: bigint;
  readonly comment?: string;
  readonly skbmark?: { readonly value: number; readonly mask: number };
  /** major × 65536 + minor */
  readonly skbprio?: number;
  readonly skbqueue?: number;
}

export type ExtensionName = keyof Extensions;

/** One value. */
export function single<V>(value: V): Spread<V> {
  return { count: 1, at: () => value };
}

/** The numbers from one end to the other, in steps; the ends may be given in either order. */
export function between(one: number, other: number, step = 1): Spread<number> {
  const from = Math.min(one, other);
  return { count: Math.floor((Math.max(one, other) - from) / step) + 1, at: (index) => from + index * step };
}
