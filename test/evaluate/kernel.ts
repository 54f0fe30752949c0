/** The kernel fixtures: nodes, packets, and what a real kernel did with them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Family, printAddress } from "../../grammar/address.js";
import type { Packet } from "../../grammar/packet.js";
import { readPackets, stepsOn } from "../../src/cli/packets.js";
import { readNetworkDocument } from "../../src/cluster/network.js";
import { readDocuments } from "../../src/documents/read.js";
import type { ConversationStep } from "../../src/evaluate/conversation.js";
import type { Landing } from "../../src/evaluate/outcome.js";
import type { Problem } from "../../src/problems/problem.js";
import type { NodeState } from "../../src/state/nodestate.js";
import { readSets } from "../../src/text/ipset.js";
import { readVirtualServers } from "../../src/text/ipvsadm.js";
import { readRules } from "../../src/text/rules.js";

const ROOT = join(import.meta.dirname, "../../fixtures/kernel-packets");

export const KERNEL_CASES = readdirSync(ROOT).filter((name) => existsSync(join(ROOT, name, "probes.json")));

export interface Observed {
  readonly verdict: string;
  readonly count: number;
  readonly out?: string;
  readonly src?: string;
  readonly dst?: string;
  readonly dport?: number | null;
  readonly sport?: "kept" | "changed";
  readonly with?: string;
  readonly from?: string;
  readonly errno?: string;
}

export interface Probe {
  readonly id: string;
  readonly repeat: number;
  readonly packet: Packet;
  readonly observed: readonly Observed[];
  /** TRACE paths by outcome; undefined when the case has none. */
  readonly paths: readonly (readonly string[])[] | undefined;
}

export interface KernelCase {
  readonly family: Family;
  readonly state: NodeState;
  /** Messages about matches and targets that are not described. */
  readonly unknown: readonly string[];
  /** Single packets. */
  readonly probes: readonly Probe[];
  readonly conversations: readonly Conversation[];
}

export interface Conversation {
  readonly id: string;
  readonly repeat: number;
  readonly steps: readonly ConversationStep[];
  readonly observed: readonly { readonly count: number; readonly steps: readonly (ObservedStep | null)[] }[];
}

/** `client`, in the answers: the port of the client. */
export interface ObservedStep extends Omit<Observed, "count" | "dport" | "sport"> {
  readonly dport?: number | "client";
  readonly sport?: number | string;
  readonly icmp?: string;
  readonly inner?: Readonly<Record<string, string | number>>;
}

export function kernelCase(name: string): KernelCase {
  const read = (file: string) => readFileSync(join(ROOT, name, file), "utf8");
  const isIPv6 = existsSync(join(ROOT, name, "ip6tables-save.txt"));
  const family: Family = isIPv6 ? "ipv6" : "ipv4";
  const rules = isIPv6 ? "ip6tables-save.txt" : "iptables-save.txt";
  const { ruleset, problems } = readRules({ name: rules, text: read(rules) }, { family });
  const [document] = readDocuments({ name: "network.yaml", text: read("network.yaml") }).documents;
  const network = document === undefined ? undefined : readNetworkDocument(document).network;
  const sets = existsSync(join(ROOT, name, "ipset-save.txt"))
    ? readSets({ name: "ipset-save.txt", text: read("ipset-save.txt") }).sets
    : undefined;
  const virtualServers = existsSync(join(ROOT, name, "ipvsadm-restore.txt"))
    ? readVirtualServers({ name: "ipvsadm-restore.txt", text: read("ipvsadm-restore.txt") })
    : undefined;
  const state: NodeState = {
    rulesets: { [family]: ruleset },
    ...(network === undefined ? {} : { network }),
    ...(sets === undefined ? {} : { sets }),
    ...(virtualServers === undefined ? {} : { virtualServers }),
  };
  const results = JSON.parse(read("observed.json")).results as { id: string; outcomes: Observed[] }[];
  const observed = new Map(results.map(({ id, outcomes }) => [id, outcomes]));
  const traced = existsSync(join(ROOT, name, "paths.json"))
    ? (JSON.parse(read("paths.json")).results as { id: string; outcomes: { path?: string[] }[] }[])
    : undefined;
  const all = JSON.parse(read("probes.json")) as { id: string; steps?: unknown; repeat: number }[];
  const conversations = all
    .filter(({ steps }) => steps !== undefined)
    .map((probe): Conversation => {
      const problems: Problem[] = [];
      const [asked] = readPackets({ name: "probe", text: JSON.stringify(probe) }, problems);
      if (asked?.kind !== "conversation") throw new Error(`${name}: ${probe.id}: ${problems[0]?.message}`);
      return {
        id: probe.id,
        repeat: probe.repeat,
        steps: stepsOn(asked, state, problems),
        observed: (observed.get(probe.id) ?? []) as unknown as Conversation["observed"],
      };
    });
  const single = all.filter(({ steps }) => steps === undefined);
  const probes = single.map((probe): Probe => {
    // Without a source port the kernel saw a new one each time: any will do, so that "kept" can be told.
    const [asked] = readPackets({ name: "probe", text: JSON.stringify({ sport: 40000, ...probe }) }, []);
    if (asked?.kind !== "packet") throw new Error(`${name}: ${probe.id} is no packet`);
    const paths = traced
      ?.find(({ id }) => id === probe.id)
      ?.outcomes.flatMap(({ path }) => (path ? [path] : []));
    return {
      id: probe.id,
      repeat: probe.repeat,
      packet: asked.packet,
      observed: observed.get(probe.id) ?? [],
      paths,
    };
  });
  return {
    family,
    state,
    unknown: problems.map(({ message }) => message),
    probes,
    conversations,
  };
}

/** What both sides of the comparison are put into: an outcome without its source port. */
export function outcomeKey(outcome: Observed | Landing): string {
  const text = (value: unknown) =>
    typeof value === "number" || typeof value === "bigint" ? printAddress(value) : String(value);
  switch (outcome.verdict) {
    case "forward":
      return `forward by ${outcome.out} ${text(outcome.src)} to ${text(outcome.dst)} port ${outcome.dport ?? "none"}`;
    case "reject":
      // An answer that is not sent looks like a drop from outside.
      return "answered" in outcome && outcome.answered === false
        ? "drop"
        : `reject ${outcome.with} from ${text(outcome.from)}`;
    case "error":
      return `error ${"errno" in outcome ? outcome.errno : outcome.with}`;
    default:
      return outcome.verdict;
  }
}
