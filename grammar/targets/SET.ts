import { defineTarget, flag, type Option } from "../description.js";
import { type SetReference, setReferenceKind } from "../sets.js";
import { numberKind } from "../values.js";

const reference = (name: string) => ({ name, value: setReferenceKind }) satisfies Option<SetReference>;

/** xt_SET: puts the packet's addresses and ports into an ipset, or takes them out. */
export const SET = defineTarget({
  name: "SET",
  summary: "puts the packet's addresses into an ipset, or takes them out, and goes on",
  options: {
    add: reference("--add-set"),
    exist: flag("--exist"),
    timeout: { name: "--timeout", value: numberKind(0, 0xfffffffe) },
    remove: reference("--del-set"),
    map: reference("--map-set"),
    mark: flag("--map-mark"),
    priority: flag("--map-prio"),
    queue: flag("--map-queue"),
  },
  complete(given) {
    if (!given.add && !given.remove && !given.map) {
      return { refused: "one of --add-set, --del-set and --map-set must be given" };
    }
    if ((given.exist || given.timeout) && !given.add)
      return { refused: "--exist and --timeout go with --add-set" };
    return (given.mark || given.priority || given.queue) && !given.map
      ? { refused: "--map-mark, --map-prio and --map-queue go with --map-set" }
      : given;
  },
  meaning: ({ mark }) =>
    mark
      ? { kind: "unmodelled", question: "SET takes the mark from the set", mayEnd: false }
      : { kind: "note", what: "SET" },
  examples: [
    { typed: "-j SET --add-set foo src --exist --timeout 5" },
    { typed: "-j SET --add-set foo src --del-set foo dst,dst" },
    { typed: "-j SET --map-set foo src --map-mark", table: "mangle" },
    { typed: "-j SET --del-set foo src --exist", refused: true },
    { typed: "-j SET", refused: true },
  ],
});
