/** A rule while it is being read: its parts as far as they are known, and where it stands. */
import type { Family } from "../../grammar/address.js";
import type { Flavour, GivenOption, Match, Target } from "../../grammar/description.js";
import type { Hook } from "../../grammar/meaning.js";
import type { Code } from "../problems/codes.js";
import type { Place, Problem } from "../problems/problem.js";
import type { Counters } from "../state/rules.js";

/** Where the rule stands, and which chains its table has. */
export interface RuleSetting {
  /** The place of the characters `from` to `to` of the line's words. */
  place(from: number, to: number): Place;
  readonly family: Family;
  readonly flavour: Flavour;
  readonly table: string | undefined;
  /** The hook, when the rule stands in a built-in chain. */
  readonly hook: Hook | undefined;
  /** What the table has under this name. */
  chainKind(name: string): "built-in" | "user" | undefined;
  /** The text is what a node's iptables-save printed, or a part of it, so that the node has what it names. */
  readonly saved: boolean;
  /** The rule stands in no table, so that chains it names may be in lines that are not here. */
  readonly fragment: boolean;
  /** All chains that a rule may name are declared here: not so in a payload for `--noflush`. */
  readonly complete: boolean;
}

/** An extension that `-m` or `-j` has opened, and the options it was given so far. */
export interface Opened<D extends Match | Target = Match | Target> {
  readonly kind: "opened";
  readonly description: D;
  readonly given: Record<string, GivenOption<unknown>>;
  /** The word with its name, to point at. */
  readonly word: number;
  /** `-p` as it was when the last option was read. */
  protocol?: GivenOption<number>;
}

/** An extension without a description: its words are kept as they are. */
export interface Unknown {
  readonly kind: "unknown";
  readonly name: string;
  readonly words: readonly string[];
}

export interface ChainTarget {
  readonly kind: "chain";
  readonly chain: string;
  readonly goto: boolean;
}

/** A rule being read. */
export interface Draft {
  readonly words: readonly string[];
  readonly setting: RuleSetting;
  readonly header: Record<string, GivenOption<unknown>>;
  /** What was written behind `-p`. */
  protocolWord: string;
  /** Options with a list of values, of which each makes a rule. */
  readonly alternatives: { readonly key: string; readonly options: readonly GivenOption<unknown>[] }[];
  readonly matches: (Opened<Match> | Unknown)[];
  target: Opened<Target> | Unknown | ChainTarget | undefined;
  /** Given by `-c` inside the rule. */
  counters: Counters | undefined;
  /** The next word. */
  at: number;
  /** The word of a `!` that waits for its option. */
  negation: number | undefined;
  otherFamily: boolean;
  failed: boolean;
  complain(code: Code, word: number, message: string, more?: Partial<Problem>): void;
}
