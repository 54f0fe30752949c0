/** How far long work has come, on standard error. */
import type { IO } from "./io.js";

/** Milliseconds before anything is said, and between two words of it. */
const PATIENCE = 300;

export interface Progress {
  show(done: number, total: number): void;
  /** Takes the line away. */
  end(): void;
}

/** Says so on a terminal only. */
export function progressOn({ stderr }: IO, what: string): Progress {
  let next = Date.now() + PATIENCE;
  let shown = false;
  return {
    show(done, total) {
      if (!stderr.isTerminal || Date.now() < next) return;
      next = Date.now() + PATIENCE;
      shown = true;
      stderr.write(`\r${what} ${done} of ${total}`);
    },
    end() {
      if (shown) stderr.write("\r\u001b[K");
    },
  };
}
