/** The ways of a packet as a Mermaid flowchart: the chains that it goes through, and how many of them land where. */
import type { Distribution, Landing, Share, Step } from "../evaluate/outcome.js";
import { isCertain, plus } from "../evaluate/share.js";
import { mermaidEdge, mermaidText } from "./mermaid.js";
import { conditionsInWords } from "./words.js";

export interface DrawingWords {
  /** What the packet is. */
  readonly packet: string;
  landsOn(landing: Landing): string;
  share(share: Share): string;
}

/** One drawing; cases that take something for granted are parts of it, each with its own ways. */
export function drawWays({ cases }: Distribution, words: DrawingWords): string {
  const lines = cases.flatMap((one, index) => {
    const drawn = waysOf(one.landings, `c${index}`, words);
    const assuming = one.assuming.map((each) => each.words).join(", and ");
    return assuming === ""
      ? drawn
      : [
          `  subgraph s${index}["${mermaidText(`if ${assuming}`)}"]`,
          ...drawn.map((line) => `  ${line}`),
          "  end",
        ];
  });
  return `${["flowchart LR", ...lines].join("\n")}\n`;
}

interface Edge {
  readonly from: string;
  readonly to: string;
  /** What the rule asks that leads on. */
  readonly asks: string;
  share: Share;
}

/** `prefix` tells the nodes of one case from those of others. */
function waysOf(landings: readonly Landing[], prefix: string, words: DrawingWords): readonly string[] {
  const ids = new Map<string, string>();
  const nodes: string[] = [];
  const edges = new Map<string, Edge>();
  const node = (key: string, label: string, shape: "chain" | "end"): string => {
    let id = ids.get(key);
    if (id === undefined) {
      id = `${prefix}n${ids.size}`;
      ids.set(key, id);
      const text = mermaidText(label);
      nodes.push(shape === "chain" ? `  ${id}["${text}"]` : `  ${id}(["${text}"])`);
    }
    return id;
  };
  for (const landing of landings) {
    let from = node("packet", words.packet, "end");
    let asks = "";
    const goTo = (to: string): void => {
      const key = `${from} ${to}`;
      const known = edges.get(key);
      if (known === undefined) edges.set(key, { from, to, asks, share: landing.share });
      else known.share = plus(known.share, landing.share);
      from = to;
    };
    let place = "";
    for (const { table, chain, rule, headers } of stepsOf(landing)) {
      if (place !== `${table}:${chain}`) goTo(node(`${table}:${chain}`, `${table}: ${chain}`, "chain"));
      place = `${table}:${chain}`;
      asks = rule === undefined ? "" : conditionsInWords(rule, headers.family);
    }
    const end = words.landsOn(landing);
    goTo(node(`end ${end}`, end, "end"));
  }
  const drawn = [...edges.values()].map(({ from, to, asks, share }) => {
    const label = [asks, isCertain(share) ? "" : words.share(share)].filter((part) => part !== "");
    return mermaidEdge(from, to, label.join(" · "));
  });
  return [...nodes, ...drawn];
}

/** The first rule first. */
function stepsOf({ lastStep }: Landing): readonly Step[] {
  const steps: Step[] = [];
  for (let step = lastStep; step !== undefined; step = step.previous) steps.push(step);
  return steps.reverse();
}
