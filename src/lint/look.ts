/** Small questions about rules that several checks ask. */
import { type Address, type Family, familyOf, printAddress, withPort } from "../../grammar/address.js";
import { type Condition, type Effect, partsOf, type Range } from "../../grammar/meaning.js";
import { singleValue, translationOf } from "../explain/proxy-view.js";
import type { RuleAt } from "../explain/service-model.js";
import {
  commentOf,
  ENDPOINT_CHAIN,
  type NamedInComment,
  namedIn,
  withoutColon,
} from "../explain/service-names.js";
import { ruleWords } from "../explain/words.js";
import { meaningOf } from "../state/meaning.js";
import type { Rule } from "../state/rules.js";
import type { RulesView } from "./context.js";
import type { Found, Sighting } from "./finding.js";

/** So many places of a finding are kept; the others are counted. */
const SEEN_MAX = 8;

/** The places of a finding, as rules. */
export function seenRules(rules: readonly RuleAt[], family: Family): Pick<Found, "seen" | "more"> {
  return bounded(rules, (at) => ({
    ...(at.rule.place === undefined ? {} : { place: at.rule.place }),
    words: `${coordinates(at)} ${ruleWords(at.rule, family)}`.trimEnd(),
  }));
}

export function bounded<T>(all: readonly T[], sight: (one: T) => Sighting): Pick<Found, "seen" | "more"> {
  return { seen: all.slice(0, SEEN_MAX).map(sight), more: Math.max(0, all.length - SEEN_MAX) };
}

/** `nat:KUBE-SERVICES:rule:3`, as the kernel's TRACE names it. */
export function coordinates({ table, chain, number }: RuleAt): string {
  return `${table}:${chain}:rule:${number}`;
}

/** The parts of a rule's conditions, all of which must hold; none for what always holds. */
export function askedBy(rule: Rule, family: Family): readonly Condition[] {
  return meaningOf(rule, family).matches.flatMap(({ condition }) => partsOf(condition));
}

/** A chain and all that its rules lead to. */
export function chainsFrom(view: RulesView, table: string, first: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = [first];
  for (let chain = waiting.pop(); chain !== undefined; chain = waiting.pop()) {
    if (seen.has(chain)) continue;
    seen.add(chain);
    for (const { rule } of view.rulesOf(table, chain)) waiting.push(targetOf(rule) ?? first);
  }
  return seen;
}

export function effectOf(rule: Rule, family: Family): Effect {
  return meaningOf(rule, family).effect;
}

/** Whether some part of a condition, however deep, is so. */
export function someWithin(condition: Condition, is: (part: Condition) => boolean): boolean {
  if (is(condition)) return true;
  if (condition.kind === "not") return someWithin(condition.of, is);
  return (
    (condition.kind === "all" || condition.kind === "any") && condition.of.some((one) => someWithin(one, is))
  );
}

export function refuses(effect: Effect): boolean {
  return effect.kind === "reject" || (effect.kind === "verdict" && effect.verdict === "drop");
}

export function targetOf({ target }: Rule): string | undefined {
  return target?.kind === "chain" ? target.chain : undefined;
}

/** What kube-proxy's comment on a rule says. */
export function namedBy(rule: Rule): NamedInComment | undefined {
  const named = namedIn(commentOf(rule) ?? "");
  if (named === undefined) return undefined;
  // A lone word is a name only with its namespace, unless kube-proxy's own words stand behind it.
  const isName = named.name.includes("/") || named.said !== "";
  return isName ? { ...named, name: withoutColon(named.name) } : undefined;
}

/** An endpoint chain's rule that translates. */
export interface EndpointAt {
  readonly at: RuleAt;
  readonly address: Address;
  readonly name: string | undefined;
}

const endpointsOf = new WeakMap<RulesView, readonly EndpointAt[]>();

/** The endpoints that KUBE-SEP chains translate to. */
export function endpointsIn(view: RulesView): readonly EndpointAt[] {
  let endpoints = endpointsOf.get(view);
  if (endpoints === undefined) {
    endpoints = view.rulesIn("nat").flatMap((at) => {
      const address = ENDPOINT_CHAIN.test(at.chain)
        ? translationOf(at.rule, view.family)?.address
        : undefined;
      return address === undefined ? [] : [{ at, address, name: namedBy(at.rule)?.name }];
    });
    endpointsOf.set(view, endpoints);
  }
  return endpoints;
}

/** The networks of pods, as kube-proxy was told them: sources that its cluster IPs' rules spare from masquerading. */
export function podNetworks(view: RulesView): readonly { readonly at: RuleAt; readonly network: Range }[] {
  return view.rulesIn("nat").flatMap((at) => {
    if (targetOf(at.rule) !== "KUBE-MARK-MASQ" || !/^KUBE-(?:SVC|SVL|SERVICES$)/.test(at.chain)) return [];
    return askedBy(at.rule, view.family).flatMap((condition) => {
      const spared = condition.kind === "not" ? condition.of : condition;
      const [range] = spared.kind === "within" && spared.field === "source" ? spared.ranges : [];
      return condition.kind !== "not" || range === undefined ? [] : [{ at, network: range }];
    });
  });
}

export function isIn(address: Address, { from, to }: Range): boolean {
  return familyOf(address) === familyOf(from) && address >= from && address <= to;
}

/** `10.96.0.10:53`, as far as a rule asks for one address and port. */
export function endOf(rule: Rule, family: Family): string | undefined {
  const address = singleValue(rule, "destination", family);
  const port = singleValue(rule, "destinationPort", family);
  if (port === undefined) return undefined;
  return address === undefined ? `port ${port}` : printEnd(address, Number(port));
}

export function printEnd(address: Address, port: number | undefined): string {
  const text = printAddress(address);
  if (port !== undefined) return withPort(text, port);
  return familyOf(address) === "ipv6" ? `[${text}]` : text;
}

const LISTED_MAX = 4;

/** `a, b, c and 5 more`. */
export function listed(words: Iterable<string>): string {
  const all = [...new Set(words)];
  const shown = all.slice(0, LISTED_MAX).join(", ");
  return all.length > LISTED_MAX ? `${shown} and ${all.length - LISTED_MAX} more` : shown;
}

/** Things by a key, in the order in which keys come. */
export function groupedBy<T>(
  all: Iterable<T>,
  keyOf: (one: T) => string | undefined,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    if (key === undefined) continue;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [one]);
    else known.push(one);
  }
  return groups;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
