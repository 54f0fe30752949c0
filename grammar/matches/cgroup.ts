import { defineMatch } from "../description.js";
import { listedOption, not } from "../listing.js";
import { hidden, negatedIf } from "../meaning.js";
import { numberKind, quote, shortTextKind } from "../values.js";

/** xt_cgroup: the control group of the socket that the packet is sent from or goes to. */
export const cgroup = defineMatch({
  name: "cgroup",
  summary: "the control group of the packet's socket",
  hooks: ["INPUT", "OUTPUT", "POSTROUTING"],
  options: {
    path: { name: "--path", value: shortTextKind("a path of at most 511 bytes", 511), negatable: true },
    classId: { name: "--cgroup", value: numberKind(0, 0xffffffff), negatable: true },
  },
  complete: (given) =>
    (given.path === undefined) === (given.classId === undefined)
      ? { refused: "one of --path and --cgroup must be given" }
      : given,
  meaning({ path, classId }) {
    const asked = path ?? classId;
    const group = path ? `control group "${path.value}"` : `the control group of class ${classId?.value}`;
    return {
      condition: negatedIf(
        asked?.negated ?? false,
        hidden(
          `the process with the packet's socket is in ${group}`,
          `the process with the packet's socket is not in ${group}`,
        ),
      ),
    };
  },
  listed: [
    listedOption("cgroup ", "--cgroup", "\\d+(?= |$)"),
    {
      form: /^cgroup (! ?)?((?:\/\S*)?)(?= |$)/,
      words: ([negated, path = ""]) => [...not(negated), "--path", quote(path)],
    },
  ],
  examples: [
    { typed: "-m cgroup ! --cgroup 0x10001", saved: "-m cgroup ! --cgroup 65537" },
    { typed: '-m cgroup ! --path ""' },
    { typed: "-m cgroup", refused: true },
    { typed: "-m cgroup --cgroup 1 --path x", refused: true },
  ],
});
