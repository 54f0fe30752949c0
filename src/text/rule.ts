/**
 * One rule's words → terms. Generic over the descriptions in grammar/: this file names no extension.
 *
 * The words are read from left to right, as iptables does: `-m` and `-j` open an extension, an option belongs to the
 * header or to an extension that is open, and `-p tcp --dport` opens one by itself. What iptables would refuse at the end
 * of the line (something is missing, or does not go together) is checked in rule-checks.ts.
 */
import type { Family } from "../../grammar/address.js";
import type { Given } from "../../grammar/description.js";
import { HEADER, MATCHES, matchNamed, spellingsOf, TARGETS, targetNamed } from "../../grammar/extensions.js";
import { scanLong } from "../../grammar/scan.js";
import { didYouMean } from "../problems/meant.js";
import { nearest } from "../problems/nearest.js";
import type { Place, Problem } from "../problems/problem.js";
import type { Rule } from "../state/rules.js";
import { checkRule } from "./rule-checks.js";
import type { Draft, RuleSetting, Unknown } from "./rule-draft.js";
import { fullName, type NamedOption, readOption, shorten } from "./rule-option.js";
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
  // Each source with all destinations, whichever was given first.
  for (const { key, options } of draft.alternatives.toSorted((left) => (left.key === "source" ? -1 : 1))) {
    headers = headers.flatMap((header) => options.map((option): Given => ({ ...header, [key]: option })));
  }
  const counters = draft.counters === undefined ? {} : { counters: draft.counters };
  return { ok: true, rules: headers.map((header) => ({ header, ...terms, ...counters })) };
}

/** That lists of addresses may make of one line. */
const RULES_MAX = 1000;

/** Reads the next word, and what belongs to it, as getopt_long does. */
function readWord(draft: Draft): void {
  const word = draft.words[draft.at] ?? "";
  if (word === "!") {
    if (draft.negation !== undefined) draft.complain("LF1009", draft.at, "`!` stands twice");
    draft.negation = draft.at++;
  } else if (word === "--") {
    // Behind it nothing is an option any more.
    if (draft.words.length > draft.at + 1)
      draft.complain("LF1017", draft.at, "`--` ends the options of a rule");
    draft.at++;
  } else if (word.startsWith("--")) {
    const equals = word.indexOf("=");
    const written = equals < 0 ? word : word.slice(0, equals);
    readNamed(draft, {
      name: fullName(draft, written),
      attached: equals < 0 ? undefined : word.slice(equals + 1),
    });
  } else if (word.startsWith("-") && word !== "-") {
    readLetters(draft, word);
  } else {
    draft.complain("LF1017", draft.at, `"${shorten(word)}" belongs to no option`, {
      help: "a text with blanks must stand in double quotes",
    });
  }
}

/** `-f`, `-i`; letters may stand together (`-fi eth0`), and the value behind its letter (`-gCHAIN`). */
function readLetters(draft: Draft, word: string): void {
  let at = 1;
  for (; at < word.length - 1 && LETTERS_ALONE.includes(word[at] ?? ""); at++) {
    const start = draft.at;
    readNamed(draft, { name: `-${word[at]}`, attached: undefined });
    if (draft.failed || draft.otherFamily) return;
    draft.at = start;
  }
  const attached = at + 1 < word.length ? word.slice(at + 1) : undefined;
  readNamed(draft, { name: `-${word[at]}`, attached });
}

/** Letters of options without a value. */
const LETTERS_ALONE: readonly string[] = ["4", "6", "f", "v"];

/** An option by its full name. */
function readNamed(draft: Draft, named: NamedOption): void {
  const { name, attached } = named;
  const own = OWN_OPTIONS.get(name);
  if (own === undefined) {
    readOption(draft, named);
  } else if (attached !== undefined && (own === "ipv4" || own === "ipv6" || own === "verbose")) {
    draft.complain("LF1006", draft.at, `${name} takes no value`);
  } else if (own === "ipv4" || own === "ipv6") {
    // iptables-restore reads such a line for one family only and skips it silently for the other.
    draft.otherFamily ||= own !== draft.setting.family;
    draft.negation = undefined;
    draft.at++;
  } else if (draft.negation !== undefined && own !== "modprobe") {
    draft.complain("LF1009", draft.negation, `\`!\` may not stand before ${name}`);
  } else if (own === "verbose") {
    draft.at++;
  } else if (own === "modprobe") {
    draft.negation = undefined;
    if (attached === undefined && draft.words[draft.at + 1] === undefined)
      draft.complain("LF1005", draft.at, `${name} needs a command`);
    draft.at += attached === undefined ? 2 : 1;
  } else if (own === "counters") {
    takeCounters(draft, named);
  } else {
    open(draft, own, named);
  }
}

type OwnOption = Family | "match" | "target" | "goto" | "counters" | "verbose" | "modprobe";

/** What a rule may hold besides the options of the header and of extensions. */
const OWN_OPTIONS: ReadonlyMap<string, OwnOption> = new Map<string, OwnOption>([
  ["-m", "match"],
  ["--match", "match"],
  ["-j", "target"],
  ["--jump", "target"],
  ["-g", "goto"],
  ["--goto", "goto"],
  ["-c", "counters"],
  ["--set-counters", "counters"],
  ["-4", "ipv4"],
  ["--ipv4", "ipv4"],
  ["-6", "ipv6"],
  ["--ipv6", "ipv6"],
  ["-v", "verbose"],
  ["--verbose", "verbose"],
  ["-M", "modprobe"],
  ["--modprobe", "modprobe"],
]);

/** `-c PACKETS BYTES` or `-c PACKETS,BYTES`, as `iptables -S -v` prints counters inside the rule. */
function takeCounters(draft: Draft, { name, attached }: NamedOption): void {
  const next = draft.at + (attached === undefined ? 2 : 1);
  const first = attached ?? draft.words[draft.at + 1] ?? "";
  const comma = first.indexOf(",", 1);
  const [packets, bytes] =
    comma < 0 ? [first, draft.words[next] ?? ""] : [first.slice(0, comma), first.slice(comma + 1)];
  const counters = { packets: scannedLong(packets), bytes: scannedLong(bytes) };
  if (draft.counters !== undefined) {
    draft.complain("LF1008", draft.at, `${name} is given twice`);
  } else if (
    counters.packets === undefined ||
    counters.bytes === undefined ||
    (comma < 0 && /^[-!]/.test(bytes))
  ) {
    draft.complain("LF1005", draft.at, `${name} needs two numbers: packets and bytes`);
  } else {
    draft.counters = { packets: counters.packets, bytes: counters.bytes };
    draft.at = comma < 0 ? next + 1 : next;
  }
}

/** A number of 64 bits as sscanf's `%llu` takes it from the beginning of a text. */
function scannedLong(text: string): bigint | undefined {
  const { value, end } = scanLong(text, 0, 10);
  return end === 0 ? undefined : value;
}

/** `-m NAME`, `-j NAME`, `-g NAME`. */
function open(
  draft: Draft,
  what: "match" | "target" | "goto",
  { name: loader, attached }: NamedOption,
): void {
  const word = draft.words[draft.at] ?? "";
  // Of `-jNAME` and `--jump=NAME` iptables takes the whole word for the name.
  const name = attached === undefined ? draft.words[draft.at + 1] : what === "target" ? word : attached;
  if (name === undefined) {
    draft.complain("LF1005", draft.at, `${loader} needs a name`);
  } else {
    draft.at += attached === undefined ? 2 : 1;
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
        severity: setting.complete || (goto && !setting.saved) || /^[-!]/.test(name) ? "error" : "warning",
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

const EXTENSION_OPENERS: ReadonlySet<string> = new Set<OwnOption>(["match", "target", "goto"]);

/** An unknown extension owns the words up to the next `-m`, `-j`, `-g` or header option. */
function takeUnknown(draft: Draft, name: string): Unknown {
  const start = draft.at;
  while (draft.at < draft.words.length) {
    const word = draft.words[draft.at] ?? "";
    const next = word === "!" ? (draft.words[draft.at + 1] ?? "") : word;
    if (EXTENSION_OPENERS.has(OWN_OPTIONS.get(next) ?? "") || spellingsOf(HEADER).has(next)) break;
    draft.at++;
  }
  return { kind: "unknown", name, words: draft.words.slice(start, draft.at) };
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

function placeOfWord(line: Words, word: number, setting: RuleSetting): Place {
  const start = line.starts[word] ?? line.ends.at(-1) ?? 0;
  const end = line.ends[word] ?? start + 1;
  return setting.place(start, end);
}
