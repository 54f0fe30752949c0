/**
 * The ipsets that kube-proxy keeps: one of each kind and family, all there always. Source: the ipvs proxier of Kubernetes
 * 1.24 to 1.30; options as the kernel and ipset 7.17 show them.
 */
import type { Family } from "../../../grammar/address.js";
import type { CreateOptions, ElementPart } from "../../../grammar/sets/description.js";
import { setTypeNamed } from "../../../grammar/sets/types.js";
import { fullName, SETS, type SetInfo, type SetName } from "../../cluster/ipvs-names.js";
import type { Problem } from "../../problems/problem.js";
import type { IpSet, IpSets } from "../../state/sets.js";
import { printElement } from "../../text/ipset/save.js";
import type { VersionBehaviour } from "../versions.js";

export function commentOf(name: SetName): string {
  return infoOf(name).comment;
}

function infoOf(name: SetName): SetInfo {
  return SETS.find((info) => info.name === name) as SetInfo;
}

interface Entry {
  readonly parts: readonly ElementPart[];
  /** False for what the kernel refuses; kube-proxy logs that, and takes the set for one that is not empty. */
  readonly stored: boolean;
}

/** The entries that one family's sets should have, by their text. */
export interface WantedEntries {
  readonly family: Family;
  readonly entries: Map<SetName, Map<string, Entry>>;
}

export function noEntries(family: Family): WantedEntries {
  return { family, entries: new Map() };
}

/** Adds an entry; `stored` false: the kernel refuses it. */
export function want(
  { family, entries }: WantedEntries,
  name: SetName,
  parts: readonly ElementPart[],
  stored = true,
): void {
  const type = setTypeNamed(infoOf(name).type);
  if (type === undefined) return;
  const own = entries.get(name) ?? new Map<string, Entry>();
  own.set(printElement(type, parts, optionsOf(name, family)), { parts, stored });
  entries.set(name, own);
}

/** No entry is wanted in the set. */
export function isEmpty({ entries }: WantedEntries, name: SetName): boolean {
  return !entries.has(name);
}

function optionsOf(name: SetName, family: Family): CreateOptions {
  return infoOf(name).type === "bitmap:port"
    ? { range: { from: 0, to: 0xffff } }
    : { family, hashsize: 1024, maxelem: 65536, bucketsize: 12 };
}

export interface SetsSynced {
  readonly sets: IpSets;
  readonly problems: readonly Problem[];
}

/** The node's sets after a sync: those of others as they were, kube-proxy's own with exactly the wanted entries. */
export function setsAfterSync(
  before: IpSets,
  wanted: WantedEntries,
  { ipvsFilter }: VersionBehaviour,
): SetsSynced {
  const sets = new Map(before);
  const problems: Problem[] = [];
  for (const { name, type } of SETS) {
    if (name === "IPVS-IPS" && !ipvsFilter) continue;
    const full = fullName(name, wanted.family);
    const there = before.get(full);
    if (there !== undefined && !isOfKind(there, type, wanted.family)) {
      problems.push({
        code: "LF5010",
        severity: "warning",
        message: `ipset would refuse this sync: set ${full} is there with another type or family`,
        notes: ["kube-proxy then changes nothing; what is shown is what it asks for"],
      });
    }
    const stored = [...(wanted.entries.get(name)?.values() ?? [])].filter((entry) => entry.stored);
    const entries = stored.map(({ parts }) => ({ parts, extensions: {} }));
    // A bitmap is walked from its beginning.
    if (type === "bitmap:port") entries.sort((left, right) => Number(left.parts[0]) - Number(right.parts[0]));
    const kept = there !== undefined && isOfKind(there, type, wanted.family) ? there.options : undefined;
    sets.set(full, { name: full, type, options: kept ?? optionsOf(name, wanted.family), entries });
  }
  return { sets, problems };
}

function isOfKind(set: IpSet, type: string, family: Family): boolean {
  return set.type === type && (type === "bitmap:port" || (set.options.family ?? "ipv4") === family);
}
