/**
 * Pastes → lines of a dump: what stands before a command (prompts, numbers of grep, log prefixes, marks of diff) is taken
 * off, commands that run together on one line are parted, and lines that a terminal has wrapped are joined. Lines of a
 * dump as iptables-save prints it pass untouched.
 */
import { type Line, linesOf } from "./lines.js";
import { splitWords } from "./words.js";

export interface PastedLine extends Line {
  /** Where `text` begins in the line, from 0; undefined when it was put together from what stands elsewhere. */
  readonly column: number | undefined;
  /** The table that a command line names with `-t`. */
  readonly table?: string;
}

/** A line as iptables-save, `iptables -S` and iptables-restore have it. */
const PLAIN = /^(?:-[AN] |:|\*|#|COMMIT|\[\d|$)/;

/** What a line of a dump, or a command, begins with. */
const START =
  /^(?:(?:\[\d+:\d+\]\s+)?-(?:[AIDRNXFPZE]|-[a-z-]+)(?:\s|$)|:\S+\s+\S+(?:\s+\[|\s*$)|\*[a-z]+\s*$|COMMIT\s*$|#)/;
const COMMAND = /^(?:\[\d+:\d+\]\s+)?(?:-[46]\s+)?-[AIDRNXFPZE](?:\s|$)/;

/** What a line with such a beginning somewhere has in it. */
const START_WITHIN = /-[A-Za-z-]|:[^\s:]+\s+[-A-Z]|\*[a-z]|COMMIT|#/;

/** What stands before a line of a dump, tried one after another as long as one is there. */
const PREFIXES: readonly RegExp[] = [
  /^[\s\u00a0\ufeff]+/,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal
  /^(?:\u001b\[[0-9;]*[A-Za-z])+/,
  // Marks of diff and of quoting.
  /^[<>|](?=\s|[-:*])/,
  /^[+-](?=\s*(?:-[A-Z] |:\S+ \S+ \[|\*[a-z]+\s*$|COMMIT\s*$|\[\d+:\d+\] -))/,
  // Numbers of `grep -n` and `cat -n`, and file names of grep.
  /^\d+(?:[:\-)\]]|\.(?=\s)|(?=\s))\s*(?=(?:\[\d+:\d+\] )?-[A-Z] |:\S+ \S+ \[|\*[a-z]+\s*$|COMMIT\s*$|#)/,
  /^[\w./@-]+:(?:\d+:)?(?=(?:\[\d+:\d+\] )?-[A-Z] |:\S+ \S+ \[|\*[a-z]+\s*$|COMMIT\s*$)/,
  // Log prefixes have a time in them.
  /^[^"]{0,160}?\d\d?:\d\d(?::\d\d)?\b[^"]{0,160}?[\s:\]](?=-[AIDNXFP] [\w.-]+(?:\s|$)|:[\w.-]+ (?:-|ACCEPT|DROP) \[|\*(?:nat|filter|mangle|raw|security)\s*$|COMMIT\s*$)/,
];

/** `iptables -t nat -A …`, after a prompt or `sudo`. */
const CALL =
  /^(?:[^\s"]{0,100}[#$%>~]\s*)?(?:sudo\s+)?(?:\S{0,100}\/)?ip6?tables(?:-legacy|-nft)?\s+(?=(?:\S+\s+){0,8}?-[AINPDXF]\s)/;
const CALL_OPTIONS = /^(?:-t\s+(\w+)|--table[= ](\w+)|-w(?:\s+\d+)?|--wait|-v|-n|-x)\s+/;

/** A line without what stands before it; as it was when it is no line of a dump. */
function withoutPrefix({ text, line }: Line): PastedLine {
  if (PLAIN.test(text) || !START_WITHIN.test(text)) return { text, line, column: 0 };
  let column = 0;
  let table: string | undefined;
  for (let tries = 0; tries < PREFIXES.length && !START.test(text.slice(column)); tries++) {
    const found = PREFIXES.map((prefix) => prefix.exec(text.slice(column))).find((one) => one !== null);
    if (found === undefined) break;
    column += found[0].length;
  }
  const call = CALL.exec(text.slice(column));
  if (call !== null) {
    column += call[0].length;
    for (let options = CALL_OPTIONS.exec(text.slice(column)); options !== null; ) {
      table = options[1] ?? options[2] ?? table;
      column += options[0].length;
      options = CALL_OPTIONS.exec(text.slice(column));
    }
  }
  const rest = text.slice(column);
  if (!START.test(rest)) return { text, line, column: 0 };
  return { text: rest, line, column, ...(table === undefined ? {} : { table }) };
}

/** Commands that stand on one line, one by one. */
function parted(line: PastedLine): readonly PastedLine[] {
  if (!/\S\s+(?:-[AIN] \S|COMMIT\s*$)/.test(line.text) || !COMMAND.test(line.text)) return [line];
  const { words, starts } = splitWords(line.text);
  const cuts = starts.flatMap((start, index) => {
    const word = words[index] ?? "";
    const next = words[index + 1] ?? "";
    const isCommand = /^-[AIN]$/.test(word) && /^[^-!\s]/.test(next);
    const isCommit = word === "COMMIT" && index === words.length - 1;
    if (index < 2 || (!isCommand && !isCommit)) return [];
    return /^\[\d+:\d+\]$/.test(words[index - 1] ?? "") ? [starts[index - 1] ?? start] : [start];
  });
  if (cuts.length === 0) return [line];
  return [0, ...cuts].map((start, index) => ({
    ...line,
    text: line.text.slice(start, cuts[index] ?? line.text.length).trimEnd(),
    column: line.column === undefined ? undefined : line.column + start,
  }));
}

/** What a terminal may have cut off: options, or the rest of a word with options or nothing behind it. */
const CONTINUATION = /^\s*(?:--?[a-z]|!\s|"|[^\s"]+"?(?:\s+(?:--?[a-z]|!\s)|\s*$))/;
/** More than a terminal is wide, and more lines than a rule is long. */
const WRAPPED_MAX = 1000;
const LINES_MAX = 8;

/**
 * The lines of a text. `reads` says whether a command can be read; it is asked about lines that look cut, and about those
 * behind them.
 */
export function* pastedLines(text: string, reads: (command: string) => boolean): Generator<PastedLine> {
  let pending: PastedLine | undefined;
  let joined = 0;
  for (const line of linesOf(text)) {
    if (pending === undefined && line.text === "") continue;
    // The usual line, and the usual line after it.
    if (pending === undefined && PLAIN.test(line.text) && !COMMAND.test(line.text)) {
      yield { ...line, column: 0 };
      continue;
    }
    const clean = withoutPrefix(line);
    if (pending !== undefined) {
      const whole = START.test(clean.text) || joined >= LINES_MAX ? undefined : join(pending, clean, reads);
      if (whole !== undefined) {
        pending = whole;
        joined++;
        continue;
      }
      yield mended(pending, reads);
      pending = undefined;
    }
    const parts = parted(clean);
    for (const part of parts.slice(0, -1)) yield part;
    const last = parts.at(-1) ?? clean;
    joined = 0;
    if (COMMAND.test(last.text)) pending = last;
    else yield last;
  }
  if (pending !== undefined) yield mended(pending, reads);
}

/** The line with the next one, if that is the rest of it. */
function join(
  line: PastedLine,
  next: PastedLine,
  reads: (command: string) => boolean,
): PastedLine | undefined {
  const more = next.text.trim();
  if (more === "" || !CONTINUATION.test(next.text)) return undefined;
  if (line.text.length > WRAPPED_MAX || more.length > WRAPPED_MAX) return undefined;
  const start = line.text.trimEnd();
  const option = /^(?:--?[a-z]|!)/.test(more);
  // A single word of small letters is rather prose, unless the rule needs it.
  const prose = /^[A-Za-z][a-z]*[.:!?]?$/.test(more);
  if (prose && reads(start)) return undefined;
  const candidates = option ? [`${start} ${more}`, start + more] : [start + more, `${start} ${more}`];
  const whole = candidates.find(reads);
  if (whole !== undefined) return { ...line, text: whole, column: undefined };
  // The rest may come in a third line.
  return option && !reads(start) ? { ...line, text: `${start} ${more}`, column: undefined } : undefined;
}

/** A word that was torn apart by the blanks of a terminal's edge. */
function mended(line: PastedLine, reads: (command: string) => boolean): PastedLine {
  if (line.text.length > WRAPPED_MAX || !/\S\s{4,}\S/.test(line.text) || reads(line.text)) return line;
  const text = line.text.replace(/(\S)\s{4,}(?=\S)/g, "$1");
  return reads(text) ? { ...line, text, column: undefined } : line;
}
