/**
 * Rules that go through the descriptions in grammar/ one by one: each option repeated, inverted, cut short, without its
 * value or with each number, each target in each chain, each match under each protocol. What random rules meet by luck.
 */
import type { Family } from "../../grammar/address.js";
import type { Example, Flavour, Match, Target } from "../../grammar/description.js";
import { MATCHES, spellingsOf, TARGETS } from "../../grammar/extensions.js";
import { BUILT_IN_CHAINS } from "../../src/state/rules.js";
import { splitWords } from "../../src/text/words.js";
import { NUMBERS, quoted, type RandomRule } from "./random-rules.js";

type Place = Pick<RandomRule, "table" | "chain">;

/** All of them, always in the same order. */
export function* everyOption(family: Family, flavour: Flavour): Generator<RandomRule> {
  const seen = new Set<string>();
  const only = <D extends Match | Target>(list: readonly D[]) =>
    list.filter(({ families }) => families?.includes(family) ?? true);
  const rules = function* (): Generator<
    Place & { readonly words: readonly string[]; readonly name: string }
  > {
    for (const words of headers(family)) yield { table: "filter", chain: "T", words, name: "header" };
    for (const one of [...only(MATCHES), ...only(TARGETS)]) {
      for (const rule of ofExtension(one, family)) yield { ...rule, name: one.name };
    }
  };
  for (const { table, chain, words, name } of rules()) {
    const rule = words.join(" ");
    const key = `${table} ${chain} ${rule}`;
    if (seen.has(key)) continue;
    seen.add(key);
    yield { family, flavour, table, chain, rule, names: [name] };
  }
}

function* ofExtension(
  one: Match | Target,
  family: Family,
): Generator<Place & { readonly words: readonly string[] }> {
  const loader = one.kind === "match" ? "-m" : "-j";
  const examples = (one.examples as readonly Example[]).filter(
    (example) => (example.family ?? family) === family && !example.refused,
  );
  const table = examples[0]?.table ?? "filter";
  const place = { table, chain: "T" };
  const bases = examples.map(({ typed }) => wordsOf(typed));
  const spellings = spellingsOf(one);
  yield { ...place, words: [loader, one.name] };
  for (const word of [
    one.name.toUpperCase(),
    one.name.toLowerCase(),
    `${one.name}x`,
    one.name.slice(0, -1),
    '""',
  ])
    yield { ...place, words: [loader, word] };
  for (const base of bases.slice(0, 3)) {
    for (const protocol of PROTOCOLS) {
      const bare = withoutProtocol(base);
      yield { ...place, words: [...protocol, ...bare] };
      yield { ...place, words: [...bare, ...protocol] };
    }
    for (const [name, chains] of Object.entries(BUILT_IN_CHAINS)) {
      for (const chain of [...chains, "T"]) yield { table: name, chain, words: base };
    }
    const from = base.indexOf(loader);
    if (from < 0) continue;
    // Twice the whole of it, and its options without it.
    yield { ...place, words: [...base, ...base.slice(from)] };
    yield { ...place, words: [...base.slice(0, from), ...base.slice(from + 2)] };
    yield { ...place, words: [...base.slice(0, from), ...base.slice(from + 2), loader, one.name] };
    yield { ...place, words: ["!", ...base] };
    yield { ...place, words: [...base.slice(0, from), "!", ...base.slice(from)] };
    yield { ...place, words: [...base, "!"] };
    yield { ...place, words: [...base, "word"] };
    yield { ...place, words: [...base, "-j", "ACCEPT"] };
    yield { ...place, words: [...base, "-g", "U"] };
    yield { ...place, words: [...base, "--unknown", "5"] };
  }
  for (const [name, { option }] of spellings) {
    if (name === "") continue;
    const count = option.value === undefined ? 0 : (option.value.words ?? 1);
    const held = bases.filter((base) => base.includes(name));
    const others = bases.filter((base) => base.some((word) => spellings.get(word)?.option === option));
    const with_ = held.length > 0 ? held : others.map((base) => renamed(base, spellings, option, name));
    const plain =
      with_.length > 0 ? with_ : count === 0 ? bases.slice(0, 2).map((base) => [...base, name]) : [];
    for (const base of plain.slice(0, 3)) {
      const at = base.indexOf(name);
      const value = base.slice(at + 1, at + 1 + count);
      const before = base.slice(0, at);
      const after = base.slice(at + 1 + count);
      const written = (words: readonly string[]) => ({ ...place, words: [...before, ...words, ...after] });
      yield written([name, ...value]);
      yield written([name, ...value, name, ...value]);
      yield written(["!", name, ...value, name, ...value]);
      yield written([name, ...value, "!", name, ...value]);
      yield written(["!", name, ...value]);
      yield written([name, "!", ...value]);
      yield written(["!", "!", name, ...value]);
      yield written([]);
      yield { ...place, words: [...before, ...after, name] };
      yield { ...place, words: [...before, ...after, name, "-j", "U"] };
      yield { ...place, words: [...before, ...after, name, "--", "-j", "U"] };
      yield written([name, ...value, "more"]);
      for (let length = 3; length < name.length; length++) yield written([name.slice(0, length), ...value]);
      yield written([`${name}x`, ...value]);
      yield written([name.slice(1), ...value]);
      yield written([`${name}=${value[0] ?? ""}`, ...value.slice(1)]);
      yield written([`${name}=`, ...value]);
      if (count === 0) continue;
      for (const text of textsLike(value.join(" "))) {
        const words = count === 1 ? [quoted(text)] : text.split(" ").map(quoted);
        yield written([name, ...words]);
        yield written(["!", name, ...words]);
      }
    }
  }
  // Each two options together.
  const short = [...spellings].filter(([name]) => name !== "").slice(0, 24);
  for (const [first] of short) {
    for (const [second] of short) {
      const valued = (name: string) => {
        const base = bases.find((words) => words.includes(name));
        const option = spellings.get(name)?.option;
        const count = option?.value === undefined ? 0 : (option.value.words ?? 1);
        const at = base?.indexOf(name) ?? -1;
        return base === undefined ? (count === 0 ? [name] : undefined) : base.slice(at, at + 1 + count);
      };
      const [left, right] = [valued(first), valued(second)];
      if (left === undefined || right === undefined) continue;
      const protocol = bases.map(protocolOf).find((words) => words.length > 0) ?? [];
      yield { ...place, words: [...protocol, loader, one.name, ...left, ...right] };
    }
  }
}

const PROTOCOLS: readonly (readonly string[])[] = [
  [],
  ...[
    "tcp",
    "udp",
    "udplite",
    "sctp",
    "dccp",
    "icmp",
    "ipv6-icmp",
    "icmpv6",
    "ah",
    "esp",
    "ipcomp",
    "mh",
  ].map((name) => ["-p", name]),
  ...["0", "all", "ip", "6", "17", "58", "1", "TCP", "ICMP", "135", "33", "132", "255", "256"].map((name) => [
    "-p",
    name,
  ]),
  ["!", "-p", "tcp"],
  ["!", "-p", "udp"],
  ["!", "-p", "0"],
  ["-p", "!", "tcp"],
];

/** A text with each of its numbers, words and signs changed. */
function* textsLike(text: string): Generator<string> {
  for (const found of text.matchAll(/0x[0-9a-fA-F]+|\d+/g)) {
    const put = (other: string) =>
      text.slice(0, found.index) + other + text.slice(found.index + found[0].length);
    for (const number of NUMBERS) yield put(number);
    for (const near of [-1, 1]) yield put(String(Number(found[0]) + near));
    yield put("");
    yield put(`${found[0]}x`);
    yield put(` ${found[0]}`);
  }
  for (const found of text.matchAll(/[A-Za-z][\w-]*/g)) {
    const put = (other: string) =>
      text.slice(0, found.index) + other + text.slice(found.index + found[0].length);
    const [word] = found;
    yield put(word.toUpperCase());
    yield put(word.toLowerCase());
    for (const length of [1, 2, 3, word.length - 1]) yield put(word.slice(0, length));
    yield put(`${word}x`);
    for (const other of ["", "none", "all", "any", "0", "1", "x"]) yield put(other);
  }
  const parts = text.split(/([-:,/])/);
  yield parts.toReversed().join("");
  for (const sign of [",", ":", "-", "/", "!", "+", " ", "%", "=", '"', "\\", "."]) {
    yield `${text}${sign}`;
    yield `${sign}${text}`;
    yield `${text}${sign}${text}`;
    yield `${text}${sign}${sign}${text}`;
    yield sign;
  }
  for (const size of [2, 6, 7, 14, 15, 16, 17]) yield Array(size).fill(text).join(",");
  for (const size of [
    15, 16, 19, 20, 27, 28, 29, 30, 31, 32, 33, 63, 64, 65, 127, 128, 129, 254, 255, 256, 300,
  ])
    yield text.repeat(Math.ceil(size / Math.max(1, text.length))).slice(0, size);
  yield "";
  yield " ";
}

/** The options that need no `-m`. */
function* headers(family: Family): Generator<readonly string[]> {
  const addresses = [...(family === "ipv4" ? V4 : V6)];
  const values: Readonly<Record<string, readonly string[]>> = {
    "-s": addresses,
    "--src": addresses.slice(0, 3),
    "--source": addresses.slice(0, 3),
    "-d": addresses,
    "--dst": addresses.slice(0, 3),
    "--destination": addresses.slice(0, 3),
    "-i": INTERFACES,
    "--in-interface": INTERFACES.slice(0, 3),
    "-o": INTERFACES,
    "--out-interface": INTERFACES.slice(0, 3),
    "-p": [...PROTOCOL_WORDS, ...NUMBERS],
    "--protocol": PROTOCOL_WORDS.slice(0, 3),
    "--proto": PROTOCOL_WORDS.slice(0, 3),
    "-c": [
      "0 0",
      "1 2",
      "5",
      "x 1",
      "1 x",
      "-1 1",
      "0x10 010",
      "18446744073709551615 1",
      "18446744073709551616 1",
    ],
    "--set-counters": ["1 2", "1", ""],
    "-m": ["", "tcp", "comment", "nothing", "TCP"],
    "-j": [
      "",
      "ACCEPT",
      "accept",
      "U",
      "T",
      "INPUT",
      "FORWARD",
      "nothing",
      "NOTHING",
      "DROP",
      "RETURN",
      "QUEUE",
    ],
    "-g": ["", "ACCEPT", "U", "T", "INPUT", "nothing", "DROP", "LOG", "RETURN"],
    "--jump": ["ACCEPT", "U"],
    "--goto": ["U", "ACCEPT"],
    "-f": [""],
    "--fragments": [""],
    "--fragment": [""],
    "-4": [""],
    "-6": [""],
    "--ipv4": [""],
    "--ipv6": [""],
    "-n": [""],
    "-v": [""],
    "-x": [""],
    "-w": ["", "5"],
    "-W": ["1000"],
    "-t": ["filter", "nat", ""],
    "-h": [""],
    "-V": [""],
    "-A": ["U"],
    "-Z": ["", "T"],
    "--line-numbers": [""],
    "--modprobe": ["x"],
    "-M": ["x"],
    "--": ["", "-j ACCEPT"],
    "-": [""],
    "---s": ["10.0.0.1"],
  };
  for (const [name, texts] of Object.entries(values)) {
    for (const text of texts) {
      const value = text === "" ? [] : name === "-c" || name === "--" ? text.split(" ") : [quoted(text)];
      for (const words of [
        [name, ...value],
        ["!", name, ...value],
        [name, "!", ...value],
        [name, ...value, name, ...value],
        [`${name}${value.join(" ")}`],
        [`${name}=${value.join(" ")}`],
        [name, ...value, "-j", "ACCEPT"],
        ["-p", "tcp", name, ...value, "--dport", "5"],
      ])
        yield words;
      if (!name.startsWith("--")) continue;
      for (let length = 3; length < name.length; length++) yield [name.slice(0, length), ...value];
    }
    yield [name];
    yield [name, '""'];
  }
  for (const [left, right] of [
    ["-i lo", "-o lo"],
    ["-s 10.0.0.1,10.0.0.2", "-d 10.0.0.3,10.0.0.4"],
    ["-s fd00::1,fd00::2", "-d fd00::3"],
    ["-f", "-p tcp"],
    ["-f", "-p tcp --dport 3"],
    ["-j ACCEPT", "-g U"],
    ["-j U", "-j U"],
    ["-4", "-6"],
    ["-p tcp", "-p udp"],
    ["-p tcp", "! -p tcp"],
  ] as const) {
    yield [...left.split(" "), ...right.split(" ")];
    yield [...right.split(" "), ...left.split(" ")];
  }
}

const V4 = [
  ..."10.0.0.1 10.0.0.0/8 10.1.2.3/8 0.0.0.0/0 0/0 0 10 10.1 10.1.2 10/8 10.1/16 1.2.3.4/255.0.255.0 1.2.3.4/0.0.0.255".split(
    " ",
  ),
  ..."1.2.3.4/255.255.255.255 1.2.3.4/0.0.0.0 1.2.3.4/33 1.2.3.4/-1 1.2.3.4/ /8 / 1.2.3.4/32/8 1.2.3.4/08 1.2.3.4/010".split(
    " ",
  ),
  ..."1.2.3.4/0x8 256.1.1.1 1.2.3.4.5 010.1.1.1 0x10.1.1.1 1.2.3.08 a.b.c.d fd00::1 ::ffff:1.2.3.4 ::1.2.3.4".split(
    " ",
  ),
  ..."10.0.0.1,10.0.0.2 10.0.0.1,10.0.0.1 ,10.0.0.1 10.0.0.1, 10.0.0.1,,10.0.0.2 10.0.0.0/8,1.2.3.4/16 10.0.0.1,fd00::1".split(
    " ",
  ),
  ..."1.2.3.4/255.255.0 1.2.3.4/255 1.2.3.4/ffff 1.2.3.4/0.255.0.0 any any/0 x/0 0.0.0.0 255.255.255.255 1.2.3.4-1.2.3.5".split(
    " ",
  ),
  ..."3232235777 0x0a000001 1.2.3.4/+8 +1.2.3.4 1..2.3 .1.2.3 1.2.3. 1.2.3.4/255.255.255.256 127.1 ! 1.2.3.4/1.2.3.4".split(
    " ",
  ),
  "",
  " 10.0.0.1",
  "10.0.0.1 ",
  "10.0.0.1, 10.0.0.2",
];

const V6 = [
  ..."fd00::1 fd00::/64 fd00::1/64 ::/0 :: ::1 ::1/128 ::ffff:1.2.3.4 ::1.2.3.4 64:ff9b::1.2.3.4 fe80::1/ffff:: fe80::1/ffff::ff".split(
    " ",
  ),
  ..."fd00::1/129 fd00::1/-1 fd00::1/ /64 fd00::1/64/5 fd00::1%eth0 [fd00::1] 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:8:9 1::2::3 :1 1:".split(
    " ",
  ),
  ..."1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8 1:0:0:2:0:0:0:3 1:0:2:3:4:5:6:7 FD00::ABCD fd00:0::1 12345::1 g::1 10.0.0.1 10.0.0.0/8".split(
    " ",
  ),
  ..."fd00::1,fd00::2 fd00::1,fd00::1 ,fd00::1 fd00::1, fd00::1/08 fd00::1/0x40 fd00::1/010 any any/0 ::ffff:1.2.3 1:2:3:4:5:6:1.2.3.4".split(
    " ",
  ),
  ..."1:2:3:4:5:6:7:1.2.3.4 ::ffff:0:0/96 ::01.2.3.4 2001:db8::/32,::1 fd00::/+8 0::0 0 fd00".split(" "),
  "",
  " fd00::1",
];

const INTERFACES = [
  ..."eth0 eth+ + lo a12345678901234 a123456789012345 a1234567890123456 a1234567890123+ a12345678901234+ e+h eth0:1 e/x e.5 * ! - -x".split(
    " ",
  ),
  "",
  "a b",
  " a",
  "a ",
  'a"b',
  "a\\b",
  "a\tb",
  "é",
];

const PROTOCOL_WORDS = [
  ..."tcp udp udplite icmp icmpv6 ipv6-icmp esp ah sctp dccp mh ipv6-mh mobility-header all ip hopopt ipv6 gre TCP Udp ICMP".split(
    " ",
  ),
  ..."ALL ESP AH IPv6-ICMP IPV6-ICMP HOPOPT ICMPV6 SCTP IPCOMP ipcomp IPCompP tcpx tc igmp IGMP ospf OSPF OSPFIGP ospfigp".split(
    " ",
  ),
  ..."ipencap IP-ENCAP IPIP ax.25 AX.25 L2TP xns-idp 6x x6 6,17 tcp,udp".split(" "),
  "",
];

function wordsOf(typed: string): string[] {
  return splitWords(typed).words.map(quoted);
}

function protocolOf(words: readonly string[]): readonly string[] {
  const at = words.indexOf("-p");
  return at < 0 ? [] : words.slice(words[at - 1] === "!" ? at - 1 : at, at + 2);
}

function withoutProtocol(words: readonly string[]): readonly string[] {
  const own = protocolOf(words);
  const at = words.indexOf("-p") - (own.length - 2);
  return own.length === 0 ? words : [...words.slice(0, at), ...words.slice(at + own.length)];
}

function renamed(
  base: readonly string[],
  spellings: ReturnType<typeof spellingsOf>,
  option: unknown,
  name: string,
): readonly string[] {
  return base.map((word) => (spellings.get(word)?.option === option ? name : word));
}
