/**
 * The list of descriptions, and how the rest finds one. A new extension is a file in matches/ or targets/ and its name
 * in these lists.
 */
import type { Family } from "./address.js";
import type { Match, Option, OptionTable, Shorthand, Target } from "./description.js";
import { HEADER_OPTIONS } from "./header.js";
import { addrtype } from "./matches/addrtype.js";
import { comment } from "./matches/comment.js";
import { conntrack } from "./matches/conntrack.js";
import { mark } from "./matches/mark.js";
import { nfacct } from "./matches/nfacct.js";
import { recent } from "./matches/recent.js";
import { sctp } from "./matches/sctp.js";
import { statistic } from "./matches/statistic.js";
import { tcp } from "./matches/tcp.js";
import { udp } from "./matches/udp.js";
import { DNAT } from "./targets/DNAT.js";
import { MARK } from "./targets/MARK.js";
import { MASQUERADE } from "./targets/MASQUERADE.js";
import { REJECT } from "./targets/REJECT.js";
import { SNAT } from "./targets/SNAT.js";
import { ACCEPT, DROP, RETURN } from "./targets/verdicts.js";

// Descriptions of different options are of different types; the lists see them all as "some options".
const list = <D>(...descriptions: unknown[]): readonly D[] => descriptions as D[];

export const MATCHES = list<Match>(
  addrtype,
  comment,
  conntrack,
  mark,
  nfacct,
  recent,
  sctp,
  statistic,
  tcp,
  udp,
);

export const TARGETS = list<Target>(ACCEPT, DNAT, DROP, MARK, MASQUERADE, REJECT, RETURN, SNAT);

const matches = new Map(MATCHES.map((match) => [match.name, match]));
const targets = new Map(TARGETS.map((target) => [target.name, target]));

/** The match that `-m name` loads for the family, if it is described. */
export function matchNamed(name: string, family: Family): Match | undefined {
  const match = matches.get(name);
  return match?.families && !match.families.includes(family) ? undefined : match;
}

/** The target that `-j name` loads for the family, if it is described. */
export function targetNamed(name: string, family: Family): Target | undefined {
  const target = targets.get(name);
  return target?.families && !target.families.includes(family) ? undefined : target;
}

/** How an option's spelling is read: an option of the table by its key, or a shorthand. */
export type Spelling =
  | { readonly kind: "option"; readonly key: string; readonly option: Option<unknown> }
  | { readonly kind: "shorthand"; readonly option: Shorthand<unknown, OptionTable> };

interface WithOptions {
  readonly options: OptionTable;
  readonly shorthands?: readonly Shorthand<unknown, OptionTable>[];
}

const spellings = new WeakMap<object, ReadonlyMap<string, Spelling>>();

/** All spellings of a description's options. */
export function spellingsOf(description: WithOptions): ReadonlyMap<string, Spelling> {
  let table = spellings.get(description);
  if (table === undefined) {
    const entries: [string, Spelling][] = [];
    for (const [key, option] of Object.entries(description.options)) {
      for (const name of [option.name, ...(option.aliases ?? [])])
        entries.push([name, { kind: "option", key, option }]);
    }
    for (const option of description.shorthands ?? []) {
      for (const name of [option.name, ...(option.aliases ?? [])])
        entries.push([name, { kind: "shorthand", option }]);
    }
    table = new Map(entries);
    spellings.set(description, table);
  }
  return table;
}

/** The header's options in the form of a description. */
export const HEADER: WithOptions = { options: HEADER_OPTIONS };

/** Matches that `-p protocol` loads when one of their options follows without `-m`. */
export function impliedMatches(protocol: number, family: Family): readonly Match[] {
  return MATCHES.filter(
    (match) => match.impliedBy?.includes(protocol) && matchNamed(match.name, family) === match,
  );
}
