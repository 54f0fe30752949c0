/**
 * `iptables -L` listings → the commands that they show. A listing is never exact: without `-v` it has no interfaces, long
 * numbers are rounded, and what a match prints for people is read only as far as it is known here.
 */

import type { Family } from "../../grammar/address.js";
import type { Match } from "../../grammar/description.js";
import { MATCHES, targetNamed } from "../../grammar/extensions.js";
import type { ListedForm } from "../../grammar/listing.js";
import { quote } from "../../grammar/values.js";
import { appendAll } from "../problems/append.js";
import type { Problem, Source } from "../problems/problem.js";
import { placeInLine } from "../problems/problem.js";

const CHAIN =
  /^\s*(?:\d+[:-])?Chain (\S+) \((?:policy (\S+)(?: (\d\S*) packets, (\d\S*) bytes)?|\d+ references)\)/;
const HEADER = /^\s*(?:\d+[:-])?(num +)?(pkts +bytes +)?target +prot +opt +(in +out +)?source +destination/;
const PLACE = "!?(?:[0-9a-fA-F.:/]+|[\\w.-]+)";

/** The columns that a listing has: those that the line of their names says, or perhaps has. */
interface Columns {
  readonly number: "yes" | "no" | "perhaps";
  readonly counters: "yes" | "no" | "perhaps";
  readonly interfaces: boolean;
}

/** Rows without a header are mostly those of `-v`. */
const UNTOLD: Columns = { number: "perhaps", counters: "perhaps", interfaces: true };
const NUMBER = "\\d+ +";
const COUNTERS = "(?<packets>\\d+[KMGTP]?) +(?<bytes>\\d+[KMGTP]?) +";
const OFTEN = { yes: "", no: "{0}", perhaps: "?" } as const;

function rowPattern({ number, counters, interfaces }: Columns): RegExp {
  return new RegExp(
    `^\\s*(?:\\d+[:-]\\s*)?(?:${NUMBER})${OFTEN[number]}(?:${COUNTERS})${OFTEN[counters]}(?:(?<target>\\S+) +)?` +
      // A protocol is a word, or with -n a number; the column of options is empty for IPv6.
      "(?!!f )(?<protocol>!?(?:[a-z][a-z0-9-]*|\\d+)) +(?:(?<opt>--|-f|!f) +)?" +
      (interfaces ? "(?<into>\\S+) +(?<out>\\S+) +" : "") +
      `(?<source>${PLACE}) +(?<destination>${PLACE})(?: +(?<rest>.*))?$`,
    "s",
  );
}

export function isListing(text: string): boolean {
  return CHAIN.test(text) || /^ *(?:\d+[KMGT]? +){0,3}\S+ +(?:all|tcp|udp|icmp|\d+) +-- +/m.test(text);
}

/** A listing as text of `iptables -S -v`: lines stand where they stood. */
export interface ListingRead {
  readonly text: string;
  readonly problems: readonly Problem[];
}

export function readListing(source: Source, text: string, family: Family): ListingRead {
  const problems: Problem[] = [];
  const lines: string[] = [];
  let chain: string | undefined;
  let pattern = rowPattern(UNTOLD);
  let lost = 0;
  let unnamed = 0;
  const leftOut = new Map<string, { readonly first: number; readonly count: number }>();
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const head = CHAIN.exec(raw);
    const header = HEADER.exec(raw);
    if (head !== null) {
      chain = head[1] ?? "";
      lines.push(head[2] === undefined ? `-N ${chain}` : `-P ${chain} ${head[2]}`);
    } else if (header !== null) {
      const [, number, counters, interfaces] = header;
      pattern = rowPattern({
        number: number === undefined ? "no" : "yes",
        counters: counters === undefined ? "no" : "yes",
        interfaces: interfaces !== undefined,
      });
      if (interfaces === undefined) lost++;
      lines.push("");
    } else {
      const row = rowText(raw, pattern, family);
      if (row === undefined) {
        if (raw.trim() !== "") problems.push(prose(source, line, raw));
        lines.push("");
      } else if (chain === undefined) {
        unnamed++;
        lines.push("");
      } else {
        if (row.unread !== "") problems.push(unread(source, line, raw, row.unread));
        for (const what of row.leftOut) {
          const { first, count } = leftOut.get(what) ?? { first: line, count: 0 };
          leftOut.set(what, { first, count: count + 1 });
        }
        lines.push(`-A ${chain} ${row.text}`.trimEnd());
      }
    }
  }
  for (const [what, { first, count }] of leftOut) {
    const more = count === 1 ? "" : `, here and in ${count - 1} more`;
    problems.push({
      code: "LF1022",
      severity: "note",
      message: `a listing does not show ${what}${more}: one is made up`,
      place: placeInLine(source, first, 1, 2),
      help: "run `iptables-save`",
    });
  }
  if (lost > 0) {
    problems.push({
      code: "LF1022",
      severity: "warning",
      message: "this listing has no interfaces, so rules may be taken for wider than they are",
      place: placeInLine(source, 1, 1, 2),
      help: "run `iptables-save`, or `iptables -L -n -v`",
    });
  }
  if (unnamed > 0) {
    problems.push({
      code: "LF1022",
      severity: "warning",
      message: `${unnamed} ${unnamed === 1 ? "row stands" : "rows stand"} before the name of any chain, and ${unnamed === 1 ? "is" : "are"} left out`,
      place: placeInLine(source, 1, 1, 2),
      help: "a line `Chain NAME (…)` must come before them",
    });
  }
  return { text: `${lines.join("\n")}\n`, problems };
}

interface Row {
  readonly text: string;
  /** What of the row could not be read. */
  readonly unread: string;
  /** What its matches do not show. */
  readonly leftOut: readonly string[];
}

function rowText(raw: string, pattern: RegExp, family: Family): Row | undefined {
  const found = pattern.exec(raw)?.groups;
  if (found === undefined) return undefined;
  const {
    target,
    protocol = "all",
    opt,
    into = "*",
    out = "*",
    source = "",
    destination = "",
    rest = "",
    packets = "",
    bytes = "",
  } = found;
  // Great numbers are rounded, and then say nothing.
  const words: string[] = /^\d+ \d+$/.test(`${packets} ${bytes}`) ? ["-c", packets, bytes] : [];
  const option = (name: string, value: string): void => {
    if (/^!?(?:anywhere|0\.0\.0\.0\/0|::\/0|all|0|\*)$/.test(value)) return;
    words.push(...(value.startsWith("!") ? ["!", name, value.slice(1)] : [name, value]));
  };
  option("-s", source);
  option("-d", destination);
  // A listing shows no interface and any interface alike.
  option("-i", into === "any" ? "*" : into);
  option("-o", out === "any" ? "*" : out);
  option("-p", protocol);
  if (opt !== undefined && opt !== "--") words.push(...(opt === "!f" ? ["!", "-f"] : ["-f"]));
  const parts = readRest(rest, target, family);
  appendAll(words, parts.matches);
  if (parts.unread !== "") words.push("-m", "unread", quote(parts.unread));
  // Without a target, the column is empty, and the protocol has taken its place.
  if (target !== undefined && target !== "") {
    words.push(parts.goto ? "-g" : "-j", target);
    appendAll(words, parts.options);
  }
  return { text: words.join(" "), unread: parts.unread, leftOut: parts.leftOut };
}

/** Of all matches the forms that may come first, with the match; comments first, since they may look like anything. */
const FIRST_OF_MATCHES = [...MATCHES]
  .sort((left, right) => Number(right.name === "comment") - Number(left.name === "comment"))
  .flatMap((match) => (match.listed ?? []).filter(({ later }) => !later).map((form) => ({ match, form })));

interface Rest {
  readonly matches: readonly string[];
  readonly options: readonly string[];
  readonly goto: boolean;
  readonly unread: string;
  readonly leftOut: readonly string[];
}

/** What stands behind the addresses: matches, then the target's options, each as its extension shows itself. */
function readRest(rest: string, target: string | undefined, family: Family): Rest {
  const matches: { readonly match: Match; readonly words: string[] }[] = [];
  const options: string[] = [];
  const unknown: string[] = [];
  const leftOut: string[] = [];
  const ofTarget = (target === undefined ? undefined : targetNamed(target, family)?.listed) ?? [];
  let atTarget = false;
  let goto = false;
  /** Reads one form at the beginning of the text: how long it is. */
  const readForm = (text: string): number | undefined => {
    if (text.startsWith("[goto]")) {
      goto = true;
      return "[goto]".length;
    }
    const last = atTarget ? undefined : matches.at(-1);
    const more = last && shownBy(last.match.listed ?? [], text);
    if (last !== undefined && more !== undefined && (more.form.later || addsTo(last.words, more.words))) {
      appendAll(last.words, more.words);
      return more.length;
    }
    const option = shownBy(atTarget ? ofTarget : ofTarget.filter(({ later }) => !later), text);
    if (option !== undefined) {
      atTarget = true;
      appendAll(options, option.words);
      return option.length;
    }
    for (const { match, form } of FIRST_OF_MATCHES) {
      const shown = match.families?.includes(family) === false ? undefined : shownBy([form], text);
      if (shown === undefined) continue;
      matches.push({ match, words: [...shown.words] });
      if (form.leftOut !== undefined) leftOut.push(form.leftOut);
      return shown.length;
    }
    return undefined;
  };
  for (let left = rest.trim(); left !== ""; ) {
    let length = readForm(left);
    if (length === undefined) {
      const word = /^\S+/.exec(left)?.[0] ?? left;
      unknown.push(word);
      length = word.length;
    }
    left = left.slice(length).trimStart();
  }
  return {
    matches: matches.flatMap(({ match, words }) => ["-m", match.name, ...words]),
    options,
    goto,
    unread: shorten(unknown.join(" ")),
    leftOut,
  };
}

/** Two matches of one kind show themselves like one; options that are there already are another's. */
function addsTo(words: readonly string[], more: readonly string[]): boolean {
  return !more.some((word) => word.startsWith("--") && words.includes(word));
}

function shownBy(
  forms: readonly ListedForm[],
  text: string,
): { readonly form: ListedForm; readonly words: readonly string[]; readonly length: number } | undefined {
  for (const form of forms) {
    const found = form.form.exec(text);
    if (found !== null && found[0] !== "")
      return { form, words: form.words(found.slice(1)), length: found[0].length };
  }
  return undefined;
}

function shorten(text: string): string {
  return text.length <= UNREAD_MAX ? text : `${text.slice(0, UNREAD_MAX - 1)}…`;
}

const UNREAD_MAX = 200;

function prose(source: Source, line: number, text: string): Problem {
  return {
    code: "LF1001",
    severity: "note",
    message: "this line is no part of a listing",
    place: placeInLine(source, line, 1, text.length + 1),
  };
}

function unread(source: Source, line: number, text: string, what: string): Problem {
  const at = Math.max(0, text.indexOf(what.split(" ")[0] ?? ""));
  return {
    code: "LF1022",
    severity: "warning",
    message: `what this row asks by "${what}" is not read, so both answers are kept`,
    place: placeInLine(source, line, at + 1, text.length + 1),
  };
}
