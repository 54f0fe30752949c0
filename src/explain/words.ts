/** Rules in a few words, made from what they mean: generic over conditions and effects. */

import type { Family } from "../../grammar/address.js";
import { type Address, printAddress } from "../../grammar/address.js";
import type { Condition, Effect, NumberField, Range, Rewrite } from "../../grammar/meaning.js";
import { protocolName } from "../../grammar/protocols.js";
import { printRanges } from "../evaluate/cases.js";
import { meaningOf } from "../state/meaning.js";
import type { Rule } from "../state/rules.js";

/** `to 10.96.0.10, udp, port 53 → KUBE-SVC-…`; a rule that asks nothing has only its effect. */
export function ruleWords(rule: Rule, family: Family): string {
  const { matches, effect } = meaningOf(rule, family);
  const asks = matches.flatMap(({ condition }) => conditionWords(condition)).filter((words) => words !== "");
  const does = effectWords(effect);
  return [asks.join(", "), does === "" ? "" : `→ ${does}`].filter((words) => words !== "").join(" ");
}

/** The parts of a condition, each in a few words; none for what always holds. */
function conditionWords(condition: Condition): readonly string[] {
  switch (condition.kind) {
    case "always":
      return [];
    case "all":
      return condition.of.flatMap(conditionWords);
    case "any":
      return [condition.of.map((one) => conditionWords(one).join(" and ")).join(" or ")];
    case "not":
      return [`not ${conditionWords(condition.of).join(" and ")}`];
    case "within":
      return [rangeWords(condition.field, condition.ranges)];
    case "masked":
      return [
        condition.field === "mark"
          ? `mark ${hexOf(condition.value)}${condition.mask === 0xffffffff ? "" : `/${hexOf(condition.mask)}`}`
          : `${condition.field} & ${hexOf(condition.mask)} is ${hexOf(condition.value)}`,
      ];
    case "oneOf":
      return [`${WORD_FIELDS[condition.field] ?? condition.field} ${condition.words.join(" or ")}`];
    case "member":
      return [`${condition.directions.join(",")} in set ${condition.set}`];
    case "chance":
      return [chanceWords(condition.threshold)];
    case "remembered":
      return [
        `${condition.side} seen in list ${condition.list}${condition.seconds ? ` within ${condition.seconds} s` : ""}`,
      ];
    case "counted":
      return [`packet ${condition.packet} of every ${condition.every}`];
    case "unmodelled":
      return [condition.question];
  }
}

/** `1 in 3` where the kernel's integer is the one for 1/n, else a percentage. */
function chanceWords(threshold: number): string {
  const n = Math.round(2 ** 31 / threshold);
  const isOneIn = threshold > 0 && Math.abs(2 ** 31 / n - threshold) <= 1;
  return isOneIn ? `1 in ${n}` : `${((threshold / 2 ** 31) * 100).toPrecision(4)} %`;
}

/** What a rule does, without its conditions. */
function effectWords(effect: Effect): string {
  switch (effect.kind) {
    case "verdict":
      return effect.verdict.toUpperCase();
    case "reject":
      return `REJECT with ${effect.with}`;
    case "return":
      return "RETURN";
    case "jump":
      return effect.chain;
    case "goto":
      return `${effect.chain} (goto)`;
    case "rewrite":
      return `${effect.side === "destination" ? "DNAT" : "SNAT"} ${rewriteWords(effect.to)}`;
    case "netmap":
      return "NETMAP";
    case "masquerade":
      return `MASQUERADE${effect.to.random ? ", random port" : ""}`;
    case "redirect":
      return "REDIRECT to this node";
    case "assign":
      return assignWords(effect);
    case "copy":
      return `copy ${effect.from} to ${effect.to}`;
    case "untrack":
      return "no connection tracking";
    case "note":
      return effect.what === "no target" ? "" : effect.what;
    case "unmodelled":
      return `${effect.question} (not modelled)`;
  }
}

const WORD_FIELDS: Readonly<Record<string, string>> = {
  inInterface: "in",
  outInterface: "out",
  connectionState: "state",
  connectionStatus: "status",
  connectionDirection: "direction",
  sourceType: "from",
  destinationType: "to",
};

function rangeWords(field: NumberField, ranges: readonly Range[]): string {
  switch (field) {
    case "source":
      return `from ${printRanges(ranges)}`;
    case "destination":
      return `to ${printRanges(ranges)}`;
    case "protocol":
      return ranges.map(({ from }) => protocolName(Number(from))).join(" or ");
    case "destinationPort":
      return `port ${printRanges(ranges)}`;
    case "sourcePort":
      return `source port ${printRanges(ranges)}`;
    default:
      return `${field} ${printRanges(ranges)}`;
  }
}

function assignWords({ field, clear, toggle }: Extract<Effect, { kind: "assign" }>): string {
  if (clear === 0) return `toggle ${field} ${hexOf(toggle)}`;
  if (toggle === 0) return `clear ${field} ${hexOf(clear)}`;
  return `set ${field} ${hexOf(toggle)}${clear === 0xffffffff || clear === toggle ? "" : `/${hexOf(clear)}`}`;
}

function rewriteWords({ addresses, ports }: Rewrite): string {
  const range = (from: Address, to: Address, print: (value: Address) => string) =>
    from === to ? print(from) : `${print(from)}-${print(to)}`;
  const address = addresses === undefined ? "" : range(addresses.from, addresses.to, printAddress);
  if (ports === undefined) return address;
  const port = range(ports.from, ports.to, String);
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function hexOf(value: Address): string {
  return `0x${value.toString(16)}`;
}
