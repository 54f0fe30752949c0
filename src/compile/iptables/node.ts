/**
 * A node after a sync of kube-proxy: the chains, jumps and canaries that it makes with single iptables calls, and then the
 * payload, on top of what was there.
 */
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
import type { Context } from "./context.js";
import { type Payload, printPayload } from "./payload.js";

const NEW = "-m conntrack --ctstate NEW";

interface Jump {
  readonly table: "filter" | "nat";
  readonly from: string;
  readonly match: string;
  readonly comment: string;
  readonly to: string;
}

/** In the order in which kube-proxy makes them. Each is inserted on top, so the last stands first. */
function jumps({ behaviour }: Context): readonly Jump[] {
  const filter = (from: string, match: string, comment: string, to: string): Jump => ({
    table: "filter",
    from,
    match,
    comment,
    to,
  });
  const nat = (from: string, comment: string, to: string): Jump => ({
    table: "nat",
    from,
    match: "",
    comment,
    to,
  });
  const external = "kubernetes externally-visible service portals";
  const portals = "kubernetes service portals";
  return [
    filter("INPUT", NEW, external, "KUBE-EXTERNAL-SERVICES"),
    filter("FORWARD", NEW, external, "KUBE-EXTERNAL-SERVICES"),
    filter("INPUT", "", "kubernetes health check service ports", "KUBE-NODEPORTS"),
    filter("FORWARD", NEW, portals, "KUBE-SERVICES"),
    filter("OUTPUT", NEW, portals, "KUBE-SERVICES"),
    filter("FORWARD", "", "kubernetes forwarding rules", "KUBE-FORWARD"),
    ...(behaviour.marksForDrop
      ? []
      : ["INPUT", "OUTPUT", "FORWARD"].map((from) =>
          filter(from, NEW, "kubernetes load balancer firewall", "KUBE-PROXY-FIREWALL"),
        )),
    nat("OUTPUT", portals, "KUBE-SERVICES"),
    nat("PREROUTING", portals, "KUBE-SERVICES"),
    nat("POSTROUTING", "kubernetes postrouting rules", "KUBE-POSTROUTING"),
    ...(behaviour.localnetFirewall
      ? ["INPUT", "OUTPUT"].map((from) => filter(from, "", "", "KUBE-FIREWALL"))
      : []),
  ];
}

export interface Synced {
  /** What was made, and not read, has no place. */
  readonly ruleset: Ruleset;
  /** Why the real iptables-restore would refuse the payload on this node; the ruleset is then what it asks for. */
  readonly refused: readonly string[];
}

/** The rules after a sync, of a node that had `base`. */
export function rulesAfterSync(payload: Payload, context: Context, base?: Ruleset): Synced {
  const empty: Ruleset = { family: context.family, tables: new Map() };
  const { ruleset, problems } = applyRestore(withJumps(base ?? empty, context), {
    name: "payload",
    text: printPayload(payload),
  });
  const { family, tables } = ruleset;
  return {
    ruleset: { family, tables: new Map([...tables].map(([name, table]) => [name, withoutPlaces(table)])) },
    refused: problems.filter(({ severity }) => severity === "error").map(({ message }) => message),
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
function withJumps(base: Ruleset, context: Context): Ruleset {
  const all = jumps(context);
  const marked = context.behaviour.marksForDrop ? ["KUBE-MARK-DROP"] : [];
  const text = [
    tableText(base, "mangle", ["KUBE-PROXY-CANARY"], []),
    ...(["filter", "nat"] as const).map((name) => {
      const own = all.filter(({ table }) => table === name);
      const chains = [...own.map(({ to }) => to), "KUBE-PROXY-CANARY", ...(name === "nat" ? marked : [])];
      return tableText(base, name, [...new Set(chains)], own);
    }),
  ].join("");
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
