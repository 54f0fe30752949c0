/**
 * One option of a rule: which description has it, and what its value is. Generic over the descriptions in grammar/: this
 * file names no extension.
 */
import type { Family } from "../../grammar/address.js";
import type { Match, ValueKind } from "../../grammar/description.js";
import { HEADER, impliedMatches, MATCHES, type Spelling, spellingsOf } from "../../grammar/extensions.js";
import type { HeaderGiven } from "../../grammar/header.js";
import { readValue } from "../../grammar/read.js";
import { didYouMean } from "../problems/meant.js";
import { nearest } from "../problems/nearest.js";
import type { Draft, Opened, RuleSetting } from "./rule-draft.js";
import { splitWords } from "./words.js";

/** An option as it stands in the line. */
export interface NamedOption {
  /** In full, as far as it is known. */
  readonly name: string;
  /** The value that stands in the same word: `--name=value`, `-nvalue`. */
  readonly attached: string | undefined;
}

/** Reads an option of the extension opened last that has it, of the header, or of a match that the protocol implies. */
export function readOption(draft: Draft, { name, attached }: NamedOption): void {
  const opened = openedLastFirst(draft);
  const owner = opened.find((one) => spellingsOf(one.description).has(name)) ?? impliedOwner(draft, name);
  const spelling = spellingsOf(owner?.description ?? HEADER).get(name);
  if (spelling !== undefined) {
    takeOption(draft, { name, attached, spelling, owner });
    return;
  }
  const needsProtocol = MATCHES.some((one) => one.impliedBy && spellingsOf(one).has(name));
  if (needsProtocol && (draft.header as HeaderGiven).protocol === undefined) {
    draft.complain("LF1019", draft.at, `${name} needs a protocol before it`, {
      help: "put -p tcp, -p udp or -p sctp first",
    });
    return;
  }
  const last = opened[0]?.description;
  const where = last === undefined ? "" : ` in ${last.kind} ${last.name}`;
  const known = [...opened.map(({ description }) => description), HEADER].flatMap((one) => [
    ...spellingsOf(one).keys(),
  ]);
  draft.complain(
    "LF1007",
    draft.at,
    `unknown option ${shorten(name)}${where}`,
    didYouMean(nearest(name, known)),
  );
}

/**
 * The option that `written` names, or the only one that begins so: long names may be cut short, as getopt_long has it. What
 * the protocol implies is asked last.
 */
export function fullName(draft: Draft, written: string): string {
  const tables = [...openedLastFirst(draft).map(({ description }) => description), HEADER].map(spellingsOf);
  if (tables.some((table) => table.has(written)) || COMMAND_WORDS.has(written)) return written;
  const { protocol } = draft.header as HeaderGiven;
  const implied =
    protocol === undefined
      ? []
      : impliedMatches(protocol.value, draft.protocolWord, draft.setting.family).map(spellingsOf);
  const begun = (among: typeof tables) => onlyBeginning(written, among, draft.setting);
  const abbreviated = begun(tables);
  if (abbreviated !== undefined) return abbreviated;
  // The match that the protocol implies is loaded only when nothing that is loaded has the option.
  return implied.some((table) => table.has(written)) ? written : (begun([...tables, ...implied]) ?? written);
}

function openedLastFirst({ target, matches }: Draft): readonly Opened[] {
  return [target, ...matches.toReversed()].filter((one) => one?.kind === "opened");
}

/** Other options of iptables: a word that begins one of them too is no abbreviation. */
export const COMMAND_WORDS: ReadonlySet<string> = new Set([
  "--append",
  "--check",
  "--delete",
  "--delete-chain",
  "--exact",
  "--flush",
  "--help",
  "--insert",
  "--line-numbers",
  "--list",
  "--list-rules",
  "--modprobe",
  "--new-chain",
  "--numeric",
  "--policy",
  "--rename-chain",
  "--replace",
  "--set-counters",
  "--table",
  "--verbose",
  "--version",
  "--wait",
  "--wait-interval",
  "--zero",
  ..."--goto --ipv4 --ipv6 --jump --match".split(" "),
]);

function onlyBeginning(
  written: string,
  tables: readonly ReadonlyMap<string, Spelling>[],
  { family, flavour }: RuleSetting,
): string | undefined {
  // ip6tables of nft knows the options of both families, and refuses those of the other later.
  const has = (families: readonly Family[] | undefined) =>
    flavour === "nft" || families?.includes(family) !== false;
  const begun = new Map<unknown, string>();
  for (const table of tables) {
    for (const [name, spelling] of table) {
      const families = spelling.kind === "option" ? spelling.option.families : undefined;
      if (name.startsWith(written) && has(families)) begun.set(spelling.option, name);
    }
  }
  for (const name of COMMAND_WORDS) if (name.startsWith(written)) begun.set(name, name);
  const [only] = begun.values();
  return begun.size === 1 ? only : undefined;
}

/** `-p tcp --dport` opens the match tcp where the option stands. */
function impliedOwner(draft: Draft, name: string): Opened<Match> | undefined {
  const { protocol } = draft.header as HeaderGiven;
  if (protocol === undefined || spellingsOf(HEADER).has(name)) return undefined;
  const description = impliedMatches(protocol.value, draft.protocolWord, draft.setting.family).find((one) =>
    spellingsOf(one).has(name),
  );
  if (description === undefined) return undefined;
  const implied: Opened<Match> = { kind: "opened", description, given: {}, word: draft.at };
  draft.matches.push(implied);
  return implied;
}

interface OptionWord {
  /** As it was spelt. */
  readonly name: string;
  /** The value of `--name=value`. */
  readonly attached: string | undefined;
  readonly spelling: Spelling;
  /** Undefined: the header. */
  readonly owner: Opened | undefined;
}

/** Reads the option's value and puts it where it belongs. */
function takeOption(draft: Draft, { name, attached, spelling, owner }: OptionWord): void {
  const { option } = spelling;
  const word = draft.at++;
  if (attached === undefined) takeOldNegation(draft, option, owner);
  const where = owner === undefined ? "" : ` of ${owner.description.kind} ${owner.description.name}`;
  const negated = draft.negation !== undefined && option.negatable !== "ignored";
  draft.negation = undefined;
  if (negated && !option.negatable) {
    draft.complain("LF1009", word - 1, `\`!\` may not stand before ${name}${where}`, {
      help: `remove the \`!\`: ${name} cannot be inverted`,
    });
  }
  const hooks = spelling.kind === "option" ? spelling.option.hooks : undefined;
  if (draft.setting.hook !== undefined && hooks !== undefined && !hooks.includes(draft.setting.hook)) {
    draft.complain("LF1010", word, `${name} may not be used in ${draft.setting.hook}`, {
      help: `it may be used in ${hooks.join(", ")}`,
    });
  }
  const families = spelling.kind === "option" ? spelling.option.families : undefined;
  if (families !== undefined && !families.includes(draft.setting.family))
    draft.complain("LF1010", word, `${name} does not exist for this family`);
  const kind = option.value as ValueKind<unknown> | undefined;
  const apart = spelling.kind === "option" && spelling.option.apart === true;
  if ((kind === undefined || apart) && attached !== undefined)
    draft.complain("LF1006", word, `${name}${where} takes no value`);
  // iptables takes the whole word for the value of an option of the header.
  const whole = owner === undefined && attached !== undefined ? draft.words[word] : attached;
  const list = spelling.kind === "option" && spelling.option.makesRules === true;
  const values = kind === undefined ? [true] : takeValues(draft, { name, attached: whole, kind, list, word });
  if (draft.failed || values === undefined) return;
  const [value] = values;
  if (whole !== attached) {
    draft.complain(
      "LF1006",
      word,
      `iptables takes "${shorten(whole ?? "")}" as a whole for the value of ${name}`,
      {
        severity: "warning",
        help: `put a blank behind ${name}`,
      },
    );
  }
  if (owner === undefined && spelling.kind === "option" && spelling.key === "protocol")
    draft.protocolWord = whole ?? draft.words[word + 1] ?? "";
  if (values.length > 1 && spelling.kind === "option") {
    if (negated) draft.complain("LF1009", word - 1, "`!` does not go with a list of addresses");
    draft.alternatives.push({ key: spelling.key, options: values.map((one) => ({ value: one, negated })) });
  }
  const set =
    spelling.kind === "option"
      ? { [spelling.key]: { value, negated } }
      : spelling.option.becomes(value, negated, owner?.given);
  const given = owner === undefined ? draft.header : owner.given;
  const { protocol } = draft.header as HeaderGiven;
  if (owner !== undefined && protocol !== undefined) owner.protocol = protocol;
  const adds = spelling.kind === "shorthand" ? spelling.option.adds === true : spelling.option.again === true;
  for (const [key, one] of Object.entries(set)) {
    const before = Object.hasOwn(given, key) ? given[key] : undefined;
    if (!adds && before !== undefined) draft.complain("LF1008", word, `${name}${where} is given twice`);
    // A flag that was inverted once stays so.
    if (one !== undefined)
      given[key] = kind === undefined && before?.negated ? { ...one, negated: true } : one;
  }
}

/** `-s ! 10.0.0.0/8`: iptables before 1.4.3 wrote the `!` behind the option's name. */
function takeOldNegation(draft: Draft, option: Spelling["option"], owner: Opened | undefined): void {
  const old = owner === undefined || (owner.description.kind === "match" && owner.description.impliedBy);
  if (draft.words[draft.at] !== "!" || !option.negatable || option.value === undefined || !old) return;
  if (draft.negation !== undefined) return;
  // In front of another option, it is a value.
  if (draft.words[draft.at + 1]?.startsWith("-") !== false) return;
  draft.complain("LF1009", draft.at, "a `!` behind its option", {
    severity: draft.setting.saved ? "warning" : "error",
    notes: ["iptables wrote it so up to 1.4.2, and newer ones refuse it"],
    help: "put the `!` before the option",
  });
  draft.negation = draft.at++;
}

interface ValueWords {
  readonly name: string;
  readonly attached: string | undefined;
  readonly kind: ValueKind<unknown>;
  /** A comma makes several values. */
  readonly list: boolean;
  readonly word: number;
}

/** As kube-proxy 1.4 wrote the rule for pods that ask for a load balancer's address. */
const EMPTY_SOURCE = "; kube-proxy leaves it empty where it is not told the pods' network (--cluster-cidr)";

/** The value of an option, or all of a list; undefined after a problem. */
function takeValues(
  draft: Draft,
  { name, attached, kind, list, word }: ValueWords,
): readonly unknown[] | undefined {
  if (kind.absent !== undefined && attached === undefined && !/^[^-!]/.test(draft.words[draft.at] ?? ""))
    return [kind.absent];
  const count = kind.words ?? 1;
  const following = draft.words.slice(draft.at, draft.at + count - (attached === undefined ? 0 : 1));
  const texts = attached === undefined ? following : [attached, ...following];
  if (texts.length < count) {
    draft.complain("LF1005", word, `${name} needs a value: ${kind.expects}`);
    return undefined;
  }
  const valueWord = attached === undefined ? draft.at : word;
  draft.at += following.length;
  const text = texts.join(" ");
  const values: unknown[] = [];
  for (const part of list ? text.split(",") : [text]) {
    const read = readValue(kind, part, draft.setting.family);
    if (!read.ok) {
      if (attached === undefined && /^--?[A-Za-z]/.test(text))
        draft.complain("LF1005", valueWord, `${name} has no value: "${shorten(text)}" stands in its place`, {
          notes: [
            "iptables-restore takes it for the value all the same, and refuses the whole table: none of its lines is set",
          ],
          help: `write ${kind.expects}${name === "-s" ? EMPTY_SOURCE : ""}`,
        });
      else
        draft.complain("LF1006", valueWord, `${name} does not take "${shorten(text)}"`, {
          help: `write ${kind.expects}`,
        });
      return undefined;
    }
    values.push(read.value);
    if (count === 1 && /[\s"]/.test(part))
      warnOfBlanks(draft, { name, word: valueWord, kind, value: read.value });
  }
  return values;
}

/** iptables-save prints names as they are. */
function warnOfBlanks(
  draft: Draft,
  given: {
    readonly name: string;
    readonly word: number;
    readonly kind: ValueKind<unknown>;
    readonly value: unknown;
  },
): void {
  const { name, word, kind, value } = given;
  const { words, openQuote } = splitWords(kind.print(value, draft.setting.family));
  if (words.length === 1 && !openQuote) return;
  draft.complain("LF1006", word, `iptables-save prints the value of ${name} without quotes`, {
    severity: "warning",
    notes: ["the text that it prints cannot be loaded again"],
    help: "give it a name without blanks and quotes",
  });
}

/** A text of the line as messages show it. */
export function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
