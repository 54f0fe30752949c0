/** The lines of a rules text. */

export interface Line {
  readonly text: string;
  /** From 1. */
  readonly line: number;
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
    else if (code === 34 && (open || at === 0 || line.charCodeAt(at - 1) <= 32)) open = !open;
  }
  return open;
}
