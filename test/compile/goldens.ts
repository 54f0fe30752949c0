/** The kube-proxy fixtures: clusters, and the texts that came out, by version. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Family } from "../../grammar/address.js";
import type { ClusterModel } from "../../src/cluster/model.js";
import { chooseNode, type NodeChoice } from "../../src/cluster/node.js";
import { readCluster } from "../../src/cluster/read.js";
import { readDocuments } from "../../src/documents/read.js";

const ROOT = join(import.meta.dirname, "../../fixtures/kube-proxy");

export const GOLDEN_VERSIONS = ["1.24", "1.26", "1.28", "1.29", "1.30", "1.31", "1.34"] as const;
export const SCENARIOS = readdirSync(join(ROOT, "iptables"));
export const SYNC_SCENARIOS = readdirSync(join(ROOT, "iptables-sync"));
export const IPVS_SCENARIOS = readdirSync(join(ROOT, "ipvs"));
export const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];

/** Texts by scenario and the name of their file. */
export type Goldens = ReadonlyMap<string, string>;

export function goldenKey(scenario: string, kind: "restore" | "save", family: Family): string {
  return `${scenario} iptables-${kind}.${family}.txt`;
}

/** All texts of one version; `sync-1.30` are those of second syncs, `ipvs-1.30` those of mode ipvs. */
export function goldens(set: string): Goldens {
  const packed = gunzipSync(readFileSync(join(ROOT, "expected", `${set}.txt.gz`))).toString();
  const texts = new Map<string, string>();
  for (const part of packed.split(/^==== /m).slice(1)) {
    const end = part.indexOf("\n");
    texts.set(part.slice(0, end), part.slice(end + 1));
  }
  return texts;
}

export interface Scenario {
  readonly model: ClusterModel;
  readonly choice: NodeChoice;
}

/** The objects of a scenario, and the node it is about. */
export function scenario(name: string): Scenario {
  return load(join("iptables", name), "objects.yaml");
}

/** A cluster before and after a change. */
export function syncScenario(name: string): { before: Scenario; after: Scenario } {
  const folder = join("iptables-sync", name);
  return { before: load(folder, "before.yaml"), after: load(folder, "after.yaml") };
}

/** The files of a scenario in mode ipvs, by name. */
export function ipvsFiles(name: string): Readonly<Record<string, string>> {
  const folder = join(ROOT, "ipvs", name);
  const files = readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")] as const);
  return Object.fromEntries(files);
}

/** `NAME ADDRESS/LENGTH` a line → a network document; loopback goes without saying. */
export function networkDocument(interfaces: string): string {
  const lines = interfaces
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  const names = [...new Set(lines.map(([name]) => name))];
  return JSON.stringify({
    interfaces: names.map((name) => ({
      name,
      addresses: lines.flatMap(([of, address]) => (of === name ? [address] : [])),
    })),
  });
}

function load(folder: string, objects: string): Scenario {
  const documents = [objects, "kube-proxy.yaml"].flatMap((file) => {
    const path = join(ROOT, folder, file);
    const text = existsSync(path)
      ? readFileSync(path, "utf8")
      : gunzipSync(readFileSync(`${path}.gz`)).toString();
    return readDocuments({ name: file, text }).documents;
  });
  const { model } = readCluster(documents);
  return { model, choice: chooseNode(model) };
}

/** Lines that do not begin with `# `. */
export function withoutRemarks(text: string): string {
  return text
    .split("\n")
    .filter((line) => !line.startsWith("# "))
    .join("\n");
}
