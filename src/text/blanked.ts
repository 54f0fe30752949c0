/** A stretch of a text, `to` not included. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** The text of these stretches at its line numbers: all other lines are empty. Stretches are of whole lines, in order. */
export function blankedExcept(text: string, stretches: readonly Stretch[]): string {
  let made = "";
  let done = 0;
  for (const { from, to } of stretches) {
    made += text.slice(done, from).replace(/[^\n]+/g, "") + text.slice(from, to);
    done = to;
  }
  return made;
}
