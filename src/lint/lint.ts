/** Runs the checks. */
import { EXPLANATIONS } from "../explain/codes/all.js";
import { CODES } from "../problems/codes.js";
import type { NodeState } from "../state/nodestate.js";
import { CHECKS } from "./all.js";
import { contextOf } from "./context.js";
import { type Check, FINDING_SEVERITIES, type Finding } from "./finding.js";

/** All that the checks find in what single texts tell of a node; the gravest first, then in the order of the codes. */
export function lint(parts: readonly NodeState[], checks: readonly Check[] = CHECKS): readonly Finding[] {
  const context = contextOf(parts);
  const findings = checks.flatMap((check) =>
    check.find(context).map(
      (found): Finding => ({
        more: 0,
        severity: check.severity,
        sureness: check.sureness,
        ...found,
        code: check.code,
        title: CODES[check.code],
        means: EXPLANATIONS[check.code].means,
        matters: EXPLANATIONS[check.code].matters,
        remedy: EXPLANATIONS[check.code].remedy,
      }),
    ),
  );
  const rank = ({ severity }: Finding) => FINDING_SEVERITIES.indexOf(severity);
  return findings.sort((left, right) => rank(left) - rank(right));
}
