/**
 * What rules can ask of a packet and do to it: the small common vocabulary between the descriptions in this folder and
 * everything that reasons about packets (evaluate, diff, lint, explain). New iptables extensions are put into these
 * words, so none of those has to know that an extension exists.
 */
import type { Address, Family, Network } from "./address.js";

/** Hooks of netfilter, by the name of their built-in chain. */
export type Hook = "PREROUTING" | "INPUT" | "FORWARD" | "OUTPUT" | "POSTROUTING";

export const HOOKS: readonly Hook[] = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

/**
 * Fields whose values are numbers (addresses of IPv6: bigint).
 *
 * - `mark`, `connmark`: 32 bits. `dscp` and `ecn`: the upper six and the lower two bits of the TOS byte.
 * - `length`: bytes of the IP packet. `mss`: what a TCP SYN announces. `spi`: the index of an AH, ESP or IPComp header.
 * - `user`, `group`: of the process that sent the packet; packets without a process have none.
 * - `cpu`: the processor that handles the packet. `realm`: of its route. `inGroup`, `outGroup`: of its interfaces.
 */
export type NumberField =
  | "protocol"
  | "source"
  | "destination"
  | "sourcePort"
  | "destinationPort"
  | "mark"
  | "connmark"
  | "icmpType"
  | "icmpCode"
  | "tcpFlags"
  | "length"
  | "ttl"
  | "dscp"
  | "ecn"
  | "mss"
  | "spi"
  | "user"
  | "group"
  | "cpu"
  | "realm"
  | "inGroup"
  | "outGroup"
  | "fragmentOffset"
  | EntryField;

/** Parts of the connection's entry (`-m conntrack --ctorigsrc` …): its tuples, and the seconds until it ends. */
export type EntryField =
  | "connectionProtocol"
  | "originalSource"
  | "originalDestination"
  | "originalSourcePort"
  | "originalDestinationPort"
  | "replySource"
  | "replyDestination"
  | "replySourcePort"
  | "replyDestinationPort"
  | "entryEndsIn";

/**
 * Fields whose values are words.
 *
 * - `inInterface`, `outInterface`: names; a pattern that ends in `+` is a prefix.
 * - `connectionState`: what `-m conntrack --ctstate` asks. A packet has one of INVALID, NEW, RELATED, ESTABLISHED,
 *   UNTRACKED, and in addition SNAT and DNAT when its connection was translated.
 * - `connectionStatus`, `connectionDirection`: what `--ctstatus` and `--ctdir` ask.
 * - `sourceType`, `destinationType`: route type of the address (`-m addrtype`): LOCAL, UNICAST, BROADCAST, MULTICAST …
 * - `inPort`, `outPort`: ports of a bridge, patterns as for interfaces; `outPort` only of what stays on its bridge.
 * - `sourceMac`: of the Ethernet frame, `00:11:22:aa:bb:cc`; `+` is any, which packets of other links do not have.
 * - `frame`: to whom the frame was addressed, `unicast`, `broadcast`, `multicast`, `otherhost`.
 * - `sender`: whose socket the packet is from: `process` (of this node), `kernel` (its own ICMP errors), or `none`.
 * - `extraHeader`: what plain packets do not have, which all packets of questions are: `ipsec`, and of the IPv6 extension
 *   headers `hop`, `dst`, `route` and `frag`.
 */
export type WordField =
  | "inInterface"
  | "outInterface"
  | "connectionState"
  | "connectionStatus"
  | "connectionDirection"
  | "sourceType"
  | "destinationType"
  | "inPort"
  | "outPort"
  | "sourceMac"
  | "frame"
  | "sender"
  | "extraHeader";

/** Inclusive bounds; both numbers, or both bigint for IPv6 addresses. */
export interface Range {
  readonly from: Address;
  readonly to: Address;
}

/**
 * A question about a packet. A field that the packet does not have (a port of an ICMP packet) lies in no range, so
 * `within` is false and its negation true, as in the kernel's matches.
 */
export type Condition =
  | { readonly kind: "always" }
  /** The field lies in one of the ranges. */
  | { readonly kind: "within"; readonly field: NumberField; readonly ranges: readonly Range[] }
  /** `(field & mask) === value`. A value with bits outside the mask never holds (xt_mark compares so). */
  | { readonly kind: "masked"; readonly field: NumberField; readonly value: Address; readonly mask: Address }
  /**
   * The field is one of the words (interfaces: patterns with `+`). With `onInterface`, `sourceType` and
   * `destinationType` ask about the addresses of that interface alone (addrtype `--limit-iface-in|out`).
   */
  | {
      readonly kind: "oneOf";
      readonly field: WordField;
      readonly words: readonly string[];
      readonly onInterface?: "in" | "out";
    }
  /** The addresses and ports named by `directions` are in the ipset, whose entry then counts the packet, unless `silent`. */
  | {
      readonly kind: "member";
      readonly set: string;
      readonly directions: readonly ("src" | "dst")[];
      readonly silent?: true;
    }
  /** A fresh draw of 31 random bits is below `threshold`: probability `threshold / 2^31` (xt_statistic). */
  | { readonly kind: "chance"; readonly threshold: number }
  /** The address has an entry in an xt_recent list. Hidden state, unless the list is given. */
  | {
      readonly kind: "remembered";
      readonly list: string;
      readonly side: "source" | "destination";
      readonly mask: Address;
      /** Only stamps of the last so many seconds count. */
      readonly seconds?: number;
      /** At least so many stamps. */
      readonly hits?: number;
      /** The entry was made by a packet of the same TTL. */
      readonly sameTtl?: boolean;
    }
  /** A counter of the rule itself stands at `packet` of a round of `every`, from 0 (`statistic --mode nth`). */
  | { readonly kind: "counted"; readonly every: number; readonly packet: number }
  /** The route back to the source leads out of the interface that the packet came in by (xt_rpfilter). */
  | { readonly kind: "reversePath"; readonly loose: boolean; readonly acceptLocal: boolean }
  /**
   * State that no input holds, or a part of the packet that no question names (a token bucket, the time, a TCP option):
   * both answers are kept. `yes` and `no` are sentences that somebody at the node can check; equal ones about one packet
   * are one question. `perRule` marks state that each rule has of its own (limit), where equal text is another question.
   */
  | {
      readonly kind: "hidden";
      readonly yes: string;
      readonly no: string;
      readonly perRule?: boolean;
      /** It asks for a token of the rule's own bucket: that holds `burst` at most, and gets one every `period` seconds. */
      readonly bucket?: { readonly burst: number; readonly period: number };
      /** It asks how far something has been counted, which dumps may tell. */
      readonly counts?: Counts;
      /** It asks whether IPVS has handled the packet: no secret where the virtual servers are known. */
      readonly served?: ServedQuestion;
    }
  /**
   * Not modelled (a BPF program, an extension that is not described): both answers are kept. `question` says what it hangs
   * on; otherwise as `hidden`.
   */
  | { readonly kind: "unmodelled"; readonly question: string; readonly perRule?: boolean }
  | { readonly kind: "not"; readonly of: Condition }
  | { readonly kind: "all"; readonly of: readonly Condition[] }
  | { readonly kind: "any"; readonly of: readonly Condition[] };

/** Something that counts packets, with the question that is asked of it. */
export type Counts =
  /** The rule's own bytes that are left, of `bytes`, are enough for the packet (xt_quota). */
  | { readonly kind: "quota"; readonly bytes: bigint }
  /** What the packet's connection has transferred, this packet included, lies between `from` and `to` (xt_connbytes). */
  | {
      readonly kind: "transferred";
      readonly unit: "packets" | "bytes" | "avgpkt";
      readonly direction: "original" | "reply" | "both";
      readonly from: bigint;
      readonly to: bigint;
    }
  /** Of the connections that the rule was asked about more than `above` live whose address is that of the packet (xt_connlimit). */
  | {
      readonly kind: "connections";
      readonly above: number;
      readonly side: "source" | "destination";
      readonly mask: Address;
    }
  /** What the packet's entry in an ipset has counted, this packet included. Sets without counters let all pass. */
  | {
      readonly kind: "entry";
      readonly set: string;
      readonly directions: readonly ("src" | "dst")[];
      readonly unit: "packets" | "bytes";
      readonly from: bigint;
      readonly to: bigint;
    };

/** What xt_ipvs asks of a packet and its connection: all parts must fit; none: whether IPVS has handled it at all. */
export interface ServedQuestion {
  readonly parts: readonly (
    | { readonly field: "protocol" | "port"; readonly number: number; readonly negated: boolean }
    | { readonly field: "address"; readonly network: Network; readonly negated: boolean }
    | { readonly field: "method"; readonly word: string; readonly negated: boolean }
    | { readonly field: "direction"; readonly word: string }
  )[];
}

/** Something a match does besides being true (xt_recent's `--set`, `--update`, `--remove`). */
export interface Remember {
  readonly kind: "remember";
  readonly list: string;
  readonly side: "source" | "destination";
  readonly mask: Address;
  /**
   * `set`: add or refresh the entry; `remove`: delete it; both also where the match is false (`! --set`). `update`:
   * refresh the entry, if there is one and the match is true.
   */
  readonly action: "set" | "update" | "remove";
}

/** What a match means: a condition, and what it does to a list, even if a later match fails. */
export interface MatchMeaning {
  readonly condition: Condition;
  readonly effect?: Remember;
}

/** New addresses and ports of a translation. Absent parts stay as they are. */
export interface Rewrite {
  readonly addresses?: Range;
  /** `base`: port + (from − base) instead of a choice (`--to-destination a:from-to/base`). */
  readonly ports?: Range & { readonly base?: number };
  /** `--random`: the port is drawn. `--random-fully` likewise. */
  readonly random?: boolean;
  /** `--persistent`: the address of a range hangs on the client alone. */
  readonly persistent?: boolean;
}

/** What a rule does to a packet that all its matches let through. */
export type Effect =
  /** ACCEPT ends this table at this hook; DROP ends the packet; QUEUE hands it to user space. */
  | {
      readonly kind: "verdict";
      readonly verdict: "accept" | "drop" | "queue";
      /** Of a queue that lets packets pass to which no process listens: its name. */
      readonly bypass?: string;
    }
  /** Drop and answer; `with` is the word of `--reject-with`. */
  | { readonly kind: "reject"; readonly with: string }
  | { readonly kind: "return" }
  | { readonly kind: "jump"; readonly chain: string }
  | { readonly kind: "goto"; readonly chain: string }
  /** DNAT (`destination`) or SNAT (`source`); ends the nat table at this hook. */
  | { readonly kind: "rewrite"; readonly side: "source" | "destination"; readonly to: Rewrite }
  /** NETMAP: the network part is replaced, host bits stay; source in POSTROUTING and INPUT, else destination. */
  | { readonly kind: "netmap"; readonly network: Address; readonly mask: Address }
  /** Source becomes an address of the outgoing interface; `to.addresses` is never set. */
  | { readonly kind: "masquerade"; readonly to: Rewrite }
  /** Destination becomes this machine (OUTPUT: loopback; PREROUTING: the ingress interface's address). */
  | { readonly kind: "redirect"; readonly to: Rewrite }
  /** `field = (field & ~clear) ^ toggle`, then shifted; the walk goes on. */
  | {
      readonly kind: "assign";
      readonly field: "mark" | "connmark" | "dscp" | "ecn" | "tcpFlags";
      readonly clear: number;
      readonly toggle: number;
      /** Bits to the left, below zero to the right. */
      readonly shift?: number;
    }
  /** Several, one after another; none of them ends the walk. */
  | { readonly kind: "several"; readonly effects: readonly Effect[] }
  /** The TTL, or hop limit, is set, or goes up or down and stays from 0 to 255. */
  | { readonly kind: "hops"; readonly how: "set" | "add"; readonly value: number }
  /** The mark becomes something that is not known, `by` tells what. */
  | { readonly kind: "obscure"; readonly by: string }
  /** The packet's parts are put into an ipset, or taken out (SET). */
  | {
      readonly kind: "list";
      readonly action: "add" | "remove";
      readonly set: string;
      readonly directions: readonly ("src" | "dst")[];
      /** Seconds until the element is gone again. */
      readonly timeout?: number;
      /** Time begins anew for an element that is there already. */
      readonly refresh?: true;
    }
  /** `to = (to & ~toMask) ^ (from & fromMask)`, the latter shifted, between packet mark and connection mark (CONNMARK). */
  | {
      readonly kind: "copy";
      readonly from: "mark" | "connmark";
      readonly to: "mark" | "connmark";
      readonly fromMask: number;
      readonly toMask: number;
      /** Bits to the left, below zero to the right. */
      readonly shift?: number;
    }
  /**
   * A socket of this node that listens transparently on the address and port gets the packet, its addresses unchanged, and
   * `mark = (mark & ~clear) ^ toggle`; without one it is dropped (TPROXY). Address 0: the first of the ingress interface;
   * port 0: the packet's own.
   */
  | {
      readonly kind: "tproxy";
      readonly address: Address;
      readonly port: number;
      readonly clear: number;
      readonly toggle: number;
    }
  /** No connection tracking for this packet (NOTRACK). */
  | { readonly kind: "untrack" }
  /**
   * Connection tracking looks the packet up in a zone, and enters it there: with connections of both directions, or of the
   * one named; those of the other are in zone 0. `mark`: the lower 16 bits of the mark that the packet leaves raw with (CT).
   */
  | {
      readonly kind: "zone";
      readonly zone: number | "mark";
      readonly directions: "both" | "original" | "reply";
    }
  /** Seen and passed on: no target, LOG, NFLOG, TRACE … `what` is the target's name. */
  | { readonly kind: "note"; readonly what: string }
  /** An effect that landfall has no model of. `mayEnd`: the walk may end here, so what follows is an assumption. */
  | { readonly kind: "unmodelled"; readonly question: string; readonly mayEnd: boolean };

/** What a description may look at when it says what its options mean. */
export interface MeaningContext {
  readonly family: Family;
}

export const ALWAYS: Condition = { kind: "always" };

/** Connection tracking has no entry for the packet, or has not seen it. */
export const HAS_NO_ENTRY = {
  kind: "oneOf",
  field: "connectionState",
  words: ["INVALID", "UNTRACKED"],
} as const satisfies Condition;
/** The packet belongs to a connection. */
export const TRACKED: Condition = { kind: "not", of: HAS_NO_ENTRY };
export const NEVER: Condition = { kind: "not", of: ALWAYS };

/** The condition, turned round when `negated`. */
export function negatedIf(negated: boolean, condition: Condition): Condition {
  return negated ? { kind: "not", of: condition } : condition;
}

/** All of the conditions; `always` for none, the condition itself for one. */
export function allOf(conditions: readonly Condition[]): Condition {
  const asking = conditions.filter((condition) => condition.kind !== "always");
  return asking.length === 0
    ? ALWAYS
    : asking.length === 1
      ? (asking[0] as Condition)
      : { kind: "all", of: asking };
}

/** The conditions that must all hold; none for what always holds. */
export function partsOf(condition: Condition): readonly Condition[] {
  if (condition.kind === "all") return condition.of.flatMap(partsOf);
  return condition.kind === "always" ? [] : [condition];
}

/** Whether no other rule of the table is asked after it at this hook. */
export function endsTable({ kind }: Effect): boolean {
  switch (kind) {
    case "verdict":
    case "reject":
    case "rewrite":
    case "netmap":
    case "masquerade":
    case "redirect":
    case "tproxy":
      return true;
    default:
      return false;
  }
}

/** The field lies between `from` and `to`, both included. */
export function within(field: NumberField, from: Address, to: Address = from): Condition {
  return { kind: "within", field, ranges: [{ from, to }] };
}

/** A question in words; see `hidden`. */
export function hidden(yes: string, no: string): Extract<Condition, { kind: "hidden" }> {
  return { kind: "hidden", yes, no };
}

/** The same of a state that each rule has of its own. */
export function hiddenInRule(yes: string, no: string): Extract<Condition, { kind: "hidden" }> {
  return { kind: "hidden", yes, no, perRule: true };
}
