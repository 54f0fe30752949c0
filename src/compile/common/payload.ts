/**
 * A restore payload: what kube-proxy gives to `iptables-restore --noflush --counters`, as data. Rules are kept as it
 * spells them.
 */

export interface PayloadTable {
  readonly name: "filter" | "nat";
  /** Declared, and thereby emptied, in this order. */
  readonly chains: readonly string[];
  /** Lines: `-A CHAIN …`, and `-X CHAIN` for stale chains. */
  readonly rules: readonly string[];
}

export interface Payload {
  readonly tables: readonly PayloadTable[];
}

/** The exact bytes, as text. */
export function printPayload(payload: Payload): string {
  const lines: string[] = [];
  for (const { name, chains, rules } of payload.tables) {
    lines.push(`*${name}`);
    for (const chain of chains) lines.push(`:${chain} - [0:0]`);
    for (const rule of rules) lines.push(rule);
    lines.push("COMMIT");
  }
  return `${lines.join("\n")}\n`;
}

/** A table of a payload being written. */
export interface Draft {
  readonly chains: string[];
  readonly rules: string[];
}

/** Adds `-A chain words…`; words that are empty are left out. */
export function append(draft: Draft, chain: string, ...words: readonly string[]): void {
  draft.rules.push(`-A ${chain} ${words.filter((word) => word !== "").join(" ")}`);
}

/** `-m comment --comment "text"` */
export function comment(text: string): string {
  return `-m comment --comment "${text}"`;
}

/** The comment as kube-proxy writes it where the text is a service port name alone: without quotes. */
export function bareComment(text: string): string {
  return `-m comment --comment ${text}`;
}
