/**
 * Worlds that have come to the same point with the same packet, put together: without it, twenty rate-limited LOG rules
 * would make a million ways.
 */
import { memoryKey } from "./memory.js";
import { isSameShare, plus, shortened } from "./share.js";
import type { Assumed, LivePacket, World } from "./world.js";

/** Up to so many worlds nothing is merged, so that each way keeps its own steps for the explanation. */
const WORLDS_FEW = 8;

/** The same distribution in fewer worlds, if there are many. Of merged worlds the first one's steps stand for all. */
export function mergeWorlds(worlds: readonly World[]): readonly World[] {
  if (worlds.length <= WORLDS_FEW) return worlds;
  const groups = new Map<string, World[]>();
  for (const world of worlds) {
    const key = worldKey(world);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [world]);
    else group.push(world);
  }
  return groups.size === worlds.length ? worlds : [...groups.values()].flatMap(mergeGroup);
}

/** Worlds of one packet: those of equal assumptions add up, and a question that made no difference is forgotten. */
function mergeGroup(worlds: readonly World[]): readonly World[] {
  let open = worlds;
  for (;;) {
    const merged = new Map<Assumed | undefined, World>();
    for (const world of open) {
      const same = merged.get(world.assumed);
      const share = same === undefined ? world.share : shortened(plus(same.share, world.share));
      merged.set(world.assumed, { ...(same ?? world), share });
    }
    const next: World[] = [];
    // At most one waits for each: worlds that have split at the same point differ in their answer alone.
    const waiting = new Map<Assumed | undefined, World>();
    let found = false;
    for (const world of merged.values()) {
      const { assumed } = world;
      const opposite = assumed && waiting.get(assumed.previous);
      if (assumed === undefined || decidesRoute(assumed)) next.push(world);
      else if (opposite === undefined) waiting.set(assumed.previous, world);
      else if (isOpposite(assumed, opposite.assumed) && isSameShare(world.share, opposite.share)) {
        waiting.delete(assumed.previous);
        next.push({ ...opposite, assumed: assumed.previous });
        found = true;
      } else next.push(world);
    }
    open = [...next, ...waiting.values()];
    if (!found) return open;
  }
}

/** Routing will ask whether an address is the node's, even if the rules so far made no difference of it. */
function decidesRoute({ atom }: Assumed): boolean {
  return atom.kind === "question" && atom.decidesRoute === true;
}

function isOpposite(left: Assumed, right: Assumed | undefined): boolean {
  return left.atom.key === right?.atom.key && left.holds !== right.holds;
}

/** Equal for worlds that differ in nothing but their share, their assumptions and the way they came. */
export function worldKey({ packet, memory }: World): string {
  return `${packetKey(packet)}\n${memoryKey(memory)}`;
}

const keys = new WeakMap<LivePacket, string>();

function packetKey(packet: LivePacket): string {
  let key = keys.get(packet);
  if (key === undefined) {
    const { flow, unknown, quoted, handled, zone, turnedTo, ...fields } = packet;
    const parts = [
      ...Object.values(fields),
      ...Object.values(unknown),
      ...(flow === undefined ? [] : [flow.direction, flow.isNew, flow.asksSource]),
      zone === undefined ? "" : `zone ${zone.zone} ${zone.directions}`,
      turnedTo === undefined ? "" : `turned to ${turnedTo.outInterface}`,
      ...Object.values(quoted?.tuple ?? {}),
      handled === undefined ? "" : `${handled.connection.service} ${handled.isRequest}`,
    ];
    key = parts.map(String).join("\n");
    keys.set(packet, key);
  }
  return key;
}
