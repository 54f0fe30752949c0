/**
 * An otherwise empty node after kube-proxy's first sync: the chains and jumps that it makes with single iptables calls,
 * the canaries, and then the payload.
 */
import { type Chain, makeChain, type Rule, type Ruleset, rulesOf, type Table } from "../../state/rules.js";
import { applyRestore, readRules } from "../../text/rules.js";
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

/** The rules after a sync, of a node that has `base`, or is empty. They were made, not read, so they have no place. */
export function rulesAfterSync(payload: Payload, context: Context, base?: Ruleset): Ruleset {
  const { family, tables } = applyRestore(base ?? emptyNode(context), {
    name: "payload",
    text: printPayload(payload),
  }).ruleset;
  return { family, tables: new Map([...tables].map(([name, table]) => [name, withoutPlaces(table)])) };
}

function withoutPlaces(table: Table): Table {
  const placeless = (chain: Chain) =>
    makeChain(chain, () => rulesOf(chain).map(({ place: _place, ...rule }): Rule => rule));
  return { ...table, chains: new Map([...table.chains].map(([name, chain]) => [name, placeless(chain)])) };
}

function emptyNode(context: Context): Ruleset {
  const all = jumps(context);
  const table = (name: "filter" | "nat"): string[] => {
    const own = all.filter((jump) => jump.table === name);
    const chains = new Set([...own.map(({ to }) => to), "KUBE-PROXY-CANARY"]);
    if (name === "nat" && context.behaviour.marksForDrop) chains.add("KUBE-MARK-DROP");
    return [
      `*${name}`,
      ...[...chains].map((chain) => `:${chain} - [0:0]`),
      ...own.map(({ from, match, comment, to }) =>
        [`-I ${from}`, match, comment && `-m comment --comment "${comment}"`, `-j ${to}`]
          .filter(Boolean)
          .join(" "),
      ),
      "COMMIT",
    ];
  };
  const text = [
    "*mangle",
    ":KUBE-PROXY-CANARY - [0:0]",
    "COMMIT",
    ...table("filter"),
    ...table("nat"),
    "",
  ].join("\n");
  return readRules({ name: "kube-proxy", text }, { family: context.family }).ruleset;
}
