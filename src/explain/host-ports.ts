/**
 * The host ports of pods: entries that the CNI plugin portmap makes when a pod starts, and takes away when its network is
 * taken down. kube-proxy has no part in them.
 */
import type { Address, Family } from "../../grammar/address.js";
import type { Condition } from "../../grammar/meaning.js";
import { protocolName } from "../../grammar/protocols.js";
import { meaningOf } from "../state/meaning.js";
import { chainOf, type Rule, type Ruleset, rulesOf } from "../state/rules.js";
import { singleValue, translationOf } from "./proxy-view.js";
import type { RuleAt } from "./service-model.js";
import { commentOf } from "./service-names.js";
import { endWords } from "./service-words.js";

const ENTRIES = "CNI-HOSTPORT-DNAT";

export interface HostPort {
  /** The entry. */
  readonly at: RuleAt;
  /** `80/tcp`, `8000-8010/udp`. */
  readonly port: string;
  /** The one address of the node that it is for; undefined: all. */
  readonly address: Address | undefined;
  /** Where it is translated to, `10.244.1.5:80`; undefined: the chain that does so is not here. */
  readonly to: string | undefined;
  /** Of the pod whose port it is, as the comment tells it. */
  readonly sandbox: string | undefined;
  /** An earlier entry takes the port, so that this one is never asked. */
  readonly takenBy?: HostPort;
}

/** The host ports in a node's rules, in the order in which packets meet them. */
export function hostPortsIn(ruleset: Ruleset): readonly HostPort[] {
  const { family } = ruleset;
  const first = new Map<string, HostPort>();
  return entriesOf(ruleset, ENTRIES).flatMap((at) => {
    const { rule } = at;
    const chain = rule.target?.kind === "chain" ? rule.target.chain : undefined;
    const ways = waysOf(chain === undefined ? [] : entriesOf(ruleset, chain), family);
    const sandbox = sandboxOf(rule);
    const own = portsOf(rule, family);
    const address = singleValue(rule, "destination", family);
    // portmap up to 0.6 asked for the port in the pod's own chain alone.
    const mapped = own.length > 0 ? own : [...ways.keys()];
    return mapped.map((port): HostPort => {
      const way = ways.get(port);
      const entry = { at, port, address: address ?? way?.address, to: way?.to, sandbox };
      const takenBy = first.get(`${port} any`) ?? first.get(`${port} ${entry.address}`);
      if (takenBy !== undefined && !isSameChain(takenBy.at.rule, rule)) return { ...entry, takenBy };
      first.set(`${port} ${entry.address ?? "any"}`, entry);
      return entry;
    });
  });
}

/** The pod sandbox that a comment of portmap names: `dnat name: "cbr0" id: "770c…"`. */
export function sandboxOf(rule: Rule): string | undefined {
  return /^dnat name: "[^"]*" id: "([^"]+)"$/.exec(commentOf(rule) ?? "")?.[1];
}

/** So much of an id as `crictl` shows. */
export function shortId(id: string): string {
  return id.slice(0, 13);
}

function entriesOf(ruleset: Ruleset, name: string): readonly RuleAt[] {
  const chain = chainOf(ruleset, "nat", name);
  return (chain === undefined ? [] : rulesOf(chain)).map((rule, index) => ({
    table: "nat",
    chain: name,
    number: index + 1,
    rule,
  }));
}

/** Where a pod's chain translates its ports to. */
function waysOf(
  rules: readonly RuleAt[],
  family: Family,
): ReadonlyMap<string, { readonly to: string; readonly address: Address | undefined }> {
  const ways = new Map<string, { to: string; address: Address | undefined }>();
  for (const { rule } of rules) {
    const end = translationOf(rule, family);
    if (end?.address === undefined) continue;
    for (const port of portsOf(rule, family)) {
      const to = endWords(end.address, end.port);
      if (!ways.has(port)) ways.set(port, { to, address: singleValue(rule, "destination", family) });
    }
  }
  return ways;
}

/** The ports that a rule asks for, each with the protocol. */
function portsOf(rule: Rule, family: Family): readonly string[] {
  const protocol = singleValue(rule, "protocol", family);
  const name = protocol === undefined ? "" : `/${protocolName(Number(protocol))}`;
  return meaningOf(rule, family)
    .matches.flatMap(({ condition }) => rangesIn(condition))
    .map(({ from, to }) => `${from === to ? from : `${from}-${to}`}${name}`);
}

function rangesIn(condition: Condition): readonly { readonly from: Address; readonly to: Address }[] {
  if (condition.kind === "all") return condition.of.flatMap(rangesIn);
  return condition.kind === "within" && condition.field === "destinationPort" ? condition.ranges : [];
}

function isSameChain(left: Rule, right: Rule): boolean {
  const [one, other] = [left.target, right.target];
  return one?.kind === "chain" && other?.kind === "chain" && one.chain === other.chain;
}
