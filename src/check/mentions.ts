/** The names and steps that an expectation speaks of. */
import type { Expectation } from "../../grammar/expectation.js";

/** Names `namespace/name:port`, each once. */
export function serviceNamesIn(expectation: Expectation): ReadonlySet<string> {
  const names = new Set<string>();
  for (const part of allParts(expectation)) {
    const service =
      part.kind === "each share"
        ? part.service
        : part.kind === "lands" && part.on.kind === "endpoint"
          ? part.on.service
          : undefined;
    if (service !== undefined) names.add(service);
  }
  return names;
}

/** Numbers of steps, from 1, each once. */
export function stepsIn(expectation: Expectation): ReadonlySet<number> {
  const steps = new Set<number>();
  for (const part of allParts(expectation))
    if (part.kind === "step" || part.kind === "lands again") steps.add(part.step);
  return steps;
}

function* allParts(expectation: Expectation): Iterable<Expectation> {
  const pending = [expectation];
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    yield part;
    if (part.kind === "all" || part.kind === "any") pending.push(...part.parts);
    else if ("of" in part) pending.push(part.of);
  }
}
