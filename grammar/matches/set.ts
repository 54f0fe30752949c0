import { defineMatch, flag, type Option } from "../description.js";
import { listedFlag, listedLater, listedOption, not } from "../listing.js";
import { allOf, type Condition, hidden, negatedIf } from "../meaning.js";
import { setReferenceKind } from "../sets.js";
import { longKind } from "../values.js";

const MAX = 2n ** 64n - 1n;
const equal = (name: string) => ({ name, value: longKind(MAX), negatable: true }) satisfies Option<bigint>;
const bound = (name: string) => ({ name, value: longKind(MAX) }) satisfies Option<bigint>;

/** Without `!` it asks for what is done anyway. */
const counting = { negatable: true, again: true, hidden: (_: true, negated: boolean) => !negated } as const;

const COMPARED: Readonly<Record<string, string>> = { Equal: "equal to", Below: "below", Above: "above" };

/** xt_set: the addresses and ports named by the directions are in an ipset. */
export const set = defineMatch({
  name: "set",
  summary: "the packet is in an ipset",
  options: {
    set: {
      name: "--match-set",
      aliases: ["--set"],
      value: setReferenceKind,
      negatable: true,
      required: true,
    },
    noMatch: flag("--return-nomatch", { again: true }),
    noCounters: flag("--update-counters", counting),
    noSubCounters: flag("--update-subcounters", counting),
    packetsEqual: equal("--packets-eq"),
    packetsBelow: bound("--packets-lt"),
    packetsAbove: bound("--packets-gt"),
    bytesEqual: equal("--bytes-eq"),
    bytesBelow: bound("--bytes-lt"),
    bytesAbove: bound("--bytes-gt"),
  },
  complete(given) {
    const twice = ["packets", "bytes"].find(
      (what) => Object.keys(given).filter((key) => key.startsWith(what)).length > 1,
    );
    return twice === undefined ? given : { refused: `only one question about ${twice} may be asked` };
  },
  meaning(given) {
    const { set: asked, noMatch, noCounters } = given;
    const { name = "", directions = [] } = asked?.value ?? {};
    const counted = Object.entries(given).filter(([key]) => /^(?:packets|bytes)/.test(key));
    const member: Condition = {
      kind: "member",
      set: name,
      directions,
      ...(noCounters?.negated ? { silent: true } : {}),
    };
    const entry = `the packet's entry in set ${name}`;
    const flagged = hidden(`${entry} is marked nomatch`, `${entry} is not marked nomatch`);
    const counters = counted.map(([key, option]) => {
      const [, what, how = ""] = /^(packets|bytes)(.*)$/.exec(key) ?? [];
      const count = `${what} ${COMPARED[how]} ${option?.value}`;
      const value = typeof option?.value === "bigint" ? option.value : 0n;
      return negatedIf(option?.negated ?? false, {
        ...hidden(`${entry} has counted ${count}`, `${entry} has not counted ${count}`),
        counts: {
          kind: "entry",
          set: name,
          directions,
          unit: what === "bytes" ? "bytes" : "packets",
          from: how === "Above" ? value + 1n : how === "Below" ? 0n : value,
          to: how === "Above" ? MAX : how === "Below" ? value - 1n : value,
        },
      });
    });
    const holds = noMatch ? flagged : allOf([member, ...counters]);
    return { condition: negatedIf(asked?.negated ?? false, holds) };
  },
  listed: [
    {
      form: /^(! )?match-set (\S+) ([a-z,]+)/,
      words: ([negated, name = "", directions = ""]) => [...not(negated), "--match-set", name, directions],
    },
    ...listedLater(
      ...["return-nomatch", "update-counters", "update-subcounters"].map((name) =>
        listedFlag(name, `--${name}`),
      ),
      ...["packets", "bytes"].flatMap((what) =>
        ["eq", "lt", "gt"].map((how) => listedOption(`${what}-${how} `, `--${what}-${how}`)),
      ),
    ),
  ],
  examples: [
    { typed: "-m set ! --match-set foo src,dst" },
    { typed: "-m set --match-set foo dst,src,src --return-nomatch" },
    { typed: "-m set --match-set foo src ! --update-counters ! --packets-eq 5 --bytes-gt 7" },
    { typed: "-m set --match-set foo src --update-counters", saved: "-m set --match-set foo src" },
    { typed: "-m set --set foo src", saved: "-m set --match-set foo src" },
    { typed: "-m set --match-set foo src --packets-lt 5 --packets-gt 1", refused: true },
    { typed: "-m set --match-set foo", refused: true },
    { typed: "-m set --match-set foo up", refused: true },
    { typed: "-m set", refused: true },
  ],
});
