/**
 * A node after a sync of kube-proxy: the chains, jumps and canaries that it makes with single iptables calls, and then the
 * payload, on top of what was there.
 */
import type { Family } from "../../../grammar/address.js";
import type { Problem } from "../../problems/problem.js";
import {
  type Chain,
  chainOf,
  makeChain,
  type Rule,
  type Ruleset,
  rulesOf,
  type Table,
} from "../../state/rules.js";
import { applyRestore, readRules } from "../../text/rules.js";
import { printRule } from "../../text/save.js";
import { type Payload, printPayload } from "./payload.js";

export interface Jump {
  readonly table: "filter" | "nat";
  readonly from: string;
  readonly match: string;
  readonly comment: string;
  readonly to: string;
}

/** What kube-proxy makes sure of with single calls, before the payload. */
export interface Links {
  /** In the order in which they are made. Each is inserted on top, so the last stands first. */
  readonly jumps: readonly Jump[];
  /** Chains of no jump and of no payload, by table, the tables in the order in which they are made. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
}

export interface Synced {
  /** What was made, and not read, has no place. */
  readonly ruleset: Ruleset;
  /** Why the real iptables-restore would refuse the payload on this node; the ruleset is then what it asks for. */
  readonly refused: readonly Problem[];
}

/** The rules after a sync, of a node that had `base`. */
export function rulesAfterSync(
  payload: Payload,
  links: Links,
  family: Family,
  base: Ruleset = { family, tables: new Map() },
): Synced {
  const { ruleset, problems } = applyRestore(withLinks(base, links), {
    name: "payload",
    text: printPayload(payload),
  });
  const tables = [...ruleset.tables].map(([name, table]) => [name, withoutPlaces(table)] as const);
  return {
    ruleset: { family, tables: new Map(tables) },
    refused: problems.filter(({ severity }) => severity === "error").map(refusal),
  };
}

function refusal({ message }: Problem): Problem {
  return {
    code: "LF5010",
    severity: "warning",
    message: `iptables-restore would refuse this sync: ${message}`,
    notes: ["kube-proxy then changes nothing and tries again; what is shown is what it asks for"],
  };
}

function withoutPlaces(table: Table): Table {
  const placeless = (chain: Chain) =>
    makeChain(chain, () => rulesOf(chain).map(({ place: _place, ...rule }): Rule => rule));
  return { ...table, chains: new Map([...table.chains].map(([name, chain]) => [name, placeless(chain)])) };
}

/**
 * What kube-proxy does with single calls of iptables: chains that are missing are made (`-N`), jumps that are missing
 * (`-C`) are inserted on top (`-I`). What others have made stays where it is.
 */
function withLinks(base: Ruleset, { jumps, chains }: Links): Ruleset {
  const text = [...chains]
    .map(([name, own]) => {
      const inTable = jumps.filter(({ table }) => table === name);
      return tableText(base, name, [...new Set([...inTable.map(({ to }) => to), ...own])], inTable);
    })
    .join("");
  return applyRestore(base, { name: "kube-proxy", text }).ruleset;
}

/** Commands that make what is missing in one table. */
function tableText(base: Ruleset, table: string, chains: readonly string[], own: readonly Jump[]): string {
  const made = chains
    .filter((chain) => chainOf(base, table, chain) === undefined)
    .map((chain) => `-N ${chain}`);
  const inserted = own
    .filter((jump) => !hasJump(base, jump))
    .map((jump) => `-I ${jump.from} ${jumpWords(jump)}`);
  return [`*${table}`, ...made, ...inserted, "COMMIT", ""].join("\n");
}

/** `iptables -C`: a rule that says the same stands in the chain. */
function hasJump(base: Ruleset, jump: Jump): boolean {
  const chain = chainOf(base, jump.table, jump.from);
  if (chain === undefined) return false;
  const text = `*${jump.table}\n:${jump.to} - [0:0]\n-A ${jump.from} ${jumpWords(jump)}\nCOMMIT\n`;
  const { ruleset } = readRules({ name: "kube-proxy", text }, { family: base.family });
  const [wanted] = rulesOf(chainOf(ruleset, jump.table, jump.from) ?? chain);
  if (wanted === undefined) return false;
  const printed = printRule(wanted, jump.from, base.family);
  return rulesOf(chain).some((rule) => printRule(rule, jump.from, base.family) === printed);
}

function jumpWords({ match, comment, to }: Jump): string {
  return [match, comment && `-m comment --comment "${comment}"`, `-j ${to}`]
    .filter((words) => words !== "")
    .join(" ");
}
