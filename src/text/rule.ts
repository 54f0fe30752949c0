/**
 * One rule's words ⇄ terms. Generic over the descriptions in grammar/: this file names no extension.
 */
import type { Family } from "../../grammar/address.js";
import {
  type Given,
  type GivenOption,
  isRefusal,
  type Match,
  type OptionTable,
  type RuleContext,
  type Target,
  type ValueKind,
} from "../../grammar/description.js";
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
import type { Hook } from "../../grammar/meaning.js";
import { readValue } from "../../grammar/read.js";
import type { Code } from "../problems/codes.js";
import { nearest } from "../problems/nearest.js";
import { type Place, type Problem, placeInLine, type Severity, type Source } from "../problems/problem.js";
import type { MatchTerm, Rule, TargetTerm } from "../state/rules.js";
import type { Words } from "./words.js";

/** Where the rule stands, and which user chains its table has. */
export interface RuleSetting {
  readonly source: Source;
  readonly line: number;
  readonly family: Family;
  readonly table: string | undefined;
  /** The hook, when the rule stands in a built-in chain. */
  readonly hook: Hook | undefined;
  /** What the table has under this name. */
  chainKind(name: string): "built-in" | "user" | undefined;
  /** All chains that a rule may name are declared here: not so in a payload for `--noflush`. */
  readonly complete: boolean;
}

export type RuleRead =
  /** Usually one rule; `-s a,b` makes several; none when the line is for the other family (`-4`, `-6`). */
  | { readonly ok: true; readonly rules: readonly Pick<Rule, "header" | "matches" | "target">[] }
  | { readonly ok: false };

interface Opened {
  readonly description: Match | Target;
  given: Record<string, GivenOption<unknown>>;
  /** The words of `-m NAME` or `-j NAME`, to point at. */
  readonly word: number;
}

/** Reads the words of a rule from index `first` on (after `-A CHAIN`). Problems are added to `problems`. */
export function readRule(line: Words, first: number, setting: RuleSetting, problems: Problem[]): RuleRead {
  const { words } = line;
  const { family } = setting;
  const header: Record<string, GivenOption<unknown>> = {};
  const alternatives: { key: string; options: GivenOption<unknown>[] }[] = [];
  const matches: (Opened | { unknown: string; words: string[] })[] = [];
  let target: Opened | TargetTerm | undefined;
  let failed = false;
  let at = first;
  let negation: number | undefined;
  let otherFamily = false;

  const complain = (code: Code, word: number, message: string, more: Partial<Problem> = {}): void => {
    const severity: Severity = more.severity ?? "error";
    if (severity === "error") failed = true;
    problems.push({ code, severity, message, place: placeOfWord(line, word, setting), ...more });
  };

  /** Puts an option's value where it belongs; false if the line cannot be followed any further. */
  const take = (
    spelling: Spelling,
    name: string,
    attached: string | undefined,
    into: Opened | undefined,
  ): void => {
    const option = spelling.option;
    const where = into === undefined ? "" : ` of ${into.description.kind} ${into.description.name}`;
    const optionWord = at;
    const negated = negation !== undefined;
    negation = undefined;
    if (negated && !option.negatable) {
      complain("LF1009", optionWord - 1, `\`!\` may not stand before ${name}${where}`, {
        help: `remove the \`!\`: ${name} cannot be inverted`,
      });
    }
    const hooks = spelling.kind === "option" ? spelling.option.hooks : undefined;
    if (setting.hook !== undefined && hooks !== undefined && !hooks.includes(setting.hook)) {
      complain("LF1010", optionWord, `${name} may not be used in ${setting.hook}`, {
        help: `it may be used in ${hooks.join(", ")}`,
      });
    }
    at++;
    let value: unknown = true;
    const kind = option.value as ValueKind<unknown> | undefined;
    if (kind !== undefined) {
      const count = kind.words ?? 1;
      const texts =
        attached === undefined ? words.slice(at, at + count) : [attached, ...words.slice(at, at + count - 1)];
      if (texts.length < count) {
        complain("LF1005", optionWord, `${name} needs a value: ${kind.expects}`);
        at = words.length;
        return;
      }
      const valueWord = attached === undefined ? at : optionWord;
      at += attached === undefined ? count : count - 1;
      const text = texts.join(" ");
      const makesRules = spelling.kind === "option" && spelling.option.makesRules && text.includes(",");
      const read = (makesRules ? text.split(",") : [text]).map((part) => readValue(kind, part, family));
      const bad = read.findIndex((result) => !result.ok);
      if (bad >= 0) {
        complain("LF1006", valueWord, `${name} does not take "${shorten(text)}"`, {
          help: `write ${kind.expects}`,
        });
        return;
      }
      const values = read.map((result) => (result.ok ? result.value : undefined));
      value = values[0];
      if (makesRules && spelling.kind === "option") {
        if (negated) complain("LF1009", optionWord - 1, `\`!\` does not go with a list of addresses`);
        alternatives.push({ key: spelling.key, options: values.map((one) => ({ value: one, negated })) });
      }
    } else if (attached !== undefined) {
      complain("LF1006", optionWord, `${name}${where} takes no value`);
      return;
    }
    const set =
      spelling.kind === "option"
        ? { [spelling.key]: { value, negated } }
        : (spelling.option.becomes(value, negated) as Record<string, GivenOption<unknown>>);
    const given = into === undefined ? header : into.given;
    for (const [key, one] of Object.entries(set)) {
      if (Object.hasOwn(given, key)) {
        complain("LF1008", optionWord, `${name}${where} is given twice`);
      }
      given[key] = one;
    }
  };

  while (at < words.length) {
    const word = words[at] as string;
    if (word === "!") {
      if (negation !== undefined) complain("LF1009", at, "`!` stands twice");
      negation = at;
      at++;
      continue;
    }
    if (word === "-4" || word === "-6" || word === "--ipv4" || word === "--ipv6") {
      // iptables-restore reads such a line for one family only and skips it silently for the other.
      if ((word.includes("4") ? "ipv4" : "ipv6") !== family) otherFamily = true;
      at++;
      continue;
    }
    const load = LOADERS[word];
    if (load !== undefined) {
      if (negation !== undefined) {
        complain("LF1009", negation, `\`!\` may not stand before ${word}`);
        negation = undefined;
      }
      const name = words[at + 1];
      if (name === undefined) {
        complain("LF1005", at, `${word} needs a name`);
        break;
      }
      const named = at + 1;
      at += 2;
      if (load === "match") {
        const match = matchNamed(name, family);
        if (match !== undefined) {
          matches.push({ description: match, given: {}, word: named });
          continue;
        }
        const end = endOfUnknown(words, at);
        complain("LF1003", named, `match ${name} is not known, so both answers are kept`, {
          severity: "warning",
          ...suggestion(
            name,
            MATCHES.map((one) => one.name),
          ),
        });
        matches.push({ unknown: name, words: words.slice(at, end) });
        at = end;
        continue;
      }
      if (target !== undefined) complain("LF1008", named - 1, "a rule has one target, this is the second");
      const chain = setting.chainKind(name);
      const described = load === "goto" || chain !== undefined ? undefined : targetNamed(name, family);
      if (described !== undefined) target = { description: described, given: {}, word: named };
      else if (load === "goto" || chain !== undefined || !looksLikeExtension(name, words[at])) {
        if (chain === "built-in")
          complain("LF1004", named, `a rule may not jump to the built-in chain ${name}`);
        if (chain === undefined) {
          complain("LF1004", named, `${name} is neither a target nor a chain that was declared`, {
            severity: setting.complete ? "error" : "warning",
            ...suggestion(
              name,
              TARGETS.map((one) => one.name),
            ),
            notes: ["iptables-restore knows a chain from a line `:NAME - [0:0]`, or because the node has it"],
          });
        }
        target = { kind: "chain", chain: name, goto: load === "goto" };
      } else {
        const end = endOfUnknown(words, at);
        complain("LF1004", named, `target ${name} is not known, so what it does is left open`, {
          severity: "warning",
          ...suggestion(
            name,
            TARGETS.map((one) => one.name),
          ),
        });
        target = { kind: "unknown-target", name, words: words.slice(at, end) };
        at = end;
      }
      continue;
    }
    if (!word.startsWith("-") || word === "-") {
      complain("LF1017", at, `"${shorten(word)}" belongs to no option`, {
        help: "a text with blanks must stand in double quotes",
      });
      break;
    }
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const name = equals < 0 ? word : word.slice(0, equals);
    const attached = equals < 0 ? undefined : word.slice(equals + 1);
    const opened = [
      ...(target !== undefined && "description" in target ? [target] : []),
      ...matches.filter((match): match is Opened => "description" in match).reverse(),
    ];
    const headerSpelling = spellingsOf(HEADER).get(name);
    const into = opened.find((one) => spellingsOf(one.description).has(name));
    if (headerSpelling !== undefined && into === undefined) {
      take(headerSpelling, name, attached, undefined);
      continue;
    }
    if (into !== undefined) {
      take(spellingsOf(into.description).get(name) as Spelling, name, attached, into);
      continue;
    }
    const protocol = (header as HeaderGiven).protocol;
    const implied = protocol && !protocol.negated ? impliedMatches(protocol.value, family) : [];
    const match = implied.find((one) => spellingsOf(one).has(name));
    if (match !== undefined) {
      const one: Opened = { description: match, given: {}, word: at };
      matches.push(one);
      take(spellingsOf(match).get(name) as Spelling, name, attached, one);
      continue;
    }
    const last = opened[0];
    const needsProtocol = MATCHES.some((one) => one.impliedBy && spellingsOf(one).has(name));
    if (needsProtocol && !protocol) {
      complain("LF1019", at, `${name} needs a protocol before it`, {
        help: "put -p tcp, -p udp or -p sctp first",
      });
    } else {
      const where = last === undefined ? "" : ` in ${last.description.kind} ${last.description.name}`;
      const known = [
        ...opened.flatMap((one) => [...spellingsOf(one.description).keys()]),
        ...spellingsOf(HEADER).keys(),
      ];
      complain("LF1007", at, `unknown option ${shorten(name)}${where}`, suggestion(name, known));
    }
    break;
  }
  if (negation !== undefined && !failed) complain("LF1009", negation, "nothing follows the `!`");
  if (failed) return { ok: false };
  if (otherFamily) return { ok: true, rules: [] };

  const protocol = (header as HeaderGiven).protocol;
  const context: RuleContext = {
    family,
    ...(setting.table === undefined ? {} : { table: setting.table }),
    ...(setting.hook === undefined ? {} : { hook: setting.hook }),
    ...(protocol === undefined ? {} : { protocol }),
  };
  const finish = (opened: Opened): Given => {
    const { description } = opened;
    const options = description.options as OptionTable;
    const who = `${description.kind} ${description.name}`;
    for (const [key, option] of Object.entries(options)) {
      if (option.required && !Object.hasOwn(opened.given, key)) {
        complain("LF1010", opened.word, `${who} needs ${option.name}`);
        return opened.given as Given;
      }
    }
    if (description.kind === "match" && description.impliedBy !== undefined) {
      if (protocol === undefined || protocol.negated || !description.impliedBy.includes(protocol.value)) {
        complain("LF1010", opened.word, `${who} needs -p ${description.name}`);
      }
    }
    if (description.kind === "target" && description.tables !== undefined && context.table !== undefined) {
      if (!description.tables.includes(context.table)) {
        complain("LF1011", opened.word, `${who} may not stand in table ${context.table}`, {
          help: `it belongs in ${description.tables.join(" or ")}`,
        });
      }
    }
    if (description.kind === "target" && description.hooks !== undefined && context.hook !== undefined) {
      if (!description.hooks.includes(context.hook)) {
        complain("LF1011", opened.word, `${who} may not stand in ${context.hook}`, {
          help: `it belongs in ${description.hooks.join(" or ")}`,
        });
      }
    }
    const completed = description.complete?.(opened.given as Given, context) ?? (opened.given as Given);
    if (isRefusal(completed)) {
      complain(
        "LF1010",
        opened.word,
        `${who}: ${completed.refused}`,
        completed.help ? { help: completed.help } : {},
      );
      return opened.given as Given;
    }
    return completed;
  };
  const matchTerms = matches.map(
    (match): MatchTerm =>
      "description" in match
        ? { kind: "match", name: match.description.name, given: finish(match) }
        : { kind: "unknown-match", name: match.unknown, words: match.words },
  );
  const targetTerm: TargetTerm | undefined =
    target !== undefined && "description" in target
      ? { kind: "target", name: target.description.name, given: finish(target) }
      : target;
  if (failed) return { ok: false };
  let headers: Given[] = [header as Given];
  for (const { key, options } of alternatives) {
    headers = headers.flatMap((one) => options.map((option) => ({ ...one, [key]: option }) as Given));
  }
  const rest = { matches: matchTerms, ...(targetTerm === undefined ? {} : { target: targetTerm }) };
  return { ok: true, rules: headers.map((one) => ({ header: one, ...rest })) };
}

const LOADERS: Readonly<Record<string, "match" | "target" | "goto">> = {
  "-m": "match",
  "--match": "match",
  "-j": "target",
  "--jump": "target",
  "-g": "goto",
  "--goto": "goto",
};

/** Extensions have names in capitals; a name with options behind it is no chain. */
function looksLikeExtension(name: string, next: string | undefined): boolean {
  return /^[A-Z][A-Z0-9]*$/.test(name) || (next?.startsWith("--") ?? false);
}

/** An unknown extension owns the words up to the next `-m`, `-j`, `-g` or header option. */
function endOfUnknown(words: readonly string[], from: number): number {
  let at = from;
  while (at < words.length) {
    const word = words[at] as string;
    const next = word === "!" ? words[at + 1] : word;
    if (next !== undefined && (next in LOADERS || spellingsOf(HEADER).has(next))) break;
    at++;
  }
  return at;
}

function suggestion(word: string, known: readonly string[]): { label?: string } {
  const near = nearest(word, known);
  return near === undefined || near === word ? {} : { label: `did you mean ${near}?` };
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

function placeOfWord(line: Words, word: number, setting: RuleSetting): Place {
  const start = line.starts[word] ?? line.ends[line.ends.length - 1] ?? 0;
  const end = line.ends[word] ?? start + 1;
  return placeInLine(setting.source, setting.line, start + 1, end + 1);
}
