/** What a rule demands of a packet's addresses and ports: enough to tell that two rules never meet the same packet. */
import type { Address, Family } from "../../grammar/address.js";
import { type NumberField, partsOf, type Range } from "../../grammar/meaning.js";
import { intersect } from "../evaluate/ranges.js";
import { meaningOf } from "../state/meaning.js";
import type { Rule } from "../state/rules.js";

const FIELDS = ["destination", "protocol", "destinationPort", "source", "sourcePort"] as const;
export type FactField = (typeof FIELDS)[number];

/** Packets that match have the field in these ranges; absent: any value, as far as this look tells. */
export type Facts = { readonly [F in FactField]?: readonly Range[] };

const known = new WeakMap<Rule, Facts>();

export function factsOf(rule: Rule, family: Family): Facts {
  let facts = known.get(rule);
  if (facts === undefined) {
    const found: { -readonly [F in FactField]?: readonly Range[] } = {};
    for (const { condition } of meaningOf(rule, family).matches) {
      for (const one of partsOf(condition)) {
        if (one.kind !== "within" || !isFactField(one.field)) continue;
        const before = found[one.field];
        found[one.field] = before === undefined ? one.ranges : intersect(before, one.ranges);
      }
    }
    facts = found;
    known.set(rule, facts);
  }
  return facts;
}

/** The only value that the field may have. */
export function exactly(ranges: readonly Range[] | undefined): Address | undefined {
  const [range] = ranges ?? [];
  return ranges?.length === 1 && range !== undefined && range.from === range.to ? range.from : undefined;
}

/** No packet meets both. */
export function areDisjoint(left: Facts, right: Facts): boolean {
  return FIELDS.some((field) => {
    const [one, other] = [left[field], right[field]];
    return one !== undefined && other !== undefined && intersect(one, other).length === 0;
  });
}

function isFactField(field: NumberField): field is FactField {
  return (FIELDS as readonly string[]).includes(field);
}
