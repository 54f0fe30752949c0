/** Names of chains and policies that iptables takes. */
import type { Family } from "../../grammar/address.js";
import type { Flavour } from "../../grammar/description.js";
import { targetNamed } from "../../grammar/extensions.js";

const CHAIN_BYTES_MAX = 28;

export const POLICIES: readonly string[] = ["ACCEPT", "DROP"];
export const VERDICTS: readonly string[] = [...POLICIES, "QUEUE", "RETURN"];

/** Why iptables would not take the name for a chain of a user. Restore-legacy takes names that begin with - or !. */
export function wrongChainName(name: string, flavour: Flavour): string | undefined {
  if (isLonger(name, CHAIN_BYTES_MAX)) {
    return `a chain name has at most ${CHAIN_BYTES_MAX} bytes, this one has ${new TextEncoder().encode(name).length}`;
  }
  if (name === "" || /[\s"]/.test(name)) return "a chain name has no blanks";
  return flavour === "nft" && /^[-!]/.test(name) ? "a chain name does not begin with - or !" : undefined;
}

/** Why `-N` would not take the name, which is stricter than a chain line. */
export function wrongNewName(
  name: string,
  { flavour, family }: { readonly flavour: Flavour; readonly family: Family },
): string | undefined {
  if (/^[-!]/.test(name)) return "a chain name does not begin with - or !";
  if (targetNamed(name, family) !== undefined) return `${name} is a target, so no chain may be called so`;
  return wrongChainName(name, flavour);
}

/** Whether a text has more bytes in UTF-8, of which each UTF-16 unit makes one to three. */
export function isLonger(text: string, bytes: number): boolean {
  if (text.length * 3 <= bytes) return false;
  return text.length > bytes || new TextEncoder().encode(text).length > bytes;
}
