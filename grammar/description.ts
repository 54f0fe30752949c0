/**
 * What a description of an extension is. Reader, printer, evaluator, differ and explainer work from these alone; see
 * README.md in this folder for how to add one.
 */
import type Parsimmon from "parsimmon";
import type { Family } from "./address.js";
import type { ListedForm } from "./listing.js";
import type { Effect, Hook, MatchMeaning, MeaningContext } from "./meaning.js";

/** Which iptables reads and prints: the one with tables of its own in the kernel, or the one on top of nftables. */
export type Flavour = "legacy" | "nft";

/** One kind of option value: its grammar, its printer, and for kinds that vary a lot a quick reader beside it. */
export interface ValueKind<T> {
  /** What is expected, for messages: "a port or a port range, for example 80 or 1024:65535". */
  readonly expects: string;
  /** The definition: which texts the kind has, and their values. */
  grammar(family: Family): Parsimmon.Parser<T>;
  /**
   * A hand-written reader for the common texts, or undefined to let the grammar decide. Never accepts what the grammar
   * refuses, and always gives the grammar's value (held by a property test).
   */
  quick?(text: string, family: Family): T | undefined;
  /** The text iptables-save prints for the value, quotes included where it prints them. */
  print(value: T, family: Family): string;
  /** How many words of the line the value takes (`--tcp-flags MASK COMP`: 2); read joined by one blank. Default 1. */
  readonly words?: number;
  /** The value of an option behind which none stands; without it, one has to. */
  readonly absent?: T;
}

/** One option of an extension. `T` is `true` for an option without value. */
export interface Option<T> {
  /** The spelling that iptables-save prints, `--dport`; empty for one that is only made by shorthands, and prints itself. */
  readonly name: string;
  /** Other spellings that iptables reads, `--destination-port`. */
  readonly aliases?: readonly string[];
  /** Kind of its value; an option without one is a flag. */
  readonly value?: ValueKind<T>;
  /** May `!` stand before it? "ignored": it may, and says nothing. */
  readonly negatable?: boolean | "ignored";
  /** May be given again: the last one counts, and a `!` before a flag stays. */
  readonly again?: true;
  /** Its value is a word of its own, never behind `=`. */
  readonly apart?: true;
  /** Must be given. */
  readonly required?: boolean;
  /** Values that iptables-save leaves out. */
  readonly hidden?: (value: T, negated: boolean, given: Given, flavour: Flavour) => boolean;
  /** A list `a,b` makes one rule for each (`-s`, `-d`). */
  readonly makesRules?: boolean;
  /** Built-in chains that may use it; absent: all. */
  readonly hooks?: readonly Hook[];
  /** Families that have it; absent: both. */
  readonly families?: readonly Family[];
}

/** A spelling that is read and turned into other options at once: `--syn`, `--set-mark`, `--or-mark`. */
export interface Shorthand<T, O extends OptionTable> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly value?: ValueKind<T>;
  readonly negatable?: boolean;
  /** May be given several times: what it becomes takes the place of what was there. */
  readonly adds?: true;
  /** The options that it stands for; `before` is what the extension was given so far. */
  becomes(value: T, negated: boolean, before?: Given<O>): Given<O>;
}

/** An option without a value, `--random`. */
export function flag(name: string, more: Omit<Option<true>, "name" | "value"> = {}): Option<true> {
  return { name, ...more };
}

/** Options by the name that the code uses for them, in the order in which iptables-save prints them. */
// biome-ignore lint/suspicious/noExplicitAny: the table holds options of any value type; `Given` recovers each.
export type OptionTable = Readonly<Record<string, Option<any>>>;

/** An option as a rule has it. */
export interface GivenOption<T> {
  readonly value: T;
  readonly negated: boolean;
}

/** The options that a rule gave, by the names of the option table. */
export type Given<O extends OptionTable = OptionTable> = {
  readonly [K in keyof O]?: GivenOption<O[K] extends Option<infer T> ? T : never>;
};

/** Where a rule stands, for checks that hang on it. */
export interface RuleContext {
  readonly family: Family;
  readonly flavour: Flavour;
  /** The table, when the text says or implies one. */
  readonly table?: string;
  /** The hook, when the rule stands in a built-in chain. */
  readonly hook?: Hook;
  /** `-p` of the rule, when given. */
  readonly protocol?: { readonly value: number; readonly negated: boolean };
  /** `-p` as it was when the extension's last option was read. */
  readonly protocolBefore?: { readonly value: number; readonly negated: boolean };
  /** The matches of the rule, for targets that need one of them. */
  readonly matches?: readonly { readonly name: string; readonly given: Given }[];
}

/** Why iptables would refuse the options, as one sentence without a full stop. */
export interface Refusal {
  readonly refused: string;
  /** What to do about it. */
  readonly help?: string;
}

/** A line of an example: what is typed after `-A CHAIN`, and what iptables-save then prints; `refused` if it is. */
export interface Example {
  readonly typed: string;
  /** Absent: the same as typed. */
  readonly saved?: string;
  readonly refused?: true;
  /** Default: "ipv4". */
  readonly family?: Family;
  /** Default: "filter". */
  readonly table?: string;
}

interface Extension<O extends OptionTable> {
  /** The name after `-m` or `-j`, as iptables-save prints it. */
  readonly name: string;
  /** Other names that iptables loads it by. */
  readonly aliases?: readonly string[];
  /** One line: what it is for. */
  readonly summary: string;
  /** Families that have it; absent: both. */
  readonly families?: readonly Family[];
  readonly options: O;
  /** Protocols of which `-p` must name one; absent: any, or none. */
  readonly protocols?: readonly number[];
  /** The one iptables that has it; absent: both. */
  readonly flavour?: Flavour;
  /** Tables that may hold it; absent: all. */
  readonly tables?: readonly string[];
  /** nft holds it in any table all the same. */
  readonly nftInAnyTable?: true;
  /** Built-in chains from which it may be reached; absent: all. */
  readonly hooks?: readonly Hook[];
  /** Its rules make the kernel track connections; without any such rule, the nat table is not consulted. */
  readonly tracksConnections?: true;
  // biome-ignore lint/suspicious/noExplicitAny: each shorthand has a value type of its own.
  readonly shorthands?: readonly Shorthand<any, O>[];
  /**
   * Fills in the defaults that iptables-save prints, and refuses what iptables refuses. Undefined: nothing remains of a match
   * in the kernel.
   */
  complete?(given: Given<O>, context: RuleContext): Given<O> | Refusal | undefined;
  /** How `iptables -L` shows it. */
  readonly listed?: readonly ListedForm[];
  readonly examples: readonly Example[];
}

/** Why landfall does not model a match: what its answer hangs on, as the end of "it hangs on …". */
export interface Unmodelled {
  readonly hangsOn: string;
  /** Each rule has a state of its own (a token bucket), so that equal options are not the same question. */
  readonly perRule?: true;
}

/** A match: what `-m NAME` and its options ask. */
export interface Match<O extends OptionTable = OptionTable> extends Extension<O> {
  readonly kind: "match";
  /** Protocols whose `-p` loads the match without `-m` when one of its options follows. */
  readonly impliedBy?: readonly number[];
  /** The one spelling of `-p` that loads it; absent: any. */
  readonly impliedOnlyBy?: string;
  /** Given for the matches whose answer is always left open. */
  readonly unmodelled?: Unmodelled;
  meaning(given: Given<O>, context: MeaningContext): MatchMeaning;
  /** How iptables-nft-save shows two of them in one rule as one; undefined when it shows both. */
  togetherInNft?(first: Given<O>, next: Given<O>): Given<O> | undefined;
  /** The text that the match carries for readers of the rule, if it is there for that. */
  remark?(given: Given<O>): string | undefined;
}

/** A target: what `-j NAME` and its options do. */
export interface Target<O extends OptionTable = OptionTable> extends Extension<O> {
  readonly kind: "target";
  meaning(given: Given<O>, context: MeaningContext): Effect;
}

// "This object is a description with these options": the functions let `meaning` see each option's type.
export function defineMatch<const O extends OptionTable>(match: Omit<Match<O>, "kind">): Match<O> {
  return { kind: "match", ...match };
}
export function defineTarget<const O extends OptionTable>(target: Omit<Target<O>, "kind">): Target<O> {
  return { kind: "target", ...target };
}

export function isRefusal(result: object): result is Refusal {
  return "refused" in result;
}
