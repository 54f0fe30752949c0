/** What an xt_recent list stands for: with session affinity, kube-proxy keeps one for each endpoint. */
import { type Address, printAddress, withPort } from "../../grammar/address.js";
import { partsOf } from "../../grammar/meaning.js";
import { meaningOf, type RuleMeaning } from "../state/meaning.js";
import { type Ruleset, rulesOf } from "../state/rules.js";

/** A list into which rules write clients. */
interface ListUse {
  /** An empty text: no single place. */
  readonly target: string;
  /** What is kept of a client's address. */
  readonly mask: Address;
}

interface ListUses {
  readonly written: ReadonlyMap<string, ListUse>;
  /** Of each chain whose rules ask for lists: which. */
  readonly askedTogether: readonly ReadonlySet<string>[];
}

const known = new WeakMap<Ruleset, ListUses>();

/**
 * The one place (`10.244.1.7:8080`) to which all rules translate that write clients into a list; undefined where there is
 * none, or more than one. Lists of one name are shared by all rules of a family (xt_recent).
 */
export function targetOfList(list: string, ruleset: Ruleset | undefined): string | undefined {
  return (ruleset && usesIn(ruleset).written.get(list)?.target) || undefined;
}

/** The lists of a place, each with the mask under which it keeps addresses; two Services with one endpoint have two. */
export function listsOfTarget(target: string, ruleset: Ruleset): ReadonlyMap<string, Address> {
  const found = [...usesIn(ruleset).written].filter(([, use]) => use.target === target);
  return new Map(found.map(([list, { mask }]) => [list, mask]));
}

/** All places that have a list. */
export function targetsOfLists(ruleset: Ruleset): readonly string[] {
  return [...new Set([...usesIn(ruleset).written.values()].flatMap(({ target }) => target || []))];
}

/** The lists that rules ask for in the same chains as this one: of the other endpoints of its Service. */
export function listsBeside(list: string, ruleset: Ruleset): ReadonlyMap<string, Address> {
  const { written, askedTogether } = usesIn(ruleset);
  const beside = askedTogether.flatMap((lists) => (lists.has(list) ? [...lists] : []));
  return new Map(
    beside.flatMap((other) => {
      const use = written.get(other);
      return use === undefined || other === list ? [] : [[other, use.mask] as const];
    }),
  );
}

function usesIn(ruleset: Ruleset): ListUses {
  let uses = known.get(ruleset);
  if (uses === undefined) {
    uses = findUses(ruleset);
    known.set(ruleset, uses);
  }
  return uses;
}

function findUses({ tables, family }: Ruleset): ListUses {
  const written = new Map<string, ListUse>();
  const askedTogether: ReadonlySet<string>[] = [];
  for (const { chains } of tables.values()) {
    for (const chain of chains.values()) {
      const asked = new Set<string>();
      for (const rule of rulesOf(chain)) {
        if (!rule.matches.some(({ name }) => name === "recent")) continue;
        const meaning = meaningOf(rule, family);
        for (const { condition, effect: remember } of meaning.matches) {
          for (const part of partsOf(condition)) {
            const one = part.kind === "not" ? part.of : part;
            if (one.kind === "remembered") asked.add(one.list);
          }
          if (remember?.action !== "set") continue;
          const { list, mask } = remember;
          const target = destinationOf(meaning);
          const earlier = written.get(list);
          written.set(list, { target: (earlier?.target ?? target) === target ? target : "", mask });
        }
      }
      if (asked.size > 0) askedTogether.push(asked);
    }
  }
  return { written, askedTogether };
}

function destinationOf({ effect }: Pick<RuleMeaning, "effect">): string {
  if (effect.kind !== "rewrite" || effect.side !== "destination") return "";
  const { addresses, ports } = effect.to;
  if (addresses === undefined || addresses.from !== addresses.to) return "";
  const address = printAddress(addresses.from);
  if (ports === undefined) return address;
  return ports.from === ports.to ? withPort(address, `${ports.from}`) : "";
}
