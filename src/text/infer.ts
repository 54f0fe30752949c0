/**
 * The tables of rules that stand in none: fragments of grep, and the output of `iptables -S`. A rule's own target or
 * matches may tell, or the names of its chains; what tells nothing goes with the rules around it.
 */
import type { Family } from "../../grammar/address.js";
import { matchNamed, targetNamed } from "../../grammar/extensions.js";
import { BUILT_IN_CHAINS, isTableName, type TableName } from "../state/rules.js";
import type { Words } from "./words.js";

/** Chains that programs of Kubernetes nodes make, by their table. */
const NAMES: readonly (readonly [TableName, RegExp])[] = [
  ["raw", /_raw$|^cali-(?:PREROUTING-raw|OUTPUT-raw)/],
  ["mangle", /_mangle$|^(?:ISTIO_DIVERT|ISTIO_TPROXY|KUBE-IPTABLES-HINT)$/],
  [
    "nat",
    /_nat$|^KUBE-(?:SVC|SVL|SEP|EXT|FW|XLB)-|^KUBE-(?:MARK-MASQ|MARK-DROP|POSTROUTING|LOAD-BALANCER|NODE-PORT|PORTALS-\w+|NODEPORT-\w+|ROUTER-HAIRPIN)$|^CNI-(?:HOSTPORT|DN|SN)|^FLANNEL-POSTRTG$|^IP-MASQ|^OPENSHIFT-MASQUERADE|^AWS-(?:SNAT|CONNMARK)-|^cali-(?:nat|fip)|^ISTIO_(?:REDIRECT|IN_REDIRECT)$|^PREROUTING_direct$/,
  ],
  [
    "filter",
    /_filter$|^KUBE-(?:FORWARD|FIREWALL|EXTERNAL-SERVICES|PROXY-FIREWALL|NODE-PORT-INGRESS|SOURCE-RANGES-FIREWALL|IPVS-FILTER)$|^KUBE-(?:POD-FW|NWPLCY|ROUTER)-|^DOCKER-(?:USER|ISOLATION|FORWARD|CT|BRIDGE|INTERNAL)|^WEAVE-NPC|^ufw6?-|^AZURE-NPM|^cali-(?:FORWARD|INPUT|OUTPUT|tw|fw|pi|po|from-wl|to-wl|wl-to-host|failsafe)|^CNI-(?:FORWARD|ADMIN)|^FLANNEL-FWD$|^f2b-/,
  ],
];

/** A command that stands in no table. */
export interface LooseCommand {
  readonly words: Words;
  /** Of the word that is the command: `-A`. */
  readonly at: number;
  /** Named by the command line. */
  readonly table?: string;
}

interface Vertex {
  readonly chain: string;
  /** The chain, or the target, that the rule goes to. */
  readonly target: string | undefined;
  /** Tables that have the built-in chain, and take the target and all matches. */
  readonly possible: readonly TableName[];
  table: TableName | undefined;
}

/** The table of each command, in their order. */
export function inferTables(commands: readonly LooseCommand[], family: Family): readonly TableName[] {
  const vertices = commands.map((command): Vertex => {
    const { words } = command.words;
    const chain = words[command.at + 1] ?? "";
    const jump = words.findIndex((word) => /^(?:-[jg]|--jump|--goto)$/.test(word));
    const target = jump < 0 ? undefined : words[jump + 1];
    const named = command.table !== undefined && isTableName(command.table) ? command.table : undefined;
    const possible = possibleTables(words, chain, target, family);
    return { chain, target, possible, table: named ?? ownTable(chain, target, possible) };
  });
  spread(vertices);
  const common = mostOf(vertices) ?? "filter";
  // What most of the rules' table refuses (nat takes no DROP) is of another one, and so is what goes with it.
  for (const vertex of vertices)
    if (!vertex.possible.includes(common)) vertex.table ??= vertex.possible[0] ?? common;
  spread(vertices);
  return vertices.map(({ table }) => table ?? common);
}

/** In the order in which they are likely. */
const TABLES: readonly TableName[] = ["filter", "nat", "mangle", "raw", "security"];

function possibleTables(
  words: readonly string[],
  chain: string,
  target: string | undefined,
  family: Family,
): readonly TableName[] {
  const extensions = [
    ...(target === undefined ? [] : [targetNamed(target, family)]),
    ...words.flatMap((word, index) => (word === "-m" ? [matchNamed(words[index + 1] ?? "", family)] : [])),
  ];
  return TABLES.filter(
    (table) =>
      (!isBuiltIn(chain) || BUILT_IN_CHAINS[table].includes(chain)) &&
      extensions.every((one) => one?.tables?.includes(table) ?? true),
  );
}

/** What the rule itself says: its target or a match belongs to one table, or its chains have telling names. */
function ownTable(
  chain: string,
  target: string | undefined,
  possible: readonly TableName[],
): TableName | undefined {
  if (possible.length === 1) return possible[0];
  const byName = (name: string) => NAMES.find(([, pattern]) => pattern.test(name))?.[0];
  return (target === undefined ? undefined : byName(target)) ?? byName(chain);
}

/**
 * Rules that say nothing go with those of their chain, with the chain they go to, or with those that come to them. Each
 * turn asks only the rules of chains of which the turn before has told something.
 */
function spread(vertices: readonly Vertex[]): void {
  const tables = new Map<string, Set<TableName>>();
  const users = new Map<string, Vertex[]>();
  for (const vertex of vertices) {
    if (vertex.table !== undefined) continue;
    for (const name of [vertex.chain, vertex.target]) {
      if (name === undefined || isExtension(name)) continue;
      const known = users.get(name);
      if (known === undefined) users.set(name, [vertex]);
      else known.push(vertex);
    }
  }
  const told = ({ chain, target }: Vertex): TableName | undefined => {
    for (const name of [chain, target]) {
      const known = name === undefined || isExtension(name) ? undefined : tables.get(name);
      if (known?.size === 1) return [...known][0];
    }
    return undefined;
  };
  for (let fresh = vertices.filter(({ table }) => table !== undefined); fresh.length > 0; ) {
    const changed = new Set<string>();
    const see = (chain: string | undefined, table: TableName): void => {
      if (chain === undefined) return;
      const known = tables.get(chain) ?? new Set();
      if (known.has(table)) return;
      tables.set(chain, known.add(table));
      changed.add(chain);
    };
    for (const { chain, target, table } of fresh) {
      if (table === undefined) continue;
      // Every table has an OUTPUT, so that it says nothing of other rules in it.
      if (!isBuiltIn(chain)) see(chain, table);
      see(target, table);
    }
    fresh = [];
    for (const name of changed) {
      for (const vertex of users.get(name) ?? []) {
        if (vertex.table !== undefined) continue;
        vertex.table = told(vertex);
        if (vertex.table !== undefined) fresh.push(vertex);
      }
    }
  }
}

function isBuiltIn(chain: string): boolean {
  return Object.values(BUILT_IN_CHAINS).some((chains) => chains.includes(chain));
}

function isExtension(name: string): boolean {
  return targetNamed(name, "ipv4") !== undefined || targetNamed(name, "ipv6") !== undefined;
}

function mostOf(vertices: readonly Vertex[]): TableName | undefined {
  const counts = new Map<TableName, number>();
  for (const { table } of vertices) if (table !== undefined) counts.set(table, (counts.get(table) ?? 0) + 1);
  return [...counts].sort(([, left], [, right]) => right - left)[0]?.[0];
}
