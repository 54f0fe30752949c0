/** Where a JSON object or array ends that begins at `start`, behind its last character; undefined when it is cut off. */
export function endOfJSON(text: string, start: number): number | undefined {
  let depth = 0;
  const token = /"(?:[^"\\\n]|\\.)*"|[[\]{}]/g;
  token.lastIndex = start;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    if (found[0] === "[" || found[0] === "{") depth++;
    else if (found[0] === "]" || found[0] === "}") depth--;
    if (depth <= 0) return token.lastIndex;
  }
  return undefined;
}
