/** Which service port a packet went through, as far as the comments of the rules on its way say. */
import { matchNamed } from "../../grammar/extensions.js";
import type { Landing } from "../evaluate/outcome.js";
import type { Rule } from "../state/rules.js";

/** `default/web:http`, with what kube-proxy's comment says behind it ("cluster IP"). */
export interface NamedServicePort {
  readonly name: string;
  /** `cluster IP`, `external IP`, `loadbalancer IP`; empty for a node port. */
  readonly reachedBy: string;
}

const NAMED =
  /^([a-z0-9][-a-z0-9]*\/[a-z0-9][-a-z0-9.]*(?::[a-z0-9-]+)?)(?: (cluster IP|external IP|loadbalancer IP)| -> \S+)?$/;

/** The first rule on the way whose comment names a service port; undefined when none does. */
export function servicePortOf(landing: Landing): NamedServicePort | undefined {
  let found: NamedServicePort | undefined;
  // Steps are linked from the last to the first, so the last one found stands first on the way.
  for (let step = landing.lastStep; step !== undefined; step = step.previous) {
    const text = step.rule === undefined ? undefined : remarkOf(step.rule);
    const named = text === undefined ? null : NAMED.exec(text);
    if (named?.[1] !== undefined) found = { name: named[1], reachedBy: named[2] ?? found?.reachedBy ?? "" };
  }
  return found;
}

/** The text that a rule carries for its readers, if it has one. */
function remarkOf(rule: Rule): string | undefined {
  for (const term of rule.matches) {
    // A remark does not hang on the family.
    const text = term.kind === "match" ? matchNamed(term.name, "ipv4")?.remark?.(term.given) : undefined;
    if (text !== undefined) return text;
  }
  return undefined;
}
