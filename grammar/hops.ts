/** What `ttl` and `hl` share, and what `TTL` and `HL` share. */
import type { Given, Option, Refusal } from "./description.js";
import { type ListedForm, not } from "./listing.js";
import { type Condition, type Effect, negatedIf, within } from "./meaning.js";
import { numberKind } from "./values.js";

const octet = numberKind(0, 255);
const step = numberKind(1, 255);

/** `--ttl-eq`, `--ttl-lt` and `--ttl-gt`, or the same for `hl`. */
export function hopQuestions(word: "ttl" | "hl") {
  return {
    equal: {
      name: `--${word}-eq`,
      aliases: [`--${word}`],
      value: octet,
      negatable: true,
    } satisfies Option<number>,
    below: { name: `--${word}-lt`, value: octet } satisfies Option<number>,
    above: { name: `--${word}-gt`, value: octet } satisfies Option<number>,
  };
}

/** `TTL match TTL == 5`. */
export function listedHops(shown: string, word: "ttl" | "hl"): ListedForm {
  const options: Readonly<Record<string, string>> = { "<": "lt", ">": "gt" };
  return {
    form: new RegExp(`^${shown} match ${shown} (==|!=|<|>) (\\d+)`),
    words: ([how = "", hops = ""]) => [
      ...not(how === "!=" ? how : undefined),
      `--${word}-${options[how] ?? "eq"}`,
      hops,
    ],
  };
}

/** `TTL set to 42`. */
export function listedHopChange(shown: string, word: "ttl" | "hl"): ListedForm {
  return {
    form: new RegExp(`^${shown} (set to|increment by|decrement by) (\\d+)`),
    words: ([how = "", hops = ""]) => [`--${word}-${how.slice(0, 3)}`, hops],
  };
}

/** `--ttl-set`, `--ttl-dec` and `--ttl-inc`, or the same for `hl`. */
export function hopChanges(word: "ttl" | "hl") {
  return {
    set: { name: `--${word}-set`, value: octet } satisfies Option<number>,
    decrement: { name: `--${word}-dec`, value: step } satisfies Option<number>,
    increment: { name: `--${word}-inc`, value: step } satisfies Option<number>,
  };
}

/** Exactly one of the options must be there. */
export function oneOfThem<G extends Given>(given: G, names: string): G | Refusal {
  return Object.keys(given).length === 1 ? given : { refused: `one of ${names} must be given, and only one` };
}

export function hopCondition({ equal, below, above }: Given<ReturnType<typeof hopQuestions>>): Condition {
  if (equal) return negatedIf(equal.negated, within("ttl", equal.value));
  if (below)
    return below.value === 0 ? { kind: "not", of: { kind: "always" } } : within("ttl", 0, below.value - 1);
  const value = above?.value ?? 255;
  return value === 255 ? { kind: "not", of: { kind: "always" } } : within("ttl", value + 1, 255);
}

export function hopEffect({ set, decrement, increment }: Given<ReturnType<typeof hopChanges>>): Effect {
  if (set) return { kind: "hops", how: "set", value: set.value };
  return { kind: "hops", how: "add", value: decrement ? -decrement.value : (increment?.value ?? 0) };
}
