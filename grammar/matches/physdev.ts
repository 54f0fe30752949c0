import { defineMatch, flag, type ValueKind } from "../description.js";
import { allOf, type Condition, negatedIf } from "../meaning.js";
import { reading } from "../values.js";

const portExpects = "the name of a bridge port, at most 15 characters, + at its end for a prefix";
/** Nothing is asked of a name but its length, and it is printed as it is. */
const portKind: ValueKind<string> = {
  expects: portExpects,
  grammar: () => reading(portExpects, (text) => (text.length <= 15 ? text : undefined)),
  print: (name) => name,
};

/** xt_physdev: the ports of a bridge that the packet passes. */
export const physdev = defineMatch({
  name: "physdev",
  summary: "the ports of a bridge that the packet passes",
  options: {
    isIn: flag("--physdev-is-in", { negatable: true }),
    in: { name: "--physdev-in", value: portKind, negatable: true },
    isOut: flag("--physdev-is-out", { negatable: true }),
    out: { name: "--physdev-out", value: portKind, negatable: true },
    isBridged: flag("--physdev-is-bridged", { negatable: true }),
  },
  complete: (given, { hook }) => {
    if (Object.keys(given).length === 0) return { refused: "at least one option must be given" };
    // Of a packet that a process sends, the port is not known before it has been chosen.
    const early =
      hook === "OUTPUT" && (!given.isBridged || given.isBridged.negated) && (given.out || given.isOut);
    return early ? { refused: "--physdev-out and --physdev-is-out may not be used in OUTPUT" } : given;
  },
  meaning({ isIn, in: from, isOut, out, isBridged }) {
    const port = (field: "inPort" | "outPort", pattern: string): Condition => ({
      kind: "oneOf",
      field,
      words: [pattern],
    });
    const [hasIn, hasOut] = [port("inPort", "+"), port("outPort", "+")];
    return {
      condition: allOf([
        ...(isBridged ? [negatedIf(isBridged.negated, hasOut)] : []),
        ...(isIn ? [negatedIf(isIn.negated, hasIn)] : []),
        ...(isOut ? [negatedIf(isOut.negated, hasOut)] : []),
        ...(from ? [negatedIf(from.negated, port("inPort", from.value))] : []),
        // What came by a port and is routed leaves by none, and not by another either.
        ...(out?.negated ? [{ kind: "any" as const, of: [hasOut, negatedIf(true, hasIn)] }] : []),
        ...(out ? [negatedIf(out.negated, port("outPort", out.value))] : []),
      ]),
    };
  },
  listed: [
    {
      form: /^PHYSDEV match((?: (?:! )?--physdev-(?:is-in|is-out|is-bridged|in \S+|out \S+))+)/,
      words: ([options = ""]) => options.trim().split(/ +/),
    },
  ],
  examples: [
    {
      typed: "-m physdev ! --physdev-in lo+ --physdev-is-in",
      saved: "-m physdev --physdev-is-in ! --physdev-in lo+",
    },
    {
      typed: "-m physdev --physdev-out x --physdev-is-out ! --physdev-is-bridged",
      saved: "-m physdev --physdev-is-out --physdev-out x ! --physdev-is-bridged",
    },
    { typed: "-m physdev", refused: true },
  ],
});
