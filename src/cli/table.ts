/** Columns of text, padded to the widest cell. Where a terminal is narrower, cells go on below themselves. */
import { type Style, toAscii } from "./style.js";

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters.
const COLOURS = /\u001b\[\d+m/g;
const GAP = "   ";
/** Columns that are narrower are left alone as long as others can give room. */
const COLUMN_MIN = 16;
/** Words are cut to no less than this, and only when nothing else helps; a table may then still be too wide. */
const WORD_MIN = 24;

/** The lines of a table that will stand behind `indent` characters; without a style nothing is wrapped or cut. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { columns, ascii = false }: Partial<Style> = {},
  indent = 0,
): string[] {
  const given = head.length === 0 ? rows : [head, ...rows];
  const all = ascii ? given.map((row) => row.map(toAscii)) : given;
  const widths = widest(all, widthOf);
  if (columns !== undefined) narrow(widths, all, columns - indent);
  return all.flatMap((row) => {
    const cells = row.map((cell, column) => wrapped(cell, widths[column] ?? 0, ascii ? "..." : "…"));
    const height = cells.reduce((most, { length }) => Math.max(most, length), 1);
    return Array.from({ length: height }, (_, line) =>
      cells
        .map((parts, column) => padded(parts[line] ?? "", widths[column] ?? 0))
        .join(GAP)
        .trimEnd(),
    );
  });
}

/** In characters; colours take no room. */
export function widthOf(text: string): number {
  return [...text.replace(COLOURS, "")].length;
}

function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

function widest(rows: readonly (readonly string[])[], measure: (cell: string) => number): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, measure(cell));
  }
  return widths;
}

/** Takes room from the widest columns: first as far as their words stay whole, then at the cost of words. */
function narrow(widths: number[], rows: readonly (readonly string[])[], columns: number): void {
  const words = widest(rows, (cell) =>
    cell.split(" ").reduce((most, word) => Math.max(most, widthOf(word)), 0),
  );
  const steps = [
    words.map((word, column) => Math.max(word, Math.min(widths[column] ?? 0, COLUMN_MIN))),
    words,
    words.map((word) => Math.min(word, WORD_MIN)),
  ];
  for (const least of steps) {
    let over =
      widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1) - Math.max(0, columns);
    while (over > 0) {
      let at = -1;
      for (const [column, width] of widths.entries()) {
        if (width > (least[column] ?? 0) && width > (widths[at] ?? 0)) at = column;
      }
      if (at < 0) break;
      widths[at] = (widths[at] ?? 0) - 1;
      over--;
    }
  }
}

/** A cell in lines of at most `width`; longer words lose their middle. */
function wrapped(cell: string, width: number, mark: string): readonly string[] {
  if (widthOf(cell) <= width) return [cell];
  const lines: string[] = [];
  let line = "";
  for (const word of cell.split(" ")) {
    const whole = shortened(word, width, mark);
    if (line !== "" && widthOf(line) + 1 + widthOf(whole) > width) {
      lines.push(line);
      line = whole;
    } else line = line === "" ? whole : `${line} ${whole}`;
  }
  return coloured([...lines, line]);
}

/** `KUBE-SVC-TCOU…GVUNU` */
function shortened(word: string, width: number, mark: string): string {
  if (widthOf(word) <= width) return word;
  const codes = word.match(COLOURS) ?? [];
  const characters = [...word.replace(COLOURS, "")];
  const kept = Math.max(2, width - mark.length);
  const front = Math.ceil(kept * 0.7);
  const text = `${characters.slice(0, front).join("")}${mark}${characters.slice(front - kept).join("")}`;
  const begins = word.startsWith("\u001b");
  return begins ? `${codes[0]}${text}${codes.slice(1).join("")}` : text + codes.join("");
}

/** A colour that goes on over lines ends with each and begins again, so that it spares the columns beside it. */
function coloured(lines: readonly string[]): readonly string[] {
  let open = "";
  return lines.map((line) => {
    const begin = open;
    for (const [code] of line.matchAll(COLOURS)) open = /\[(?:22|39)m$/.test(code) ? "" : code;
    const end = open === "" ? "" : `\u001b[${/\[3\dm$/.test(open) ? 39 : 22}m`;
    return begin + line + end;
  });
}
