/** Columns of text, padded to the widest cell; nothing is ever cut. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters.
const COLOURS = /\u001b\[\d+m/g;

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = head.length === 0 ? rows : [head, ...rows];
  const widths: number[] = [];
  for (const row of all) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  }
  return all.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - widthOf(cell)))
      .join("   ")
      .trimEnd(),
  );
}

/** In characters; colours take no room. */
export function widthOf(text: string): number {
  return [...text.replace(COLOURS, "")].length;
}
