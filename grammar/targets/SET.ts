import { defineTarget, flag, type Option } from "../description.js";
import { EGRESS } from "../hooks.js";
import { type ListedForm, listedFlag, listedLater, listedOption } from "../listing.js";
import type { Effect } from "../meaning.js";
import { type SetReference, setReferenceKind } from "../sets.js";
import { numberKind } from "../values.js";

const reference = (name: string) =>
  ({ name, value: setReferenceKind, negatable: "ignored" }) satisfies Option<SetReference>;

/** iptables looks neither at a `!` before these nor at how often they are given. */
const loose = { negatable: "ignored", again: true } as const;

/** xt_SET: puts the packet's addresses and ports into an ipset, or takes them out. */
export const SET = defineTarget({
  name: "SET",
  summary: "puts the packet's addresses into an ipset, or takes them out, and goes on",
  options: {
    add: reference("--add-set"),
    exist: flag("--exist", loose),
    timeout: { name: "--timeout", value: numberKind(0, 0xfffffffe), ...loose },
    remove: reference("--del-set"),
    map: reference("--map-set"),
    mark: flag("--map-mark", loose),
    priority: flag("--map-prio", loose),
    queue: flag("--map-queue", loose),
  },
  complete(given, { table, hook }) {
    if (!given.add && !given.remove && !given.map) {
      return { refused: "one of --add-set, --del-set and --map-set must be given" };
    }
    if ((given.exist || given.timeout) && !given.add)
      return { refused: "--exist and --timeout go with --add-set" };
    const maps = given.mark || given.priority || given.queue;
    if ((maps !== undefined) !== (given.map !== undefined))
      return { refused: "--map-set goes with --map-mark, --map-prio or --map-queue" };
    if (given.map && table !== undefined && table !== "mangle")
      return { refused: "--map-set may only be used in table mangle" };
    return (given.priority || given.queue) && hook !== undefined && !EGRESS.includes(hook)
      ? { refused: `--map-prio and --map-queue may not be used in ${hook}` }
      : given;
  },
  meaning({ add, exist, remove, timeout, mark, map }) {
    const change = (action: "add" | "remove", option: typeof add): readonly Effect[] =>
      option
        ? [
            {
              kind: "list",
              action,
              set: option.value.name,
              directions: option.value.directions,
              ...(action === "add" && timeout ? { timeout: timeout.value } : {}),
              ...(action === "add" && exist ? { refresh: true as const } : {}),
            },
          ]
        : [];
    return {
      kind: "several",
      effects: [
        ...change("add", add),
        ...change("remove", remove),
        ...(mark ? [{ kind: "obscure" as const, by: `set ${map?.value.name}` }] : []),
      ],
    };
  },
  listed: [
    ...["add-set", "del-set", "map-set"].map(
      (name): ListedForm => ({
        form: new RegExp(`^${name} (\\S+) ([a-z,]+)`),
        words: ([set = "", directions = ""]) => [`--${name}`, set, directions],
      }),
    ),
    ...listedLater(
      listedFlag("exist", "--exist"),
      listedOption("timeout ", "--timeout"),
      ...["map-mark", "map-prio", "map-queue"].map((name) => listedFlag(name, `--${name}`)),
    ),
  ],
  examples: [
    { typed: "-j SET --add-set foo src --exist --timeout 5" },
    { typed: "-j SET --add-set foo src --del-set foo dst,dst" },
    { typed: "-j SET --map-set foo src --map-mark", table: "mangle" },
    { typed: "-j SET --map-set foo src --map-mark", refused: true },
    { typed: "-j SET --map-set foo src", table: "mangle", refused: true },
    { typed: "-j SET ! --add-set foo src --exist ! --exist", saved: "-j SET --add-set foo src --exist" },
    { typed: "-j SET --del-set foo src --exist", refused: true },
    { typed: "-j SET", refused: true },
  ],
});
