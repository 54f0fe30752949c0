/**
 * `ip route` ⇄ routes: of one table or all, IPv4 and IPv6, with `-o` and `-d` as well. Words as iproute2 4.x to 6.x has
 * them, in the order in which 6.1 prints them.
 */
import {
  type Address,
  addressBits,
  type Family,
  familyOf,
  type Network as Prefix,
  prefixLength,
  prefixMask,
  printAddress,
  printNetwork,
  readAddress,
  readNetwork,
} from "../../grammar/address.js";
import { nearest } from "../problems/nearest.js";
import type { Problem, Source } from "../problems/problem.js";
import type { NextHop, Route } from "../state/network.js";
import { routeLines } from "./ip-json.js";
import {
  type Complain,
  CUT_OFF,
  complainer,
  familiesAmong,
  ipLines,
  type Pair,
  readNumber,
  readPairs,
  remark,
  vocabulary,
  type Word,
  wordsOf,
} from "./ip-words.js";

export interface RoutesRead {
  readonly routes: readonly Route[];
  /** Families that the text has routes of the main table of. */
  readonly families: readonly Family[];
  readonly problems: readonly Problem[];
}

const TYPES = [
  "unicast",
  "local",
  "broadcast",
  "anycast",
  "multicast",
  "blackhole",
  "unreachable",
  "prohibit",
  "throw",
  "nat",
  "xresolve",
];
const REFUSING = ["blackhole", "unreachable", "prohibit", "throw"];

const FLAGS =
  "dead onlink pervasive offload trap notify linkdown unresolved rt_offload rt_trap rt_offload_failed";
/** What may stand behind a destination. `ip route get` adds `uid` and `cache`. */
const ROUTE_WORDS = vocabulary(
  "from as tos dsfield nhid via dev oif table proto scope src metric mark realm realms uid expires error users age used iif pref mtu window rtt rttvar ssthresh cwnd advmss reordering hoplimit initcwnd features rto_min initrwnd quickack congctl fastopen_no_cookie ttl-propagate",
  `${FLAGS} cache`,
);
const HOP_WORDS = vocabulary("via dev weight realm realms", FLAGS);
/** Attributes that are printed before the gateway. */
const EARLY = ["as", "encap", "tos", "dsfield", "nhid"];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Draft {
  readonly route: Mutable<Route>;
  readonly hops: NextHop[];
  /** Complains of the line where the route began. */
  readonly complain: Complain;
}

/** What a command line above the routes says of them: `# ip -6 route show table 100`. */
interface Asked {
  readonly family: Family | undefined;
  readonly table: string | undefined;
}

/**
 * Reads what `ip route` printed; lines of other kinds become notes. A default route that nothing else tells the family of
 * is of `family`, else of IPv4. Never fails.
 */
export function readRoutes(source: Source, family?: Family): RoutesRead {
  const problems: Problem[] = [];
  const drafts: Draft[] = [];
  let asked: Asked = { family, table: undefined };
  for (const line of ipLines(source, problems, routeLines)) {
    const complain = complainer(source, line, problems);
    const words = wordsOf(line);
    const first = words[0]?.text ?? "";
    if (first === "nexthop") readHop(drafts.at(-1), words.slice(1), complain);
    else if (/^\s/.test(line.text) && (first === "nh_info" || first === "cache")) continue;
    else if (isRoute(words)) {
      const route = readRoute(words, asked, complain);
      if (route !== undefined) drafts.push({ route, hops: [], complain });
    } else {
      asked = commandIn(line.text, family) ?? asked;
      remark(complain, "`ip route`");
    }
  }
  const routes = drafts
    .filter(isWhole)
    .map(({ route, hops }) => (hops.length === 0 ? route : { ...route, nextHops: hops }));
  const main = routes.filter(isOfMain).map(({ to }) => to.address);
  return { routes, families: familiesAmong(main), problems };
}

function isOfMain({ type, table = "main" }: Route): boolean {
  return (table === "main" || table === "254") && (type === "unicast" || REFUSING.includes(type));
}

/** `# ip -6 route show table 100`: the routes below are those. */
function commandIn(text: string, family: Family | undefined): Asked | undefined {
  if (!/\bip\s+(?:-\S+\s+)*r(?:o(?:u(?:te?)?)?)?\b/.test(text)) return undefined;
  const table = /\stable\s+(\S+)/.exec(text)?.[1];
  const version = /\s-(4|6)\s/.exec(text)?.[1];
  const told = version === undefined ? family : version === "4" ? "ipv4" : "ipv6";
  return { family: told, table: table === "all" || table === "main" ? undefined : table };
}

/** A type or a destination, and behind it nothing or a word that a route may have. */
function isRoute(words: readonly Word[]): boolean {
  const typed = isType(words[0]);
  const to = words[typed ? 1 : 0]?.text;
  if (to === undefined) return typed;
  if (to !== "default" && !/^(?:\d+(?:\.\d+)*|[0-9a-fA-F]*:[0-9a-fA-F:.]*)(?:\/\d*)?$/.test(to)) return false;
  const next = words[typed ? 2 : 1]?.text;
  // An address alone is rather a part of what somebody wrote around the routes; of a multipath route hops may follow.
  const isDestination = to.includes("/") || to === "default";
  return next === undefined
    ? typed || isDestination
    : ROUTE_WORDS.has(next) || next === "encap" || nearest(next, ["via", "dev", "scope"]) !== undefined;
}

function isType(word: Word | undefined): boolean {
  return word !== undefined && TYPES.includes(word.text);
}

/** `blackhole 10.1.0.0/16 proto 80`, `default via 10.0.1.1 dev eth0 proto dhcp src 10.0.1.50 metric 100`. */
function readRoute(words: readonly Word[], asked: Asked, complain: Complain): Mutable<Route> | undefined {
  const typed = isType(words[0]);
  const type = typed ? (words[0] as Word).text : "unicast";
  const destination = words[typed ? 1 : 0];
  if (destination === undefined) {
    complain("LF1005", `${type} needs a destination`, words[0], { help: CUT_OFF });
    return undefined;
  }
  const taken = withoutEncap(words.slice(typed ? 2 : 1));
  if (taken.encap === "") {
    complain("LF1005", "encap needs a value", undefined, {
      help: "`ip -j` gives such a route two destinations under one name: use `ip route`",
    });
    return undefined;
  }
  const pairs = readPairs(
    taken.words.filter((...at) => !isGatewayFamily(...at)),
    ROUTE_WORDS,
    "a route",
    complain,
  );
  if (pairs === undefined) return undefined;
  const family = familyToldBy(taken.words, pairs) ?? asked.family ?? "ipv4";
  const to = destination.text === "default" ? everywhere(family) : readDestination(destination.text);
  if (to === undefined) {
    complain(
      "LF1006",
      `a destination is default or looks like 10.244.2.0/24, not ${destination.text}`,
      destination,
      {
        help: CUT_OFF,
      },
    );
    return undefined;
  }
  const route: Mutable<Route> = { type, to };
  const flags: string[] = [];
  const attributes: [string, string][] = taken.encap === undefined ? [] : [["encap", taken.encap]];
  for (const pair of pairs) {
    const { name, value, valueWord } = pair;
    if (name === "via" || name === "src") {
      const address = readAddress(value);
      if (address === undefined) {
        complain("LF1006", `${name} is an address, not ${value}`, valueWord, { help: CUT_OFF });
        return undefined;
      }
      route[name] = address;
    } else if (name === "from") {
      const from = value === "default" || value === "all" ? everywhere(family) : readDestination(value);
      if (from === undefined) {
        complain("LF1006", `from is an address or a prefix, not ${value}`, valueWord, { help: CUT_OFF });
        return undefined;
      }
      route.from = from;
    } else if (name === "metric") {
      const metric = readNumber(pair, 0xffffffff, complain);
      if (metric !== undefined) route.metric = metric;
    } else if (name === "dev" || name === "table" || name === "proto" || name === "scope")
      route[name] = value;
    else if (value === "") flags.push(name);
    else attributes.push([name, value]);
  }
  if (route.table === undefined && asked.table !== undefined) route.table = asked.table;
  if (flags.length > 0) route.flags = flags;
  if (attributes.length > 0) route.attributes = attributes;
  return route;
}

/** `inet6` in `via inet6 fe80::1`: it stands there when the gateway is not of the route's family. */
function isGatewayFamily({ text }: Word, index: number, words: readonly Word[]): boolean {
  return (text === "inet" || text === "inet6") && words[index - 1]?.text === "via";
}

/** `encap ip id 5 dst 10.0.1.9 ttl 0 tos 0` goes up to the gateway or the device. */
function withoutEncap(words: readonly Word[]): { words: readonly Word[]; encap: string | undefined } {
  const at = words.findIndex(({ text }) => text === "encap");
  if (at < 0) return { words, encap: undefined };
  const end = words.findIndex(({ text }, index) => index > at && (text === "via" || text === "dev"));
  const until = end < 0 ? words.length : end;
  const encap = words.slice(at + 1, until);
  return {
    words: [...words.slice(0, at), ...words.slice(until)],
    encap: encap.map(({ text }) => text).join(" "),
  };
}

/** The family that gateway and source have, or that alone has such words. */
function familyToldBy(words: readonly Word[], pairs: readonly Pair[]): Family | undefined {
  const other = words.find(isGatewayFamily)?.text;
  if (other !== undefined) return other === "inet6" ? "ipv4" : "ipv6";
  if (pairs.some(({ name }) => name === "pref" || name === "error" || name === "from")) return "ipv6";
  const address = pairs.find(({ name }) => name === "via" || name === "src")?.value;
  return address === undefined ? undefined : address.includes(":") ? "ipv6" : "ipv4";
}

function everywhere(family: Family): Prefix {
  return { address: family === "ipv4" ? 0 : 0n, mask: prefixMask(0, family) };
}

/** Old programs leave zeros at the end out: `10.0/16`. */
function readDestination(text: string): Prefix | undefined {
  const short = /^(\d+(?:\.\d+){0,2})(\/\d+)$/.exec(text);
  if (short === null) return text.endsWith("/") ? undefined : readNetwork(text);
  const [, digits = "", length = ""] = short;
  return readNetwork(`${digits}${".0".repeat(4 - digits.split(".").length)}${length}`);
}

/** `nexthop via 10.0.1.3 dev eth0 weight 1`, below the route that it belongs to. */
function readHop(draft: Draft | undefined, words: readonly Word[], complain: Complain): void {
  if (draft === undefined) {
    complain("LF1001", "this nexthop belongs to no route", undefined, {
      severity: "error",
      help: "the line with the destination must come before it: was the beginning cut off?",
    });
    return;
  }
  const rest = withoutEncap(words).words.filter((...at) => !isGatewayFamily(...at));
  const pairs = readPairs(rest, HOP_WORDS, "a nexthop", complain);
  if (pairs === undefined) return;
  const hop: Mutable<NextHop> = {};
  const flags: string[] = [];
  for (const pair of pairs) {
    if (pair.name === "via") {
      const via = readAddress(pair.value);
      if (via === undefined) {
        complain("LF1006", `via is an address, not ${pair.value}`, pair.valueWord, { help: CUT_OFF });
        return;
      }
      hop.via = via;
    } else if (pair.name === "dev") hop.dev = pair.value;
    else if (pair.name === "weight") {
      const weight = readNumber(pair, WEIGHT_MAX, complain);
      if (weight !== undefined) hop.weight = weight;
    } else if (pair.value === "") flags.push(pair.name);
  }
  if (flags.length > 0) hop.flags = flags;
  draft.hops.push(hop);
}

const WEIGHT_MAX = 65536;

/** Whether it says where packets go: by a device or a gateway, by several, or nowhere. */
function isWhole({ route, hops, complain }: Draft): boolean {
  const { type, dev, via, scope, proto } = route;
  // `ip route show dev eth0` leaves the device out, `scope link` then says that there is no gateway.
  const told = [dev, via, scope, proto].some((one) => one !== undefined);
  if (REFUSING.includes(type) || hops.length > 0 || told) return true;
  complain("LF1005", "this route has neither device nor gateway", undefined, { help: CUT_OFF });
  return false;
}

/** The routes as `ip route` prints them; for what it printed, the same text. */
export function printRoutes(routes: readonly Route[]): string {
  return routes.map(printRoute).join("");
}

function printRoute(route: Route): string {
  const { type, to, from, via, dev, table, proto, scope, src, metric, flags = [], attributes = [] } = route;
  const named = (name: string, value: string | number | undefined): readonly string[] =>
    value === undefined ? [] : [name, `${value}`];
  const address = (value: Address | undefined) => (value === undefined ? undefined : printAddress(value));
  const early = attributes.filter(([name]) => EARLY.includes(name));
  const late = attributes.filter(([name]) => !EARLY.includes(name));
  const words = [
    ...(type === "unicast" ? [] : [type]),
    printDestination(to),
    ...named("from", from === undefined ? undefined : printDestination(from)),
    // iproute2 puts two blanks before an encapsulation.
    ...early.flatMap(([name, value]) => [name === "encap" ? " encap" : name, value]),
    ...printVia(via, familyOf(to.address)),
    ...named("dev", dev),
    ...named("table", table),
    ...named("proto", proto),
    ...named("scope", scope),
    ...named("src", address(src)),
    ...named("metric", metric),
    ...flags,
    ...late.flat(),
  ];
  const hops = (route.nextHops ?? []).map((hop) => printHop(hop, familyOf(to.address)));
  // What IPv6 prints last is not followed by a blank.
  const end = late.at(-1)?.[0] === "pref" ? "\n" : " \n";
  return `${words.join(" ")}${end}${hops.join("")}`;
}

function printHop({ via, dev, weight, flags = [] }: NextHop, family: Family): string {
  const words = [
    "\tnexthop",
    ...printVia(via, family),
    ...(dev === undefined ? [] : ["dev", dev]),
    ...(weight === undefined ? [] : ["weight", `${weight}`]),
    ...flags,
  ];
  return `${words.join(" ")} \n`;
}

function printVia(via: Address | undefined, family: Family): readonly string[] {
  if (via === undefined) return [];
  const other = familyOf(via) === family ? [] : [familyOf(via) === "ipv4" ? "inet" : "inet6"];
  return ["via", ...other, printAddress(via)];
}

/** A single address has no length. */
function printDestination(to: Prefix): string {
  const length = prefixLength(to.mask);
  if (length === 0) return "default";
  return length === addressBits(familyOf(to.address)) ? printAddress(to.address) : printNetwork(to);
}
