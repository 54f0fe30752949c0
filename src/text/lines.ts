/** The lines of a rules text. */

export interface Line {
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/**
 * iptables-restore reads at most 10,239 bytes of a line; rules that ran together in a paste may be more. Regular
 * expressions overflow on lines of some million characters.
 */
const LINE_MAX = 1_000_000;

/** The text with lines beyond any sense left empty, and which they are. */
export function withoutLongLines(text: string): { readonly text: string; readonly long: readonly Line[] } {
  if (text.length <= LINE_MAX) return { text, long: [] };
  const long: Line[] = [];
  let kept = "";
  let done = 0;
  for (let start = 0, line = 1; start < text.length; line++) {
    const end = endOfLine(text, start);
    if (end - start > LINE_MAX) {
      long.push({ text: text.slice(start, end), line });
      kept += text.slice(done, start);
      done = end;
    }
    start = end + 1;
  }
  return { text: kept + text.slice(done), long };
}

/** Comments hold at most 255 bytes; a quote that is open for longer was never closed. */
const QUOTED_MAX = 300;

/**
 * The lines without their ends (LF or CR LF). iptables-save prints a line feed inside a comment as it is, so a rule whose
 * quote is open goes on in the next lines, up to the closing quote.
 */
export function* linesOf(text: string): Generator<Line> {
  let start = 0;
  let line = 1;
  while (start < text.length) {
    let end = endOfLine(text, start);
    let content = text.slice(start, end);
    let lines = 1;
    if (quoteIsOpen(content)) {
      const closing = text.slice(end, end + QUOTED_MAX).indexOf('"');
      const joined = closing < 0 ? content : text.slice(start, endOfLine(text, end + closing));
      const added = joined.slice(content.length);
      if (closing >= 0 && !quoteIsOpen(joined) && !/\n(?:-[A-Z] |:|\*|COMMIT|\[\d)/.test(added)) {
        end += added.length;
        content = joined;
        lines += added.split("\n").length - 1;
      }
    }
    yield { text: content.endsWith("\r") ? content.slice(0, -1) : content, line };
    line += lines;
    start = end + 1;
  }
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

/** Whether the line, read as words, ends inside double quotes. */
function quoteIsOpen(line: string): boolean {
  let at = line.indexOf('"');
  if (at < 0) return false;
  let open = false;
  for (; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if (code === 92 && open) at++;
    else if (code === 34) open = !open;
  }
  return open;
}
