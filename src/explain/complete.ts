/**
 * Fragments of kube-proxy's rules, completed: what grep has left out of a dump is added as kube-proxy writes it, so that
 * the rules that are there can be evaluated, and each addition is told. Tables that were given whole stay as they are.
 */
import { type Address, type Family, printAddress, readAddress, withPort } from "../../grammar/address.js";
import { endpointChain } from "../cluster/names.js";
import { meaningOf } from "../state/meaning.js";
import { type Chain, chainOf, type Rule, type Ruleset, rulesOf } from "../state/rules.js";
import { applyRestore } from "../text/rules.js";
import {
  belongsToService,
  commentOf,
  ENDPOINT_CHAIN,
  hashOf,
  namedIn,
  SERVICE_PROTOCOLS,
} from "./service-names.js";

/** Bits that kube-proxy and kubelet mark packets with unless they are told otherwise (masqueradeBit 14, drop bit 15). */
const MASQUERADE_MARK = 0x4000;
const DROP_MARK = 0x8000;

export interface Completed {
  readonly ruleset: Ruleset;
  /** What was added, in sentences without a full stop. */
  readonly assumed: readonly string[];
}

/** The name of the source that added rules have as their place. */
const ASSUMED = "assumed";

/** Whether a rule was not in any input. */
export function isAssumed(rule: Rule): boolean {
  return rule.place?.source.name === ASSUMED;
}

export function completeFragment(ruleset: Ruleset): Completed {
  const parts = [completeNat(ruleset), completeFilter(ruleset)].filter(({ lines }) => lines.length > 0);
  if (parts.length === 0) return withStandIns({ ruleset, assumed: [] });
  const text = parts.map(({ table, lines: own }) => `*${table}\n${own.join("\n")}\nCOMMIT\n`).join("");
  const completed = applyRestore(ruleset, { name: ASSUMED, text }).ruleset;
  return withStandIns({ ruleset: completed, assumed: parts.flatMap((part) => part.assumed) });
}

/** The chain of a service port or endpoint that is not in any input; undefined for rules that are no stand-in for one. */
export function missingChainOf({
  chain,
  rule,
}: {
  chain: string;
  rule: Rule | undefined;
}): string | undefined {
  return rule?.place?.source.name === STAND_IN ? chain : undefined;
}

/** Whether any of a chain's rules was in an input. */
export function isGiven(chain: Chain): boolean {
  return rulesOf(chain).some(
    ({ place }) => place?.source.name !== ASSUMED && place?.source.name !== STAND_IN,
  );
}

const STAND_IN = "stand-in";

/** Where networks for benchmarks begin (RFC 2544, RFC 5180): no Service has its endpoints there. */
const STAND_IN_BASE: Readonly<Record<Family, Address>> = {
  ipv4: 0xc6120000,
  ipv6: 0x2001_0002n << 96n,
};

/**
 * Chains of service ports and endpoints that rules go to and that are not there: in each, a translation to an address of
 * its own, so that the shares of those who go there can be told.
 */
function withStandIns({ ruleset, assumed }: Completed): Completed {
  const nat = ruleset.tables.get("nat");
  const missing = new Set<string>();
  const refused = refusedNames(ruleset);
  for (const chain of nat?.chains.values() ?? []) {
    for (const rule of rulesOf(chain)) {
      const to = rule.target?.kind === "chain" ? rule.target.chain : "";
      // Of a service port without endpoints, old versions kept an empty chain.
      if (!belongsToService(to) || refused.has(namedIn(commentOf(rule) ?? "")?.name ?? "")) continue;
      const there = nat?.chains.get(to);
      if (there === undefined || (nat?.fragment && rulesOf(there).length === 0)) missing.add(to);
    }
  }
  if (missing.size === 0) return { ruleset, assumed };
  const base = STAND_IN_BASE[ruleset.family];
  const lines = [...missing].map((name, index) => {
    const address = printAddress(typeof base === "number" ? base + index : base + BigInt(index));
    return `:${name} - [0:0]\n-A ${name} -j DNAT --to-destination ${address}`;
  });
  const text = `*nat\n${lines.join("\n")}\nCOMMIT\n`;
  return { ruleset: applyRestore(ruleset, { name: STAND_IN, text }).ruleset, assumed };
}

interface Addition {
  readonly table: string;
  readonly lines: readonly string[];
  readonly assumed: readonly string[];
}

/** Service ports that filter refuses for want of endpoints. */
function refusedNames(ruleset: Ruleset): ReadonlySet<string> {
  const names = new Set<string>();
  for (const chain of ruleset.tables.get("filter")?.chains.values() ?? []) {
    for (const rule of rulesOf(chain)) {
      const named = namedIn(commentOf(rule) ?? "");
      if (named?.said === "no endpoints") names.add(named.name);
    }
  }
  return names;
}

function completeNat(ruleset: Ruleset): Addition {
  const none = { table: "nat", lines: [], assumed: [] };
  if (!ruleset.tables.get("nat")?.fragment) return none;
  const parts = [
    completeEndpoints(ruleset),
    completeExternal(ruleset),
    completeWays(ruleset),
    completeDropMark(ruleset),
  ];
  const masquerade = completeMasquerade(
    ruleset,
    parts.flatMap(({ lines }) => lines),
  );
  const lines = [masquerade, ...parts].flatMap((part) => part.lines);
  // Chain lines only for what is new: they would flush what is there.
  const made = new Set(lines.flatMap((line) => line.match(/KUBE-[-A-Z0-9]+/g) ?? []));
  const declared = [...made].filter((name) => chainOf(ruleset, "nat", name) === undefined);
  return {
    table: "nat",
    lines: [...declared.map((name) => `:${name} - [0:0]`), ...lines],
    assumed: [masquerade, ...parts].flatMap((part) => part.assumed),
  };
}

type Lines = Omit<Addition, "table">;

/** The jumps from the built-in chains to the rules of Services. */
function completeWays(ruleset: Ruleset): Lines {
  const { has, targets } = looksAt(ruleset, "nat");
  const toNodePorts = has("KUBE-NODEPORTS") && !targets.has("KUBE-NODEPORTS");
  const toServices = (has("KUBE-SERVICES") || toNodePorts) && !targets.has("KUBE-SERVICES");
  const words = [
    ...(toServices ? ["PREROUTING and OUTPUT go to KUBE-SERVICES"] : []),
    ...(toNodePorts ? ["KUBE-SERVICES sends what is for this node to KUBE-NODEPORTS"] : []),
  ];
  return {
    lines: [
      ...(toServices ? ["-A PREROUTING -j KUBE-SERVICES", "-A OUTPUT -j KUBE-SERVICES"] : []),
      ...(toNodePorts ? ["-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"] : []),
    ],
    assumed: words.length === 0 ? [] : [words.join(", and ")],
  };
}

/** What becomes of packets that are marked for masquerading, as kube-proxy from 1.20 on writes it. */
function completeMasquerade(ruleset: Ruleset, added: readonly string[]): Lines {
  const { has, targets } = looksAt(ruleset, "nat");
  const isMarked = targets.has("KUBE-MARK-MASQ") || added.some((line) => line.endsWith(" KUBE-MARK-MASQ"));
  if (!isMarked) return { lines: [], assumed: [] };
  const mark = hex(markOf(ruleset, "KUBE-MARK-MASQ") ?? MASQUERADE_MARK);
  const marks = !has("KUBE-MARK-MASQ");
  const asksForMark = testsMark(ruleset, "KUBE-POSTROUTING");
  const masquerades = !has("KUBE-POSTROUTING");
  const words = [
    ...(marks ? [`KUBE-MARK-MASQ marks with ${mark}`] : []),
    ...(masquerades
      ? [`KUBE-POSTROUTING masquerades ${marks ? "that mark" : `what bears the mark ${mark}`}`]
      : asksForMark
        ? []
        : [`KUBE-POSTROUTING lets go what does not bear the mark ${mark}`]),
  ];
  return {
    lines: [
      ...(marks ? [`-A KUBE-MARK-MASQ -j MARK --set-xmark ${mark}/${mark}`] : []),
      // In its place: grep for the comment keeps the last rule of the chain, and loses this one.
      ...(asksForMark ? [] : [`-I KUBE-POSTROUTING -m mark ! --mark ${mark}/${mark} -j RETURN`]),
      ...(masquerades ? ["-A KUBE-POSTROUTING -j MASQUERADE"] : []),
      ...(targets.has("KUBE-POSTROUTING") ? [] : ["-A POSTROUTING -j KUBE-POSTROUTING"]),
    ],
    assumed: words.length === 0 ? [] : [`${words.join(" and ")} (kube-proxy's default)`],
  };
}

/** Whether any rule of a chain asks for a mark. */
function testsMark(ruleset: Ruleset, name: string): boolean {
  const chain = chainOf(ruleset, "nat", name);
  return (chain === undefined ? [] : rulesOf(chain)).some((rule) =>
    rule.matches.some((match) => match.name === "mark"),
  );
}

function completeDropMark(ruleset: Ruleset): Lines {
  const { has, targets } = looksAt(ruleset, "nat");
  if (!targets.has("KUBE-MARK-DROP") || has("KUBE-MARK-DROP")) return { lines: [], assumed: [] };
  const mark = hex(DROP_MARK);
  return {
    lines: [`-A KUBE-MARK-DROP -j MARK --set-xmark ${mark}/${mark}`],
    assumed: [`KUBE-MARK-DROP marks with ${mark} (kubelet's default)`],
  };
}

function completeFilter(ruleset: Ruleset): Addition {
  const filter = ruleset.tables.get("filter");
  const lines: string[] = [];
  const assumed: string[] = [];
  const marksDrops = looksAt(ruleset, "nat").targets.has("KUBE-MARK-DROP");
  const { has, targets } = looksAt(ruleset, "filter");
  if (marksDrops && (filter === undefined || filter.fragment) && !has("KUBE-FIREWALL")) {
    const mark = hex(markOf(ruleset, "KUBE-MARK-DROP") ?? DROP_MARK);
    lines.push(
      ":KUBE-FIREWALL - [0:0]",
      `-A KUBE-FIREWALL -m mark --mark ${mark}/${mark} -j DROP`,
      "-A INPUT -j KUBE-FIREWALL",
      "-A FORWARD -j KUBE-FIREWALL",
      "-A OUTPUT -j KUBE-FIREWALL",
    );
    assumed.push(`filter drops what bears the mark ${mark} (KUBE-FIREWALL, kubelet's default)`);
  }
  if (filter?.fragment) {
    const loose = ["KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-PROXY-FIREWALL"].filter(
      (chain) => has(chain) && !targets.has(chain),
    );
    for (const chain of loose)
      for (const hook of ["INPUT", "FORWARD", "OUTPUT"]) lines.push(`-A ${hook} -j ${chain}`);
    if (loose.length > 0) assumed.push(`new connections are led through ${loose.join(" and ")} of filter`);
  }
  return { table: "filter", lines, assumed };
}

function hex(mark: number): string {
  return `0x${mark.toString(16)}`;
}

/** Chains that have rules, and those that rules go to. */
function looksAt(
  ruleset: Ruleset,
  table: string,
): { has(chain: string): boolean; targets: ReadonlySet<string> } {
  const targets = new Set<string>();
  for (const chain of ruleset.tables.get(table)?.chains.values() ?? []) {
    for (const { target } of rulesOf(chain)) if (target?.kind === "chain") targets.add(target.chain);
  }
  return { targets, has: (chain) => hasRules(ruleset, table, chain) };
}

function hasRules(ruleset: Ruleset, table: string, name: string): boolean {
  const chain = chainOf(ruleset, table, name);
  return chain !== undefined && rulesOf(chain).length > 0;
}

/** The mark that a chain sets. */
function markOf(ruleset: Ruleset, name: string): number | undefined {
  const chain = chainOf(ruleset, "nat", name);
  for (const rule of chain === undefined ? [] : rulesOf(chain)) {
    const { effect } = meaningOf(rule, ruleset.family);
    if (effect.kind === "assign" && effect.field === "mark") return effect.toggle;
  }
  return undefined;
}

/** Endpoint chains that are lost, where the comment of the rule that goes there tells the endpoint. */
function completeEndpoints(ruleset: Ruleset): Lines {
  const lines: string[] = [];
  const done = new Set<string>();
  let proven = 0;
  for (const chain of ruleset.tables.get("nat")?.chains.values() ?? []) {
    if (hashOf(chain.name) === undefined) continue;
    for (const rule of rulesOf(chain)) {
      const to = rule.target?.kind === "chain" ? rule.target.chain : "";
      if (!ENDPOINT_CHAIN.test(to) || done.has(to) || hasRules(ruleset, "nat", to)) continue;
      const named = namedIn(commentOf(rule) ?? "");
      const end = named?.endpoint === undefined ? undefined : readEnd(named.endpoint, ruleset.family);
      if (named === undefined || end === undefined) continue;
      done.add(to);
      const protocol = SERVICE_PROTOCOLS.find((one) => endpointChain(named.name, one, end.text) === to);
      if (protocol !== undefined) proven++;
      lines.push(
        `-A ${to} -s ${end.address} -j KUBE-MARK-MASQ`,
        `-A ${to} -p ${protocol ?? "tcp"} -j DNAT --to-destination ${end.text}`,
      );
    }
  }
  if (done.size === 0) return { lines, assumed: [] };
  const fits =
    proven === done.size ? "the hashes in the names fit" : `the hashes of ${done.size - proven} do not fit`;
  const what = done.size === 1 ? `${[...done][0]} sends` : `${done.size} endpoint chains send`;
  return { lines, assumed: [`${what} where the comments of the rules that go there say (${fits})`] };
}

/** `ip:port` or `[ip]:port` of the family, in its canonical form. */
function readEnd(text: string, family: Family): { address: string; text: string } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = readAddress(bracketed ?? plain ?? "");
  if (address === undefined || Number(port) > 65535) return undefined;
  if ((typeof address === "bigint") !== (family === "ipv6")) return undefined;
  const printed = printAddress(address);
  return { address: printed, text: withPort(printed, port ?? "") };
}

/** External chains whose last jump is lost: it has no comment, so grep for a name drops it. */
function completeExternal(ruleset: Ruleset): Lines {
  const lines: string[] = [];
  const assumed: string[] = [];
  for (const chain of ruleset.tables.get("nat")?.chains.values() ?? []) {
    const rules = rulesOf(chain);
    if (!chain.name.startsWith("KUBE-EXT-") || rules.length === 0) continue;
    const hash = hashOf(chain.name);
    const last = rules.at(-1);
    if (hash === undefined || last === undefined || endsIt(last)) continue;
    // With policy Cluster all clients are masqueraded; with Local the node's own are, and the rest goes to local endpoints.
    const isCluster = rules.some(
      (rule) => rule.target?.kind === "chain" && rule.target.chain === "KUBE-MARK-MASQ" && asksNothing(rule),
    );
    const to = `KUBE-${isCluster ? "SVC" : "SVL"}-${hash}`;
    // Where no endpoint is local, that jump is not there.
    if (!isCluster && !hasRules(ruleset, "nat", to)) continue;
    lines.push(`-A ${chain.name} -j ${to}`);
    assumed.push(
      `${chain.name} ends in ${to} (same hash; that jump has no comment, so grep for a name drops it)`,
    );
  }
  return { lines, assumed };
}

/** An unconditional jump to a chain of the service port. */
function endsIt(rule: Rule): boolean {
  const { target } = rule;
  return target?.kind === "chain" && hashOf(target.chain) !== undefined && asksNothing(rule);
}

function asksNothing({ matches, header }: Rule): boolean {
  return matches.every(({ name }) => name === "comment") && Object.keys(header).length === 0;
}
