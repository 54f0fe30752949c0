/**
 * What an evaluation answers: cases (one for each set of assumptions), each with landings whose shares add up to
 * exactly 1. Everything here is plain data, printed by the command line and explained by src/explain.
 */
import type { Address, Family } from "../../grammar/address.js";
import type { Flavour } from "../../grammar/description.js";
import type { Range } from "../../grammar/meaning.js";
import type { Rule } from "../state/rules.js";
import type { Quoted, Served, Tracked } from "./memory.js";

/**
 * A probability `numerator / (2^exponent · divisor)`, not reduced. The draws of rules compare 31 random bits, so that their
 * shares have no divisor, and integers add up without rounding; turns among real servers of IPVS need one.
 */
export interface Share {
  readonly numerator: bigint;
  readonly exponent: number;
  /** Above 0; absent: 1. */
  readonly divisor?: bigint;
}

/** What rules see of a packet. `undefined`: the question leaves it open; `null`: it has none, or the kernel chooses it. */
export interface Headers {
  readonly family: Family;
  readonly protocol: number;
  readonly source: Address | null | undefined;
  readonly sourcePort: number | null | undefined;
  readonly destination: Address | null;
  readonly destinationPort: number | null | undefined;
  readonly inInterface: string | null | undefined;
  readonly outInterface: string | null | undefined;
  readonly tcpFlags: number | undefined;
  readonly icmpType: number | undefined;
  readonly icmpCode: number | undefined;
  readonly mark: number;
}

/** A rule that matched on the way, by the coordinates that the kernel's TRACE prints (`table:chain:rule:number`). */
export interface Step {
  readonly previous: Step | undefined;
  readonly table: string;
  /** Where both back ends hold rules: whose table it is. */
  readonly backEnd?: Flavour;
  readonly chain: string;
  /** `rule`: matched; `return`, `policy`: the end of a chain, numbered its rules + 1. */
  readonly kind: "rule" | "return" | "policy";
  /** From 1. */
  readonly number: number;
  /** The rule, for kind `rule`. */
  readonly rule: Rule | undefined;
  /** The packet before the rule acts. */
  readonly headers: Headers;
}

/**
 * What becomes of the packet.
 *
 * - `forward`: leaves by `out`; `local`: accepted by the node; `drop`: nothing comes out;
 * - `reject`: answered with `with`, by `from`; `answered` is false when that answer is itself dropped;
 * - `error`: the sending process gets this errno (`with`); `queue`: user space decides;
 * - `nothing to answer`: in a conversation, nothing was delivered that the packet could answer.
 */
export type Verdict = "forward" | "local" | "drop" | "reject" | "error" | "queue" | "nothing to answer";

/** Addresses and ports are those on leaving the node (or on delivery); null: the kernel chooses, or nothing given says. */
export interface Landing {
  readonly verdict: Verdict;
  readonly in: string | null;
  readonly out: string | null;
  readonly src: Address | null;
  readonly sport: number | null;
  readonly dst: Address | null;
  readonly dport: number | null;
  readonly with: string | null;
  readonly from: Address | null;
  readonly answered: boolean | null;
  /** What a process of the node that sent the packet notices: EPERM, ECONNREFUSED, timeout …; null for others. */
  readonly processSees: string | null;
  /** The source port (of an ICMP query: the id) is the one that the packet had when it came, known or not. */
  readonly sportKept: boolean;
  /** Type and code, of ICMP. */
  readonly icmpType: number | null;
  readonly icmpCode: number | null;
  /** The packet that an ICMP error tells of, as it stands in it on leaving. */
  readonly quoted: Quoted | null;
  /** The packet's entry in the connection table when it leaves or arrives; null: it has none. */
  readonly connection: Tracked | null;
  /** The connection of IPVS that it belongs to, once IPVS has handled it; null: it has not. */
  readonly served: Served | null;
  /** A MASQUERADE, SNAT or NETMAP target has set the source. */
  readonly masqueraded: boolean;
  readonly share: Share;
  /** The last rule of the way here; follow `previous` for the rest. */
  readonly lastStep: Step | undefined;
}

/** Something the answer takes for granted in one case, in words that a user can check. */
export interface Assumption {
  /** Equal keys are the same question. */
  readonly key: string;
  /** "the client was seen on KUBE-SEP-… in the last 10800 s", "10.0.1.50 is not an address of the node". */
  readonly words: string;
}

/** Values of the parts that a question may leave open. */
export interface OpenParts {
  readonly source: readonly Range[];
  readonly sourcePort: readonly Range[];
}

export interface Case {
  readonly assuming: readonly Assumption[];
  /** Packets with these values are in the case; where two cases were found to be one, others may be too. */
  readonly open: OpenParts;
  /** Merged: no two landings differ in nothing but their share and steps. In the order of the walk. */
  readonly landings: readonly Landing[];
}

export interface Distribution {
  /** A connection of the given table that the packet belongs to: it decides, and no rule of nat is asked. */
  readonly live?: Tracked;
  readonly cases: readonly Case[];
  /** Facts that every case rests on: "only the nat table is in this dump; filter was not consulted". */
  readonly notes: readonly string[];
}
