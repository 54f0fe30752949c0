import { ALL_ONES } from "../address.js";
import { defineMatch, flag, type Given, type GivenOption, type ValueKind } from "../description.js";
import { not } from "../listing.js";
import { ALWAYS, type Condition, type MatchMeaning, negatedIf } from "../meaning.js";
import { addressKind, cutToBytes, numberKind, reading } from "../values.js";

const COMMANDS = ["set", "rcheck", "update", "remove"] as const;

const command = (name: string) => flag(name, { negatable: true });

const nameExpects = "a list name of at most 199 characters, without a slash";
const nameKind: ValueKind<string> = {
  expects: nameExpects,
  print: (name) => name,
  grammar: () => reading(nameExpects, readName),
  quick: readName,
};

/** The name of a file of the kernel; what is too long is cut off. */
function readName(text: string): string | undefined {
  return /^(?!\.\.?$)[^/]+$/.test(text) ? cutToBytes(text, 199) : undefined;
}

const OPTIONS = {
  set: command("--set"),
  rcheck: command("--rcheck"),
  update: command("--update"),
  remove: command("--remove"),
  // Shown as a number with a sign.
  seconds: {
    name: "--seconds",
    value: { ...numberKind(1, 0xffffffff), print: (value: number) => `${value | 0}` },
  },
  reap: flag("--reap"),
  hitcount: { name: "--hitcount", value: numberKind(0, 65535), hidden: (count: number) => count === 0 },
  rttl: flag("--rttl"),
  name: { name: "--name", value: nameKind },
  mask: { name: "--mask", value: addressKind },
  source: flag("--rsource"),
  destination: flag("--rdest"),
} as const;

/**
 * xt_recent: lists of addresses with time stamps, which kube-proxy uses for ClientIP affinity. What a list holds is
 * not in a dump of rules. `--reap` only tidies up, so it has no meaning here.
 */
export const recent = defineMatch({
  name: "recent",
  summary: "a list of addresses seen lately: put the address in, or ask whether it is there",
  options: OPTIONS,
  complete(given, context) {
    const commands = COMMANDS.filter((name) => given[name]);
    if (commands.length !== 1) {
      return {
        refused: `one of --set, --rcheck, --update and --remove must be given, here are ${commands.length}`,
      };
    }
    if (given.reap && !given.seconds) return { refused: "--reap needs --seconds" };
    if (given.set && (given.seconds || given.hitcount || given.rttl)) {
      return { refused: "--seconds, --hitcount and --rttl ask, so they do not go with --set" };
    }
    if (given.remove && (given.rttl || given.seconds || given.hitcount?.value)) {
      return { refused: "--seconds, --hitcount and --rttl ask, so they do not go with --remove" };
    }
    // Of the two sides, the last one given counts.
    const { source, destination, ...rest } = given;
    const order = Object.keys(given);
    const isSource = !destination || order.indexOf("source") > order.indexOf("destination");
    return {
      name: plain("DEFAULT"),
      mask: plain(ALL_ONES[context.family]),
      ...rest,
      ...(isSource ? { source: plain(true as const) } : { destination: plain(true as const) }),
    };
  },
  meaning(given) {
    return meaningOfCommand(given);
  },
  listed: [
    {
      form: /^(! )?recent: (SET|CHECK|UPDATE|REMOVE)((?: (?:seconds: \d+|reap|hit_count: \d+|TTL-Match))*) name: (\S+) side: (source|dest)(?: mask: (\S+))?/,
      words: ([negated, command = "", options = "", name = "", side, mask]) => {
        const seconds = /seconds: (\d+)/.exec(options)?.[1];
        const hits = /hit_count: (\d+)/.exec(options)?.[1];
        return [
          ...not(negated),
          command === "CHECK" ? "--rcheck" : `--${command.toLowerCase()}`,
          ...(seconds === undefined ? [] : ["--seconds", seconds]),
          ...(options.includes("reap") ? ["--reap"] : []),
          ...(hits === undefined ? [] : ["--hitcount", hits]),
          ...(options.includes("TTL-Match") ? ["--rttl"] : []),
          "--name",
          name,
          ...(mask === undefined ? [] : ["--mask", mask]),
          side === "dest" ? "--rdest" : "--rsource",
        ];
      },
    },
  ],
  examples: [
    { typed: "-m recent --set", saved: "-m recent --set --name DEFAULT --mask 255.255.255.255 --rsource" },
    {
      typed: "-m recent --name KUBE-SEP-A --rcheck --seconds 10800 --reap",
      saved: "-m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-A --mask 255.255.255.255 --rsource",
    },
    {
      typed: "-m recent --set --name A",
      saved: "-m recent --set --name A --mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rsource",
      family: "ipv6",
    },
    { typed: "-m recent ! --rcheck --name A --mask 255.255.255.0 --rdest" },
    {
      typed: "-m recent --update --seconds 60 --hitcount 4 --rttl --name A --mask 255.255.255.255 --rsource",
    },
    { typed: "-m recent --rcheck --reap", refused: true },
    { typed: "-m recent --rcheck --seconds 0", refused: true },
    { typed: "-m recent --remove --rttl", refused: true },
    { typed: "-m recent --remove --seconds 3", refused: true },
    { typed: "-m recent --set --name a/b", refused: true },
    { typed: "-m recent --set --seconds 3", refused: true },
    { typed: "-m recent --name A", refused: true },
    { typed: "-m recent --set --update", refused: true },
  ],
});

function plain<T>(value: T): GivenOption<T> {
  return { value, negated: false };
}

function meaningOfCommand(given: Given<typeof OPTIONS>): MatchMeaning {
  const action = COMMANDS.find((name) => given[name]) ?? "rcheck";
  const key = {
    list: given.name?.value ?? "DEFAULT",
    side: given.destination ? ("destination" as const) : ("source" as const),
    mask: given.mask?.value ?? ALL_ONES.ipv4,
  };
  const remembered: Condition = {
    kind: "remembered",
    ...key,
    ...(given.seconds ? { seconds: given.seconds.value } : {}),
    ...(given.hitcount ? { hits: given.hitcount.value } : {}),
    ...(given.rttl ? { sameTtl: true } : {}),
  };
  const condition = negatedIf(given[action]?.negated ?? false, action === "set" ? ALWAYS : remembered);
  return action === "rcheck" ? { condition } : { condition, effect: { kind: "remember", ...key, action } };
}
