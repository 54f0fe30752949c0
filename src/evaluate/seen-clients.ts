/** Clients of which the question says where they were seen: entries of xt_recent lists, beside those that dumps show. */
import { type Address, familyOf, maskAddress, printAddress } from "../../grammar/address.js";
import type { NodeState } from "../state/nodestate.js";
import type { Ruleset } from "../state/rules.js";
import { listsBeside, listsOfTarget } from "./list-targets.js";
import { type Memory, type Seen, type Stamp, seenBy } from "./memory.js";
import type { EvaluateOptions } from "./options.js";
import type { Question } from "./send.js";

/** The memory with these clients in the lists of their endpoints, and in no other list of the same Services. */
export function withSeenClients(
  memory: Memory,
  state: NodeState,
  { seenClients = [] }: EvaluateOptions,
  { notes }: Pick<Question, "notes">,
): Memory {
  if (seenClients.length === 0) return memory;
  const lists = new Map(memory.lists);
  const told = { ...memory, lists };
  const put = (list: string, address: string, seen: Seen): void => {
    const entries = new Map(lists.get(list)).set(address, seen);
    lists.set(list, new Map([...entries].sort(([, one], [, other]) => lastOf(one) - lastOf(other))));
  };
  for (const { client, endpoint, secondsAgo } of seenClients) {
    const stamp = { from: -secondsAgo, to: -secondsAgo };
    const own = rulesetsOf(state, client).flatMap((ruleset) => [...listsOfTarget(endpoint, ruleset)]);
    if (new Set(own.map(([list]) => list)).size > 1)
      notes.add(
        `${endpoint} belongs to several Services: ${printAddress(client)} is taken to have been seen on it by all of them`,
      );
    for (const [list, mask] of own) {
      const address = printAddress(maskAddress(client, mask));
      const { stamps } = seenBy(told, list, address);
      put(list, address, { stamps: inOrder([...stamps, stamp]), before: false });
    }
  }
  // Once all of them stand in their lists: one client may have been seen on several endpoints.
  for (const { client, endpoint } of seenClients) {
    for (const ruleset of rulesetsOf(state, client)) {
      for (const list of listsOfTarget(endpoint, ruleset).keys()) {
        for (const [other, mask] of listsBeside(list, ruleset)) {
          const address = printAddress(maskAddress(client, mask));
          if (!seenBy(told, other, address).before) continue;
          put(other, address, { stamps: [], before: false });
          notes.add(`${printAddress(client)} is taken to be in no other affinity list of the same Service`);
        }
      }
    }
  }
  return told;
}

function rulesetsOf({ rulesets, otherRulesets }: NodeState, client: Address): readonly Ruleset[] {
  const family = familyOf(client);
  return [rulesets[family], otherRulesets?.[family]].filter((one) => one !== undefined);
}

/** Those without a stamp come first, as if they were the oldest. */
function lastOf({ stamps }: Seen): number {
  return stamps.at(-1)?.to ?? -Number.MAX_VALUE;
}

function inOrder(stamps: readonly Stamp[]): readonly Stamp[] {
  return [...stamps].sort((one, other) => one.to - other.to);
}
