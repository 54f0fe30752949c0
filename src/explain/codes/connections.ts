/** LF1040 to LF1049: connection entries and lists of the recent match. */
import type { Code } from "../../problems/codes.js";
import type { Explanation } from "./explanation.js";

const ENTRY =
  "udp 17 25 src=10.244.1.9 dst=10.96.0.10 sport=4001 dport=53 src=10.244.1.5 dst=10.244.1.9 sport=53 dport=4001";

export const CONNECTIONS = {
  LF1040: {
    means: [
      "The line begins like an entry, and a part that every entry has is missing, or another stands in its place.",
    ],
    matters: [
      "An entry has two tuples: how packets go out, and how replies are expected. What NAT did shows only in how the two differ.",
      "A line that a terminal or a log cut off before the second tuple looks like a connection without NAT.",
      "What is missing is not guessed: an entry without its reply is left out, one that merely ends early is kept with a warning.",
    ],
    example: {
      command: "fmt connections.txt",
      files: { "connections.txt": "udp 17 25 src=10.244.1.9 dst=10.96.0.10 sport=4001 dport=53\n" },
    },
    remedy: ["Take the output from a file or a pipe, not from the screen: `conntrack -L > connections.txt`."],
  },
  LF1041: {
    means: ["The text holds events of `conntrack -E` that tell of the end of connections."],
    matters: [
      "Once an entry is gone, the next packet of the same client is a new connection: it meets the rules of nat again, and may land on another endpoint.",
      "So these connections are left out of what the node knows.",
    ],
    example: { command: "fmt connections.txt", files: { "connections.txt": `[DESTROY] ${ENTRY}\n` } },
    remedy: [
      "Nothing, if the end of the events is the moment you ask about. Otherwise cut the text off at that moment.",
    ],
  },
  LF1042: {
    means: ["Two lines describe one connection: addresses, ports, protocol and zone are the same."],
    matters: [
      "The kernel keeps a connection once, so these are lists of two moments, or of two nodes.",
      "The two may differ in state, mark and even in the endpoint; for a packet of the connection the later line counts.",
    ],
    example: { command: "fmt connections.txt", files: { "connections.txt": `${ENTRY}\n${ENTRY}\n` } },
    remedy: [
      "Give one list, of one node and one moment. A list that changes while it is read can also repeat a line.",
    ],
  },
  LF1043: {
    means: [
      "Entries of the recent match stand in no file, and only the file's name says which list they belong to.",
    ],
    matters: [
      "kube-proxy has one list for each endpoint of a Service with sessionAffinity: ClientIP, named after the chain KUBE-SEP-….",
      "Without the name it is not known which endpoint a client is bound to.",
    ],
    example: {
      command: "fmt recent",
      files: {
        recent: "src=10.244.1.9 ttl: 64 last_seen: 4300564874 oldest_pkt: 1 4300564874\n",
      },
    },
    remedy: ["Print the files with their names: `tail -v -n +1 /proc/net/xt_recent/*`."],
  },
} satisfies Partial<Record<Code, Explanation>>;
