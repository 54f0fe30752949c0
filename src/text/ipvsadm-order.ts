/**
 * The order in which ipvsadm 1.31 prints (libipvs: ipvs_cmp_services, ipvs_cmp_dests). It takes differences of 32-bit words
 * as signed numbers, so that 192.168.0.0 stands before 10.0.0.0, and addresses can even be before one another in a circle.
 * Then there are several sorted orders: one that is sorted already stays, else glibc's merge sort decides, as it does there.
 */
import type { Address } from "../../grammar/address.js";
import type { Destination, VirtualServer } from "../state/virtual-servers.js";
import { familyOfService } from "../state/virtual-servers.js";

/** The services in ipvsadm's order. Where addresses go in a circle, it hangs on the kernel's hash table; here on theirs. */
export function sortedServices(services: readonly VirtualServer[]): readonly VirtualServer[] {
  return sorted(services, services, ({ key: left }, { key: right }) => {
    const marks = differ(left.kind === "mark" ? left.mark : 0, right.kind === "mark" ? right.mark : 0);
    if (marks !== 0) return marks;
    const six = familyOfService(left) === "ipv6" ? 1 : 0;
    const families = six - (familyOfService(right) === "ipv6" ? 1 : 0);
    if (families !== 0 || left.kind === "mark" || right.kind === "mark") return families;
    return (
      left.protocol - right.protocol || compareWords(left.address, right.address) || left.port - right.port
    );
  });
}

/** The destinations in ipvsadm's order. The kernel gives it the newest first. */
export function sortedDestinations(destinations: readonly Destination[]): readonly Destination[] {
  return sorted(
    destinations,
    [...destinations].reverse(),
    (left, right) => compareWords(left.address, right.address) || left.port - right.port,
  );
}

type Compare<T> = (left: T, right: T) => number;

/** The items as they are if ipvsadm could print them so, else those of the kernel's order, sorted. */
function sorted<T>(items: readonly T[], kernel: readonly T[], compare: Compare<T>): readonly T[] {
  const inOrder = items.every((item, index) => {
    const next = items[index + 1];
    return next === undefined || compare(item, next) <= 0 || compare(next, item) > 0;
  });
  return inOrder ? items : mergeSort(kernel, compare);
}

const differ = (left: number, right: number): number => (left - right) | 0;

/** All words when the first address is an IPv6 one, else the first word alone. */
function compareWords(left: Address, right: Address): number {
  for (let word = 0; word < (typeof left === "number" ? 1 : 4); word++) {
    const difference = differ(wordOf(left, word), wordOf(right, word));
    if (difference !== 0) return difference;
  }
  return 0;
}

function wordOf(address: Address, word: number): number {
  if (typeof address === "number") return word === 0 ? address : 0;
  return Number((address >> BigInt(96 - 32 * word)) & 0xffffffffn);
}

/** The two halves sorted, the first the smaller one, and then merged: as qsort(3) of glibc up to 2.36 does it. */
function mergeSort<T>(items: readonly T[], compare: Compare<T>): readonly T[] {
  if (items.length <= 1) return items;
  const middle = items.length >> 1;
  const left = mergeSort(items.slice(0, middle), compare);
  const right = mergeSort(items.slice(middle), compare);
  const merged: T[] = [];
  let at = 0;
  for (const item of left) {
    while (at < right.length && compare(item, right[at] as T) > 0) merged.push(right[at++] as T);
    merged.push(item);
  }
  for (; at < right.length; at++) merged.push(right[at] as T);
  return merged;
}
