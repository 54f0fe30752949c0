/**
 * What iptables checks when a rule's words are all read: options that must be there or do not go together, protocols
 * that a match needs, tables and hooks that a target may stand in. Defaults are filled in here too.
 */
import {
  type Given,
  isRefusal,
  type Match,
  type RuleContext,
  type Target,
} from "../../grammar/description.js";
import type { HeaderGiven } from "../../grammar/header.js";
import { protocolName } from "../../grammar/protocols.js";
import type { MatchTerm, Rule, TargetTerm } from "../state/rules.js";
import type { Draft, Opened } from "./rule-draft.js";

/** The terms of a rule, or undefined when iptables would refuse it. */
export function checkRule(draft: Draft): Pick<Rule, "matches" | "target"> | undefined {
  const { table, hook, family, flavour } = draft.setting;
  const { protocol } = draft.header as HeaderGiven;
  if (protocol?.negated && protocol.value === 0) {
    draft.complain("LF1010", 0, "`! -p all` matches nothing, and iptables refuses it");
  }
  const { source, destination } = draft.header as HeaderGiven;
  if (draft.alternatives.length > 0 && (source?.negated || destination?.negated))
    draft.complain("LF1009", 0, "`!` does not go with a list of addresses");
  for (const key of ["source", "destination"] as const) {
    const network = (draft.header as HeaderGiven)[key];
    if (flavour === "nft" && network?.negated && !network.value.mask)
      draft.complain("LF1010", 0, "`!` before all addresses matches nothing, and nft refuses it");
  }
  const context: RuleContext = {
    family,
    flavour,
    ...(table === undefined ? {} : { table }),
    ...(hook === undefined ? {} : { hook }),
    ...(protocol === undefined ? {} : { protocol }),
  };
  const matches = draft.matches.flatMap((match): readonly MatchTerm[] => {
    if (match.kind === "unknown") return [{ kind: "unknown-match", name: match.name, words: match.words }];
    const given = complete(match, context, draft);
    return given === undefined ? [] : [{ kind: "match", name: match.description.name, given }];
  });
  const known = matches.flatMap((match) => (match.kind === "match" ? [match] : []));
  const target =
    draft.target === undefined ? undefined : targetTerm(draft.target, { ...context, matches: known }, draft);
  return draft.failed ? undefined : { matches, ...(target === undefined ? {} : { target }) };
}

function targetTerm(target: NonNullable<Draft["target"]>, context: RuleContext, draft: Draft): TargetTerm {
  switch (target.kind) {
    case "opened":
      return { kind: "target", name: target.description.name, given: complete(target, context, draft) ?? {} };
    case "unknown":
      return { kind: "unknown-target", name: target.name, words: target.words };
    case "chain":
      return target;
  }
}

/** The options of one extension with their defaults; at most one problem is said of each. */
function complete(opened: Opened, context: RuleContext, draft: Draft): Given | undefined {
  const { description, word } = opened;
  const given: Given = opened.given;
  const who = `${description.kind} ${description.name}`;
  const misplaced = outOfPlace(description, given, context);
  if (misplaced !== undefined) {
    const { code, why, help } = misplaced;
    draft.complain(code, word, `${who} ${why}`, help === undefined ? {} : { help });
    return given;
  }
  const missing = Object.entries(description.options).find(
    ([key, { required }]) => required && !Object.hasOwn(given, key),
  );
  if (missing !== undefined) {
    draft.complain("LF1010", word, `${who} needs ${missing[1].name}`);
    return given;
  }
  const { protocol } = opened;
  const before = protocol === undefined ? context : { ...context, protocolBefore: protocol };
  const completed = description.complete === undefined ? given : description.complete(given, before);
  if (completed === undefined || !isRefusal(completed)) return completed;
  draft.complain(
    "LF1010",
    word,
    `${who}: ${completed.refused}`,
    completed.help ? { help: completed.help } : {},
  );
  return given;
}

interface Misplaced {
  readonly code: "LF1010" | "LF1011";
  readonly why: string;
  readonly help?: string;
}

/** Whether the rule has the protocol that the extension needs, and stands where it may. */
function outOfPlace(
  description: Match | Target,
  given: Given,
  { protocol, table, hook, ...context }: RuleContext,
): Misplaced | undefined {
  const { protocols, flavour, tables, nftInAnyTable, hooks } = description;
  if (flavour !== undefined && flavour !== context.flavour) {
    return { code: "LF1011", why: `does not exist in iptables-${context.flavour}` };
  }
  // Nobody checks a `!` before the protocol of what nft has expressions of its own for.
  const anySide =
    context.flavour === "nft" &&
    description.kind === "match" &&
    description.togetherInNft?.(given, given) !== undefined;
  const named = protocol !== undefined && (!protocol.negated || anySide) ? protocol.value : undefined;
  if (protocols !== undefined && (named === undefined || !protocols.includes(named))) {
    return { code: "LF1010", why: `needs -p ${protocols.map(protocolName).join(", ")}` };
  }
  const anyTable = nftInAnyTable === true && context.flavour === "nft";
  if (!anyTable && tables !== undefined && table !== undefined && !tables.includes(table)) {
    return {
      code: "LF1011",
      why: `may not stand in table ${table}`,
      help: `it belongs in ${tables.join(" or ")}`,
    };
  }
  if (hooks !== undefined && hook !== undefined && !hooks.includes(hook)) {
    return { code: "LF1011", why: `may not stand in ${hook}`, help: `it belongs in ${hooks.join(" or ")}` };
  }
  return undefined;
}
