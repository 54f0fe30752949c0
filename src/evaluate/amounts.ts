/** What connections have transferred (conntrack accounting): from listings, and counted on with each packet of a question. */

import { PROTOCOL } from "../../grammar/protocols.js";
import type { TrackedTuple } from "../state/connections.js";

export interface Amount {
  readonly packets: number;
  /** Of the packets whose length is known. */
  readonly bytes: number;
  /** Packets whose length is not. */
  readonly open: number;
}

export type Amounts = Readonly<Record<"ORIGINAL" | "REPLY", Amount>>;

interface Counted {
  readonly protocol: number;
  readonly tcpFlags: number | undefined;
  readonly length: number | null | undefined;
}

const NOTHING: Amount = { packets: 0, bytes: 0, open: 0 };
export const NO_AMOUNTS: Amounts = { ORIGINAL: NOTHING, REPLY: NOTHING };

/** What a listing shows; undefined: it shows no counters, or some too great to count on. */
export function shownAmounts(original: TrackedTuple, reply: TrackedTuple): Amounts | undefined {
  const [sent, answered] = [amountOf(original), amountOf(reply)];
  return sent && answered && { ORIGINAL: sent, REPLY: answered };
}

function amountOf({ counters }: TrackedTuple): Amount | undefined {
  const [packets, bytes] = [Number(counters?.packets), Number(counters?.bytes)];
  return Number.isSafeInteger(packets) && Number.isSafeInteger(bytes)
    ? { packets, bytes, open: 0 }
    : undefined;
}

const SYN = 2;
const OPENING = 0x17;

/** One packet more. A SYN that is sent once more is none that the kernel counts; measured. */
export function withPacketCounted(
  before: Amounts | undefined,
  { protocol, tcpFlags, length }: Counted,
  direction: keyof Amounts,
): Amounts | undefined {
  if (before === undefined) return undefined;
  const { packets, bytes, open } = before[direction];
  if (packets > 0 && protocol === PROTOCOL.tcp && ((tcpFlags ?? SYN) & OPENING) === SYN) return before;
  const isKnown = typeof length === "number";
  return {
    ...before,
    [direction]: {
      packets: packets + 1,
      bytes: bytes + (isKnown ? length : 0),
      open: open + (isKnown ? 0 : 1),
    },
  };
}

/** Equal for equal amounts. */
export function amountsKey(amounts: Amounts | undefined): string {
  if (amounts === undefined) return "";
  return [amounts.ORIGINAL, amounts.REPLY].flatMap((one) => Object.values(one)).join(" ");
}
