/**
 * Random rules, made from the descriptions in grammar/: their options in any number and order, with values that their
 * examples have, and with mutations of those. Many rules are wrong, on purpose.
 */
import type { Family } from "../../grammar/address.js";
import type { Example, Flavour, Match, Target } from "../../grammar/description.js";
import { MATCHES, type Spelling, spellingsOf, TARGETS } from "../../grammar/extensions.js";
import { BUILT_IN_CHAINS, type TableName } from "../../src/state/rules.js";
import { splitWords } from "../../src/text/words.js";

/** A rule, where it stands, and who reads it. */
export interface RandomRule {
  readonly family: Family;
  readonly flavour: Flavour;
  readonly table: string;
  readonly chain: string;
  /** What follows `-A CHAIN`. */
  readonly rule: string;
  /** The extensions in it, for reports. */
  readonly names: readonly string[];
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Choices on top of random numbers. */
interface Dice {
  /** How wild the rule gets: the probability of each change, from 0 to 1. */
  wildness: number;
  chance(probability: number): boolean;
  below(count: number): number;
  pick<T>(list: readonly T[]): T;
}

function diceOf(random: () => number): Dice {
  const below = (count: number) => Math.floor(random() * count);
  return {
    wildness: 1,
    below,
    chance: (probability) => random() < probability,
    pick<T>(list: readonly T[]): T {
      return list[below(list.length)] as T;
    },
  };
}

/** An endless supply of rules; `only`: names of the extensions that are of interest. */
export function randomRules(
  seed: number,
  setting: { readonly family: Family; readonly flavour: Flavour; readonly only?: readonly string[] },
): () => RandomRule {
  const dice = diceOf(randomNumbers(seed));
  const { family, flavour, only } = setting;
  const wanted = (one: Match | Target) =>
    (one.families?.includes(family) ?? true) && (only?.includes(one.name) ?? true);
  const matches = MATCHES.filter(wanted);
  const targets = TARGETS.filter(wanted);
  return () => {
    dice.wildness = dice.pick([0, 0.15, 0.3, 0.5, 1]);
    const words: string[] = [];
    const names: string[] = [];
    const used: Example[] = [];
    const parts: string[][] = [];
    const wild = (probability: number) => dice.chance(probability * dice.wildness);
    const add = (loader: string, one: Match | Target) => {
      const own = one.examples.filter((example) => (example.family ?? family) === family);
      const good = own.filter((example) => !example.refused);
      const from = wild(0.3) || good.length === 0 ? own : good;
      const fits = from.length > 0 && !wild(0.4) ? dice.pick(from) : undefined;
      if (fits !== undefined) used.push(fits);
      names.push(one.name);
      const name = dice.chance(0.03) && one.aliases ? dice.pick(one.aliases) : one.name;
      const implied = one.kind === "match" && one.impliedBy !== undefined && dice.chance(0.15);
      parts.push([
        ...(implied ? [] : [loader, name]),
        ...optionsOf(dice, spellingsOf(one), fits, valuesOf(one)),
      ]);
    };
    const count = matches.length === 0 ? 0 : dice.pick([0, 1, 1, 1, 1, 2, 2, 3]);
    for (let index = 0; index < count; index++) add(dice.chance(0.05) ? "--match" : "-m", dice.pick(matches));
    if (targets.length > 0 && dice.chance(count === 0 ? 0.95 : 0.35)) {
      add(dice.chance(0.05) ? "--jump" : "-j", dice.pick(targets));
    } else if (dice.chance(0.6)) {
      parts.push([dice.pick(["-j", "-j", "-j", "-g"]), dice.pick(["ACCEPT", "DROP", "U", "U", "RETURN"])]);
    }
    // The protocol has to stand before what needs it.
    const protocol = used.map(protocolWords).find((found) => found.length > 0) ?? [];
    if (protocol.length > 0 && !wild(0.1)) words.push(...protocol);
    else if (dice.chance(0.15)) words.push(...optionNamed(dice, "-p", family));
    for (const part of parts) words.push(...part);
    while (dice.chance(0.2))
      words.push(...optionNamed(dice, dice.pick(["-s", "-d", "-i", "-o", "-p", "-f"]), family));
    const table = wild(0.3)
      ? dice.pick(Object.keys(BUILT_IN_CHAINS))
      : (used.find((one) => one.table !== undefined)?.table ?? "filter");
    const chain = dice.chance(0.65) ? "T" : dice.pick(BUILT_IN_CHAINS[table as TableName]);
    return { family, flavour, table, chain, rule: words.join(" "), names };
  };
}

function protocolWords({ typed }: Example): readonly string[] {
  const { words } = splitWords(typed);
  const at = words.indexOf("-p");
  return at < 0 ? [] : words.slice(words[at - 1] === "!" ? at - 1 : at, at + 2);
}

/** An option of the header with a value. */
function optionNamed(dice: Dice, name: string, family: Family): string[] {
  const other = (text: string) => text.includes(family === "ipv4" ? "::" : ".");
  const texts = HEADER_VALUES[name]?.filter(
    (text) => !/^-[sd]$/.test(name) || !other(text) || dice.chance(0.1),
  );
  const bang = dice.chance(0.2) ? ["!"] : [];
  if (texts === undefined) return [...bang, name];
  return [
    ...bang,
    name,
    quoted(dice.chance(0.4 * dice.wildness) ? mutated(dice, dice.pick(texts)) : dice.pick(texts)),
  ];
}

const ADDRESSES = ["10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "192.168.1.5/24", "fd00::1", "fd00::/64", "::/0"];

const HEADER_VALUES: Readonly<Record<string, readonly string[]>> = {
  "-s": [...ADDRESSES, "10.0.0.1,10.0.0.2", "1.2.3.4/255.0.255.0", "fe80::1/ffff::", "localhost", "10.1/16"],
  "-d": [...ADDRESSES, "1.2.3.4/0.0.0.255", "::ffff:1.2.3.4", "fd00::1,fd00::2", "10.0.0.1/0"],
  "-i": ["eth0", "eth+", "+", "lo", "a123456789012345", "e.5", "eth0:1"],
  "-o": ["eth0", "eth+", "+", "lo", "a12345678901234", "*"],
  "-p": [
    "tcp",
    "udp",
    "icmp",
    "ipv6-icmp",
    "sctp",
    "dccp",
    "ah",
    "esp",
    "all",
    "0",
    "6",
    "58",
    "135",
    "udplite",
  ],
};

/** Words that other words of an option's value may be replaced with. */
const NAMES = [
  ...["http", "domain", "https", "ssh", "x11", "kerberos-sec", "tcp", "udp", "icmp", "all", "any", "none"],
  ...["echo-request", "host-unreachable", "EF", "cs1", "AF41", "Minimize-Delay", "Normal-Service"],
  ...["ALL", "NONE", "SYN", "root", "nobody", "debug", "warning", "LOCAL", "NEW", "ESTABLISHED", "original"],
  ...["localhost", "10.0.0.1", "fd00::1", "10.0.0.1-10.0.0.9", "eth0", "Mon", "Sunday", "1970-01-01"],
];

export const NUMBERS: readonly string[] = [
  ..."0 1 2 5 7 8 15 16 31 32 33 63 64 65 99 127 128 129 254 255 256 257 999 1000 1023 1024 10000".split(" "),
  ..."65534 65535 65536 1000000 16777216 2147483647 2147483648 4294967295 4294967296".split(" "),
  ..."9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616".split(" "),
  ..."-1 +1 0x 0x0 0x1f 0XFF 0xffff 0xffffffff 010 08 00 0.5 1.5 1e3".split(" "),
];

/** Values that the examples of an extension give to its options, by the spelling of the option. */
function valuesOf(description: Match | Target): ReadonlyMap<string, readonly string[]> {
  const known = seen.get(description);
  if (known !== undefined) return known;
  const values = new Map<string, string[]>();
  const spellings = spellingsOf(description);
  for (const { typed, saved } of description.examples as readonly Example[]) {
    for (const { words } of [splitWords(typed), splitWords(saved ?? typed)]) {
      words.forEach((word, at) => {
        const spelling = spellings.get(word);
        if (spelling?.option.value === undefined) return;
        const text = words.slice(at + 1, at + 1 + (spelling.option.value.words ?? 1)).join(" ");
        values.set(word, [...(values.get(word) ?? []), text]);
      });
    }
  }
  seen.set(description, values);
  return values;
}

const seen = new WeakMap<object, ReadonlyMap<string, readonly string[]>>();

/** The options of an example with changes, or any options. */
function optionsOf(
  dice: Dice,
  spellings: ReadonlyMap<string, Spelling>,
  example: Example | undefined,
  values: ReadonlyMap<string, readonly string[]>,
): string[] {
  const wild = (probability: number) => dice.chance(probability * dice.wildness);
  const chosen: { name: string; negated: boolean; text: string | undefined }[] = [];
  if (example !== undefined) {
    const { words } = splitWords(example.typed);
    words.forEach((word, at) => {
      const option = spellings.get(word)?.option;
      if (option === undefined || word === "" || wild(0.05)) return;
      const count = option.value === undefined ? 0 : (option.value.words ?? 1);
      const text = option.value === undefined ? undefined : words.slice(at + 1, at + 1 + count).join(" ");
      chosen.push({ name: word, negated: words[at - 1] === "!" || wild(0.1), text });
    });
  }
  const names = [...spellings.keys()].filter((name) => name !== "");
  const more =
    example === undefined ? dice.pick([0, 1, 1, 2, 2, 3]) : wild(0.8) ? dice.pick([0, 1, 1, 2]) : 0;
  for (let index = 0; index < more && names.length > 0; index++) {
    const name = dice.pick(names);
    const option = spellings.get(name)?.option;
    const own = values.get(name) ?? [...values.values()].flat();
    const text =
      option?.value === undefined ? undefined : dice.pick(own.length === 0 || wild(0.2) ? NAMES : own);
    chosen.push({ name, negated: dice.chance(0.15), text });
  }
  if (dice.chance(0.1)) chosen.reverse();
  return chosen.flatMap(({ name, negated, text }) => {
    const bang = negated ? ["!"] : [];
    const written = wild(0.08) ? name.slice(0, 3 + dice.below(name.length)) : name;
    if (text === undefined) return [...bang, written];
    const two = (spellings.get(name)?.option.value?.words ?? 1) > 1;
    const value = dice.chance(0.1) || wild(0.6) ? mutated(dice, text) : text;
    if (two) return [...bang, written, ...value.split(" ").map(quoted)];
    if (dice.chance(0.03) && written.startsWith("--")) return [...bang, `${written}=${value}`];
    return [...bang, written, quoted(value)];
  });
}

function mutated(dice: Dice, text: string): string {
  return dice.pick(MUTATIONS)(text, dice);
}

type Mutation = (text: string, dice: Dice) => string;

const swapNumber: Mutation = (text, dice) => {
  const found = [...text.matchAll(/0x[0-9a-fA-F]+|\d+/g)];
  if (found.length === 0) return dice.pick(NUMBERS);
  const { 0: old, index } = dice.pick(found);
  const value = Number(old);
  const near = [
    `0x${value.toString(16)}`,
    `0${value.toString(8)}`,
    `${value + 1}`,
    `${value - 1}`,
    `0${old}`,
  ];
  const fresh = dice.chance(0.4) && value < 2 ** 40 ? dice.pick(near) : dice.pick(NUMBERS);
  return text.slice(0, index) + fresh + text.slice(index + old.length);
};

const swapName: Mutation = (text, dice) => {
  const found = [...text.matchAll(/[A-Za-z][\w-]*/g)];
  if (found.length === 0) return dice.pick(NAMES);
  const { 0: old, index } = dice.pick(found);
  return text.slice(0, index) + dice.pick(NAMES) + text.slice(index + old.length);
};

const MUTATIONS: readonly Mutation[] = [
  ...[swapNumber, swapNumber, swapNumber, swapNumber, swapNumber, swapName],
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase(),
  (text, dice) => text.slice(0, dice.below(text.length + 1)),
  (text) =>
    text
      .split(/([-:,/])/)
      .reverse()
      .join(""),
  (text, dice) =>
    `${text}${dice.pick([":", ":", "-", ",", "/", "x", " ", "%", "!", '"', "'", "\\", "+", "\t"])}`,
  (text, dice) => `${dice.pick([":", "-", ",", "/", " ", "!", "+", "0"])}${text}`,
  (text, dice) => `${text}${dice.pick([":", "-", ",", "/"])}${dice.pick(NUMBERS)}`,
  (text, dice) => `${text}${dice.pick([",", ",", ":", "-"])}${text}`,
  (text, dice) =>
    Array(2 + dice.below(20))
      .fill(text)
      .join(","),
  (text, dice) => text.repeat(1 + dice.below(40)),
  (_, dice) => dice.pick(NAMES),
  (_, dice) => dice.pick(NUMBERS),
  (text, dice) => text.replace(/[:/,-]/, dice.pick([":", "/", ",", "-", ""])),
];

/** As a word that iptables-restore reads as this text. */
export function quoted(text: string): string {
  return text === "" || /[\s"\\]/.test(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : text;
}
