/** LF1024 to LF1026: ipsets. What ipset does was measured with ipset 7.17. */
import type { Code } from "../../problems/codes.js";
import type { Explanation } from "./explanation.js";

export const SETS = {
  LF1024: {
    means: [
      "A line adds to a set or changes one that no line has created, creates one that exists, or takes away one that is in use.",
    ],
    matters: [
      "`ipset restore` stops at the line. It knows no COMMIT: it sends its lines in batches, so part of what stands above is done already.",
      "iptables refuses a rule whose set does not exist (`Set … doesn't exist`), and ipset a set's end while a rule or a list names it.",
    ],
    example: {
      command: "fmt node.ipset",
      files: { "node.ipset": "add KUBE-CLUSTER-IP 10.96.0.10,udp:53\n" },
    },
    remedy: [
      "Give the whole of `ipset save`: `ipset save | grep NAME` keeps the line that creates the set.",
      "`ipset restore -exist` passes over sets and elements that are there already.",
    ],
  },
  LF1025: {
    means: [
      "`create NAME TYPE` names a type of set that ipset does not have. Types are a method and what an element holds: `hash:ip,port`.",
    ],
    matters: [
      "`ipset restore` says `typename … is unknown` and stops. Rules that ask the set are then refused as well.",
      "The kernel has a module for each type, and a node without it refuses the set too.",
    ],
    example: {
      command: "fmt node.ipset",
      files: { "node.ipset": "create KUBE-CLUSTER-IP hash:ip,prot family inet\n" },
    },
    remedy: ["Correct the name. `ipset help` lists all types."],
  },
  LF1026: {
    means: [
      "The element does not fit the set: it has too few or too many parts, a part of another kind, or lies outside the set's range.",
    ],
    matters: [
      "`ipset restore` stops there, and the set is left with a part of its elements: rules then ask half a set.",
      "The type says what an element is: an address for hash:ip, address and protocol:port for hash:ip,port.",
    ],
    example: {
      command: "fmt node.ipset",
      files: {
        "node.ipset": "create KUBE-CLUSTER-IP hash:ip,port family inet\nadd KUBE-CLUSTER-IP 10.96.0.10\n",
      },
    },
    remedy: ["Write the element as the help line says, or create the set with the type that was meant."],
  },
} satisfies Partial<Record<Code, Explanation>>;
