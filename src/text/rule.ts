/**
 * One rule's words → terms. Generic over the descriptions in grammar/: this file names no extension.
 *
 * The words are read from left to right, as iptables does: `-m` and `-j` open an extension, an option belongs to the
 * header or to an extension that is open, and `-p tcp --dport` opens one by itself. What iptables would refuse at the end
 * of the line (something is missing, or does not go together) is checked in rule-checks.ts.
 */
import type { Family } from "../../grammar/address.js";
import type { Given, Match, ValueKind } from "../../grammar/description.js";
import {
  HEADER,
  impliedMatches,
  MATCHES,
  matchNamed,
  type Spelling,
  spellingsOf,
  TARGETS,
  targetNamed,
} from "../../grammar/extensions.js";
import type { HeaderGiven } from "../../grammar/header.js";
import { readValue } from "../../grammar/read.js";
import { didYouMean } from "../problems/meant.js";
import { nearest } from "../problems/nearest.js";
import type { Place, Problem } from "../problems/problem.js";
import type { Rule } from "../state/rules.js";
import { checkRule } from "./rule-checks.js";
import type { Draft, Opened, RuleSetting, Unknown } from "./rule-draft.js";
import type { Words } from "./words.js";

export type RuleRead =
  /** Usually one rule; `-s a,b` makes several; none when the line is for the other family (`-4`, `-6`). */
  | { readonly ok: true; readonly rules: readonly Pick<Rule, "header" | "matches" | "target" | "counters">[] }
  | { readonly ok: false };

/** Reads the words of a rule from index `first` on (after `-A CHAIN`). Problems are added to `problems`. */
export function readRule(line: Words, first: number, setting: RuleSetting, problems: Problem[]): RuleRead {
  const draft: Draft = {
    words: line.words,
    setting,
    header: {},
    protocolWord: "",
    alternatives: [],
    matches: [],
    target: undefined,
    counters: undefined,
    at: first,
    negation: undefined,
    otherFamily: false,
    failed: false,
    complain(code, word, message, more = {}) {
      const severity = more.severity ?? "error";
      if (severity === "error") draft.failed = true;
      problems.push({ code, severity, message, place: placeOfWord(line, word, setting), ...more });
    },
  };
  // After the first error the rest of the line could mean anything.
  while (draft.at < draft.words.length && !draft.failed && !draft.otherFamily) readWord(draft);
  if (draft.negation !== undefined && !draft.failed)
    draft.complain("LF1009", draft.negation, "nothing follows the `!`");
  if (draft.failed) return { ok: false };
  if (draft.otherFamily) return { ok: true, rules: [] };
  const terms = checkRule(draft);
  if (terms === undefined) return { ok: false };
  const count = draft.alternatives.reduce((product, { options }) => product * options.length, 1);
  if (count > RULES_MAX) {
    draft.complain("LF1014", first, `its lists of addresses make ${count} rules of this line`);
    return { ok: false };
  }
  let headers: Given[] = [draft.header];
  for (const { key, options } of draft.alternatives) {
    headers = headers.flatMap((header) => options.map((option): Given => ({ ...header, [key]: option })));
  }
  const counters = draft.counters === undefined ? {} : { counters: draft.counters };
  return { ok: true, rules: headers.map((header) => ({ header, ...terms, ...counters })) };
}

/** That lists of addresses may make of one line. */
const RULES_MAX = 1000;

function readWord(draft: Draft): void {
  const word = draft.words[draft.at] ?? "";
  if (word === "!") {
    if (draft.negation !== undefined) draft.complain("LF1009", draft.at, "`!` stands twice");
    draft.negation = draft.at++;
  } else if (Object.hasOwn(FAMILIES, word)) {
    // iptables-restore reads such a line for one family only and skips it silently for the other.
    draft.otherFamily ||= FAMILIES[word] !== draft.setting.family;
    draft.at++;
  } else if (Object.hasOwn(LOADERS, word)) {
    open(draft, LOADERS[word] ?? "match");
  } else if (word === "-c" || word === "--set-counters") {
    takeCounters(draft);
  } else if (word.startsWith("-") && word !== "-") {
    readOption(draft, word);
  } else {
    draft.complain("LF1017", draft.at, `"${shorten(word)}" belongs to no option`, {
      help: "a text with blanks must stand in double quotes",
    });
  }
}

const FAMILIES: Readonly<Record<string, Family>> = {
  "-4": "ipv4",
  "--ipv4": "ipv4",
  "-6": "ipv6",
  "--ipv6": "ipv6",
};

const LOADERS: Readonly<Record<string, "match" | "target" | "goto">> = {
  "-m": "match",
  "--match": "match",
  "-j": "target",
  "--jump": "target",
  "-g": "goto",
  "--goto": "goto",
};

/** `-c PACKETS BYTES`, as `iptables -S -v` prints counters inside the rule. */
function takeCounters(draft: Draft): void {
  const [packets = "", bytes = ""] = draft.words.slice(draft.at + 1, draft.at + 3);
  if (/^\d{1,20}$/.test(packets) && /^\d{1,20}$/.test(bytes)) {
    draft.counters = { packets: BigInt(packets), bytes: BigInt(bytes) };
    draft.at += 3;
  } else {
    draft.complain("LF1005", draft.at, `${draft.words[draft.at]} needs two numbers: packets and bytes`);
  }
}

/** `-m NAME`, `-j NAME`, `-g NAME`. */
function open(draft: Draft, what: "match" | "target" | "goto"): void {
  const loader = draft.words[draft.at] ?? "";
  const name = draft.words[draft.at + 1];
  if (draft.negation !== undefined) {
    draft.complain("LF1009", draft.negation, `\`!\` may not stand before ${loader}`);
  } else if (name === undefined) {
    draft.complain("LF1005", draft.at, `${loader} needs a name`);
  } else {
    draft.at += 2;
    if (what === "match") openMatch(draft, name);
    else openTarget(draft, name, what === "goto");
  }
}

function openMatch(draft: Draft, name: string): void {
  const word = draft.at - 1;
  const description = matchNamed(name, draft.setting.family);
  if (description !== undefined) {
    draft.matches.push({ kind: "opened", description, given: {}, word });
    return;
  }
  unknownExtension(
    draft,
    "LF1003",
    word,
    `match ${name}`,
    "both answers are kept",
    suggestion(name, MATCHES),
  );
  draft.matches.push(takeUnknown(draft, name));
}

function openTarget(draft: Draft, name: string, goto: boolean): void {
  const word = draft.at - 1;
  const { setting } = draft;
  if (draft.target !== undefined)
    draft.complain("LF1008", word - 1, "a rule has one target, this is the second");
  const chain = setting.chainKind(name);
  const description = goto || chain !== undefined ? undefined : targetNamed(name, setting.family);
  if (description !== undefined) {
    draft.target = { kind: "opened", description, given: {}, word };
  } else if (chain === undefined && !goto && looksLikeExtension(name, draft)) {
    unknownExtension(
      draft,
      "LF1004",
      word,
      `target ${name}`,
      "what it does is left open",
      suggestion(name, TARGETS),
    );
    draft.target = takeUnknown(draft, name);
  } else {
    if (chain === "built-in")
      draft.complain("LF1004", word, `a rule may not jump to the built-in chain ${name}`);
    if (chain === undefined && !setting.fragment) {
      draft.complain("LF1004", word, `${name} is neither a target nor a chain that was declared`, {
        severity: setting.complete || (goto && !setting.saved) ? "error" : "warning",
        ...suggestion(name, TARGETS),
        notes: ["iptables-restore knows a chain from a line `:NAME - [0:0]`, or because the node has it"],
      });
    }
    draft.target = { kind: "chain", chain: name, goto };
  }
}

/**
 * An extension that iptables does not have. A node whose rules were saved must have had it; in a text that somebody wrote
 * it is a mistake, unless it is one that people are known to add.
 */
function unknownExtension(
  draft: Draft,
  code: "LF1003" | "LF1004",
  word: number,
  what: string,
  consequence: string,
  more: ReturnType<typeof didYouMean>,
): void {
  const name = draft.words[word] ?? "";
  if (draft.setting.saved || ADDED_EXTENSIONS.has(name)) {
    draft.complain(code, word, `${what} is not known, so ${consequence}`, { severity: "warning", ...more });
  } else {
    draft.complain(code, word, `iptables has no ${what}`, {
      ...more,
      help: "if the node has it from elsewhere, keep the line `# Generated by iptables-save` above its rules",
    });
  }
}

/** Extensions: those of xtables-addons, and others that real dumps hold. */
const ADDED_EXTENSIONS: ReadonlySet<string> = new Set(
  (
    "account asn bcount condition dhcpmac exp fuzzy gradm geoip iface ipp2p ipv4options layer7 length2 lscan mcmac ndpi " +
    "pknock psd quota2 time2 web webmon ACCOUNT ASN BCOUNT CHAOS CONE DELUDE DHCPMAC DNETMAP ECHO FULLCONENAT IMQ IPMARK " +
    "IPV4OPTSSTRIP LOGMARK MIRROR NDPI PROTO ROUTE SYSRQ TARPIT TRIGGER WGOBFS"
  ).split(" "),
);

/** Extensions have names in capitals; a name with options behind it is no chain. A fragment may lack its chains. */
function looksLikeExtension(name: string, { words, at, setting }: Draft): boolean {
  if (words[at]?.startsWith("--") || ADDED_EXTENSIONS.has(name)) return true;
  return !setting.fragment && /^[A-Z][A-Z0-9]*$/.test(name);
}

/** An unknown extension owns the words up to the next `-m`, `-j`, `-g` or header option. */
function takeUnknown(draft: Draft, name: string): Unknown {
  const start = draft.at;
  while (draft.at < draft.words.length) {
    const word = draft.words[draft.at] ?? "";
    const next = word === "!" ? (draft.words[draft.at + 1] ?? "") : word;
    if (Object.hasOwn(LOADERS, next) || spellingsOf(HEADER).has(next)) break;
    draft.at++;
  }
  return { kind: "unknown", name, words: draft.words.slice(start, draft.at) };
}

/**
 * An option: of the extension opened last that has it, of the header, or of a match that the protocol implies. Long
 * names may be cut short as long as one option begins so, as getopt_long has it.
 */
function readOption(draft: Draft, word: string): void {
  const equals = word.startsWith("--") ? word.indexOf("=") : -1;
  const written = equals < 0 ? word : word.slice(0, equals);
  const attached = equals < 0 ? undefined : word.slice(equals + 1);
  const opened = [draft.target, ...[...draft.matches].reverse()].filter((one) => one?.kind === "opened");
  const name = fullName(draft, written, [...opened.map(({ description }) => description), HEADER]);
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

/** The option that `written` names, or the only one that begins so; what the protocol implies is asked last. */
function fullName(
  draft: Draft,
  written: string,
  opened: readonly Parameters<typeof spellingsOf>[0][],
): string {
  const tables = opened.map(spellingsOf);
  if (tables.some((table) => table.has(written)) || !/^--./.test(written)) return written;
  const { protocol } = draft.header as HeaderGiven;
  const implied =
    protocol === undefined || protocol.negated
      ? []
      : impliedMatches(protocol.value, draft.protocolWord, draft.setting.family).map(spellingsOf);
  const abbreviated = onlyBeginning(written, tables, true);
  if (abbreviated !== undefined) return abbreviated;
  // The match that the protocol implies is loaded only when nothing that is loaded has the option.
  return implied.some((table) => table.has(written))
    ? written
    : (onlyBeginning(written, [...tables, ...implied], true) ?? written);
}

/** Commands of iptables that are no part of a rule: a word that begins one of them too is no abbreviation. */
const COMMAND_WORDS = [
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
  ...Object.keys(FAMILIES),
  ...Object.keys(LOADERS),
];

function onlyBeginning(
  written: string,
  tables: readonly ReadonlyMap<string, Spelling>[],
  withCommands: boolean,
): string | undefined {
  const begun = new Map<unknown, string>();
  for (const table of tables) {
    for (const [name, { option }] of table) if (name.startsWith(written)) begun.set(option, name);
  }
  if (withCommands) for (const name of COMMAND_WORDS) if (name.startsWith(written)) begun.set(name, name);
  const [only] = begun.values();
  return begun.size === 1 ? only : undefined;
}

/** `-p tcp --dport` opens the match tcp where the option stands. */
function impliedOwner(draft: Draft, name: string): Opened<Match> | undefined {
  const { protocol } = draft.header as HeaderGiven;
  if (protocol === undefined || protocol.negated || spellingsOf(HEADER).has(name)) return undefined;
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
  const list = spelling.kind === "option" && spelling.option.makesRules === true;
  const values = kind === undefined ? [true] : takeValues(draft, { name, attached, kind, list, word });
  if (draft.failed || values === undefined) return;
  const [value] = values;
  if (owner === undefined && spelling.kind === "option" && spelling.key === "protocol")
    draft.protocolWord = attached ?? draft.words[word + 1] ?? "";
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
    if (!adds && Object.hasOwn(given, key)) draft.complain("LF1008", word, `${name}${where} is given twice`);
    if (one !== undefined) given[key] = one;
  }
}

/** `-s ! 10.0.0.0/8`: iptables before 1.4.3 wrote the `!` behind the option's name. */
function takeOldNegation(draft: Draft, option: Spelling["option"], owner: Opened | undefined): void {
  const old = owner === undefined || (owner.description.kind === "match" && owner.description.impliedBy);
  if (draft.words[draft.at] !== "!" || !option.negatable || option.value === undefined || !old) return;
  if (draft.negation !== undefined) return;
  const { saved, complete } = draft.setting;
  draft.complain("LF1009", draft.at, "a `!` behind its option", {
    severity: saved || complete ? "warning" : "error",
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

/** The value of an option, or all of a list; undefined after a problem. */
function takeValues(
  draft: Draft,
  { name, attached, kind, list, word }: ValueWords,
): readonly unknown[] | undefined {
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
      draft.complain("LF1006", valueWord, `${name} does not take "${shorten(text)}"`, {
        help: `write ${kind.expects}`,
      });
      return undefined;
    }
    values.push(read.value);
  }
  return values;
}

function suggestion(
  word: string,
  known: readonly { readonly name: string }[],
): ReturnType<typeof didYouMean> {
  const near = nearest(
    word,
    known.map(({ name }) => name),
  );
  return didYouMean(near === word ? undefined : near);
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

function placeOfWord(line: Words, word: number, setting: RuleSetting): Place {
  const start = line.starts[word] ?? line.ends.at(-1) ?? 0;
  const end = line.ends[word] ?? start + 1;
  return setting.place(start, end);
}
