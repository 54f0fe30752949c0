/**
 * What a rule means: its header and matches as conditions in the order in which the kernel tests them, and its effect.
 * Made from the terms by the descriptions in grammar/, once for each rule.
 */
import type { Family } from "../../grammar/address.js";
import { matchNamed, targetNamed } from "../../grammar/extensions.js";
import { headerCondition } from "../../grammar/header.js";
import type { Effect, MatchMeaning } from "../../grammar/meaning.js";
import type { MatchTerm, Rule, TargetTerm } from "./rules.js";

export interface RuleMeaning {
  /** The header first, then each match. The first that is false ends the rule; those before it have had their effect. */
  readonly matches: readonly MatchMeaning[];
  readonly effect: Effect;
  /** The rule asks for connection tracking. */
  readonly tracksConnections?: true;
}

const meanings = new WeakMap<Rule, RuleMeaning>();

/** The meaning of a rule of an iptables (`ipv4`) or ip6tables (`ipv6`) ruleset. */
export function meaningOf(rule: Rule, family: Family): RuleMeaning {
  let meaning = meanings.get(rule);
  if (meaning === undefined) {
    const tracks = asksForTracking(rule, family);
    meaning = {
      matches: [
        { condition: headerCondition(rule.header) },
        ...rule.matches.map((term) => matchMeaning(term, family)),
      ],
      effect: effectOf(rule.target, family),
      ...(tracks ? { tracksConnections: true } : {}),
    };
    meanings.set(rule, meaning);
  }
  return meaning;
}

function asksForTracking({ matches, target }: Rule, family: Family): boolean {
  return (
    (target?.kind === "target" && targetNamed(target.name, family)?.tracksConnections === true) ||
    matches.some(({ kind, name }) => kind === "match" && matchNamed(name, family)?.tracksConnections === true)
  );
}

function matchMeaning(term: MatchTerm, family: Family): MatchMeaning {
  const match = term.kind === "match" ? matchNamed(term.name, family) : undefined;
  if (term.kind === "match" && match !== undefined) return match.meaning(term.given, { family });
  const words = term.kind === "match" ? [] : term.words;
  return { condition: { kind: "unmodelled", question: ["match", term.name, ...words].join(" ") } };
}

function effectOf(target: TargetTerm | undefined, family: Family): Effect {
  if (target === undefined) return { kind: "note", what: "no target" };
  if (target.kind === "chain") return { kind: target.goto ? "goto" : "jump", chain: target.chain };
  const description = target.kind === "target" ? targetNamed(target.name, family) : undefined;
  if (target.kind === "target" && description !== undefined)
    return description.meaning(target.given, { family });
  const words = target.kind === "target" ? [] : target.words;
  return { kind: "unmodelled", question: ["target", target.name, ...words].join(" "), mayEnd: true };
}
