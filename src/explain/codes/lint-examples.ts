/** Small inputs for the examples of lint's codes. */
import type { Example } from "./explanation.js";

/** A whole table; chains are those that lines begin with or that are named. */
export function tableOf(name: string, lines: readonly string[], chains: readonly string[] = []): string {
  const builtIn = name === "nat" ? "PREROUTING" : "INPUT";
  return `*${name}\n${[`:${builtIn} ACCEPT [0:0]`, ...chains.map((chain) => `:${chain} - [0:0]`), ...lines].join("\n")}\nCOMMIT\n`;
}

/** Inputs by name, or a dump, and the command that looks for one code in them. */
export function linted(code: string, inputs: string | Readonly<Record<string, string>>): Example {
  const files = typeof inputs === "string" ? { "node.save": inputs } : inputs;
  return { command: `lint ${Object.keys(files).join(" ")} --rule ${code}`, files, isAnswer: true };
}

export const SVC = "KUBE-SVC-CDGGSHYLG3RE2FKL";
export const SEP = "KUBE-SEP-2HP72ZIPYAM5HUSK";
export const SEP2 = "KUBE-SEP-NIMRB72CNAYKLM25";
