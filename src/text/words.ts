/**
 * A line as words, the way iptables-restore (1.8.9) splits it: at blanks and tabs. Only `"` quotes, and it may open inside a
 * word; where it closes, the word ends. Inside quotes a backslash makes the next character literal. A quote that is not
 * closed holds the rest of the line with its end.
 */

export interface Words {
  readonly words: readonly string[];
  /** Where each word begins and ends in the line (offsets from 0, quotes included). */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** The line ended inside quotes. */
  readonly openQuote: boolean;
}

const TAB = 9;
const LINE_FEED = 10;
const BLANK = 32;
const QUOTE = 34;
const BACKSLASH = 92;

/** Splits a line; never fails. */
export function splitWords(line: string, from = 0): Words {
  const words: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let openQuote = false;
  let at = from;
  while (at < line.length) {
    if (isBlank(line.charCodeAt(at))) {
      at++;
      continue;
    }
    const start = at;
    let code = line.charCodeAt(at);
    while (at < line.length && !isBlank(code) && code !== QUOTE) code = line.charCodeAt(++at);
    let word = line.slice(start, at);
    if (at < line.length && code === QUOTE) {
      const closed = closingQuote(line, at + 1);
      openQuote = closed === line.length;
      const inside = openQuote ? `${line.slice(at + 1)}\n` : line.slice(at + 1, closed);
      word += inside.includes("\\") ? inside.replace(/\\([\s\S])/g, "$1") : inside;
      at = Math.min(closed + 1, line.length);
    }
    words.push(word);
    starts.push(start);
    ends.push(at);
  }
  return { words, starts, ends, openQuote };
}

function isBlank(code: number): boolean {
  return code === BLANK || code === TAB || code === LINE_FEED;
}

function closingQuote(line: string, from: number): number {
  let at = from;
  while (at < line.length && line.charCodeAt(at) !== QUOTE) at += line.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return Math.min(at, line.length);
}
