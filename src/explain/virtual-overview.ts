/** The IPVS table of a node at a glance. */
import type { NodeState } from "../state/nodestate.js";
import { familyOfService } from "../state/virtual-servers.js";
import { aroundServers } from "./around-servers.js";
import type { Section } from "./sections.js";

export interface VirtualOverview {
  readonly virtualServers: number;
  /** Of these for firewall marks, which kube-proxy never makes. */
  readonly marks: number;
  /** Of these persistent. */
  readonly persistent: number;
  /** Of these without a real server that takes new connections. */
  readonly refusing: number;
  /** Addresses and ports; one that stands under several virtual servers counts once. */
  readonly realServers: number;
  /** Real servers of weight 0, once for each virtual server. */
  readonly closed: number;
  /** With how many virtual servers have it; the most used first. `name` undefined: the listing does not show it. */
  readonly schedulers: readonly { readonly name: string | undefined; readonly virtualServers: number }[];
  /** What is not here, and what that leaves open, in sentences. */
  readonly lacks: readonly string[];
}

/** Undefined: no IPVS table was given. */
export function virtualOverviewOf(state: NodeState): VirtualOverview | undefined {
  const { virtualServers } = state;
  if (virtualServers === undefined) return undefined;
  const { services } = virtualServers;
  const schedulers = new Map<string | undefined, number>();
  const servers = new Set<string>();
  let closed = 0;
  for (const { key, scheduling, destinations } of services) {
    schedulers.set(scheduling?.scheduler, (schedulers.get(scheduling?.scheduler) ?? 0) + 1);
    for (const { address, port, weight } of destinations) {
      servers.add(`${address} ${port || (key.kind === "mark" ? 0 : key.port)}`);
      if (weight === 0) closed += 1;
    }
  }
  const families = new Set(services.map(({ key }) => familyOfService(key)));
  return {
    virtualServers: services.length,
    marks: services.filter(({ key }) => key.kind === "mark").length,
    persistent: services.filter(({ scheduling }) => scheduling?.persistence !== undefined).length,
    refusing: services.filter(({ destinations }) => destinations.every(({ weight }) => weight === 0)).length,
    realServers: servers.size,
    closed,
    schedulers: [...schedulers]
      .map(([name, count]) => ({ name, virtualServers: count }))
      .sort((left, right) => right.virtualServers - left.virtualServers),
    lacks: [...new Set([...families].flatMap((family) => aroundServers(state, family).lacks))],
  };
}

export function virtualSections(overview: VirtualOverview): readonly Section[] {
  const { virtualServers, marks, persistent, refusing, realServers, closed, schedulers, lacks } = overview;
  const rows: readonly (readonly [string, number, string])[] = [
    ["virtual servers", virtualServers, ""],
    ...schedulers.map(
      ({ name, virtualServers: count }) =>
        [name === undefined ? "scheduler not shown" : `scheduler ${name}`, count, ""] as const,
    ),
    ["persistent", persistent, ""],
    ["for firewall marks", marks, "not of kube-proxy"],
    ["refusing", refusing, "no real server takes new connections"],
    ["real servers", realServers, "addresses and ports"],
    ["weight 0", closed, "no new connections"],
  ];
  const shown = rows.filter(([label, count]) => count > 0 || ALWAYS.includes(label));
  return [
    { heading: "IPVS", rows: shown.map(([label, count, words]) => [label, `${count}`, words]) },
    ...(lacks.length === 0 ? [] : [{ heading: "not known", lines: lacks }]),
  ];
}

const ALWAYS: readonly string[] = ["virtual servers", "real servers"];
