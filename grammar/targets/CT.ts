import { defineTarget, flag, type GivenOption, type ValueKind } from "../description.js";
import { listedFlag, listedLater, listedName, listedOption } from "../listing.js";
import { reading, readLong, wordKind } from "../values.js";

const CONNECTION_EVENTS = [
  "new",
  "related",
  "destroy",
  "reply",
  "assured",
  "protoinfo",
  "helper",
  "mark",
  "natseqinfo",
  "secmark",
] as const;

/** A zone, or the packet's mark as one. */
type Zone = number | "mark";

const zoneExpects = "a zone from 0 to 65535, or mark";
const zoneKind: ValueKind<Zone> = {
  expects: zoneExpects,
  grammar: () =>
    reading<Zone>(zoneExpects, (text) => {
      if (text.toLowerCase() === "mark") return "mark";
      const zone = readLong(text, 65535n);
      return zone === undefined ? undefined : Number(zone);
    }),
  print: String,
};

function events(words: readonly string[]): ValueKind<readonly string[]> {
  const expects = `a comma list of ${words.join(", ")}`;
  return {
    expects,
    grammar: () =>
      reading<readonly string[]>(expects, (text) => {
        const wanted = text.split(",");
        return wanted.every((word) => words.includes(word))
          ? words.filter((word) => wanted.includes(word))
          : undefined;
      }),
    print: (list) => list.join(","),
  };
}

/** Zone 0 is the one that all connections are in. */
const zone = (name: string) => ({ name, value: zoneKind, hidden: (one: Zone) => one === 0 }) as const;

/** xt_CT: how connection tracking treats the packet, before it looks for its connection. */
export const CT = defineTarget({
  name: "CT",
  summary: "says how connection tracking treats the packet, or that it does not",
  tables: ["raw"],
  options: {
    noTrack: flag("--notrack"),
    helper: { name: "--helper", value: wordKind("the name of a helper, for example ftp", 15) },
    timeout: { name: "--timeout", value: wordKind("the name of a timeout policy", 31) },
    events: { name: "--ctevents", value: events(CONNECTION_EVENTS) },
    expectations: { name: "--expevents", value: events(["new"]) },
    zoneOriginal: zone("--zone-orig"),
    zoneReply: zone("--zone-reply"),
    zone: zone("--zone"),
  },
  complete(given) {
    const { zone: _both, zoneOriginal, zoneReply, ...rest } = given;
    // The kernel keeps one zone and its directions: the last one given counts, and `mark` wins.
    const named = Object.entries(given).filter(([key]) => key.startsWith("zone"));
    const zones = named.map(([, one]) => one as GivenOption<Zone>);
    const last = zones.find(({ value }) => value === "mark") ?? zones.at(-1);
    if (last === undefined) return given;
    if ((zoneOriginal === undefined) === (zoneReply === undefined)) return { ...rest, zone: last };
    return zoneOriginal ? { ...rest, zoneOriginal: last } : { ...rest, zoneReply: last };
  },
  meaning({ noTrack, zone: both, zoneOriginal, zoneReply }) {
    if (noTrack) return { kind: "untrack" };
    const directions =
      both || (zoneOriginal === undefined) === (zoneReply === undefined)
        ? "both"
        : zoneOriginal
          ? "original"
          : "reply";
    return { kind: "zone", zone: (both ?? zoneOriginal ?? zoneReply)?.value ?? 0, directions };
  },
  listed: [
    listedName("CT"),
    ...listedLater(
      listedFlag("notrack", "--notrack"),
      ...["zone", "zone-orig", "zone-reply", "helper", "timeout", "ctevents", "expevents"].map((name) =>
        listedOption(`${name} `, `--${name}`),
      ),
    ),
    listedFlag("(?:CT )?NOTRACK", "--notrack"),
  ],
  examples: [
    { typed: "-j CT --notrack", table: "raw" },
    { typed: "-j CT", table: "raw" },
    { typed: "-j CT --ctevents new,related,destroy --expevents new", table: "raw" },
    { typed: "-j CT --zone mark", table: "raw" },
    { typed: "-j CT --zone-orig 5", table: "raw" },
    { typed: "-j CT --zone-orig 5 --zone-reply 6", saved: "-j CT --zone 6", table: "raw" },
    { typed: "-j CT --zone-orig 5 --zone 6", saved: "-j CT --zone-orig 6", table: "raw" },
    { typed: "-j CT --zone 65536", table: "raw", refused: true },
    { typed: "-j CT --notrack", refused: true },
  ],
});

/** The older form of `-j CT --notrack`. */
export const NOTRACK = defineTarget({
  name: "NOTRACK",
  summary: "connection tracking leaves the packet alone",
  tables: ["raw"],
  options: {},
  meaning: () => ({ kind: "untrack" }),
  examples: [
    { typed: "-j NOTRACK", table: "raw" },
    { typed: "-j NOTRACK", refused: true },
  ],
});
