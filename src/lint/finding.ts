/** What a finding is: a known fault or trap, where it was seen, and how sure it is. */
import type { Code } from "../problems/codes.js";
import type { Place } from "../problems/problem.js";
import type { LintContext } from "./context.js";

/** `error`: traffic is lost or goes astray; `warning`: it may, or rules are left over; `info`: worth knowing. */
export const FINDING_SEVERITIES = ["error", "warning", "info"] as const;
export type FindingSeverity = (typeof FINDING_SEVERITIES)[number];

/** `sure`: it follows from the inputs; `likely`: the usual cause; `hint`: it hangs on what no input holds. */
export type Sureness = "sure" | "likely" | "hint";

export interface Sighting {
  /** Absent for what was made, and for chains without rules. */
  readonly place?: Place;
  /** `nat:KUBE-SERVICES:rule:3 to 10.96.0.10, udp, port 53 → KUBE-SVC-…`, or another short text. */
  readonly words: string;
}

/** What a check found. */
export interface Found {
  /** Short, lower case, without line numbers: with the code it tells whether two findings are the same. */
  readonly message: string;
  /** The first of those that were seen. */
  readonly seen: readonly Sighting[];
  /** How many more were seen; default 0. */
  readonly more?: number;
  /** Where these differ from those of the check. */
  readonly severity?: FindingSeverity;
  readonly sureness?: Sureness;
}

export interface Check {
  readonly code: Code;
  readonly severity: FindingSeverity;
  readonly sureness: Sureness;
  readonly find: (context: LintContext) => readonly Found[];
}

export interface Finding extends Required<Found> {
  readonly code: Code;
  /** What findings of this code are. */
  readonly title: string;
  /** Sentences. */
  readonly means: readonly string[];
  /** What follows for packets and people. */
  readonly matters: readonly string[];
  readonly remedy: readonly string[];
}
