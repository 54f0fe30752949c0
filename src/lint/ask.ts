/**
 * Whether a packet of which some parts are known matches a rule: yes, no, or open. For checks that ask many rules about
 * one packet; where a packet lands is the evaluator's business.
 */
import type { Address, Family } from "../../grammar/address.js";
import type { Condition } from "../../grammar/meaning.js";
import { meaningOf } from "../state/meaning.js";
import type { Rule } from "../state/rules.js";

export type Reply = "yes" | "no" | "open";

/** Parts that are absent are open. */
export interface KnownParts {
  readonly protocol?: Address;
  readonly source?: Address;
  readonly destination?: Address;
  readonly mark?: Address;
  readonly connectionState?: "NEW" | "ESTABLISHED";
  /** Interfaces of which it uses none. */
  readonly notBy?: RegExp;
}

export function matches(rule: Rule, family: Family, known: KnownParts): Reply {
  return allReplies(meaningOf(rule, family).matches.map(({ condition }) => reply(condition, known)));
}

function reply(condition: Condition, known: KnownParts): Reply {
  switch (condition.kind) {
    case "always":
      return "yes";
    case "not":
      return opposite(reply(condition.of, known));
    case "all":
      return allReplies(condition.of.map((one) => reply(one, known)));
    case "any":
      return opposite(allReplies(condition.of.map((one) => opposite(reply(one, known)))));
    case "within": {
      const value = partOf(condition.field, known);
      return value === undefined
        ? "open"
        : yesIf(condition.ranges.some(({ from, to }) => value >= from && value <= to));
    }
    case "masked": {
      const value = partOf(condition.field, known);
      if (value === undefined) return "open";
      return yesIf((BigInt(value) & BigInt(condition.mask)) === BigInt(condition.value));
    }
    case "oneOf": {
      const { field, words } = condition;
      if (field === "connectionState" && known.connectionState !== undefined)
        return words.includes("DNAT") || words.includes("SNAT")
          ? "open"
          : yesIf(words.includes(known.connectionState));
      const isInterface = field === "inInterface" || field === "outInterface";
      return isInterface && known.notBy !== undefined && words.every((word) => known.notBy?.test(word))
        ? "no"
        : "open";
    }
    default:
      return "open";
  }
}

function partOf(field: string, known: KnownParts): Address | undefined {
  switch (field) {
    case "protocol":
    case "source":
    case "destination":
    case "mark":
      return known[field];
    default:
      return undefined;
  }
}

function yesIf(is: boolean): Reply {
  return is ? "yes" : "no";
}

function opposite(one: Reply): Reply {
  return one === "open" ? "open" : one === "yes" ? "no" : "yes";
}

function allReplies(replies: readonly Reply[]): Reply {
  if (replies.includes("no")) return "no";
  return replies.includes("open") ? "open" : "yes";
}
