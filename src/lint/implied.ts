/** Whether what one rule asks holds of every packet of which something else holds: what an earlier rule takes from a later one. */
import type { Condition } from "../../grammar/meaning.js";
import { intersect, isSubset } from "../evaluate/ranges.js";
import { someWithin } from "./look.js";

/** Whether `wanted` holds whenever all of `asked` hold. False where that takes more than one of them at a time to see. */
export function implies(asked: readonly Condition[], wanted: Condition): boolean {
  if (wanted.kind === "always") return true;
  if (wanted.kind === "all") return wanted.of.every((one) => implies(asked, one));
  if (wanted.kind === "any") return wanted.of.some((one) => implies(asked, one));
  return asked.some((one) => impliesAlone(one, wanted));
}

function impliesAlone(asked: Condition, wanted: Condition): boolean {
  if (keyOf(asked) === keyOf(wanted)) return true;
  if (wanted.kind === "not") {
    // Other than what is asked: other than a part of it, too.
    if (asked.kind === "not") return impliesAlone(wanted.of, asked.of);
    return isApart(asked, wanted.of);
  }
  switch (asked.kind) {
    case "within":
      return (
        wanted.kind === "within" && wanted.field === asked.field && isSubset(asked.ranges, wanted.ranges)
      );
    case "masked":
      return (
        wanted.kind === "masked" &&
        wanted.field === asked.field &&
        (BigInt(asked.mask) & BigInt(wanted.mask)) === BigInt(wanted.mask) &&
        (BigInt(asked.value) & BigInt(wanted.mask)) === BigInt(wanted.value)
      );
    case "oneOf":
      return (
        wanted.kind === "oneOf" &&
        wanted.field === asked.field &&
        wanted.onInterface === asked.onInterface &&
        asked.words.every((word) => wanted.words.some((pattern) => isNarrower(word, pattern)))
      );
    default:
      return false;
  }
}

/** Whether the two never hold together. */
function isApart(one: Condition, other: Condition): boolean {
  return (
    one.kind === "within" &&
    other.kind === "within" &&
    one.field === other.field &&
    other.ranges.every((range) => intersect(one.ranges, [range]).length === 0)
  );
}

/** `eth0` and `eth0+` are `eth+`, too. */
function isNarrower(word: string, pattern: string): boolean {
  return word === pattern || (pattern.endsWith("+") && word.startsWith(pattern.slice(0, -1)));
}

const keys = new WeakMap<Condition, string>();

/** The same text for the same question. */
export function keyOf(condition: Condition): string {
  let key = keys.get(condition);
  if (key === undefined) {
    key = JSON.stringify(condition, noBigint);
    keys.set(condition, key);
  }
  return key;
}

export function noBigint(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}

/** Whether the answer is the same for every rule that asks a packet: nothing is drawn, counted, hidden or changed on the way. */
export function staysSo(condition: Condition): boolean {
  return !someWithin(condition, (part) => {
    switch (part.kind) {
      case "always":
      case "not":
      case "all":
      case "any":
      case "oneOf":
        return false;
      case "within":
        return ["mark", "connmark", "dscp", "ecn", "ttl", "mss"].includes(part.field);
      case "masked":
        return part.field === "mark" || part.field === "connmark";
      default:
        return true;
    }
  });
}
