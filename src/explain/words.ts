/** Rules in a few words, made from what they mean: generic over conditions and effects. */

import type { Family } from "../../grammar/address.js";
import { type Address, printAddress, printNetwork, withPort } from "../../grammar/address.js";
import { TCP_FLAGS } from "../../grammar/matches/tcp.js";
import {
  type Condition,
  type Effect,
  HAS_NO_ENTRY,
  type NumberField,
  type Range,
  type Rewrite,
  type WordField,
} from "../../grammar/meaning.js";
import { protocolName } from "../../grammar/protocols.js";
import { printRanges } from "../evaluate/cases.js";
import { meaningOf } from "../state/meaning.js";
import type { Rule } from "../state/rules.js";

/** `to 10.96.0.10, udp, port 53 → KUBE-SVC-…`; a rule that asks nothing has only its effect. */
export function ruleWords(rule: Rule, family: Family): string {
  const does = [...remembersInWords(rule, family), effectInWords(rule, family)]
    .filter((words) => words !== "")
    .join(", ");
  return [conditionsInWords(rule, family), does === "" ? "" : `→ ${does}`]
    .filter((words) => words !== "")
    .join(" ");
}

/** What a rule asks: `to 10.96.0.10, udp, port 53`; empty when it asks nothing. */
export function conditionsInWords(rule: Rule, family: Family): string {
  const { matches } = meaningOf(rule, family);
  return matches
    .flatMap(({ condition }) => conditionWords(condition))
    .filter((words) => words !== "")
    .join(", ");
}

/** What a rule does with what it asks for: `DNAT 10.244.1.5:53`; empty when it only counts. */
export function effectInWords(rule: Rule, family: Family): string {
  return effectWords(meaningOf(rule, family).effect);
}

/** What a rule's matches do to lists of xt_recent besides being true: `note the source in list KUBE-SEP-…`. */
export function remembersInWords(rule: Rule, family: Family): readonly string[] {
  return meaningOf(rule, family).matches.flatMap(({ effect }) => {
    if (effect === undefined) return [];
    const { action, side, list } = effect;
    if (action === "remove") return [`take the ${side} from list ${list}`];
    return [`note the ${side} in list ${list}${action === "update" ? " anew" : ""}`];
  });
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
      return [negatedWords(condition.of)];
    case "within":
      return [rangeWords(condition.field, condition.ranges)];
    case "masked":
      return [maskedWords(condition)];
    case "oneOf":
      return [wordFieldWords(condition)];
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
    case "reversePath":
      return [condition.loose ? "a route leads back to the source" : "came by the way back to its source"];
    case "hidden":
      return [condition.yes];
    case "unmodelled":
      return [condition.question];
  }
}

function negatedWords(condition: Condition): string {
  if (condition.kind === "always") return "never";
  if (condition.kind === "hidden") return condition.no;
  if (condition === HAS_NO_ENTRY) return "of a tracked connection";
  return `not ${conditionWords(condition).join(" and ")}`;
}

/** `1 in 3` where the kernel's integer is the one for 1/n, or for its five digits in old kube-proxies; else a percentage. */
function chanceWords(threshold: number): string {
  const n = Math.round(2 ** 31 / threshold);
  const isOneIn =
    threshold > 0 &&
    [1 / n, Number((1 / n).toFixed(5))].some((chance) => Math.abs(chance * 2 ** 31 - threshold) <= 1);
  return isOneIn ? `1 in ${n}` : `${((threshold / 2 ** 31) * 100).toPrecision(4)} %`;
}

/** What a rule does, without its conditions. */
function effectWords(effect: Effect): string {
  switch (effect.kind) {
    case "verdict":
      if (effect.bypass !== undefined) return `QUEUE, or ACCEPT when no process listens to ${effect.bypass}`;
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
      return `${effect.side === "destination" ? "DNAT" : "SNAT"} ${rewriteWords(effect.to)}${drawWords(effect.to)}`;
    case "netmap":
      return `NETMAP ${printNetwork({ address: effect.network, mask: effect.mask })}`;
    case "tproxy":
      return `TPROXY to port ${effect.port === 0 ? "of the packet" : effect.port}`;
    case "masquerade":
      return `MASQUERADE${portWords(effect.to)}${drawWords(effect.to)}`;
    case "redirect":
      return `REDIRECT to this node${portWords(effect.to)}${drawWords(effect.to)}`;
    case "assign":
      return assignWords(effect);
    case "copy":
      return `copy ${FIELD_NAMES[effect.from]} to ${FIELD_NAMES[effect.to]}`;
    case "several":
      return effect.effects.map(effectWords).join(", ");
    case "hops":
      if (effect.how === "set") return `set TTL ${effect.value}`;
      return `TTL ${effect.value < 0 ? "" : "+"}${effect.value}`;
    case "obscure":
      return `set mark by ${effect.by}`;
    case "list":
      return `${effect.action === "add" ? "add to" : "remove from"} set ${effect.set}: ${effect.directions.join(",")}`;
    case "untrack":
      return "no connection tracking";
    case "zone":
      return zoneWords(effect);
    case "note":
      return effect.what === "no target" ? "" : effect.what;
    case "unmodelled":
      return `${effect.question} (not modelled)`;
  }
}

function zoneWords({ zone, directions }: Extract<Effect, { kind: "zone" }>): string {
  if (zone === 0) return "CT";
  const name = zone === "mark" ? "of the mark" : zone;
  return directions === "both"
    ? `connection zone ${name}`
    : `connection zone ${name}, ${directions} direction`;
}

const WORD_FIELDS: Readonly<Record<WordField, string>> = {
  inInterface: "in",
  outInterface: "out",
  connectionState: "state",
  connectionStatus: "status",
  connectionDirection: "direction",
  sourceType: "from",
  destinationType: "to",
  inPort: "in by bridge port",
  outPort: "bridged out by port",
  sourceMac: "from MAC",
  frame: "frame addressed as",
  sender: "sent by",
  extraHeader: "with",
};

/** What a word means that stands for all, or for what it is short for. */
const WORD_MEANINGS: Readonly<Partial<Record<WordField, Readonly<Record<string, string>>>>> = {
  inPort: { "+": "in by a bridge port" },
  outPort: { "+": "bridged" },
  sourceMac: { "+": "in an Ethernet frame" },
  sender: { process: "sent by a process", kernel: "sent by the kernel", none: "without a socket" },
  extraHeader: {
    ipsec: "under IPsec",
    hop: "with a hop-by-hop header",
    dst: "with a destination options header",
    route: "with a routing header",
    frag: "with a fragment header",
  },
};

function wordFieldWords({ field, words, onInterface }: Extract<Condition, { kind: "oneOf" }>): string {
  const where = onInterface === undefined ? "" : ` of the ${onInterface}going interface`;
  const [only = ""] = words;
  const special = words.length === 1 ? WORD_MEANINGS[field]?.[only] : undefined;
  return special ?? `${WORD_FIELDS[field]} ${words.join(" or ")}${where}`;
}

const FIELD_NAMES: Readonly<Record<NumberField, string>> = {
  protocol: "protocol",
  source: "from",
  destination: "to",
  sourcePort: "source port",
  destinationPort: "port",
  mark: "mark",
  connmark: "connection mark",
  icmpType: "ICMP type",
  icmpCode: "ICMP code",
  tcpFlags: "TCP flags",
  length: "length",
  ttl: "TTL",
  dscp: "DSCP",
  ecn: "ECN",
  mss: "MSS",
  spi: "SPI",
  user: "user",
  group: "group",
  cpu: "CPU",
  realm: "realm",
  inGroup: "in by device group",
  outGroup: "out by device group",
  fragmentOffset: "fragment offset",
  connectionProtocol: "connection's protocol",
  originalSource: "connection originally from",
  originalDestination: "connection originally to",
  originalSourcePort: "connection's original source port",
  originalDestinationPort: "connection's original port",
  replySource: "answers from",
  replyDestination: "answers to",
  replySourcePort: "answers' source port",
  replyDestinationPort: "answers' port",
  entryEndsIn: "seconds until the connection's entry ends:",
};

const FLAG_NAMES = [...Object.entries(TCP_FLAGS), ["ECE", 64] as const, ["CWR", 128] as const];

function maskedWords({ field, value, mask }: Extract<Condition, { kind: "masked" }>): string {
  const name = FIELD_NAMES[field];
  if (field === "tcpFlags") {
    const names = (bits: number) =>
      FLAG_NAMES.flatMap(([flag, bit]) => ((bits & bit) === 0 ? [] : [flag])).join(",") || "none";
    return `${name} ${names(Number(value))} of ${names(Number(mask))}`;
  }
  const isAddress = typeof value === "bigint" || /(?:source|destination)$/i.test(field);
  const isWhole = WHOLE_MASKS[field] === mask || mask === 0xffffffff;
  if (isAddress) return `${name} ${printNetwork({ address: value, mask }).replace(/\/(?:32|128)$/, "")}`;
  return `${name} ${hexOf(value)}${isWhole ? "" : `/${hexOf(mask)}`}`;
}

const WHOLE_MASKS: Readonly<Partial<Record<NumberField, number>>> = { dscp: 63, ecn: 3 };

function rangeWords(field: NumberField, ranges: readonly Range[]): string {
  switch (field) {
    case "protocol":
      return ranges.map(({ from }) => protocolName(Number(from))).join(" or ");
    case "fragmentOffset":
      return "a fragment after the first";
    case "dscp":
      return `${FIELD_NAMES[field]} ${ranges.map(({ from }) => hexOf(from)).join(", ")}`;
    case "entryEndsIn":
    case "spi":
    case "user":
    case "group":
    case "cpu":
      // These numbers may be as great as addresses.
      return `${FIELD_NAMES[field]} ${ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(", ")}`;
    default:
      return `${FIELD_NAMES[field]} ${printRanges(ranges)}`;
  }
}

function assignWords({ field, clear, toggle, shift = 0 }: Extract<Effect, { kind: "assign" }>): string {
  const name = FIELD_NAMES[field];
  const moved = shift === 0 ? "" : `, shifted ${shift < 0 ? "right" : "left"} by ${Math.abs(shift)}`;
  if (clear === 0) return `toggle ${name} ${hexOf(toggle)}${moved}`;
  const isWhole = clear === 0xffffffff || clear === WHOLE_MASKS[field];
  if (toggle === 0 && field !== "dscp" && field !== "ecn") return `clear ${name} ${hexOf(clear)}${moved}`;
  return `set ${name} ${hexOf(toggle)}${isWhole || clear === toggle ? "" : `/${hexOf(clear)}`}${moved}`;
}

function portWords({ ports }: Rewrite): string {
  if (ports === undefined) return "";
  return ports.from === ports.to ? `, port ${ports.from}` : `, ports ${ports.from}-${ports.to}`;
}

/** How the port and the address are chosen, where that is not the usual way. */
function drawWords({ random, persistent }: Rewrite): string {
  return `${random ? ", random port" : ""}${persistent ? ", one address for a client" : ""}`;
}

function rewriteWords({ addresses, ports }: Rewrite): string {
  const range = (from: Address, to: Address, print: (value: Address) => string) =>
    from === to ? print(from) : `${print(from)}-${print(to)}`;
  const address = addresses === undefined ? "" : range(addresses.from, addresses.to, printAddress);
  if (ports === undefined) return address;
  return withPort(address, range(ports.from, ports.to, String));
}

function hexOf(value: Address): string {
  return `0x${value.toString(16)}`;
}
