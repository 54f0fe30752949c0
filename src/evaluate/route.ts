/**
 * Routing: by the policy rules in their order to a table, and there to the best route. What nothing given determines
 * becomes a question. Measured on Linux.
 */
import {
  type Address,
  type Family,
  familyOf,
  hostBits,
  maskAddress,
  prefixLength,
} from "../../grammar/address.js";
import { allOf, type Condition, NEVER, type NumberField, type Range, within } from "../../grammar/meaning.js";
import { protocolNumber } from "../../grammar/protocols.js";
import { type Network, type NextHop, type PolicyRule, type Route, usualRules } from "../state/network.js";
import { interfaceNamed, isLinkLocal, isLoopback } from "./addresses.js";
import { contains } from "./ranges.js";
import { bestRoute, type Tables, tableName, tablesOf } from "./tables.js";

/** What routing looks at. `undefined`: not known. */
export interface RouteQuery {
  readonly destination: Address;
  /** null: none yet, of a process that has bound no address. */
  readonly source: Address | null | undefined;
  readonly mark: number | undefined;
  /** null: the packet is the node's own. */
  readonly inInterface: string | null | undefined;
  readonly protocol?: number;
  readonly sourcePort?: number | null | undefined;
  readonly destinationPort?: number | null | undefined;
}

/** How a packet leaves. */
export type Way =
  | { readonly kind: "unknown" }
  /** To the node itself. `dev` is the interface that has the address. */
  | { readonly kind: "local"; readonly dev: string | undefined; readonly src: Address | undefined }
  | {
      readonly kind: "out";
      readonly dev: string;
      readonly via: Address | undefined;
      readonly src: Address | undefined;
    }
  | { readonly kind: "refused"; readonly type: string }
  | { readonly kind: "none" };

/** Where the rules have led: to a route, to a refusal, or nowhere. */
export type Found =
  | { readonly kind: "route"; readonly route: Route }
  | Extract<Way, { readonly kind: "refused" | "none" | "unknown" }>;

/** What is found, or a question on which it hangs; `own`: is the destination an address of the node? */
export type Routed =
  | { readonly kind: "found"; readonly found: Found }
  | {
      readonly kind: "ask";
      readonly about: Condition | "own";
      readonly next: (holds: boolean) => Routed;
    };

/** `take` gets what is taken for granted on the way, in words. */
export function routeOf(
  query: RouteQuery,
  network: Network | undefined,
  take: (words: string) => void = () => {},
): Routed {
  const family = familyOf(query.destination);
  const tables = tablesOf(network, family);
  const rules = policyRulesOf(network, family);
  if (network?.policyRules === undefined) {
    const others = [...tables.named.keys()].filter((name) => !USUAL_TABLES.includes(name));
    if (others.length > 0)
      take(
        `the policy rules (ip rule) are not known: taken to be the usual ones, so that no packet is routed by table ${others.join(", ")}`,
      );
  }
  const merged = family === "ipv4" && !hasOwnRules(network, family);
  return follow({ query, network, tables, rules, merged, take }, 0);
}

interface Search {
  readonly query: RouteQuery;
  readonly network: Network | undefined;
  readonly tables: Tables;
  readonly rules: readonly PolicyRule[];
  /** Until somebody makes policy rules, Linux keeps the IPv4 tables local and main as one: the longest prefix counts. */
  readonly merged: boolean;
  readonly take: (words: string) => void;
}

const USUAL_TABLES: readonly string[] = ["local", "main", "default"];
const NOWHERE: Found = { kind: "none" };

function policyRulesOf(network: Network | undefined, family: Family): readonly PolicyRule[] {
  const own = network?.policyRules?.filter((rule) => rule.family === family) ?? [];
  if (own.length === 0) return usualRules(family);
  return own.sort((left, right) => left.priority - right.priority);
}

/** Whether the node has other policy rules than the usual ones. */
export function hasOwnRules(network: Network | undefined, family: Family): boolean {
  const usual = usualRules(family);
  const rules = policyRulesOf(network, family);
  return (
    rules.length !== usual.length ||
    rules.some((rule, index) => {
      const { priority, table } = usual[index] ?? { priority: -1 };
      return (
        rule.priority !== priority || tableName(rule.table ?? "") !== table || selectorOf(rule).length > 0
      );
    })
  );
}

function follow(search: Search, start: number): Routed {
  const { rules, query } = search;
  for (let index = start; index < rules.length; index++) {
    const rule = rules[index] as PolicyRule;
    const selected = allOf(selectorOf(rule));
    const isFor: Condition = rule.not ? { kind: "not", of: selected } : selected;
    const answer = answerOf(isFor, query);
    if (answer === undefined) {
      const at = index;
      return {
        kind: "ask",
        about: isFor,
        next: (holds) => (holds ? goOn(search, actOn(search, at)) : follow(search, at + 1)),
      };
    }
    if (!answer) continue;
    const next = actOn(search, index);
    if (typeof next !== "number") return next;
    index = next - 1;
  }
  return { kind: "found", found: NOWHERE };
}

function goOn(search: Search, next: Routed | number): Routed {
  return typeof next === "number" ? follow(search, next) : next;
}

/** What a rule comes to, or the index of the rule to go on with. */
function actOn(search: Search, index: number): Routed | number {
  const { rules } = search;
  const rule = rules[index] as PolicyRule;
  switch (rule.action) {
    case "lookup":
      return lookUp(rule, index, search);
    case "goto": {
      // Only forward, and only to a rule that is there.
      const target = rules.findIndex(({ priority }, at) => at > index && priority === rule.goto);
      return target === -1 ? index + 1 : target;
    }
    case "blackhole":
    case "prohibit":
      return { kind: "found", found: { kind: "refused", type: rule.action } };
    case "unreachable":
      return { kind: "found", found: NOWHERE };
    default:
      return index + 1;
  }
}

function lookUp(rule: PolicyRule, index: number, search: Search): Routed | number {
  const { query, network, tables, merged, take } = search;
  if (rule.table === undefined) return lookUpVrf(index, search);
  const name = tableName(rule.table);
  const strict = needsInterface(query) ? (query.inInterface ?? undefined) : undefined;
  const routes = tables.named.get(name) ?? [];
  const route = bestRoute(routes, { ...query, dev: strict });
  const inMain = merged && name === "local" ? bestRoute(tables.named.get("main") ?? [], query) : undefined;
  if (route !== undefined && inMain !== undefined && lengthOf(inMain) > lengthOf(route)) return index + 1;
  if (name === "main" && !tables.mainKnown) return { kind: "found", found: { kind: "unknown" } };
  if (route !== undefined && route.type !== "throw") return suppressed(route, rule, index, search);
  if (name === "local" && !tables.localKnown) {
    return {
      kind: "ask",
      about: "own",
      next: (holds) =>
        holds
          ? { kind: "found", found: { kind: "route", route: ownRoute(query.destination) } }
          : follow(search, index + 1),
    };
  }
  if (routes.length === 0 && !USUAL_TABLES.includes(name) && network !== undefined)
    take(`no routes of table ${rule.table} are given: taken to be empty`);
  return index + 1;
}

function lengthOf({ to }: Route): number {
  return prefixLength(to.mask) ?? 0;
}

/** Of IPv6 destinations that mean something on one link only, the routes of others do not count. */
function needsInterface({ destination }: RouteQuery): boolean {
  return typeof destination === "bigint" && (isLinkLocal(destination) || isLoopback(destination));
}

function ownRoute(address: Address): Route {
  return { type: "local", to: { address, mask: address } };
}

/** `suppress_prefixlength` and `suppress_ifgroup`: some routes that were found are as good as none. */
function suppressed(route: Route, rule: PolicyRule, index: number, search: Search): Routed | number {
  const found: Routed = { kind: "found", found: foundBy(route) };
  if (found.found.kind !== "route") return found;
  const attribute = (name: string) => rule.attributes?.find(([own]) => own === name)?.[1];
  const shortest = attribute("suppress_prefixlength");
  if (shortest !== undefined && lengthOf(route) <= Number(shortest)) return index + 1;
  const group = attribute("suppress_ifgroup");
  if (group === undefined || route.dev === undefined) return found;
  return {
    kind: "ask",
    about: { kind: "unmodelled", question: `interface ${route.dev} is in group ${group}` },
    next: (holds) => (holds ? follow(search, index + 1) : found),
  };
}

function foundBy(route: Route): Found {
  return REFUSING.includes(route.type) ? { kind: "refused", type: route.type } : { kind: "route", route };
}

const REFUSING: readonly string[] = ["blackhole", "unreachable", "prohibit"];

/** The rule for the tables of VRFs: for packets that come by one, whose table no input names. */
function lookUpVrf(index: number, search: Search): Routed | number {
  const { query, network } = search;
  if (query.inInterface === null) return index + 1;
  const unknown: Routed = { kind: "found", found: { kind: "unknown" } };
  if (query.inInterface !== undefined && network?.interfaces !== undefined)
    return interfaceNamed(query.inInterface, network)?.kind === "vrf" ? unknown : index + 1;
  return {
    kind: "ask",
    about: { kind: "unmodelled", question: "the packet comes by an interface of a VRF" },
    next: (holds) => (holds ? unknown : follow(search, index + 1)),
  };
}

/** What a policy rule asks; `iif lo` means the node's own packets. */
function selectorOf({ from, to, fwmark, iif, oif, attributes = [] }: PolicyRule): readonly Condition[] {
  return [
    ...(from === undefined ? [] : [inPrefix("source", from)]),
    ...(to === undefined ? [] : [inPrefix("destination", to)]),
    ...(fwmark === undefined
      ? []
      : [
          {
            kind: "masked",
            field: "mark",
            value: (fwmark.value & fwmark.mask) >>> 0,
            mask: fwmark.mask,
          } as const,
        ]),
    ...(iif === undefined ? [] : [{ kind: "oneOf", field: "inInterface", words: [iif] } as const]),
    // Only a process that binds an interface asks for one.
    ...(oif === undefined ? [] : [NEVER]),
    ...attributes.flatMap(attributeCondition),
  ];
}

function attributeCondition([name, value]: readonly [string, string]): readonly Condition[] {
  switch (name) {
    case "ipproto": {
      const protocol = /^\d+$/.test(value) ? Number(value) : protocolNumber(value);
      return [protocol === undefined ? NEVER : within("protocol", protocol)];
    }
    case "sport":
      return [rangeCondition("sourcePort", value)];
    case "dport":
      return [rangeCondition("destinationPort", value)];
    case "uidrange":
      return [rangeCondition("user", value)];
    case "tos":
    case "dsfield":
      return Number(value) === 0 ? [] : [NEVER];
    case "tun_id":
    case "[detached]":
      return [NEVER];
    default:
      return [];
  }
}

function rangeCondition(field: NumberField, text: string): Condition {
  const [from = "", to = from] = text.split("-");
  return within(field, Number(from), Number(to));
}

function inPrefix(
  field: "source" | "destination",
  { address, mask }: NonNullable<PolicyRule["to"]>,
): Condition {
  const from = maskAddress(address, mask);
  const last =
    typeof from === "number" ? (from | Number(hostBits(mask))) >>> 0 : from | BigInt(hostBits(mask));
  return within(field, from, last);
}

/** A condition of a policy rule for what is known; undefined: it is open. */
function answerOf(condition: Condition, query: RouteQuery): boolean | undefined {
  switch (condition.kind) {
    case "always":
      return true;
    case "not": {
      const answer = answerOf(condition.of, query);
      return answer === undefined ? undefined : !answer;
    }
    case "all": {
      const answers = condition.of.map((one) => answerOf(one, query));
      return answers.includes(false) ? false : answers.includes(undefined) ? undefined : true;
    }
    case "within":
      return isWithin(condition.field, condition.ranges, query);
    case "masked":
      return query.mark === undefined
        ? undefined
        : maskAddress(query.mark, condition.mask) === condition.value;
    case "oneOf": {
      const name = query.inInterface === null ? "lo" : query.inInterface;
      return name === undefined ? undefined : condition.words.includes(name);
    }
    default:
      return undefined;
  }
}

function isWithin(field: NumberField, ranges: readonly Range[], query: RouteQuery): boolean | undefined {
  // What comes from outside counts as the superuser's.
  if (field === "user" && typeof query.inInterface === "string") return contains(ranges, 0);
  const value = Object.hasOwn(query, field) ? query[field as keyof RouteQuery] : undefined;
  if (value === undefined) return undefined;
  return value !== null && typeof value !== "string" && contains(ranges, value);
}

/**
 * The way to an address where nothing hangs on a question, else unknown; an address that may be the node's is taken not
 * to be. By default for a packet of the node's own, before it has a source.
 */
export function wayTo(
  destination: Address | null,
  network: Network | undefined,
  query: Partial<RouteQuery> = {},
): Way {
  const found = certainRoute(destination, network, query);
  if (found.kind !== "route") return found;
  const hops = nextHopsOf(found.route);
  const [hop, ...others] = hops;
  if (others.some(({ dev }) => dev !== hop?.dev)) return { kind: "unknown" };
  return wayBy(found.route, hop, { isOwn: (query.inInterface ?? null) === null });
}

/** As `wayTo`, before one of several next hops is chosen. */
export function certainRoute(
  destination: Address | null,
  network: Network | undefined,
  query: Partial<RouteQuery> = {},
): Found {
  if (destination === null) return { kind: "unknown" };
  let routed = routeOf({ source: null, mark: 0, inInterface: null, ...query, destination }, network);
  while (routed.kind === "ask") {
    if (routed.about !== "own") return { kind: "unknown" };
    routed = routed.next(false);
  }
  return routed.found;
}

/** The hops of a route that a packet may take; one for a route without several. */
export function nextHopsOf({ dev, via, nextHops }: Route): readonly NextHop[] {
  const one: NextHop = { ...(dev === undefined ? {} : { dev }), ...(via === undefined ? {} : { via }) };
  return nextHops?.filter(({ flags }) => !flags?.includes("dead")) ?? [one];
}

/** The way by a hop of a route. `isOwn`: the packet is the node's; one from outside to a broadcast address is for the node. */
export function wayBy(
  { type, dev, src }: Route,
  hop: NextHop | undefined,
  { isOwn }: { readonly isOwn: boolean },
): Way {
  const isForNode = type === "local" || type === "anycast" || (type === "broadcast" && !isOwn);
  if (isForNode) return { kind: "local", dev, src };
  return hop?.dev === undefined ? { kind: "unknown" } : { kind: "out", dev: hop.dev, via: hop.via, src };
}
