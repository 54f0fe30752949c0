/** Real connections through real virtual servers: fixtures/ipvs-packets. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Opened, replay } from "../../../src/evaluate/ipvs/replay.js";
import { type IpvsOptions, ipvsTable } from "../../../src/evaluate/ipvs/table.js";
import { readIpvsEvents } from "../../../src/text/ipvs-events.js";
import { readVirtualServers } from "../../../src/text/ipvsadm.js";

const ROOT = join(import.meta.dirname, "../../../fixtures/ipvs-packets");

export const IPVS_CASES = readdirSync(ROOT).filter((name) => !name.includes("."));

export function caseFile(name: string, file: string): string {
  return readFileSync(join(ROOT, name, file), "utf8");
}

/** Answers, and what really happened, by the id of the connection. */
export function replayed(
  restore: string,
  connections: string,
  options: IpvsOptions = {},
): { readonly answers: readonly Opened[]; readonly problems: readonly string[] } {
  const servers = readVirtualServers({ name: "ipvsadm-restore.txt", text: restore });
  const read = readIpvsEvents({ name: "connections.tsv", text: connections }, servers);
  const problems = [...servers.problems, ...read.problems].map(
    ({ place, message }) => `${place?.source.name}:${place?.line}: ${message}`,
  );
  return { answers: [...replay(ipvsTable(servers, options), read.events)], problems };
}

/** The column `real`, by id. */
export function reals(connections: string): ReadonlyMap<string, string> {
  const rows = connections
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"));
  return new Map(
    rows.filter(([event]) => event === "open").map((row) => [row[1] ?? "", (row[7] ?? "").trim()]),
  );
}
