/**
 * Lists of the recent match (xt_recent): addresses with the times of their packets, which kube-proxy uses for ClientIP
 * affinity. Times are jiffies, ticks of the kernel's clock. How many make a second (HZ: 100, 250, 300 or 1000) was chosen when
 * the kernel was built, and stands nowhere in a list.
 */
import type { Address } from "../../grammar/address.js";
import type { Place } from "../problems/problem.js";

export interface RecentList {
  /** Absent when nothing names it. */
  readonly name?: string;
  /** In the order of the kernel's hash table. iptables and ip6tables share a list. */
  readonly entries: readonly RecentEntry[];
}

export interface RecentEntry {
  readonly address: Address;
  /** Of the last packet, as it was before forwarding; 0 for addresses written into the file. */
  readonly ttl: number;
  /** Jiffies. */
  readonly lastSeen: bigint;
  /**
   * The slot of `stamps`, counted from 0, that the next packet overwrites: the oldest one once all slots are used, else one
   * behind the last.
   */
  readonly oldestPacket: number;
  /** Jiffies of the packets, by slot; ip_pkt_list_tot of the module, rounded up to a power of two, bounds their number. */
  readonly stamps: readonly bigint[];
  /** Where it was read; absent for entries that were made. */
  readonly place?: Place;
}

/** The newest stamp of all lists in jiffies: the earliest time at which they can have been read. Undefined: no entries. */
export function newestStamp(lists: readonly RecentList[]): bigint | undefined {
  let newest: bigint | undefined;
  for (const { entries } of lists) {
    for (const { lastSeen, stamps } of entries) {
      for (const stamp of [lastSeen, ...stamps]) if (newest === undefined || stamp > newest) newest = stamp;
    }
  }
  return newest;
}

/** How many seconds before `now` (jiffies, for example the newest stamp) a stamp is, on a kernel with `hz` jiffies a second. */
export function ageSeconds(stamp: bigint, now: bigint, hz: number): number {
  return Number(now - stamp) / hz;
}
