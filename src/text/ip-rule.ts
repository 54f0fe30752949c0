/** `ip rule` → policy rules: which packets are routed by which table. Words as iproute2 4.x to 6.x prints them. */
import {
  addressBits,
  type Family,
  familyOf,
  type Network as Prefix,
  prefixLength,
  printAddress,
  printNetwork,
  readNetwork,
} from "../../grammar/address.js";
import { nearest } from "../problems/nearest.js";
import type { Problem, Source } from "../problems/problem.js";
import type { PolicyRule } from "../state/network.js";
import { policyRuleLines } from "./ip-json.js";
import {
  type Complain,
  CUT_OFF,
  complainer,
  ipLines,
  readNumber,
  readPairs,
  remark,
  vocabulary,
  type Word,
  wordsOf,
} from "./ip-words.js";

export interface PolicyRulesRead {
  readonly policyRules: readonly PolicyRule[];
  readonly problems: readonly Problem[];
}

/** Actions that need no value. */
const REFUSALS = ["blackhole", "unreachable", "prohibit", "nop"];
/** Behind an interface that is not there, and a goto whose rule is not there: kept with the name before it. */
const REMARKS = ["[detached]", "[unresolved]"];
const RULE_WORDS = vocabulary(
  "from to tos dsfield fwmark iif oif uidrange ipproto sport dport tun_id lookup table goto suppress_prefixlength suppress_ifgroup realms proto map-to",
  `not l3mdev masquerade ${REFUSALS.join(" ")} ${REMARKS.join(" ")}`,
);

const ALL_BITS = 0xffffffff;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Reads what `ip rule` printed; lines of other kinds become notes. A rule without addresses does not tell its family: it
 * is that of the others in its listing. A listing that tells nothing is of `family`, else of IPv4, and one that follows
 * another is of IPv6 (`ip rule; ip -6 rule`). Never fails.
 */
export function readPolicyRules(source: Source, family?: Family): PolicyRulesRead {
  const problems: Problem[] = [];
  const listings: Rule[][] = [];
  for (const line of ipLines(source, problems, policyRuleLines)) {
    const complain = complainer(source, line, problems);
    const words = wordsOf(line);
    const [priority, second] = words;
    const begins = /^\d{1,10}:$/.test(priority?.text ?? "");
    if (!begins || (second !== undefined && nearest(second.text, ["from", "not"]) === undefined)) {
      remark(complain, "`ip rule`");
      continue;
    }
    const rule = readRule(Number(priority?.text.slice(0, -1)), words.slice(1), complain);
    if (rule === undefined) continue;
    const current = listings.at(-1);
    // Rules stand in ascending order.
    if (current === undefined || rule.priority < (current.at(-1)?.priority ?? 0)) listings.push([rule]);
    else current.push(rule);
  }
  const policyRules = listings.flatMap((rules, index) => {
    const told = familyOfListing(rules) ?? family ?? (index === 0 ? "ipv4" : "ipv6");
    return rules.map((rule): PolicyRule => ({ family: told, ...rule }));
  });
  return { policyRules, problems };
}

type Rule = Mutable<Omit<PolicyRule, "family">>;

/** A rule as it is added; without a priority the kernel chooses one. */
export type AddedRule = Omit<PolicyRule, "family" | "priority"> & { readonly priority?: number };

/** What stands behind `ip rule add`: `from 10.1.0.0/16 fwmark 0x1 table 100 priority 1000`; undefined: it is none. */
export function readAddedRule(text: string): AddedRule | undefined {
  const words = text.trim().split(/\s+/);
  const at = words.findIndex((word) => ["priority", "pref", "preference", "order"].includes(word));
  const [, given] = at === -1 ? [] : words.splice(at, 2);
  if (at !== -1 && !/^\d{1,10}$/.test(given ?? "")) return undefined;
  const not = words[0] === "not" ? words.splice(0, 1) : [];
  // As it would be listed: the source first, and an action last.
  const source = words.includes("from") ? [] : ["from", "all"];
  const acts = words.some((word) => ACTIONS.includes(word)) ? [] : ["lookup", "main"];
  const listed = [...not, ...source, ...words.flatMap((word) => AS_LISTED.get(word) ?? word), ...acts].join(
    " ",
  );
  const line = { text: listed, line: 1, column: 0 };
  const problems: Problem[] = [];
  const rule = readRule(0, wordsOf(line), complainer({ name: "rule", text: listed }, line, problems));
  if (rule === undefined || problems.length > 0) return undefined;
  const { priority: _none, ...added } = rule;
  return given === undefined ? added : { ...added, priority: Number(given) };
}

const ACTIONS: readonly string[] = ["lookup", "table", "goto", "l3mdev", ...REFUSALS];
/** Words that are typed in another way than they are listed. */
const AS_LISTED: ReadonlyMap<string, readonly string[]> = new Map([
  ["type", []],
  ["dev", ["iif"]],
  ["l3mdev", ["lookup", "[l3mdev-table]"]],
]);

function familyOfListing(rules: readonly Rule[]): Family | undefined {
  const address = rules.map(({ from, to }) => (from ?? to)?.address).find((one) => one !== undefined);
  if (address !== undefined) return familyOf(address);
  // IPv6 has no table of that name.
  return rules.some(({ table }) => table === "default") ? "ipv4" : undefined;
}

/** `from 10.0.1.0/24 fwmark 0x1/0xff iif eth0 lookup 100`. */
function readRule(priority: number, words: readonly Word[], complain: Complain): Rule | undefined {
  const pairs = readPairs(words, RULE_WORDS, "a policy rule", complain);
  if (pairs === undefined) return undefined;
  let action: string | undefined;
  let before = "";
  const rule: Mutable<Omit<Rule, "action">> = { priority };
  const attributes: [string, string][] = [];
  for (const pair of pairs) {
    const { name, value, valueWord } = pair;
    const earlier = before;
    before = name;
    if (name === "from" || name === "to") {
      if (value === "all") continue;
      const prefix = readNetwork(value);
      if (prefix === undefined) {
        complain("LF1006", `${name} is all, an address or a prefix, not ${value}`, valueWord, {
          help: CUT_OFF,
        });
        return undefined;
      }
      rule[name] = prefix;
    } else if (name === "fwmark") {
      const fwmark = readFwmark(value);
      if (fwmark === undefined) {
        complain("LF1006", `a mark looks like 0x1/0xff, not ${value}`, valueWord, { help: CUT_OFF });
        return undefined;
      }
      rule.fwmark = fwmark;
    } else if (name === "iif" || name === "oif") rule[name] = value;
    else if (name === "lookup" || name === "table") {
      action = "lookup";
      if (value !== L3MDEV) rule.table = value;
    } else if (name === "goto") {
      const goto = readNumber(pair, 0xffffffff, complain);
      if (goto === undefined) return undefined;
      action = "goto";
      rule.goto = goto;
    } else if (REFUSALS.includes(name)) action = name;
    else if (name === "not") rule.not = true;
    else if (REMARKS.includes(name)) attributes.push([name, earlier]);
    else attributes.push([name, value]);
  }
  if (action === undefined) {
    complain("LF1005", "a policy rule ends with what it does: lookup, goto, unreachable …", undefined, {
      help: CUT_OFF,
    });
    return undefined;
  }
  return { ...rule, action, ...(attributes.length === 0 ? {} : { attributes }) };
}

/** `0x1/0xff`; without a mask all bits count. */
function readFwmark(text: string): PolicyRule["fwmark"] {
  const found = /^(0x[0-9a-f]{1,8}|\d{1,10})(?:\/(0x[0-9a-f]{1,8}))?$/i.exec(text);
  if (found === null) return undefined;
  return { value: Number(found[1]), mask: Number(found[2] ?? ALL_BITS) };
}

/** The rules as `ip rule` prints them; for what it printed, the same text. */
export function printPolicyRules(rules: readonly PolicyRule[]): string {
  return rules.map(printPolicyRule).join("");
}

/** What stands before the action, and what behind it, in iproute2's order. */
const BEFORE = ["uidrange", "ipproto", "sport", "dport", "tun_id"];
const BEHIND = ["suppress_prefixlength", "suppress_ifgroup", "realms", "map-to", "masquerade"];

function printPolicyRule(rule: PolicyRule): string {
  const { priority, from, to, fwmark, iif, oif, action, table, goto, attributes = [] } = rule;
  const named = (name: string, value: string | number | undefined): readonly string[] => {
    if (value === undefined) return [];
    const remarks = attributes.flatMap(([mark, of]) => (of === name && REMARKS.includes(mark) ? [mark] : []));
    return [name, `${value}`, ...remarks];
  };
  const attributesOf = (names: readonly string[]) =>
    names
      .flatMap((name) => attributes.flatMap((pair) => (pair[0] === name ? pair : [])))
      .filter((one) => one !== "");
  const words = [
    ...(rule.not ? ["not"] : []),
    "from",
    from === undefined ? "all" : printPrefix(from),
    ...named("to", to === undefined ? undefined : printPrefix(to)),
    ...attributesOf(["tos", "dsfield"]),
    ...named("fwmark", fwmark === undefined ? undefined : printFwmark(fwmark)),
    ...named("iif", iif),
    ...named("oif", oif),
    ...attributesOf(BEFORE),
    ...(action === "lookup"
      ? ["lookup", table ?? L3MDEV]
      : action === "goto"
        ? named("goto", goto)
        : [action]),
    ...attributesOf(BEHIND),
    ...attributesOf(["proto"]),
  ];
  return `${priority}:\t${words.join(" ")}\n`;
}

const L3MDEV = "[l3mdev-table]";

function printPrefix(prefix: Prefix): string {
  const alone = prefixLength(prefix.mask) === addressBits(familyOf(prefix.address));
  return alone ? printAddress(prefix.address) : printNetwork(prefix);
}

function printFwmark({ value, mask }: NonNullable<PolicyRule["fwmark"]>): string {
  return `0x${value.toString(16)}${mask === ALL_BITS ? "" : `/0x${mask.toString(16)}`}`;
}
