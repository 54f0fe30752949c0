import { flag, type ValueKind } from "../description.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { reading } from "../values.js";

const portExpects = "the name of a bridge port, at most 15 characters, + at its end for a prefix";
/** Nothing is asked of a name but its length, and it is printed as it is. */
const portKind: ValueKind<string> = {
  expects: portExpects,
  grammar: () => reading(portExpects, (text) => (/^[^\s"]{0,15}$/.test(text) ? text : undefined)),
  print: (name) => name,
};

/** xt_physdev: the ports of a bridge that the packet passes. */
export const physdev = defineUnmodelledMatch({
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
  unmodelled: { hangsOn: "the bridge ports that the packet passes" },
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
