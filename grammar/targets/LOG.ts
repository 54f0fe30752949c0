import type { ValueKind } from "../description.js";
import { defineTarget, flag } from "../description.js";
import { lineKind, quote, reading, readLong } from "../values.js";

const WARNING = 4;
/** Names of syslog levels, by their number. */
const LEVELS = [
  ["emerg", "panic"],
  ["alert"],
  ["crit"],
  ["error"],
  ["warning"],
  ["notice"],
  ["info"],
  ["debug"],
];
const expects = `a level from 0 to 7, or ${LEVELS.map(([name]) => name).join(", ")}`;
const levelKind: ValueKind<number> = {
  expects,
  grammar: () =>
    reading(expects, (text) => {
      const number = readLong(text, 7n);
      if (number !== undefined) return Number(number);
      const level = LEVELS.findIndex((names) => names.includes(text));
      return level < 0 ? undefined : level;
    }),
  print: String,
};

/** How a listing shows what else is written. */
const LISTED_FLAGS = [
  [1, "--log-tcp-sequence"],
  [2, "--log-tcp-options"],
  [4, "--log-ip-options"],
  [8, "--log-uid"],
  [32, "--log-macdecode"],
] as const;

/** xt_LOG. Level 4, warning, is not shown. */
export const LOG = defineTarget({
  name: "LOG",

  summary: "writes a line to the kernel log and goes on",

  options: {
    prefix: { name: "--log-prefix", value: lineKind("a text of at most 29 bytes in one line", 29) },
    level: { name: "--log-level", value: levelKind, hidden: (level) => level === WARNING },
    sequence: flag("--log-tcp-sequence"),
    tcpOptions: flag("--log-tcp-options"),
    ipOptions: flag("--log-ip-options"),
    uid: flag("--log-uid"),
    mac: flag("--log-macdecode"),
  },

  meaning: () => ({ kind: "note", what: "LOG" }),
  listed: [
    {
      form: /^LOG (?:flags (\d+) )?level (\S+)(?: prefix "([^"]*)")?/,
      words: ([flags = "0", level = "4", prefix]) => [
        ...(prefix === undefined ? [] : ["--log-prefix", quote(prefix)]),
        ...["--log-level", level],
        ...LISTED_FLAGS.flatMap(([bit, name]) => (Number(flags) & bit ? [name] : [])),
      ],
    },
  ],
  examples: [
    { typed: "-j LOG" },
    { typed: '-j LOG --log-prefix "test: " --log-level 1' },
    { typed: "-j LOG --log-level debug --log-prefix x", saved: "-j LOG --log-prefix x --log-level 7" },
    { typed: "-j LOG --log-level warning", saved: "-j LOG" },
    { typed: "-j LOG --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid --log-macdecode" },
    {
      typed: "-j LOG --log-prefix 0123456789012345678901234567890123456789",
      saved: "-j LOG --log-prefix 01234567890123456789012345678",
    },
    { typed: "-j LOG --log-level 8", refused: true },
    { typed: '-j LOG --log-prefix ""', refused: true },
  ],
});
