/** What iptables itself says when it fails, as people paste it from logs: what it means, and what to run instead. */
import { type Problem, placeInLine, type Source } from "../problems/problem.js";

interface Complaint {
  readonly words: RegExp;
  readonly message: string;
  readonly help: string;
}

/** From iptables' sources (libiptc, nft.c); each stands on one line. */
const COMPLAINTS: readonly Complaint[] = [
  {
    words: /can't initialize ip6?tables table [`'"]?\w+'?: Table does not exist/,
    message:
      "iptables of the legacy back end finds no such table in the kernel: the node's own iptables is probably of the other back end, nf_tables",
    help: "compare `iptables --version` on the node with that of the program which says this, and let both use one back end; `(iptables-nft-save; iptables-legacy-save) | landfall lint` tells which rules are where",
  },
  {
    words: /table [`'"]?\w+' is incompatible, use 'nft' tool/,
    message:
      "another program than iptables-nft has written to this table of nf_tables, in words that iptables does not know",
    help: "`nft list table ip TABLE` shows it; two programs, or two versions of iptables, write to one table",
  },
];

/** The first complaint of iptables in a text; undefined: there is none. */
export function complaintIn(source: Source): Problem | undefined {
  for (const { words, message, help } of COMPLAINTS) {
    const found = words.exec(source.text);
    if (found === null) continue;
    const before = source.text.slice(0, found.index);
    const line = before.split("\n").length;
    const column = found.index - (before.lastIndexOf("\n") + 1) + 1;
    return {
      code: "LF1031",
      severity: "error",
      message,
      place: placeInLine(source, line, column, column + found[0].length),
      help,
    };
  }
  return undefined;
}
