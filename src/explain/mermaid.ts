/** The chains that an explanation is about as a Mermaid flowchart. */
import type { Family } from "../../grammar/address.js";
import { meaningOf } from "../state/meaning.js";
import { BUILT_IN_CHAINS, chainOf, isTableName, type Ruleset, rulesOf } from "../state/rules.js";
import { translationOf } from "./proxy-view.js";
import { endWords } from "./service-words.js";
import { conditionsInWords, effectInWords } from "./words.js";

/** Where a drawing begins: a chain, and rules that lead to it. */
export interface Start {
  readonly ruleset: Ruleset;
  readonly table: string;
  readonly chain: string;
}

/** Where packets come from, and the chain that they are led to. */
export interface Entry {
  readonly label: string;
  readonly to: Start;
}

/** More edges cannot be read. */
const EDGES_MAX = 200;
const LABEL_MAX = 60;

/** All that can be reached from the starts; ends are translations, verdicts and refusals. */
export function mermaidOf(starts: readonly Start[], entries: readonly Entry[] = []): string {
  const ids = new Map<string, string>();
  const nodes: string[] = [];
  const edges: string[] = [];
  let left = EDGES_MAX;
  const node = (key: string, label: string, shape: "chain" | "end"): string => {
    let id = ids.get(key);
    if (id === undefined) {
      id = `n${ids.size}`;
      ids.set(key, id);
      nodes.push(
        shape === "chain" ? `  ${id}["${mermaidText(label)}"]` : `  ${id}(["${mermaidText(label)}"])`,
      );
    }
    return id;
  };
  const chainNode = ({ ruleset, table, chain }: Start) =>
    node(`${ruleset.family} ${table} ${chain}`, table === "nat" ? chain : `${table}: ${chain}`, "chain");
  for (const { label, to } of entries)
    edges.push(mermaidEdge(node(`entry ${label}`, label, "end"), chainNode(to), ""));
  const waiting = [...starts, ...entries.map(({ to }) => to)];
  const seen = new Set<string>();
  for (let start = waiting.shift(); start !== undefined && left > 0; start = waiting.shift()) {
    const { ruleset, table, chain } = start;
    const key = `${ruleset.family} ${table} ${chain}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const from = chainNode(start);
    const there = chainOf(ruleset, table, chain);
    for (const rule of there === undefined ? [] : rulesOf(there)) {
      if (left-- <= 0) break;
      const { family } = ruleset;
      const asks = conditionsInWords(rule, family);
      const { effect } = meaningOf(rule, family);
      if (effect.kind === "jump" || effect.kind === "goto") {
        const next = { ruleset, table, chain: effect.chain };
        edges.push(mermaidEdge(from, chainNode(next), asks));
        waiting.push(next);
      } else if (effect.kind !== "note") {
        const end = endOf(rule, family);
        edges.push(mermaidEdge(from, node(`${key} ${end}`, end, "end"), asks));
      }
    }
  }
  const cut = left <= 0 ? ["  %% more rules are left out"] : [];
  return `${["flowchart LR", ...nodes, ...edges, ...cut].join("\n")}\n`;
}

/** The built-in chains of all tables that have rules. */
export function builtInStarts(ruleset: Ruleset): readonly Start[] {
  return [...ruleset.tables.values()].flatMap(({ name: table, chains }) =>
    (isTableName(table) ? BUILT_IN_CHAINS[table] : []).flatMap((chain) => {
      const there = chains.get(chain);
      return there === undefined || rulesOf(there).length === 0 ? [] : [{ ruleset, table, chain }];
    }),
  );
}

function endOf(rule: Parameters<typeof effectInWords>[0], family: Family): string {
  const to = translationOf(rule, family);
  return to?.address === undefined ? effectInWords(rule, family) : endWords(to.address, to.port);
}

/** `label` is what must hold to go there; empty: nothing. */
export function mermaidEdge(from: string, to: string, label: string): string {
  return label === "" ? `  ${from} --> ${to}` : `  ${from} -->|"${mermaidText(label)}"| ${to}`;
}

/** Text for a quoted label: Mermaid reads entities, and nothing else in it. */
export function mermaidText(text: string): string {
  const short = text.length > LABEL_MAX ? `${text.slice(0, LABEL_MAX - 1)}…` : text;
  return short
    .replace(/#/g, "#35;")
    .replace(/"/g, "#quot;")
    .replace(/</g, "#lt;")
    .replace(/>/g, "#gt;")
    .replace(/`/g, "#96;");
}
