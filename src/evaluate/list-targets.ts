/** What an xt_recent list stands for: with session affinity, kube-proxy keeps one for each endpoint. */
import { printAddress, withPort } from "../../grammar/address.js";
import { meaningOf, type RuleMeaning } from "../state/meaning.js";
import { type Ruleset, rulesOf } from "../state/rules.js";

const known = new WeakMap<Ruleset, ReadonlyMap<string, string>>();

/**
 * The one place (`10.244.1.7:8080`) to which all rules translate that write clients into a list; undefined where there is
 * none, or more than one. Lists of one name are shared by all rules of a family (xt_recent).
 */
export function targetOfList(list: string, ruleset: Ruleset | undefined): string | undefined {
  if (ruleset === undefined) return undefined;
  let targets = known.get(ruleset);
  if (targets === undefined) {
    targets = targetsIn(ruleset);
    known.set(ruleset, targets);
  }
  return targets.get(list) || undefined;
}

function targetsIn({ tables, family }: Ruleset): ReadonlyMap<string, string> {
  const targets = new Map<string, string>();
  for (const { chains } of tables.values()) {
    for (const chain of chains.values()) {
      for (const rule of rulesOf(chain)) {
        if (!rule.matches.some(({ name }) => name === "recent")) continue;
        const meaning = meaningOf(rule, family);
        for (const { effect: remember } of meaning.matches) {
          if (remember?.action !== "set") continue;
          const target = destinationOf(meaning);
          const earlier = targets.get(remember.list);
          // An empty text: no single place.
          targets.set(remember.list, earlier === undefined || earlier === target ? target : "");
        }
      }
    }
  }
  return targets;
}

function destinationOf({ effect }: Pick<RuleMeaning, "effect">): string {
  if (effect.kind !== "rewrite" || effect.side !== "destination") return "";
  const { addresses, ports } = effect.to;
  if (addresses === undefined || addresses.from !== addresses.to) return "";
  const address = printAddress(addresses.from);
  if (ports === undefined) return address;
  return ports.from === ports.to ? withPort(address, `${ports.from}`) : "";
}
