/** What `landfall explain CODE` tells of a problem code. */

/** Each list holds sentences, one a line. */
export interface Explanation {
  /** What it means. */
  readonly means: readonly string[];
  /** Why it matters: what iptables, kube-proxy or the kernel would do. */
  readonly matters: readonly string[];
  readonly example: Example;
  /** What to do. */
  readonly remedy: readonly string[];
}

/**
 * Inputs as small as they can be, by name. What landfall prints for them is not kept here, but made by running the
 * command: so it is always true.
 */
export type Example =
  | {
      /** What is typed behind `landfall`, its words parted by single blanks. */
      readonly command: string;
      readonly files: Readonly<Record<string, string>>;
      /** The code is part of the command's answer, on standard output; else it is a problem, on standard error. */
      readonly isAnswer?: true;
    }
  | {
      /** For the few codes that no input gives: what is printed. */
      readonly prints: string;
    };
