import { flag } from "../description.js";
import { defineUnmodelledMatch } from "../unmodelled.js";
import { interfaceKind } from "../values.js";

/** xt_physdev: the ports of a bridge that the packet passes. */
export const physdev = defineUnmodelledMatch({
  name: "physdev",
  summary: "the ports of a bridge that the packet passes",
  options: {
    isIn: flag("--physdev-is-in", { negatable: true }),
    in: { name: "--physdev-in", value: interfaceKind, negatable: true },
    isOut: flag("--physdev-is-out", { negatable: true }),
    out: { name: "--physdev-out", value: interfaceKind, negatable: true },
    isBridged: flag("--physdev-is-bridged", { negatable: true }),
  },
  complete: (given, { hook }) => {
    if (Object.keys(given).length === 0) return { refused: "at least one option must be given" };
    // Of a packet that a process sends, the port is not known before it has been chosen.
    const early = hook === "OUTPUT" && !given.isBridged && (given.out || given.isOut);
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
