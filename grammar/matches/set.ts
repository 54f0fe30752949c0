import { defineMatch, flag, type Option } from "../description.js";
import { type Condition, negatedIf } from "../meaning.js";
import { setReferenceKind } from "../sets.js";
import { longKind } from "../values.js";

const MAX = 2n ** 64n - 1n;
const equal = (name: string) => ({ name, value: longKind(MAX), negatable: true }) satisfies Option<bigint>;
const bound = (name: string) => ({ name, value: longKind(MAX) }) satisfies Option<bigint>;

/** xt_set: the addresses and ports named by the directions are in an ipset. */
export const set = defineMatch({
  name: "set",
  summary: "the packet is in an ipset",
  options: {
    set: { name: "--match-set", value: setReferenceKind, negatable: true, required: true },
    noMatch: flag("--return-nomatch"),
    noCounters: flag("--update-counters", { negatable: true }),
    noSubCounters: flag("--update-subcounters", { negatable: true }),
    packetsEqual: equal("--packets-eq"),
    packetsBelow: bound("--packets-lt"),
    packetsAbove: bound("--packets-gt"),
    bytesEqual: equal("--bytes-eq"),
    bytesBelow: bound("--bytes-lt"),
    bytesAbove: bound("--bytes-gt"),
  },
  complete(given) {
    for (const one of [given.noCounters, given.noSubCounters]) {
      if (one && !one.negated)
        return { refused: "--update-counters and --update-subcounters need `!` before them" };
    }
    return given;
  },
  meaning(given) {
    const { set: asked, noMatch } = given;
    const { name = "", directions = [] } = asked?.value ?? {};
    const counted = Object.keys(given).some((key) => /^(?:packets|bytes)/.test(key));
    const member: Condition =
      noMatch || counted
        ? {
            kind: "unmodelled",
            question: `the packet's entry in set ${name} has the counters or the nomatch flag that the rule asks for`,
          }
        : { kind: "member", set: name, directions };
    return { condition: negatedIf(asked?.negated ?? false, member) };
  },
  examples: [
    { typed: "-m set ! --match-set foo src,dst" },
    { typed: "-m set --match-set foo dst,src,src --return-nomatch" },
    { typed: "-m set --match-set foo src ! --update-counters ! --packets-eq 5 --bytes-gt 7" },
    { typed: "-m set --match-set foo", refused: true },
    { typed: "-m set --match-set foo up", refused: true },
    { typed: "-m set", refused: true },
  ],
});
