/**
 * `iptables -L` listings → the commands that they show. A listing is never exact: without `-v` it has no interfaces, long
 * numbers are rounded, and what a match prints for people is read only as far as it is known here.
 */

import { quote } from "../../grammar/values.js";
import { appendAll } from "../problems/append.js";
import type { Problem, Source } from "../problems/problem.js";
import { placeInLine } from "../problems/problem.js";

const CHAIN =
  /^\s*(?:\d+[:-])?Chain (\S+) \((?:policy (\S+)(?: (\d\S*) packets, (\d\S*) bytes)?|\d+ references)\)/;
const HEADER = /^\s*(?:\d+[:-])?(num +)?(pkts +bytes +)?target +prot +opt +(in +out +)?source +destination/;
const PLACE = "!?(?:[0-9a-fA-F.:/]+|[\\w.-]+)";

/** A row, with the columns of interfaces or without. */
function rowPattern(interfaces: boolean): RegExp {
  return new RegExp(
    "^\\s*(?<number>\\d+ +)?(?<counters>\\d+[KMGTP]? +\\d+[KMGTP]? +)?(?:(?<target>\\S+) +)?" +
      "(?<protocol>!?(?:[a-z][a-z0-9-]*|\\d+)) +(?<opt>--|-f|!f) +" +
      (interfaces ? "(?<into>\\S+) +(?<out>\\S+) +" : "") +
      `(?<source>${PLACE}) +(?<destination>${PLACE})(?: +(?<rest>.*))?$`,
    "s",
  );
}

const WIDE = rowPattern(true);
const NARROW = rowPattern(false);

export function isListing(text: string): boolean {
  return CHAIN.test(text) || /^ *(?:\d+[KMGT]? +){0,3}\S+ +(?:all|tcp|udp|icmp|\d+) +-- +/m.test(text);
}

/** A listing as text of `iptables -S -v`: lines stand where they stood. */
export interface ListingRead {
  readonly text: string;
  readonly problems: readonly Problem[];
}

export function readListing(source: Source, text = source.text): ListingRead {
  const problems: Problem[] = [];
  const lines: string[] = [];
  let chain: string | undefined;
  // Rows without a header are mostly those of `-v`.
  let wide = true;
  let lost = 0;
  let unnamed = 0;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const head = CHAIN.exec(raw);
    const header = HEADER.exec(raw);
    if (head !== null) {
      chain = head[1] ?? "";
      lines.push(head[2] === undefined ? `-N ${chain}` : `-P ${chain} ${head[2]}`);
    } else if (header !== null) {
      wide = header[3] !== undefined;
      if (!wide) lost++;
      lines.push("");
    } else {
      const row = rowText(raw, wide);
      if (row === undefined) {
        if (raw.trim() !== "") problems.push(prose(source, line, raw));
        lines.push("");
      } else if (chain === undefined) {
        unnamed++;
        lines.push("");
      } else {
        if (row.unread !== "") problems.push(unread(source, line, raw, row.unread));
        lines.push(`-A ${chain} ${row.text}`.trimEnd());
      }
    }
  }
  if (lost > 0) {
    problems.push({
      code: "LF1022",
      severity: "warning",
      message: "this listing has no interfaces, so rules may be taken for wider than they are",
      place: placeInLine(source, 1, 1, 2),
      help: "run `iptables-save`, or `iptables -L -n -v`",
    });
  }
  if (unnamed > 0) {
    problems.push({
      code: "LF1022",
      severity: "warning",
      message: `${unnamed} ${unnamed === 1 ? "row stands" : "rows stand"} before the name of any chain, and ${unnamed === 1 ? "is" : "are"} left out`,
      place: placeInLine(source, 1, 1, 2),
      help: "a line `Chain NAME (…)` must come before them",
    });
  }
  return { text: `${lines.join("\n")}\n`, problems };
}

interface Row {
  readonly text: string;
  /** What of the row could not be read. */
  readonly unread: string;
}

function rowText(raw: string, wide: boolean): Row | undefined {
  const found = (wide ? WIDE : NARROW).exec(raw)?.groups;
  if (found === undefined) return undefined;
  const {
    target,
    protocol = "all",
    opt,
    into = "*",
    out = "*",
    source = "",
    destination = "",
    rest = "",
  } = found;
  const words: string[] = [];
  const option = (name: string, value: string): void => {
    if (/^!?(?:anywhere|0\.0\.0\.0\/0|::\/0|all|0|\*)$/.test(value)) return;
    words.push(...(value.startsWith("!") ? ["!", name, value.slice(1)] : [name, value]));
  };
  option("-s", source);
  option("-d", destination);
  // A listing shows no interface and any interface alike.
  option("-i", into === "any" ? "*" : into);
  option("-o", out === "any" ? "*" : out);
  option("-p", protocol);
  if (opt !== "--") words.push(...(opt === "!f" ? ["!", "-f"] : ["-f"]));
  const parts = readRest(rest, target);
  appendAll(words, parts.matches);
  if (parts.unread !== "") words.push("-m", "unread", quote(parts.unread));
  // Without a target, the column is empty, and the protocol has taken its place.
  if (target !== undefined && target !== "") {
    words.push(parts.goto ? "-g" : "-j", target);
    appendAll(words, parts.options);
  }
  return { text: words.join(" "), unread: parts.unread };
}

/** How matches and targets show themselves in a listing (comments hold 255 bytes at most), and the words they are written with. */
const SHOWN: readonly (readonly [RegExp, (found: readonly string[]) => readonly string[]])[] = [
  [/^\/\* (.{0,300}?) \*\/(?= |$)/s, ([text = ""]) => ["-m", "comment", "--comment", quote(text)]],
  [
    /^(tcp|udp|sctp|dccp|udplite) ((?:[sd]pts?:\S+ ?)+)/,
    ([protocol = "", ports = ""]) => shownPorts(protocol, ports),
  ],
  [/^(tcp|udp|sctp)(?= |$)(?! [sd]pt)/, ([protocol = ""]) => ["-m", protocol]],
  [
    /^flags:(!?)(0x[0-9A-Fa-f]+)\/(0x[0-9A-Fa-f]+)/,
    ([not = "", mask = "", set = ""]) => shownFlags(not, mask, set),
  ],
  [
    /^(?:icmptype|icmp type) (\d+)(?: code (\d+))?/,
    ([type = "", code]) => [
      "-m",
      "icmp",
      "--icmp-type",
      type === "255" ? "any" : code ? `${type}/${code}` : type,
    ],
  ],
  [
    /^ipv6-icmptype (\d+)(?: code (\d+))?/,
    ([type = "", code]) => ["-m", "icmp6", "--icmpv6-type", code ? `${type}/${code}` : type],
  ],
  [
    /^icmp (!?)([a-z][a-z-]*)/,
    ([not = "", name = ""]) => ["-m", "icmp", ...(not ? ["!"] : []), "--icmp-type", name],
  ],
  [
    /^multiport (sports|dports|ports) (!?)(\S+)/,
    ([which = "", not = "", ports = ""]) => ["-m", "multiport", ...(not ? ["!"] : []), `--${which}`, ports],
  ],
  [
    /^(! )?ctstate (\S+)/,
    ([not, states = ""]) => ["-m", "conntrack", ...(not ? ["!"] : []), "--ctstate", states],
  ],
  [/^(! )?state (\S+)/, ([not, states = ""]) => ["-m", "state", ...(not ? ["!"] : []), "--state", states]],
  [
    /^mark match (! ?)?(0x[0-9a-f]+(?:\/0x[0-9a-f]+)?)/,
    ([not, mark = ""]) => ["-m", "mark", ...(not ? ["!"] : []), "--mark", mark],
  ],
  [
    /^connmark match +(! ?)?(0x[0-9a-f]+(?:\/0x[0-9a-f]+)?)/,
    ([not, mark = ""]) => ["-m", "connmark", ...(not ? ["!"] : []), "--mark", mark],
  ],
  [
    /^ADDRTYPE match((?: (?:src|dst)-type !?\S+)+)((?: limit-(?:in|out))?)/,
    ([types = "", limit = ""]) => [
      "-m",
      "addrtype",
      ...[...types.matchAll(/(src|dst)-type (!?)(\S+)/g)].flatMap(([, side, not, type]) => [
        ...(not ? ["!"] : []),
        `--${side}-type`,
        type ?? "",
      ]),
      ...(limit ? [`--limit-iface-${limit.trim().slice("limit-".length)}`] : []),
    ],
  ],
  [
    /^statistic mode random (! )?probability (\S+)/,
    ([not, p = ""]) => ["-m", "statistic", "--mode", "random", ...(not ? ["!"] : []), "--probability", p],
  ],
  [
    /^statistic mode nth (! )?every (\d+)(?: packet (\d+))?/,
    ([not, n = "", packet = "0"]) => [
      "-m",
      "statistic",
      "--mode",
      "nth",
      ...(not ? ["!"] : []),
      "--every",
      n,
      "--packet",
      packet,
    ],
  ],
  [
    /^(! )?recent: (SET|CHECK|UPDATE|REMOVE)((?: (?:seconds: \d+|reap|hit_count: \d+|TTL-Match))*) name: (\S+) side: (source|dest)(?: mask: (\S+))?/,
    shownRecent,
  ],
  [
    /^(! )?match-set (\S+) ([a-z,]+)/,
    ([not, name = "", directions = ""]) => [
      "-m",
      "set",
      ...(not ? ["!"] : []),
      "--match-set",
      name,
      directions,
    ],
  ],
  [
    /^limit: (?:up to|avg) (\S+) burst (\d+)(?! mode)/,
    ([rate = "", burst = ""]) => ["-m", "limit", "--limit", rate, "--limit-burst", burst],
  ],
  [
    /^(! )?owner (UID|GID) match (\S+)/,
    ([not, who = "", id = ""]) => ["-m", "owner", ...(not ? ["!"] : []), `--${who.toLowerCase()}-owner`, id],
  ],
  [
    /^PHYSDEV match((?: (?:! )?--physdev-(?:is-in|is-out|is-bridged|in \S+|out \S+))+)/,
    ([options = ""]) => ["-m", "physdev", ...options.trim().split(/ +/)],
  ],
  [/^nfacct-name +(\S+)/, ([name = ""]) => ["-m", "nfacct", "--nfacct-name", name]],
  [
    /^(source|destination) IP range (! )?(\S+)/,
    ([side = "", not, range = ""]) => [
      "-m",
      "iprange",
      ...(not ? ["!"] : []),
      side === "source" ? "--src-range" : "--dst-range",
      range,
    ],
  ],
  [
    /^MAC(?: |)(! )?([0-9A-Fa-f:]{17})/,
    ([not, mac = ""]) => ["-m", "mac", ...(not ? ["!"] : []), "--mac-source", mac],
  ],
  [
    /^PKTTYPE (!?)= (\S+)/,
    ([not = "", type = ""]) => ["-m", "pkttype", ...(not ? ["!"] : []), "--pkt-type", type],
  ],
];

/** How a target shows its options. */
const TARGETS: readonly (readonly [RegExp, (found: readonly string[]) => readonly string[]])[] = [
  [/^to:(\S+)/, ([to = ""]) => ["--to", to]],
  [/^redir ports (\S+)/, ([ports = ""]) => ["--to-ports", ports]],
  [/^masq ports: (\S+)/, ([ports = ""]) => ["--to-ports", ports]],
  [/^(random-fully|random|persistent)(?= |$)/, ([word = ""]) => [`--${word}`]],
  [/^reject-with (\S+)/, ([how = ""]) => ["--reject-with", how]],
  [/^MARK (or|and|xor) (0x[0-9a-f]+)/, ([how = "", bits = ""]) => [`--${how}-mark`, bits]],
  [
    /^MARK (x?set) (0x[0-9a-f]+(?:\/0x[0-9a-f]+)?)/,
    ([how = "", mark = ""]) => [how === "set" ? "--set-mark" : "--set-xmark", mark],
  ],
  [
    /^CONNMARK (save|restore)(?: mask (0x[0-9a-f]+))?/,
    ([how = "", mask]) => [`--${how}-mark`, ...(mask ? ["--mask", mask] : [])],
  ],
  [
    /^CONNMARK (or|and|xor|set) (0x[0-9a-f]+(?:\/0x[0-9a-f]+)?)/,
    ([how = "", mark = ""]) => [`--${how}-mark`, mark],
  ],
  [
    /^LOG (?:flags (\d+) )?level (\S+)(?: prefix "([^"]*)")?/,
    ([, level = "4", prefix]) => ["--log-level", level, ...(prefix ? ["--log-prefix", quote(prefix)] : [])],
  ],
  [/^nflog-prefix +"?([^"]*?)"?(?= nflog-| |$)/, ([prefix = ""]) => ["--nflog-prefix", quote(prefix)]],
  [/^nflog-group (\d+)/, ([group = ""]) => ["--nflog-group", group]],
  [/^nflog-size (\d+)/, ([size = ""]) => ["--nflog-size", size]],
  [/^NFQUEUE num (\d+)(?: bypass)?/, ([number = ""]) => ["--queue-num", number]],
  [/^TCPMSS clamp to PMTU/, () => ["--clamp-mss-to-pmtu"]],
  [/^TCPMSS set (\d+)/, ([mss = ""]) => ["--set-mss", mss]],
  [/^CHECKSUM fill/, () => ["--checksum-fill"]],
  [/^(?:CT )?notrack(?= |$)/i, () => ["--notrack"]],
  [/^CT zone (\d+)/, ([zone = ""]) => ["--zone", zone]],
];

function readRest(
  rest: string,
  target: string | undefined,
): { matches: readonly string[]; options: readonly string[]; goto: boolean; unread: string } {
  const matches: string[] = [];
  const options: string[] = [];
  const unknown: string[] = [];
  let goto = false;
  let left = rest.trim();
  while (left !== "") {
    if (left.startsWith("[goto]")) {
      goto = true;
      left = left.slice("[goto]".length).trimStart();
      continue;
    }
    const shown = take(left, SHOWN);
    const option = shown === undefined && target !== undefined ? take(left, TARGETS) : undefined;
    if (shown !== undefined) appendAll(matches, shown.words);
    else if (option !== undefined) appendAll(options, option.words);
    const length = (shown ?? option)?.length;
    if (length === undefined) {
      const word = /^\S+/.exec(left)?.[0] ?? left;
      unknown.push(word);
      left = left.slice(word.length).trimStart();
    } else left = left.slice(length).trimStart();
  }
  return { matches, options, goto, unread: shorten(unknown.join(" ")) };
}

function shorten(text: string): string {
  return text.length <= UNREAD_MAX ? text : `${text.slice(0, UNREAD_MAX - 1)}…`;
}

const UNREAD_MAX = 200;

function take(
  text: string,
  forms: readonly (readonly [RegExp, (found: readonly string[]) => readonly string[]])[],
): { words: readonly string[]; length: number } | undefined {
  for (const [form, words] of forms) {
    const found = form.exec(text);
    if (found !== null) return { words: words(found.slice(1)), length: found[0].length };
  }
  return undefined;
}

function shownPorts(protocol: string, ports: string): readonly string[] {
  const words = ["-m", protocol === "udplite" ? "udp" : protocol];
  for (const [, side, not, range = ""] of ports.matchAll(/([sd])pts?:(!?)(\S+)/g)) {
    words.push(...(not ? ["!"] : []), side === "s" ? "--sport" : "--dport", range);
  }
  return words;
}

const FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];

function shownFlags(not: string, mask: string, set: string): readonly string[] {
  const names = (bits: string) =>
    FLAGS.filter((_, index) => Number.parseInt(bits, 16) & (1 << index)).join(",") || "NONE";
  return ["-m", "tcp", ...(not ? ["!"] : []), "--tcp-flags", names(mask), names(set)];
}

function shownRecent(found: readonly string[]): readonly string[] {
  const [not, command = "", options = "", name = "", side, mask] = found;
  const commands: Readonly<Record<string, string>> = {
    SET: "set",
    CHECK: "rcheck",
    UPDATE: "update",
    REMOVE: "remove",
  };
  const seconds = /seconds: (\d+)/.exec(options)?.[1];
  const hits = /hit_count: (\d+)/.exec(options)?.[1];
  return [
    "-m",
    "recent",
    ...(not ? ["!"] : []),
    `--${commands[command]}`,
    ...(seconds ? ["--seconds", seconds] : []),
    ...(options.includes("reap") ? ["--reap"] : []),
    ...(hits ? ["--hitcount", hits] : []),
    ...(options.includes("TTL-Match") ? ["--rttl"] : []),
    "--name",
    name,
    ...(mask ? ["--mask", mask] : []),
    side === "dest" ? "--rdest" : "--rsource",
  ];
}

function prose(source: Source, line: number, text: string): Problem {
  return {
    code: "LF1001",
    severity: "note",
    message: "this line is no part of a listing",
    place: placeInLine(source, line, 1, text.length + 1),
  };
}

function unread(source: Source, line: number, text: string, what: string): Problem {
  const at = Math.max(0, text.indexOf(what.split(" ")[0] ?? ""));
  return {
    code: "LF1022",
    severity: "warning",
    message: `what this row asks by "${what}" is not read, so both answers are kept`,
    place: placeInLine(source, line, at + 1, text.length + 1),
  };
}
