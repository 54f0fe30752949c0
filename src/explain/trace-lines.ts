/** A packet's way as the kernel's TRACE target reports it (legacy back end, nf_log's line in the kernel's log). */
import { printAddress } from "../../grammar/address.js";
import { TCP_FLAGS } from "../../grammar/matches/tcp.js";
import { PORT_PROTOCOLS, PROTOCOL, protocolName } from "../../grammar/protocols.js";
import type { Headers, Landing, Step } from "../evaluate/outcome.js";
import { meaningOf } from "../state/meaning.js";
import { BUILT_IN_CHAINS, isTableName } from "../state/rules.js";

/** A line of TRACE, in two parts: `nat:PREROUTING:rule:1`, and the packet as the rule sees it. */
export interface TraceLine {
  readonly place: string;
  readonly headers: Headers;
}

/**
 * The rules on the way, as TRACE names them. An unconditional ACCEPT, DROP or RETURN is reported as the end of its chain
 * (`policy` in a built-in one, else `return`), with its own number.
 */
export function traceLines(landing: Landing): readonly TraceLine[] {
  const steps: Step[] = [];
  for (let step = landing.lastStep; step !== undefined; step = step.previous) steps.push(step);
  return steps.reverse().map((step): TraceLine => {
    const { table, chain, number, headers } = step;
    const isBuiltIn = isTableName(table) && BUILT_IN_CHAINS[table].includes(chain);
    const kind = isBareVerdict(step) ? (isBuiltIn ? "policy" : "return") : step.kind;
    return { place: `${table}:${chain}:${kind}:${number}`, headers };
  });
}

/** A rule without any condition that ends the chain. */
function isBareVerdict({ kind, rule, headers }: Step): boolean {
  if (kind !== "rule" || rule === undefined || rule.matches.length > 0) return false;
  const { matches, effect } = meaningOf(rule, headers.family);
  const isBare = matches.every(({ condition }) => condition.kind === "always");
  return isBare && (effect.kind === "verdict" || effect.kind === "return");
}

/** The whole line; parts of the packet that are not known are left out. */
export function printTraceLine({ place, headers }: TraceLine): string {
  const { protocol, source, destination, sourcePort, destinationPort, mark } = headers;
  const words = [`TRACE: ${place}`, `IN=${headers.inInterface ?? ""}`, `OUT=${headers.outInterface ?? ""}`];
  if (typeof source === "number" || typeof source === "bigint") words.push(`SRC=${printAddress(source)}`);
  if (destination !== null) words.push(`DST=${printAddress(destination)}`);
  words.push(`PROTO=${PROTOCOL_WORDS[protocol] ?? protocolName(protocol).toUpperCase()}`);
  if (PORT_PROTOCOLS.includes(protocol)) {
    if (typeof sourcePort === "number") words.push(`SPT=${sourcePort}`);
    if (typeof destinationPort === "number") words.push(`DPT=${destinationPort}`);
  }
  if (headers.tcpFlags !== undefined) words.push(...flagWords(headers.tcpFlags));
  if (headers.icmpType !== undefined) words.push(`TYPE=${headers.icmpType}`, `CODE=${headers.icmpCode ?? 0}`);
  if (mark !== 0) words.push(`MARK=0x${mark.toString(16)}`);
  return words.join(" ");
}

/** nf_log's own names where they differ from the protocols file's. */
const PROTOCOL_WORDS: Readonly<Record<number, string>> = { [PROTOCOL.ipv6Icmp]: "ICMPv6" };

/** In nf_log's order. */
function flagWords(flags: number): readonly string[] {
  return (["URG", "ACK", "PSH", "RST", "SYN", "FIN"] as const).filter((name) => flags & TCP_FLAGS[name]);
}
