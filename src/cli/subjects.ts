/** Words that are inputs, and words that name what is asked about in them. */
import type { IO } from "./io.js";

export interface Split {
  readonly files: readonly string[];
  readonly subjects: readonly string[];
}

/** Inputs are `-` and what exists as a file or folder; all other words are names. */
export function splitInputs(words: readonly string[], io: IO): Split {
  const isInput = (word: string) => word === "-" || io.exists(word);
  return { files: words.filter(isInput), subjects: words.filter((word) => !isInput(word)) };
}
