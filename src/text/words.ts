/**
 * A line as words, the way iptables-restore splits it: at blanks and tabs; only `"` quotes, and only at the start of a
 * word; inside quotes a backslash makes the next character literal.
 */

export interface Words {
  readonly words: readonly string[];
  /** Where each word begins and ends in the line (offsets from 0, quotes included). */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** The line ended inside quotes. */
  readonly openQuote: boolean;
}

const BLANK = 32;
const TAB = 9;
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
    const code = line.charCodeAt(at);
    if (code === BLANK || code === TAB) {
      at++;
      continue;
    }
    const start = at;
    if (code === QUOTE) {
      const closed = closingQuote(line, start + 1);
      openQuote = closed === line.length;
      const inside = line.slice(start + 1, closed);
      words.push(inside.includes("\\") ? inside.replace(/\\([\s\S])/g, "$1") : inside);
      at = Math.min(closed + 1, line.length);
    } else {
      while (at < line.length && line.charCodeAt(at) !== BLANK && line.charCodeAt(at) !== TAB) at++;
      words.push(line.slice(start, at));
    }
    starts.push(start);
    ends.push(at);
  }
  return { words, starts, ends, openQuote };
}

function closingQuote(line: string, from: number): number {
  let at = from;
  while (at < line.length && line.charCodeAt(at) !== QUOTE) at += line.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return Math.min(at, line.length);
}
