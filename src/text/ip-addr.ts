/**
 * `ip addr` and `ip link` ⇄ interfaces: as they come, with `-o` (one line each), `-br` (a table), `-d` and `-s` (more
 * lines, of which only the kind is kept). Forms as iproute2 4.x to 6.x prints them, measured with 6.1.
 */
import {
  type Family,
  prefixLength,
  printAddress,
  printNetwork,
  readAddress,
  readNetwork,
} from "../../grammar/address.js";
import { didYouMean } from "../problems/meant.js";
import { nearest } from "../problems/nearest.js";
import type { Problem, Source } from "../problems/problem.js";
import type { Interface, InterfaceAddress } from "../state/network.js";
import { interfaceLines } from "./ip-json.js";
import {
  type Complain,
  CUT_OFF,
  complainer,
  familiesAmong,
  type IpLine,
  ipLines,
  type Pair,
  readNumber,
  readPairs,
  remark,
  vocabulary,
  type Word,
  wordsOf,
} from "./ip-words.js";

/** An address with what `ip addr` prints of it and nothing else depends on. */
export interface PrintedAddress extends InterfaceAddress {
  /** IPv4: the interface's name, or an alias such as `eth0:1`. */
  readonly label?: string;
  /** Before the scope: `metric`, `brd`, `any`; behind it: `proto`. */
  readonly attributes?: readonly (readonly [name: string, value: string])[];
  /** `forever`, or `86313sec`. */
  readonly lifetimes?: { readonly valid: string; readonly preferred: string };
}

/** An interface with what `ip addr` prints of it and nothing else depends on. */
export interface PrintedInterface extends Interface {
  readonly addresses: readonly PrintedAddress[];
  /** `qdisc`, `state`, `mode`, `group`, `qlen` … in their order. */
  readonly settings?: readonly (readonly [name: string, value: string])[];
  /** `ether`, `loopback`, `none` … */
  readonly linkType?: string;
  /** What follows the link address: `brd ff:ff:ff:ff:ff:ff link-netnsid 0`. */
  readonly linkWords?: readonly string[];
  /** Other names: lines such as `altname enp3s0`, `alias uplink`. */
  readonly names?: readonly string[];
}

export interface InterfacesRead {
  readonly interfaces: readonly PrintedInterface[];
  /** Families that the text has addresses of. */
  readonly families: readonly Family[];
  readonly problems: readonly Problem[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Draft extends Mutable<Omit<PrintedInterface, "addresses" | "names">> {
  readonly addresses: Mutable<PrintedAddress>[];
  readonly names: string[];
}

/** One text being read. */
interface Reading {
  readonly interfaces: Map<string, Draft>;
  /** The interface that indented lines belong to. */
  current: Draft | undefined;
  /** The last line was the link line of `ip -d`: the kind may follow. */
  kindMayFollow: boolean;
  /** Inside of what `ifconfig` printed. */
  ifconfig: boolean;
}

/** Behind the flags of an interface; newer programs may print more. */
const HEADER_WORDS = vocabulary(
  "mtu qdisc master state mode group qlen event protodown_reason",
  "xdp xdpgeneric xdpdrv xdpoffload xdpmulti protodown",
);
const STATES = ["UP", "DOWN", "UNKNOWN", "LOWERLAYERDOWN", "DORMANT", "NOTPRESENT", "TESTING"];
/** IFA_F_… as iproute2 names them; `flags` stands before the bits that it has no name for. */
const ADDRESS_WORDS = vocabulary(
  "peer metric brd any scope proto flags",
  "secondary temporary nodad optimistic dadfailed home deprecated tentative permanent dynamic mngtmpaddr noprefixroute autojoin stable-privacy",
);
const LIFETIME_WORDS = vocabulary("valid_lft preferred_lft");
const BRIEF_WORDS = vocabulary("peer metric proto");

/** Reads what `ip addr` or `ip link` printed; lines of other kinds become notes. Never fails. */
export function readInterfaces(source: Source): InterfacesRead {
  const problems: Problem[] = [];
  const reading: Reading = {
    interfaces: new Map(),
    current: undefined,
    kindMayFollow: false,
    ifconfig: false,
  };
  for (const line of ipLines(source, problems, interfaceLines))
    readLine(reading, line, complainer(source, line, problems));
  const interfaces = [...reading.interfaces.values()].map(finished);
  const addresses = interfaces.flatMap((one) => one.addresses.map(({ address }) => address));
  return { interfaces, families: familiesAmong(addresses), problems };
}

/** The interface; what a second listing has repeated is there once. */
function finished({ addresses, names, ...one }: Draft): PrintedInterface {
  const byText = new Map(
    addresses.map((own) => [`${printAddress(own.address)} ${printNetwork(own.subnet)}`, own] as const),
  );
  return {
    ...one,
    addresses: [...byText.values()],
    ...(names.length === 0 ? {} : { names: [...new Set(names)] }),
  };
}

function readLine(reading: Reading, line: IpLine, complain: Complain): void {
  const words = wordsOf(line);
  const first = words[0]?.text ?? "";
  const indented = /^\s/.test(line.text);
  const kindMayFollow = reading.kindMayFollow;
  reading.kindMayFollow = false;
  if (/^\d+:$/.test(first) && !indented) {
    reading.ifconfig = false;
    readHeader(reading, words, line, complain);
  } else if (!indented && STATES.includes(words[1]?.text ?? "")) {
    reading.ifconfig = false;
    readBrief(reading, words, complain);
  } else if (!indented && /^\S+(?:: flags=\d+<|\s+Link encap:)/.test(line.text)) {
    if (!reading.ifconfig) {
      complain("LF1031", "this looks like `ifconfig`", undefined, { help: "run `ip addr` instead" });
    }
    reading.ifconfig = true;
    reading.current = undefined;
  } else if (reading.ifconfig && indented) {
    // Told once.
  } else if (first.startsWith("link/") || first === "inet" || first === "inet6") {
    if (reading.current === undefined) {
      complain("LF1001", "this address belongs to no interface", undefined, {
        severity: "error",
        help: "a line `2: eth0: <…>` must come before it: was the beginning cut off?",
      });
    } else if (first.startsWith("link/")) {
      readLink(reading.current, words, complain);
      reading.kindMayFollow = words.some(({ text }) => text === "promiscuity");
    } else readAddressLine(reading.current, words, line, complain);
  } else if (first === "valid_lft" && indented) {
    readLifetimes(reading.current, words, complain);
  } else if (!indented || reading.current === undefined) {
    remark(complain, "`ip addr`");
  } else readDetail(reading.current, words, kindMayFollow, complain);
}

/** The interface of that name, `eth0` or `eth0@if7`; a second listing adds to the first. */
function interfaceNamed(reading: Reading, word: string): Draft {
  const at = word.indexOf("@", 1);
  const name = at < 0 ? word : word.slice(0, at);
  let found = reading.interfaces.get(name);
  if (found === undefined) {
    found = { name, addresses: [], names: [] };
    reading.interfaces.set(name, found);
  }
  if (at >= 0) found.link = word.slice(at + 1);
  reading.current = found;
  return found;
}

/** `2: eth0@if7: <BROADCAST,UP> mtu 1500 …`, or with `-o` an address behind the name. */
function readHeader(reading: Reading, words: readonly Word[], line: IpLine, complain: Complain): void {
  const [number, name, third] = words as readonly [Word, Word | undefined, Word | undefined];
  reading.current = undefined;
  if (name === undefined || third === undefined) {
    complain("LF1005", "an interface has a name and flags", name ?? number, { help: CUT_OFF });
    return;
  }
  const isAddress = /^(?:inet6?$|link\/)/.test(third.text);
  if (!isAddress && !/^<[A-Z0-9_,-]*>$/.test(third.text)) {
    const asFlags = third.text.startsWith("<");
    if (!asFlags && !name.text.endsWith(":")) remark(complain, "`ip addr`");
    else
      complain("LF1006", `flags look like <BROADCAST,UP>, not ${third.text}`, third, {
        help: CUT_OFF,
      });
    return;
  }
  const current = interfaceNamed(reading, name.text.replace(/:$/, ""));
  current.index = Number(number.text.slice(0, -1));
  if (isAddress) {
    if (third.text.startsWith("link/")) readLink(current, words.slice(2), complain);
    else readAddressLine(current, words.slice(2), line, complain);
    return;
  }
  current.flags = namesIn(third.text);
  const settings: [string, string][] = [];
  // What newer programs print here besides is not needed.
  const known = words.slice(3).filter(({ text }) => !text.startsWith("xdp/"));
  for (const pair of readPairs(known, HEADER_WORDS, "an interface", complain) ?? []) {
    if (pair.name === "mtu") {
      const mtu = readNumber(pair, 0xffffffff, complain);
      if (mtu !== undefined) current.mtu = mtu;
    } else if (pair.name === "master") current.master = pair.value;
    else settings.push([pair.name, pair.value]);
  }
  current.settings = settings;
}

/** `<BROADCAST,UP>` */
function namesIn(flags: string): readonly string[] {
  return flags
    .slice(1, -1)
    .split(",")
    .filter((name) => name !== "");
}

/** A row of `-br`: name, state, and addresses, or the link address and flags. */
function readBrief(reading: Reading, words: readonly Word[], complain: Complain): void {
  const [name, state, ...rest] = words as readonly [Word, Word, ...Word[]];
  const current = interfaceNamed(reading, name.text);
  current.settings = [["state", state.text]];
  for (let at = 0; at < rest.length; ) {
    const word = rest[at] as Word;
    let end = at + 1;
    if (/^<.*>$/.test(word.text)) current.flags = namesIn(word.text);
    else if (isLinkAddress(word.text)) current.linkAddress = word.text;
    else {
      while (BRIEF_WORDS.has(rest[end]?.text ?? "")) end += 2;
      putAddress(
        current,
        word,
        readPairs(rest.slice(at + 1, end), BRIEF_WORDS, "an address", complain),
        complain,
      );
    }
    at = end;
  }
}

function isLinkAddress(text: string): boolean {
  return /^[0-9a-f]{2}(?::[0-9a-f]{2})+$/.test(text);
}

/** `link/ether 02:42:ac:11:00:01 brd ff:ff:ff:ff:ff:ff link-netnsid 0`; `link/none`. `-d` prints more behind it. */
function readLink(current: Draft, words: readonly Word[], complain: Complain): void {
  const details = words.findIndex(({ text }) => text === "promiscuity");
  const [type, address, ...rest] = details < 0 ? words : words.slice(0, details);
  current.linkType = (type?.text ?? "").slice("link/".length);
  if (address !== undefined) current.linkAddress = address.text;
  else if (!/^(?:none|\[.*)$/.test(current.linkType)) {
    complain("LF1005", `${type?.text ?? "link/"} needs the link address`, type, { help: CUT_OFF });
  }
  current.linkWords = rest.map(({ text }) => text);
}

/** `inet 10.0.1.50/24 brd 10.0.1.255 scope global secondary eth0:1`; an IPv6 address has no label. */
function readAddressLine(current: Draft, words: readonly Word[], line: IpLine, complain: Complain): void {
  const [family, address, ...rest] = words as readonly [Word, ...Word[]];
  if (address === undefined) {
    complain("LF1005", `${family.text} needs an address`, family, { help: CUT_OFF });
    return;
  }
  const last = rest.at(-1);
  const label =
    family.text === "inet" && rest.length > 2 && !ADDRESS_WORDS.has(last?.text ?? "") ? last : undefined;
  const isComplete =
    rest.some(({ text }) => text === "scope") && (family.text === "inet6" || label !== undefined);
  const pairs = readPairs(
    label === undefined ? rest : rest.slice(0, -1),
    ADDRESS_WORDS,
    "an address",
    complain,
  );
  if (pairs === undefined) return;
  // What was read of a brief listing is printed so: no scope is known, and the blank says that the address is whole.
  const isBare =
    line.text.endsWith(" ") && (rest.length === 0 || (rest.length === 2 && pairs[0]?.name === "peer"));
  if (!isComplete && !isBare) {
    const what = family.text === "inet" ? "its scope and its label" : "its scope";
    complain("LF1005", `an address is followed by ${what}`, last ?? address, { help: CUT_OFF });
    return;
  }
  const own = putAddress(current, address, pairs, complain);
  if (own !== undefined && label !== undefined) own.label = label.text;
}

/** Adds an address to its interface, unless it cannot be read. */
function putAddress(
  current: Draft,
  word: Word,
  pairs: readonly Pair[] | undefined,
  complain: Complain,
): Mutable<PrintedAddress> | undefined {
  if (pairs === undefined) return undefined;
  const [text = "", length] = word.text.split("/", 2);
  const peer = pairs.find(({ name }) => name === "peer");
  const address = readAddress(text);
  // With a peer, the length stands behind that.
  const subnet = readNetwork(peer?.value ?? word.text);
  if (
    address === undefined ||
    subnet === undefined ||
    typeof subnet.mask !== typeof address ||
    length === ""
  ) {
    const wrong = address === undefined || peer === undefined ? word : peer.valueWord;
    complain("LF1006", `an address looks like 10.0.1.50/24, not ${wrong.text}`, wrong, { help: CUT_OFF });
    return undefined;
  }
  const own: Mutable<PrintedAddress> = { address, subnet };
  const flags: string[] = [];
  const attributes: [string, string][] = [];
  for (const pair of pairs) {
    if (pair.name === "scope") own.scope = pair.value;
    else if (pair.name === "peer" || pair.name === "brd") {
      const other = readAddress(pair.value.split("/", 1)[0] ?? "");
      if (other === undefined || typeof other !== typeof address) {
        complain("LF1006", `${pair.name} is an address, not ${pair.value}`, pair.valueWord);
      } else own[pair.name === "peer" ? "peer" : "broadcast"] = other;
    } else if (pair.value === "") flags.push(pair.name);
    else attributes.push([pair.name, pair.value]);
  }
  if (flags.length > 0) own.flags = flags;
  if (attributes.length > 0) own.attributes = attributes;
  current.addresses.push(own);
  return own;
}

function readLifetimes(current: Draft | undefined, words: readonly Word[], complain: Complain): void {
  const pairs = readPairs(words, LIFETIME_WORDS, "the lifetime of an address", complain);
  if (pairs === undefined) return;
  const [valid, preferred] = pairs;
  const wrong = pairs.find(({ value }) => !/^(?:forever|\d+sec)$/.test(value));
  if (wrong !== undefined) {
    complain(
      "LF1006",
      `${wrong.name} is forever or seconds such as 86313sec, not ${wrong.value}`,
      wrong.valueWord,
      {
        help: CUT_OFF,
      },
    );
  } else if (valid === undefined || preferred === undefined) {
    complain("LF1005", "preferred_lft is missing", undefined, { help: CUT_OFF });
  } else {
    const own = current?.addresses.at(-1);
    if (own !== undefined) own.lifetimes = { valid: valid.value, preferred: preferred.value };
  }
}

/** What stands below a link: other names, numbers of `-s`, what `-d` adds. */
function readDetail(
  current: Draft,
  words: readonly Word[],
  kindMayFollow: boolean,
  complain: Complain,
): void {
  const first = words[0] as Word;
  if (first.text === "alias" || first.text === "altname") {
    const name = words.map(({ text }) => text).join(" ");
    current.names.push(name);
  } else if (kindMayFollow && /^[a-z][a-z0-9_-]*$/.test(first.text)) {
    if (!first.text.endsWith("_slave")) current.kind = first.text;
  } else if (
    !/^(?:[\d.]+[KMGT]?i?|[RT]X:?|vf|prog\/xdp|[a-z0-9]+_slave|[a-z-]+:.*)$/.test(first.text) &&
    current.kind === undefined
  ) {
    const near = nearest(first.text, ["inet", "inet6", "valid_lft", "link/ether"]);
    if (near === undefined) remark(complain, "`ip addr`");
    else complain("LF1017", `an interface has no line ${first.text}`, first, didYouMean(near));
  }
}

/**
 * The interfaces as `ip addr` prints them; for what it printed, the same text. What is not known of an interface is left
 * out, and one without a number takes its place in the list.
 */
export function printInterfaces(interfaces: readonly (Interface | PrintedInterface)[]): string {
  return interfaces.map((one, index) => printInterface(one, index + 1)).join("");
}

function printInterface(one: PrintedInterface, number: number): string {
  const { settings = [], names = [] } = one;
  // The master stands between qdisc and state.
  const before = settings.filter(([name]) => /^(?:xdp\w*|qdisc)$/.test(name));
  const header = [
    `${one.index ?? number}:`,
    `${one.name}${one.link === undefined ? "" : `@${one.link}`}:`,
    `<${(one.flags ?? []).join(",")}>`,
    ...(one.mtu === undefined ? [] : ["mtu", `${one.mtu}`]),
    ...before.flat().filter((word) => word !== ""),
    ...(one.master === undefined ? [] : ["master", one.master]),
    ...settings
      .filter((pair) => !before.includes(pair))
      .flat()
      .filter((word) => word !== ""),
  ].join(" ");
  // A type without an address is followed by a blank.
  const link =
    one.linkType === undefined
      ? []
      : [`    link/${one.linkType} ${[one.linkAddress ?? "", ...(one.linkWords ?? [])].join(" ")}`];
  const lines = [
    header,
    ...link,
    ...names.map((name) => `    ${name}`),
    ...one.addresses.flatMap(printedAddress),
  ];
  return `${lines.join("\n")}\n`;
}

function printedAddress(own: PrintedAddress): readonly string[] {
  const { address, subnet, peer, attributes = [], lifetimes } = own;
  const length = `/${prefixLength(subnet.mask) ?? ""}`;
  const pairs = (names: string): string[] =>
    attributes.flatMap(([name, value]) => (names.split(" ").includes(name) ? [name, value] : []));
  const family = typeof address === "number" ? "inet" : "inet6";
  const line = [
    `    ${family}`,
    ...(peer === undefined
      ? [printAddress(address) + length]
      : [printAddress(address), "peer", printAddress(peer) + length]),
    ...pairs("metric"),
    ...(own.broadcast === undefined ? [] : ["brd", printAddress(own.broadcast)]),
    ...pairs("any"),
    ...(own.scope === undefined ? [] : ["scope", own.scope]),
    ...pairs("proto"),
    ...(own.flags ?? []),
    ...pairs("flags"),
    // Without a label a blank stands at the end.
    own.label ?? "",
  ].join(" ");
  if (lifetimes === undefined) return [line];
  return [line, `       valid_lft ${lifetimes.valid} preferred_lft ${lifetimes.preferred}`];
}

/** The addresses of an interface as `ip -o addr` prints them, each on a line of its own. */
export function printAddressLines(one: Interface | PrintedInterface, number: number): string {
  const start = `${one.index ?? number}: ${one.name}`;
  return one.addresses.map((own) => `${start}${printedAddress(own).join("\\")}\n`).join("");
}
