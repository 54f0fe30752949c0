import type { Code } from "../problems/codes.js";

/**
 * Exit codes. The family of diff and grep: 1 is an answer, above 1 is trouble. Ctrl-C ends the process by its signal, which
 * a shell tells as 130.
 */
export const EXIT = {
  done: 0,
  differs: 1,
  usage: 2,
  unreadable: 3,
  /** Only with --strict: the answer needed an assumption. */
  assumed: 4,
  internal: 70,
} as const;

/** A command that was used wrongly: message and hint for stderr, exit 2. Few faults of usage have a code. */
export class UsageError extends Error {
  readonly hint: string | undefined;
  readonly code: Code | undefined;
  constructor(message: string, hint?: string, code?: Code) {
    super(message);
    this.hint = hint;
    this.code = code;
  }
}

/** Nothing was named, and standard input is a terminal: waiting for it would look like a hang. */
export class NoInputError extends UsageError {
  constructor(usage: string) {
    super("no input was named", usage);
  }
}
