/** What a comparison of texts and structures leaves out of account. */
import { byName, chainsIn, type PlainChain, type PlainRuleset } from "./plain.js";
import { renamedChains, type StructureDifference } from "./structure.js";

/**
 * `counters`: of chains, rules and members of sets. `order`: of the rules of a chain. `comments`: of rules. `hash-names`:
 * names of chains that hold the same rules, as kube-proxy makes them of hashes.
 */
export const IGNORABLE = ["counters", "order", "comments", "hash-names"] as const;

export type Ignorable = (typeof IGNORABLE)[number];

/** Structure knows no counters in any case, and counts what is here apart. */
export const IGNORED_BY_DEFAULT: ReadonlySet<Ignorable> = new Set(["counters"]);

/** What is left of the differences in structure. With `order`, rules that moved are none, even those that may meet the same packets. */
export function structureWithout(
  { changes, reworded, reordered }: StructureDifference,
  ignored: ReadonlySet<Ignorable>,
): StructureDifference {
  return {
    changes: changes.filter(
      ({ kind }) =>
        !(kind === "chain renamed" && ignored.has("hash-names")) &&
        !(kind === "rule moved" && ignored.has("order")),
    ),
    reworded: ignored.has("comments") ? 0 : reworded,
    reordered: ignored.has("order") ? 0 : reordered,
  };
}

/** Two rulesets whose texts are alike where they differ in nothing but what is ignored. */
export function textsWithout(
  left: PlainRuleset,
  right: PlainRuleset,
  ignored: ReadonlySet<Ignorable>,
): readonly [left: PlainRuleset, right: PlainRuleset] {
  const names = ignored.has("hash-names") ? renamedChains(left, right) : new Map<string, string>();
  const plain = (own: PlainRuleset, word: (table: string, name: string) => string): PlainRuleset => ({
    ...own,
    tables: new Map(
      [...own.tables].map(([table, { name }]) => {
        const chains = chainsIn(own, table).map((chain) =>
          chainWithout(chain, ignored, (one) => word(table, one)),
        );
        return [table, { name, chains: byName(table, chains) }];
      }),
    ),
  });
  return [
    plain(left, (table, name) => names.get(`${table} ${name}`) ?? name),
    plain(right, (_table, name) => name),
  ];
}

function chainWithout(
  chain: PlainChain,
  ignored: ReadonlySet<Ignorable>,
  word: (name: string) => string,
): PlainChain {
  const rules = chain.rules.map((rule) => {
    const text = ignored.has("comments") ? rule.core : rule.text;
    return { ...rule, text: text.split(" ").map(word).join(" ") };
  });
  if (ignored.has("order"))
    rules.sort((one, other) => (one.text < other.text ? -1 : Number(one.text > other.text)));
  return { ...chain, name: word(chain.name), rules };
}
