/** `--affinity CLIENT=ENDPOINT@AGE`: clients that are known to have been on an endpoint. */
import { familyOf } from "../../grammar/address.js";
import { readSeenClient, type SeenClient } from "../../grammar/seen-client.js";
import { targetsOfLists } from "../evaluate/list-targets.js";
import { nearest } from "../problems/nearest.js";
import { hasErrors, type Problem, placeInLine, placeInText } from "../problems/problem.js";
import type { ReadyQuestion } from "./asking.js";

const FORM = "write CLIENT=ENDPOINT@AGE, for example 10.1.2.3=10.244.1.30:8080@2h";

/** Reads the flag's values, for questions whose rules hold the lists; problems LF1054 are added. */
export function readAffinity(
  texts: readonly string[],
  questions: readonly ReadyQuestion[],
  problems: Problem[],
): readonly SeenClient[] {
  // Then there are no rules to look for an endpoint in.
  const isLost = hasErrors(problems);
  return texts.flatMap((text) => {
    const whole = placeInLine({ name: "--affinity", text }, 1, 1, text.length + 1);
    const complain = (
      problem: Pick<Problem, "message" | "label" | "help">,
      offset: number,
      length: number,
    ) => {
      const place = placeInText(whole, text, offset, length);
      problems.push({ code: "LF1054", severity: "error", place, ...problem });
      return [];
    };
    const read = readSeenClient(text);
    if (!read.ok) {
      const label = `here should be ${read.expected.join(", or ")}`;
      const part = /^[^=@]*/.exec(text.slice(read.offset))?.[0].length || 1;
      return complain({ message: "this affinity cannot be read", label, help: FORM }, read.offset, part);
    }
    const { seen, span } = read;
    const places = new Set(questions.flatMap((question) => placesFor(seen, question)));
    if (isLost || places.has(seen.endpoint)) return [seen];
    const message = `no rule remembers clients of ${seen.endpoint}`;
    return complain({ message, help: helpOf(seen.endpoint, places) }, span.offset, span.length);
  });
}

/** The endpoints for which the rules of the client's family remember clients. */
function placesFor({ client }: SeenClient, { state }: ReadyQuestion): readonly string[] {
  const family = familyOf(client);
  return [state.rulesets[family], state.otherRulesets?.[family]].flatMap((ruleset) =>
    ruleset === undefined ? [] : targetsOfLists(ruleset),
  );
}

const SHOWN_MAX = 5;

function helpOf(endpoint: string, places: ReadonlySet<string>): string {
  if (places.size === 0) return "no Service in these rules has session affinity";
  const near = nearest(endpoint, places);
  if (near !== undefined) return `did you mean ${near}?`;
  const all = [...places].sort();
  const more = all.length - SHOWN_MAX;
  return `clients are remembered for ${all.slice(0, SHOWN_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
