/** Two states by what becomes of packets: each entry point asked on both sides, and what differs put together. */
import type { Address, Family } from "../../grammar/address.js";
import type { Packet } from "../../grammar/packet.js";
import { protocolName } from "../../grammar/protocols.js";
import { evaluate } from "../evaluate/evaluate.js";
import type { Landing } from "../evaluate/outcome.js";
import { toNumber } from "../evaluate/share.js";
import { endWords } from "../explain/service-words.js";
import { type CompareOptions, compareDistributions, type Difference, endKey } from "./distributions.js";
import { type EntryPoint, entryPoints, probeOf, questionsFor } from "./entry-points.js";
import { mayDiffer } from "./reach.js";
import { areTwoNodes, FAMILIES, ownAddresses, type Side, surroundings } from "./side.js";
import { renamedChains } from "./structure.js";

/** Entry points of one service that differ in one way, with a packet that proves it. */
export interface BehaviourChange {
  /** Absent where no comment names it. */
  readonly service?: string;
  readonly entries: readonly { readonly entry: EntryPoint; readonly who: readonly string[] }[];
  readonly example: {
    readonly left: Packet;
    readonly right: Packet;
    readonly difference: Difference;
  };
}

export interface BehaviourDifference {
  /** How many entry points there are on either side, and of these how many differ. */
  readonly entryPoints: number;
  readonly differing: number;
  /** Entry points whose packets meet the same rules on both sides, so that none needs to be evaluated. */
  readonly byRules: number;
  /** Packets to the others, evaluated on both sides. */
  readonly packets: number;
  readonly changes: readonly BehaviourChange[];
  /** Service ports, and entry points without a name, at which nothing differs. */
  readonly same: readonly string[];
  /** Entry points at which shares differ by rounding alone. */
  readonly rounded: number;
  /** `who` is empty where it holds for all clients. */
  readonly undecided: readonly { readonly entry: EntryPoint; readonly who: string; readonly why: string }[];
}

export interface BehaviourOptions {
  /** Entry points that are looked at; default: all. */
  readonly only?: (entry: EntryPoint) => boolean;
  readonly onProgress?: (done: number, total: number) => void;
}

export function compareBehaviour(
  left: Side,
  right: Side,
  families: readonly Family[],
  { only = () => true, onProgress }: BehaviourOptions = {},
): BehaviourDifference {
  const entries = entryPoints(left, right, families).filter(only);
  const isSameAround = surroundings(left.state) === surroundings(right.state);
  const options: CompareOptions = {
    ...(areTwoNodes(left, right) ? { own: ownOf(left, right) } : {}),
    renamed: renamedIn(left, right, families),
  };
  const groups = new Map<string, Group>();
  const differing = new Set<EntryPoint>();
  const rounded = new Set<EntryPoint>();
  const undecided: { entry: EntryPoint; who: string; why: string }[] = [];
  let byRules = 0;
  let packets = 0;
  for (const [index, entry] of entries.entries()) {
    onProgress?.(index, entries.length);
    if (isSameAround && !canDiffer(entry, left, right)) {
      byRules++;
      continue;
    }
    const questions = questionsFor(entry, left, right);
    for (const question of questions) {
      packets++;
      const comparison = compareDistributions(
        evaluate(left.state, question.left),
        evaluate(right.state, question.right),
        options,
      );
      if (comparison.kind === "undecided") undecided.push({ entry, who: question.who, why: comparison.why });
      if (comparison.kind === "rounding") rounded.add(entry);
      if (comparison.kind !== "differs") continue;
      differing.add(entry);
      const key = `${entry.service ?? nameOf(entry)}\n${changeKey(comparison, options.own)}`;
      const group = groups.get(key);
      if (group === undefined) {
        groups.set(key, {
          ...(entry.service === undefined ? {} : { service: entry.service }),
          entries: [{ entry, who: [question.who] }],
          example: { left: question.left, right: question.right, difference: comparison },
        });
      } else {
        const known = group.entries.find((one) => one.entry === entry);
        if (known === undefined) group.entries.push({ entry, who: [question.who] });
        else known.who.push(question.who);
      }
    }
  }
  onProgress?.(entries.length, entries.length);
  const changed = new Set([...differing].map((entry) => entry.service ?? nameOf(entry)));
  const open = new Set(undecided.map(({ entry }) => entry.service ?? nameOf(entry)));
  const all = new Set(entries.map((entry) => entry.service ?? nameOf(entry)));
  return {
    entryPoints: entries.length,
    differing: differing.size,
    byRules,
    packets,
    changes: [...groups.values()],
    same: [...all].filter((name) => !changed.has(name) && !open.has(name)),
    rounded: [...rounded].filter((entry) => !differing.has(entry)).length,
    undecided,
  };
}

/** `10.96.0.10:53/udp`, or `node port 30080/tcp`. */
export function nameOf({ address, port, protocol }: EntryPoint): string {
  const name = protocolName(protocol);
  return address === undefined ? `node port ${port}/${name}` : `${endWords(address, port)}/${name}`;
}

function canDiffer(entry: EntryPoint, left: Side, right: Side): boolean {
  const pair = { left: left.plain[entry.family], right: right.plain[entry.family] };
  if (pair.left === undefined || pair.right === undefined) return true;
  return mayDiffer({ left: pair.left, right: pair.right }, probeOf(entry, left, right));
}

interface Group extends BehaviourChange {
  readonly entries: { readonly entry: EntryPoint; readonly who: string[] }[];
}

/** Right names by left ones. No two tables have chains of one name that were renamed apart in any known program. */
function renamedIn(left: Side, right: Side, families: readonly Family[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const family of families) {
    const [one, other] = [left.plain[family], right.plain[family]];
    if (one === undefined || other === undefined) continue;
    for (const [key, name] of renamedChains(one, other)) names.set(key.slice(key.indexOf(" ") + 1), name);
  }
  return names;
}

function ownOf(left: Side, right: Side): NonNullable<CompareOptions["own"]> {
  const own = (side: Side) => new Set(FAMILIES.flatMap((family) => [...ownAddresses(side, family)]));
  return { left: own(left), right: own(right) };
}

/** Differences of equal keys are told as one. */
function changeKey({ what, left, right }: Difference, own: CompareOptions["own"]): string {
  const side = (landings: readonly Landing[], addresses: ReadonlySet<Address> | undefined) =>
    landings
      .map((landing) => {
        const source = what === "source" ? String(landing.masqueraded) : "";
        return `${endKey(landing, addresses)} ${source} ${toNumber(landing.share).toFixed(5)}`;
      })
      .sort()
      .join("\n");
  return `${what}\n${side(left, own?.left)}\n\n${side(right, own?.right)}`;
}
