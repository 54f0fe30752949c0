/** Which service port a packet went through, as far as the comments of the rules on its way say. */
import type { Landing } from "../evaluate/outcome.js";
import type { Rule } from "../state/rules.js";
import { commentOf } from "./service-names.js";

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
    const named = step.rule === undefined ? undefined : servicePortNamedBy(step.rule);
    if (named !== undefined)
      found = { name: named.name, reachedBy: named.reachedBy || (found?.reachedBy ?? "") };
  }
  return found;
}

/** The service port that the comment of a rule names. */
export function servicePortNamedBy(rule: Rule): NamedServicePort | undefined {
  const text = commentOf(rule);
  const [, name, reachedBy = ""] = (text === undefined ? null : NAMED.exec(text)) ?? [];
  return name === undefined ? undefined : { name, reachedBy };
}
