import { defineTarget } from "../description.js";
import { lineKind, numberKind, quote } from "../values.js";

/** ipt_ULOG, removed from Linux in 3.17. */
export const ULOG = defineTarget({
  name: "ULOG",

  summary: "hands a copy of the packet to a process of the node and goes on",
  families: ["ipv4"],

  options: {
    prefix: { name: "--ulog-prefix", value: lineKind("a text of at most 31 bytes in one line", 31) },
    group: { name: "--ulog-nlgroup", value: numberKind(1, 32), hidden: (group) => group === 1 },
    size: { name: "--ulog-cprange", value: numberKind(0, 0xffffffff), hidden: (size) => size === 0 },
    threshold: { name: "--ulog-qthreshold", value: numberKind(1, 50), hidden: (one) => one === 1 },
  },

  meaning: () => ({ kind: "note", what: "ULOG" }),
  listed: [
    {
      form: /^ULOG copy_range (\d+) nlgroup (\d+)(?: prefix ["`]([^"']*)["'])?(?: queue_threshold (\d+))?/,
      words: ([range = "", group = "", prefix, threshold]) => [
        ...(prefix === undefined ? [] : ["--ulog-prefix", quote(prefix)]),
        ...["--ulog-nlgroup", group, "--ulog-cprange", range],
        ...(threshold === undefined ? [] : ["--ulog-qthreshold", threshold]),
      ],
    },
  ],
  examples: [
    {
      typed: "-j ULOG --ulog-nlgroup 5 --ulog-cprange 1 --ulog-qthreshold 5 --ulog-prefix x",
      saved: "-j ULOG --ulog-prefix x --ulog-nlgroup 5 --ulog-cprange 1 --ulog-qthreshold 5",
    },
    { typed: "-j ULOG --ulog-nlgroup 33", refused: true },
  ],
});
